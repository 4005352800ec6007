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

// Word i of n that the mask leaves of a key.
ALWAYS_INLINE uint64_t masked(const uint64_t *values, const struct dpcls_word *plan, unsigned n,
                              unsigned i) {
    const uint8_t *index = (const uint8_t *)&plan[n + 1];
    return values[index[i]] & plan[i].mask;
}

// dpcls_hash_masked() of what the mask leaves of a key.
ALWAYS_INLINE uint32_t hash_planned(const uint64_t *values, const struct dpcls_word *plan,
                                    unsigned n) {
    uint64_t sum = 0;
    unsigned i = 0;
#pragma GCC unroll 8
    for (; i + 1 < n; i += 2) {
        sum += hash_fold(masked(values, plan, n, i) ^ plan[i].secret,
                         masked(values, plan, n, i + 1) ^ plan[i + 1].secret);
    }
    if (i < n) {
        sum += hash_fold(masked(values, plan, n, i) ^ plan[i].secret, plan[i + 1].secret);
    }
    return finish(sum);
}

ALWAYS_INLINE bool key_is(const struct megaflow *m, const uint64_t *values,
                          const struct dpcls_word *plan, unsigned n) {
    uint64_t differs = 0;
#pragma GCC unroll 16
    for (unsigned i = 0; i < n; i++) {
        differs |= m->key.values[i] ^ masked(values, plan, n, i);
    }
    return differs == 0;
}

// Places of a bucket that have the hash: bits 0, 4, 8 and 12.
ALWAYS_INLINE unsigned bucket_match(const uint32_t *bucket, uint32_t hash) {
#ifdef __SSE2__
    __m128i hashes = _mm_load_si128((const __m128i *)(const void *)bucket);
    __m128i same = _mm_cmpeq_epi32(hashes, _mm_set1_epi32((int)hash));
    return (unsigned)_mm_movemask_epi8(same) & 0x1111;
#else
    return (unsigned)(bucket[0] == hash) | (unsigned)(bucket[1] == hash) << 4 |
           (unsigned)(bucket[2] == hash) << 8 | (unsigned)(bucket[3] == hash) << 12;
#endif
}

// Where a hash agrees, or a bucket has run over: place by place.
static __attribute__((noinline)) struct megaflow *look_closer(const struct dpcls_subtable *s,
                                                              uint32_t hash, const uint64_t *values,
                                                              const struct dpcls_word *plan) {
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

// The megaflow in the first place of the bucket that has the hash, which is nearly always the one.
ALWAYS_INLINE struct megaflow *look(const struct dpcls_subtable *s, uint32_t hash,
                                    const uint64_t *values, const struct dpcls_word *plan,
                                    unsigned n_words) {
    uint32_t first = dpcls_bucket(s, hash) * DPCLS_BUCKET;
    unsigned match = bucket_match(&s->hashes[first], hash);
    if (likely(match)) {
        struct megaflow *m = s->flows[first + (unsigned)__builtin_ctz(match) / 4];
        if (likely(key_is(m, values, plan, n_words) &&
                   !atomic_load_explicit(&m->dead, memory_order_relaxed))) {
            return m;
        }
    }
    return look_closer(s, hash, values, plan);
}

// Compiled once for each small number of words, so that the loops over words are unrolled. Which keys are
// in a subtable is nothing that a CPU can predict, so nothing branches on it but the few keys that are
// worth a closer look, in a loop of their own.
ALWAYS_INLINE void search(const struct dpcls_subtable *s, const struct dpcls_word *plan,
                          struct dpcls_pending *pending, struct megaflow **found,
                          unsigned n_words) {
    uint32_t hashes[RS_BATCH_MAX];
    uint8_t likely_ones[RS_BATCH_MAX];
    unsigned n = pending->n, n_likely = 0, kept = 0;
    uint32_t hits = 0;
    for (unsigned i = 0; i < n; i++) {
        uint32_t hash = hash_planned(pending->values[i], plan, n_words);
        const uint32_t *bucket = &s->hashes[dpcls_bucket(s, hash) * DPCLS_BUCKET];
        hashes[n_likely] = hash;
        likely_ones[n_likely] = (uint8_t)i;
        n_likely += (bucket_match(bucket, hash) | bucket[DPCLS_BUCKET - 1]) != 0;
    }
    for (unsigned j = 0; j < n_likely; j++) {
        unsigned i = likely_ones[j];
        struct megaflow *m = look(s, hashes[j], pending->values[i], plan, n_words);
        if (likely(m)) {
            found[pending->place[i]] = m;
            hits |= UINT32_C(1) << i;
        }
    }
    if (!hits) {
        return;
    }
    if (hits == UINT32_MAX >> (RS_BATCH_MAX - n)) { // All of them.
        pending->n = 0;
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        pending->values[kept] = pending->values[i];
        pending->place[kept] = pending->place[i];
        kept += !(hits >> i & 1);
    }
    pending->n = kept;
}

#define SEARCH(n)                                                                         \
    static void search_##n(const struct dpcls_subtable *s, const struct dpcls_word *plan, \
                           struct dpcls_pending *pending, struct megaflow **found) {      \
        search(s, plan, pending, found, n);                                               \
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

static void search_any(const struct dpcls_subtable *s, const struct dpcls_word *plan,
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

static void make_plan(const struct dpcls *c, const struct dpcls_subtable *s, unsigned shape,
                      struct dpcls_word *plan) {
    struct flowmap map = c->shapes[shape].map;
    uint8_t *index = (uint8_t *)&plan[s->n_words + 1];
    unsigned n = 0;
    FLOWMAP_FOR_EACH(word, s->mask.map) {
        bool has = flowmap_has(map, word);
        plan[n].mask = has ? s->mask.values[n] : 0;
        plan[n].secret = c->secret[n];
        index[n++] = has ? (uint8_t)flowmap_index(map, word) : 0;
    }
    plan[n].secret = c->secret[n];
}

static inline const struct dpcls_word *plan_of(const struct dpcls *c, struct dpcls_subtable *s,
                                               unsigned shape) {
    struct dpcls_word *plan = (void *)(s->plans + (size_t)shape * s->plan_bytes);
    if (unlikely(!(s->planned >> shape & 1))) {
        make_plan(c, s, shape, plan);
        s->planned |= UINT32_C(1) << shape;
    }
    return plan;
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
