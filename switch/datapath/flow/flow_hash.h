// The hash of a packet's key: its words, two at a time, multiplied to 128 bits and folded, so that every
// input bit reaches every output bit. The products do not wait for each other, and there is no loop for
// keys of the usual length. A secret word for each place keeps a sender from choosing keys that collide.
//
// It hashes the form, not the meaning: equal keys of one maker hash alike. Keys of flow_extract() may
// hold words that are zero, those of miniflow_from_flow() do not, so between the two it need not be so.

#ifndef RINGSIDE_FLOW_FLOW_HASH_H
#define RINGSIDE_FLOW_FLOW_HASH_H

#include "datapath/flow/miniflow.h"

#define KEY_SECRET_WORDS (FLOW_WORDS + 1)

static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Products of one secret and numbers that count up lie in steps: without the multiplication here
// 4096 flows may share 2000 of 4096 places, where chance gives them 2590.
static inline uint32_t hash_end(uint64_t sum) {
    sum *= 0x9e3779b97f4a7c15u;
    return (uint32_t)(sum ^ sum >> 32);
}

static inline uint64_t hash_pair(const uint64_t *secret, const uint64_t *values, unsigned i) {
    return hash_fold(values[i] ^ secret[i], values[i + 1] ^ secret[i + 1]);
}

static inline uint64_t hash_halves_swapped(uint64_t word) {
    return word << 32 | word >> 32;
}

// Of the first two words and an odd last one, which costs no product of its own: it goes into both
// factors. A sender who chooses it (it is the ports, in a packet's key) does not choose the first
// two, which are dp_hash, in_port, recirc_id and connection state.
static inline uint64_t hash_first(const uint64_t *secret, const uint64_t *values, uint64_t odd) {
    return hash_fold(values[0] ^ secret[0] ^ odd, values[1] ^ secret[1] ^ hash_halves_swapped(odd));
}

static inline uint32_t dp_key_hash(const struct dp_key *key, const uint64_t *secret) {
    const uint64_t *v = key->values;
    unsigned n = key->words;
    if (likely(n == 7)) { // IPv4 and UDP.
        return hash_end(hash_first(secret, v, v[6]) + hash_pair(secret, v, 2) +
                        hash_pair(secret, v, 4));
    }
    if (likely(n == 8)) { // IPv4 and TCP, or UDP with a VLAN tag.
        return hash_end(hash_pair(secret, v, 0) + hash_pair(secret, v, 2) +
                        hash_pair(secret, v, 4) + hash_pair(secret, v, 6));
    }
    if (unlikely(n < 2)) { // Not a packet's.
        return hash_end(hash_fold((n ? v[0] : 0) ^ secret[0], secret[1]));
    }
    uint64_t sum = hash_first(secret, v, n & 1 ? v[n - 1] : 0);
    for (unsigned i = 2; i + 1 < n; i += 2) {
        sum += hash_pair(secret, v, i);
    }
    return hash_end(sum);
}

#endif
