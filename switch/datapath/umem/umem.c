#include "datapath/umem/umem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/packet/dp_packet.h"

#define FRAME_SIZE_MIN 2048u // The least that XDP_UMEM_REG takes in aligned mode.
#define FRAME_SIZE_MAX 4096u

static void meta_init(struct umem *umem) {
    for (uint32_t i = 0; i < umem->n_frames; i++) {
        struct dp_packet *p = &umem->meta[i];
        p->umem = umem;
        p->frame = i;
        dp_packet_reset(p, 0, 0);
    }
}

// The stock hands out low frame numbers first, so that a lightly loaded switch touches few pages.
static void stock_init(struct umem *umem) {
    for (uint32_t i = 0; i < umem->n_frames; i++) {
        umem->stock[i] = umem->n_frames - 1 - i;
    }
    umem->n_stock = umem->n_frames;
}

static void *alloc_lines(size_t bytes) {
    size_t rounded = (bytes + RS_CACHE_LINE - 1) & ~(size_t)(RS_CACHE_LINE - 1);
    void *p = aligned_alloc(RS_CACHE_LINE, rounded);
    if (p) {
        memset(p, 0, rounded);
    }
    return p;
}

int umem_create(uint32_t n_frames, uint32_t frame_size, int numa_node, struct umem **out) {
    *out = NULL;
    if (n_frames == 0 || frame_size < FRAME_SIZE_MIN || frame_size > FRAME_SIZE_MAX ||
        (frame_size & (frame_size - 1)) != 0) {
        return -EINVAL;
    }
    struct umem *umem = alloc_lines(sizeof *umem);
    if (!umem) {
        return -ENOMEM;
    }
    umem->frame_size = frame_size;
    umem->frame_shift = (uint32_t)__builtin_ctz(frame_size);
    umem->n_frames = n_frames;
    umem->numa_node = numa_node;
    spin_init(&umem->stock_lock);
    umem->meta = alloc_lines((size_t)n_frames * sizeof *umem->meta);
    umem->owner = alloc_lines((size_t)n_frames * sizeof *umem->owner);
    umem->stock = alloc_lines((size_t)n_frames * sizeof *umem->stock);
    umem->pmd_cache = alloc_lines(sizeof *umem->pmd_cache);
    if (!umem->meta || !umem->owner || !umem->stock || !umem->pmd_cache ||
        hugemem_map((size_t)n_frames * frame_size, numa_node, &umem->mem) < 0) {
        umem_destroy(umem);
        return -ENOMEM;
    }
    umem->base = umem->mem.base;
    umem->pmd_cache->umem = umem;
    meta_init(umem);
    stock_init(umem);
    *out = umem;
    return 0;
}

void umem_destroy(struct umem *umem) {
    if (!umem) {
        return;
    }
    assert(umem->n_sockets == 0);
    hugemem_unmap(&umem->mem);
    free(umem->pmd_cache);
    free(umem->stock);
    free(umem->owner);
    free(umem->meta);
    free(umem);
}
