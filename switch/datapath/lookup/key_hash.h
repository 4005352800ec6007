// Hash of a datapath key: its words multiplied in pairs and folded. Seeded: a sender cannot choose
// addresses that collide without knowing the seed.

#ifndef RINGSIDE_LOOKUP_KEY_HASH_H
#define RINGSIDE_LOOKUP_KEY_HASH_H

#include "datapath/flow/miniflow.h"

static inline uint64_t key_hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t key_hash(const struct dp_key *key, uint64_t seed) {
    const uint64_t k0 = 0xa0761d6478bd642fu ^ seed, k1 = 0xe7037ed1a0b428dbu + seed;
    uint64_t sum = key_hash_fold(key->map.bits[0] ^ k1, key->map.bits[1] ^ k0);
    uint64_t step = k0;
    unsigned i = 0;
    for (; i + 1 < key->words; i += 2, step += 0x9e3779b97f4a7c16u) { // So that places count.
        sum += key_hash_fold(key->values[i] ^ step, key->values[i + 1] ^ k1);
    }
    if (i < key->words) {
        sum += key_hash_fold(key->values[i] ^ step, k1);
    }
    return (uint32_t)(sum ^ sum >> 32);
}

// Of the device's hash, which knows addresses and ports only.
static inline uint32_t key_hash_device(uint32_t rx_hash, uint32_t in_port, uint32_t recirc_id,
                                       uint64_t seed) {
    uint64_t mixed =
        key_hash_fold((uint64_t)recirc_id << 32 ^ rx_hash ^ seed, in_port ^ 0xe7037ed1a0b428dbu);
    return (uint32_t)(mixed ^ mixed >> 32);
}

#endif
