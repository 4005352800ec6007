// Subtables: made, filled, ranked. How they are searched: dpcls_lookup.c.

#include "datapath/lookup/dpcls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_BUCKETS = 2 };

static uint64_t next_random(uint64_t *state) { // splitmix64
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void dpcls_init(struct dpcls *c, uint64_t seed) {
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < RS_ARRAY_SIZE(c->secret); i++) {
        c->secret[i] = next_random(&seed);
    }
}

static void subtable_free(struct dpcls_subtable *s) {
    free((void *)(uintptr_t)s->hashes);
    free(s->flows);
    free(s->plans);
    free(s);
}

void dpcls_destroy(struct dpcls *c) {
    for (unsigned i = 0; i < c->n_subtables; i++) {
        subtable_free(c->subtables[i]);
    }
    free(c->subtables);
    c->subtables = NULL;
    c->n_subtables = c->cap = 0;
}

// Room for n_buckets, empty. False without memory.
static bool places_alloc(uint32_t n_buckets, uint32_t **hashes, struct megaflow ***flows) {
    size_t n = (size_t)n_buckets * DPCLS_BUCKET;
    size_t bytes = (n * sizeof **hashes + RS_CACHE_LINE - 1) & ~(size_t)(RS_CACHE_LINE - 1);
    *hashes = aligned_alloc(RS_CACHE_LINE, bytes);
    *flows = malloc(n * sizeof **flows);
    if (!*hashes || !*flows) {
        free(*hashes);
        free(*flows);
        return false;
    }
    memset(*hashes, 0, bytes);
    return true;
}

static void place(struct dpcls_subtable *s, struct megaflow *m) {
    uint32_t *hashes = (uint32_t *)(uintptr_t)s->hashes;
    uint32_t i = dpcls_bucket(s, m->hash) * DPCLS_BUCKET;
    while (hashes[i] > DPCLS_REMOVED) {
        i = (i + 1) & (s->bucket_mask * DPCLS_BUCKET + DPCLS_BUCKET - 1);
    }
    s->taken += hashes[i] == DPCLS_FREE;
    hashes[i] = m->hash;
    s->flows[i] = m;
}

// Moves everything into a table with room for n megaflows at a quarter of its places, so that few
// buckets are ever full. False without memory: nothing has changed.
static bool resize(struct dpcls_subtable *s, uint32_t n) {
    uint32_t n_buckets = MIN_BUCKETS;
    while (n_buckets < n) {
        n_buckets *= 2;
    }
    uint32_t *hashes;
    struct megaflow **flows;
    if (!places_alloc(n_buckets, &hashes, &flows)) {
        return false;
    }
    const uint32_t *old_hashes = s->hashes;
    struct megaflow **old_flows = s->flows;
    uint32_t old_places = old_hashes ? (s->bucket_mask + 1) * DPCLS_BUCKET : 0;
    s->hashes = hashes;
    s->flows = flows;
    s->bucket_mask = n_buckets - 1;
    s->taken = 0;
    for (uint32_t i = 0; i < old_places; i++) {
        if (old_hashes[i] > DPCLS_REMOVED) {
            place(s, old_flows[i]);
        }
    }
    free((void *)(uintptr_t)old_hashes);
    free(old_flows);
    return true;
}

static struct dpcls_subtable *subtable_create(const struct miniflow *mask) {
    unsigned n = flowmap_count(mask->map);
    uint32_t plan_bytes = (uint32_t)((n + 1) * sizeof(struct dpcls_word) + (n + 7) / 8 * 8);
    struct dpcls_subtable *s = calloc(1, sizeof *s + n * sizeof mask->values[0]);
    if (!s) {
        return NULL;
    }
    s->plans = malloc((size_t)DPCLS_SHAPES * plan_bytes);
    if (!s->plans || !resize(s, 1)) {
        subtable_free(s);
        return NULL;
    }
    memcpy(&s->mask, mask, miniflow_bytes(mask->map));
    s->search = dpcls_search_for(n);
    s->plan_bytes = plan_bytes;
    s->n_words = n;
    s->by_origin =
        (miniflow_get(mask, FLOW_WORD(in_port)) & dpcls_in_port_mask()) == dpcls_in_port_mask() &&
        (miniflow_get(mask, FLOW_WORD(recirc_id)) & dpcls_recirc_mask()) == dpcls_recirc_mask();
    s->origins = s->by_origin ? 0 : UINT64_MAX;
    return s;
}

static bool mask_is(const struct dpcls_subtable *s, const struct miniflow *mask) {
    return s->mask.map.bits[0] == mask->map.bits[0] && s->mask.map.bits[1] == mask->map.bits[1] &&
           memcmp(s->mask.values, mask->values, s->n_words * sizeof mask->values[0]) == 0;
}

static struct dpcls_subtable *subtable_for(struct dpcls *c, const struct miniflow *mask) {
    for (unsigned i = 0; i < c->n_subtables; i++) {
        if (mask_is(c->subtables[i], mask)) {
            return c->subtables[i];
        }
    }
    if (c->n_subtables == c->cap) {
        unsigned cap = c->cap ? 2 * c->cap : 16;
        struct dpcls_subtable **more = realloc(c->subtables, cap * sizeof *more);
        if (!more) {
            return NULL;
        }
        c->subtables = more;
        c->cap = cap;
    }
    struct dpcls_subtable *s = subtable_create(mask);
    if (s) {
        c->subtables[c->n_subtables++] = s;
    }
    return s;
}

static void subtable_remove(struct dpcls *c, struct dpcls_subtable *s) {
    unsigned i = 0;
    while (c->subtables[i] != s) {
        i++;
    }
    c->n_subtables--;
    memmove(&c->subtables[i], &c->subtables[i + 1],
            (c->n_subtables - i) * sizeof c->subtables[0]); // The others keep their ranks.
    subtable_free(s);
}

static unsigned origin_of(const struct megaflow *m) {
    return dpcls_origin(miniflow_get(&m->key, FLOW_WORD(in_port)) & dpcls_in_port_mask(),
                        miniflow_get(&m->key, FLOW_WORD(recirc_id)) & dpcls_recirc_mask());
}

int dpcls_insert(struct dpcls *c, struct megaflow *m) {
    struct dpcls_subtable *s = subtable_for(c, m->mask);
    if (!s) {
        return -ENOMEM;
    }
    if ((s->taken + 1) * 8 > (s->bucket_mask + 1) * DPCLS_BUCKET * 3 && !resize(s, s->n + 1)) {
        if (s->n == 0) {
            subtable_remove(c, s);
        }
        return -ENOMEM;
    }
    m->subtable = s;
    m->hash = dpcls_hash_masked(c->secret, m->key.values, s->n_words);
    place(s, m);
    s->n++;
    if (s->by_origin) {
        unsigned origin = origin_of(m);
        s->of_origin[origin]++;
        s->origins |= UINT64_C(1) << origin;
    }
    return 0;
}

void dpcls_remove(struct dpcls *c, struct megaflow *m) {
    struct dpcls_subtable *s = m->subtable;
    uint32_t last = s->bucket_mask * DPCLS_BUCKET + DPCLS_BUCKET - 1;
    uint32_t i = dpcls_bucket(s, m->hash) * DPCLS_BUCKET;
    while (s->hashes[i] != m->hash || s->flows[i] != m) {
        assert(s->hashes[i] != DPCLS_FREE);
        i = (i + 1) & last;
    }
    ((uint32_t *)(uintptr_t)s->hashes)[i] = DPCLS_REMOVED;
    m->subtable = NULL;
    s->n--;
    if (s->by_origin) {
        unsigned origin = origin_of(m);
        if (--s->of_origin[origin] == 0) {
            s->origins &= ~(UINT64_C(1) << origin);
        }
    }
    if (s->n == 0) {
        subtable_remove(c, s);
    } else if (s->n < s->bucket_mask / 8) {
        resize(s, s->n); // If there is no memory for less, all stays as it is.
    }
}

void dpcls_rank(struct dpcls *c) {
    for (unsigned i = 1; i < c->n_subtables; i++) { // Almost sorted as a rule.
        struct dpcls_subtable *s = c->subtables[i];
        unsigned j = i;
        for (; j > 0 && c->subtables[j - 1]->hits < s->hits; j--) {
            c->subtables[j] = c->subtables[j - 1];
        }
        c->subtables[j] = s;
    }
    for (unsigned i = 0; i < c->n_subtables; i++) {
        c->subtables[i]->hits = 0;
    }
}
