// The search of the classifier, for a batch of keys.

#include "datapath/lookup/dpcls.h"
#include "datapath/lookup/key_hash.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE uint32_t finish(uint64_t sum) {
    return hash_end(sum) | 2u; // Neither DPCLS_FREE nor DPCLS_REMOVED.
}

uint32_t dpcls_hash_masked(const uint64_t *secret, const uint64_t *values, unsigned n) {
    return finish(key_hash_words(secret, values, n));
}

// The same of the words that the plan takes out of a key.
ALWAYS_INLINE uint32_t hash_planned(const uint64_t *secret, const uint64_t *values,
                                    struct dpcls_plan plan, unsigned n) {
    uint64_t sum = 0;
    unsigned i = 0;
#pragma GCC unroll 8
    for (; i + 1 < n; i += 2) {
        sum += hash_fold((values[plan.index[i]] & plan.mask[i]) ^ secret[i],
                         (values[plan.index[i + 1]] & plan.mask[i + 1]) ^ secret[i + 1]);
    }
    return finish(
        i < n ? sum + hash_fold((values[plan.index[i]] & plan.mask[i]) ^ secret[i], secret[i + 1])
              : sum);
}

static bool key_is(const struct megaflow *m, const uint64_t *values, struct dpcls_plan plan,
                   unsigned n) {
    uint64_t differs = 0;
    for (unsigned i = 0; i < n; i++) {
        differs |= m->key.values[i] ^ (values[plan.index[i]] & plan.mask[i]);
    }
    return differs == 0;
}

// Is there any reason to look closer: the hash in this bucket, or a bucket that has run over?
ALWAYS_INLINE bool bucket_may_have(const uint32_t *bucket, uint32_t hash) {
#ifdef __SSE2__
    __m128i hashes = _mm_load_si128((const __m128i *)(const void *)bucket);
    __m128i same = _mm_cmpeq_epi32(hashes, _mm_set1_epi32((int)hash));
    return (unsigned)_mm_movemask_epi8(same) | bucket[DPCLS_BUCKET - 1];
#else
    return (bucket[0] == hash) | (bucket[1] == hash) | (bucket[2] == hash) | (bucket[3] != 0);
#endif
}

static __attribute__((noinline)) struct megaflow *look_closer(const struct dpcls_subtable *s,
                                                              uint32_t hash, const uint64_t *values,
                                                              struct dpcls_plan plan) {
    uint32_t last = s->bucket_mask * DPCLS_BUCKET + DPCLS_BUCKET - 1;
    uint32_t i = dpcls_bucket(s, hash) * DPCLS_BUCKET;
    for (; s->hashes[i] != DPCLS_FREE; i = (i + 1) & last) {
        struct megaflow *m = s->flows[i];
        if (s->hashes[i] == hash && key_is(m, values, plan, s->n_words) &&
            !atomic_load_explicit(&m->dead, memory_order_relaxed)) {
            return m;
        }
    }
    return NULL;
}

// Compiled once for each small number of words, so that the loops over words are unrolled.
ALWAYS_INLINE void search(const struct dpcls_subtable *s, struct dpcls_plan plan,
                          struct dpcls_pending *pending, struct megaflow **found,
                          unsigned n_words) {
    uint32_t hashes[RS_BATCH_MAX];
    unsigned n = pending->n, kept = 0;
    for (unsigned i = 0; i < n; i++) {
        hashes[i] = hash_planned(s->secret, pending->values[i], plan, n_words);
        __builtin_prefetch(&s->hashes[dpcls_bucket(s, hashes[i]) * DPCLS_BUCKET]);
    }
    for (unsigned i = 0; i < n; i++) {
        const uint64_t *values = pending->values[i];
        uint8_t place = pending->place[i];
        struct megaflow *m = NULL;
        if (bucket_may_have(&s->hashes[dpcls_bucket(s, hashes[i]) * DPCLS_BUCKET], hashes[i])) {
            m = look_closer(s, hashes[i], values, plan);
        }
        if (m) {
            found[place] = m;
        } else {
            pending->values[kept] = values;
            pending->place[kept++] = place;
        }
    }
    pending->n = kept;
}

#define SEARCH(n)                                                                    \
    static void search_##n(const struct dpcls_subtable *s, struct dpcls_plan plan,   \
                           struct dpcls_pending *pending, struct megaflow **found) { \
        search(s, plan, pending, found, n);                                          \
    }
SEARCH(1)
SEARCH(2)
SEARCH(3)
SEARCH(4)
SEARCH(5)
SEARCH(6)
SEARCH(7)
SEARCH(8)
SEARCH(9)
SEARCH(10)

static void search_any(const struct dpcls_subtable *s, struct dpcls_plan plan,
                       struct dpcls_pending *pending, struct megaflow **found) {
    search(s, plan, pending, found, s->n_words);
}

dpcls_search_fn *dpcls_search_for(unsigned n_words) {
    static dpcls_search_fn *const by_words[] = {
        search_any, search_1, search_2, search_3, search_4,  search_5,
        search_6,   search_7, search_8, search_9, search_10,
    };
    return n_words < RS_ARRAY_SIZE(by_words) ? by_words[n_words] : search_any;
}

uint64_t dpcls_in_port_mask(void) {
    static const struct flow mask = {.in_port = UINT32_MAX};
    return flow_words_const(&mask)[FLOW_WORD(in_port)];
}

uint64_t dpcls_recirc_mask(void) {
    static const struct flow mask = {.recirc_id = UINT32_MAX};
    return flow_words_const(&mask)[FLOW_WORD(recirc_id)];
}

unsigned dpcls_origin(uint64_t in_port_word, uint64_t recirc_word) {
    uint64_t mixed = in_port_word * 0x9e3779b97f4a7c15u + recirc_word * 0xd6e8feb86659fd93u;
    return (unsigned)((mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15u >> 58);
}

static void shape_set(struct dpcls_shape *shape, struct flowmap map) {
    *shape = (struct dpcls_shape){.map = map};
    if (flowmap_has(map, FLOW_WORD(in_port))) {
        shape->in_port_mask = dpcls_in_port_mask();
        shape->in_port_index = (uint8_t)flowmap_index(map, FLOW_WORD(in_port));
    }
    if (flowmap_has(map, FLOW_WORD(recirc_id))) {
        shape->recirc_mask = dpcls_recirc_mask();
        shape->recirc_index = (uint8_t)flowmap_index(map, FLOW_WORD(recirc_id));
    }
}

static inline bool map_is(struct flowmap a, struct flowmap b) {
    return ((a.bits[0] ^ b.bits[0]) | (a.bits[1] ^ b.bits[1])) == 0;
}

static unsigned shape_of(struct dpcls *c, struct flowmap map) {
    for (unsigned i = 0; i < c->n_shapes; i++) {
        if (map_is(c->shapes[i].map, map)) {
            return i;
        }
    }
    unsigned shape = c->n_shapes < DPCLS_SHAPES ? c->n_shapes++ : c->next_shape++ % DPCLS_SHAPES;
    shape_set(&c->shapes[shape], map);
    for (unsigned i = 0; i < c->n_subtables; i++) {
        c->subtables[i]->planned &= ~(UINT32_C(1) << shape);
    }
    return shape;
}

static void make_plan(struct dpcls_subtable *s, uint64_t *masks, uint8_t *indices,
                      struct flowmap map) {
    unsigned n = 0;
    FLOWMAP_FOR_EACH(word, s->mask.map) {
        bool has = flowmap_has(map, word);
        masks[n] = has ? s->mask.values[n] : 0;
        indices[n++] = has ? (uint8_t)flowmap_index(map, word) : 0;
    }
}

static inline struct dpcls_plan plan_of(const struct dpcls *c, struct dpcls_subtable *s,
                                        unsigned shape) {
    uint64_t *masks = s->plans + (size_t)shape * s->plan_stride;
    uint8_t *indices = (uint8_t *)(masks + s->n_words);
    if (unlikely(!(s->planned >> shape & 1))) {
        make_plan(s, masks, indices, c->shapes[shape].map);
        s->planned |= UINT32_C(1) << shape;
    }
    return (struct dpcls_plan){.mask = masks, .index = indices};
}

bool dpcls_covers(struct dpcls *c, const struct megaflow *m, const struct dp_key *key) {
    struct dpcls_subtable *s = m->subtable;
    return key_is(m, key->values, plan_of(c, s, shape_of(c, key->map)), s->n_words);
}

static void search_all(struct dpcls *c, unsigned shape, uint64_t origins,
                       struct dpcls_pending *pending, struct megaflow **found) {
    uint64_t searched = 0;
    for (unsigned i = 0; i < c->n_subtables && pending->n > 0; i++) {
        struct dpcls_subtable *s = c->subtables[i];
        if (s->origins & origins) {
            unsigned before = pending->n;
            s->search(s, plan_of(c, s, shape), pending, found);
            s->hits += before - pending->n;
            searched += before;
        }
    }
    counter_add(&c->searched, searched);
}

uint32_t dpcls_lookup(struct dpcls *c, const struct dp_key *keys, uint32_t want,
                      struct megaflow **found) {
    uint32_t missed = 0;
    while (want) { // One round for each shape in the batch: one, as a rule.
        struct flowmap map = keys[__builtin_ctz(want)].map;
        unsigned shape = shape_of(c, map);
        const struct dpcls_shape *sh = &c->shapes[shape];
        struct dpcls_pending pending = {.n = 0};
        uint64_t origins = 0;
        for (uint32_t rest = want; rest; rest &= rest - 1) {
            unsigned i = (unsigned)__builtin_ctz(rest);
            const uint64_t *values = keys[i].values;
            if (map_is(keys[i].map, map)) {
                pending.values[pending.n] = values;
                pending.place[pending.n++] = (uint8_t)i;
                origins |= UINT64_C(1) << dpcls_origin(values[sh->in_port_index] & sh->in_port_mask,
                                                       values[sh->recirc_index] & sh->recirc_mask);
                want &= ~(UINT32_C(1) << i);
            }
        }
        search_all(c, shape, origins, &pending, found);
        for (unsigned i = 0; i < pending.n; i++) {
            missed |= UINT32_C(1) << pending.place[i];
        }
    }
    return missed;
}
