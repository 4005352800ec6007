// Hash of a datapath key: two words at a time multiplied to 128 bits and folded (as wyhash does), so
// that every input bit reaches every output bit. Seeded on both factors: a sender who does not know
// the seed can neither choose addresses that collide nor make a factor zero.
//
// It hashes the form, not the meaning: keys of one maker (both from flow_extract(), or both from
// dp_key_from_flow()) that are equal have equal hashes. Across makers they need not, because flow_extract()
// may keep words that are zero.

#ifndef RINGSIDE_FLOW_FLOW_HASH_H
#define RINGSIDE_FLOW_FLOW_HASH_H

#include "datapath/flow/miniflow.h"

static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// A hash in the making. hash_begin(), hash_add2() as often as needed, hash_end().
struct flow_hasher {
    uint64_t state, key;
};

static inline struct flow_hasher hash_begin(uint64_t seed, uint64_t basis) {
    return (struct flow_hasher){.state = seed ^ basis, .key = seed ^ 0xa0761d6478bd642fu};
}

static inline void hash_add2(struct flow_hasher *h, uint64_t a, uint64_t b) {
    h->state = hash_fold(h->state ^ a, h->key ^ b);
}

// Never 0: that says "not computed" in struct dp_packet and struct dp_key.
static inline uint32_t hash_end(struct flow_hasher h) {
    uint64_t all = hash_fold(h.state ^ 0xe7037ed1a0b428dbu, h.key);
    uint32_t hash = (uint32_t)(all ^ (all >> 32));
    return hash ? hash : 1;
}

// Of `n` words.
static inline uint32_t hash_words(const uint64_t *words, unsigned n, uint64_t seed,
                                  uint64_t basis) {
    struct flow_hasher h = hash_begin(seed, basis + n);
    unsigned i = 0;
    for (; i + 2 <= n; i += 2) {
        hash_add2(&h, words[i], words[i + 1]);
    }
    if (i < n) {
        hash_add2(&h, words[i], 0);
    }
    return hash_end(h);
}

static inline uint32_t dp_key_hash(const struct dp_key *key, uint64_t seed) {
    return hash_words(key->values, key->words, seed, key->map.bits[0] * 3 + key->map.bits[1]);
}

#endif
