// The pool of free frames: a LIFO stock under a spinlock, and a cache for each thread in front of
// it.
//
// LIFO, so that the frame freed last, whose lines are warm, is used first. A cache trades with the
// stock in bursts of UMEM_CACHE_BURST; being twice that size, it never trades twice within one
// burst, whatever the mix of gets and puts.

#include <string.h>

#include "datapath/umem/umem.h"

static_assert(UMEM_CACHE_SIZE == 2 * UMEM_CACHE_BURST, "half is traded, half stays");

unsigned umem_stock_take(struct umem *umem, uint32_t *frames, unsigned n) {
    spin_lock(&umem->stock_lock);
    unsigned k = n < umem->n_stock ? n : umem->n_stock;
    umem->n_stock -= k;
    memcpy(frames, &umem->stock[umem->n_stock], k * sizeof *frames);
    spin_unlock(&umem->stock_lock);
    return k;
}

void umem_stock_give(struct umem *umem, const uint32_t *frames, unsigned n) {
    spin_lock(&umem->stock_lock);
    assert(umem->n_stock + n <= umem->n_frames); // More would be a frame freed twice.
    memcpy(&umem->stock[umem->n_stock], frames, n * sizeof *frames);
    umem->n_stock += n;
    spin_unlock(&umem->stock_lock);
}

uint32_t umem_free_frames(struct umem *umem) {
    spin_lock(&umem->stock_lock);
    uint32_t n = umem->n_stock;
    spin_unlock(&umem->stock_lock);
    return n + __atomic_load_n(&umem->pmd_cache->count, __ATOMIC_RELAXED);
}

static void cache_refill(struct umem_cache *cache) {
    cache->count += umem_stock_take(cache->umem, &cache->frames[cache->count], UMEM_CACHE_BURST);
}

bool umem_cache_get(struct umem_cache *cache, uint32_t *frame) {
    if (unlikely(cache->count == 0)) {
        cache_refill(cache);
        if (cache->count == 0) {
            return false;
        }
    }
    *frame = cache->frames[--cache->count];
    return true;
}

unsigned umem_cache_get_many(struct umem_cache *cache, uint32_t *frames, unsigned n) {
    unsigned got = 0;
    while (got < n) {
        if (cache->count == 0) {
            cache_refill(cache);
            if (cache->count == 0) {
                break;
            }
        }
        unsigned k = n - got < cache->count ? n - got : cache->count;
        cache->count -= k;
        memcpy(&frames[got], &cache->frames[cache->count], k * sizeof *frames);
        got += k;
    }
    return got;
}

void umem_cache_put(struct umem_cache *cache, uint32_t frame) {
    assert(frame < cache->umem->n_frames);
    if (unlikely(cache->count == UMEM_CACHE_SIZE)) {
        // The older half goes: the newer one is still in the CPU's cache.
        umem_stock_give(cache->umem, cache->frames, UMEM_CACHE_BURST);
        cache->count -= UMEM_CACHE_BURST;
        memmove(cache->frames, &cache->frames[UMEM_CACHE_BURST],
                cache->count * sizeof *cache->frames);
    }
    cache->frames[cache->count++] = frame;
}

void umem_cache_flush(struct umem_cache *cache) {
    umem_stock_give(cache->umem, cache->frames, cache->count);
    cache->count = 0;
}

uint32_t umem_reclaim(struct umem *umem, uint16_t tag) {
    assert(tag != UMEM_OWNER_NONE && tag <= UMEM_TAG_MAX);
    uint32_t frames[UMEM_CACHE_BURST];
    uint32_t total = 0;
    unsigned n = 0;

    for (uint32_t i = 0; i < umem->n_frames; i++) {
        if ((umem->owner[i] & ~UMEM_OWNER_TX) != tag) {
            continue;
        }
        umem->owner[i] = UMEM_OWNER_NONE;
        frames[n++] = i;
        total++;
        if (n == UMEM_CACHE_BURST) {
            umem_stock_give(umem, frames, n);
            n = 0;
        }
    }
    umem_stock_give(umem, frames, n);
    return total;
}
