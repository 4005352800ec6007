// The compressed form of a flow key or mask: a bitmap of the words that are not zero, and those words.
//
//     map.bits[0]: words 0 … 41 (tunnel)     map.bits[1]: words 42 … 82, bit = word - 42
//     values: popcount(map) words, in ascending order
//
// An IPv4 packet has about nine words where the full key has 83; a rule's match about three. Most
// packets carry no tunnel, so bits[0] is 0 and everything is one 41-bit map.
//
// Invariant of a key built by miniflow_from_flow() and flow_extract(): deterministic for a given flow,
// so equal flows have equal maps and equal values. flow_extract() may leave words in the map whose value
// is zero (it knows the protocol, not the value), so two miniflows of different origin may differ
// in form and be equal in meaning: compare them with miniflow_equal() unless both came from the same
// maker.

#ifndef RINGSIDE_FLOW_MINIFLOW_H
#define RINGSIDE_FLOW_MINIFLOW_H

#include "datapath/flow/flow.h"

struct flowmap {
    uint64_t bits[2];
};

struct miniflow {
    struct flowmap map;
    uint64_t values[]; // [flowmap_count(map)]
};

// A datapath key: the miniflow of one packet with its hash, in a buffer that holds any flow.
struct dp_key {
    uint32_t hash;  // flow_extract() leaves it 0; the PMD fills it in (flow_hash.h).
    uint32_t words; // flowmap_count(map).
    struct flowmap map;
    uint64_t values[FLOW_WORDS];
};

static_assert(offsetof(struct dp_key, values) - offsetof(struct dp_key, map) ==
                  sizeof(struct flowmap),
              "the map and values of a dp_key are laid out as a struct miniflow");

static inline const struct miniflow *dp_key_miniflow(const struct dp_key *key) {
    return (const struct miniflow *)(const void *)&key->map;
}

static inline unsigned flowmap_count(struct flowmap m) {
    return (unsigned)(__builtin_popcountll(m.bits[0]) + __builtin_popcountll(m.bits[1]));
}

static inline bool flowmap_has(struct flowmap m, unsigned word) {
    return word < FLOW_TNL_WORDS ? m.bits[0] >> word & 1 : m.bits[1] >> (word - FLOW_TNL_WORDS) & 1;
}

static inline void flowmap_set(struct flowmap *m, unsigned word) {
    if (word < FLOW_TNL_WORDS) {
        m->bits[0] |= UINT64_C(1) << word;
    } else {
        m->bits[1] |= UINT64_C(1) << (word - FLOW_TNL_WORDS);
    }
}

static inline bool flowmap_is_subset(struct flowmap a, struct flowmap b) { // a within b?
    return !(a.bits[0] & ~b.bits[0]) && !(a.bits[1] & ~b.bits[1]);
}

// Index into values[] of a word that is present.
static inline unsigned flowmap_index(struct flowmap m, unsigned word) {
    if (word < FLOW_TNL_WORDS) {
        return (unsigned)__builtin_popcountll(m.bits[0] & ((UINT64_C(1) << word) - 1));
    }
    return (
        unsigned)(__builtin_popcountll(m.bits[0]) +
                  __builtin_popcountll(m.bits[1] & ((UINT64_C(1) << (word - FLOW_TNL_WORDS)) - 1)));
}

static inline uint64_t miniflow_get(const struct miniflow *mf, unsigned word) {
    return flowmap_has(mf->map, word) ? mf->values[flowmap_index(mf->map, word)] : 0;
}

// Calls `body` for each present word in ascending order; `word` is the word's number.
#define FLOWMAP_FOR_EACH(word, m)                                                           \
    for (uint64_t rs_bits_[2] = {(m).bits[0], (m).bits[1]}; rs_bits_[0] | rs_bits_[1];)     \
        for (unsigned word = rs_bits_[0]                                                    \
                                 ? (unsigned)__builtin_ctzll(rs_bits_[0])                   \
                                 : FLOW_TNL_WORDS + (unsigned)__builtin_ctzll(rs_bits_[1]), \
                      rs_once_ = 1;                                                         \
             rs_once_;                                                                      \
             rs_once_ = 0, rs_bits_[rs_bits_[0] ? 0 : 1] &= rs_bits_[rs_bits_[0] ? 0 : 1] - 1)

// Words of `flow` that are not zero. Bytes that miniflow_from_flow() will write.
struct flowmap flow_map(const struct flow *flow);
static inline size_t miniflow_bytes(struct flowmap map) {
    return sizeof(struct miniflow) + flowmap_count(map) * sizeof(uint64_t);
}

// Compresses (out has room for miniflow_bytes(flow_map(flow))) and expands again.
void miniflow_from_flow(const struct flow *flow, struct miniflow *out);
void miniflow_expand(const struct miniflow *mf, struct flow *out);

bool miniflow_equal(const struct miniflow *a, const struct miniflow *b); // In meaning.

// wc |= mask, mask in compressed form.
void flow_or_miniflow(struct flow *wc, const struct miniflow *mask);

#endif
