// Hash of a flow key: nine words multiplied and folded (as wyhash does), so that every input bit
// reaches every output bit. Seeded: a sender cannot choose addresses that collide without knowing
// the seed.

#ifndef RINGSIDE_FLOW_FLOW_HASH_H
#define RINGSIDE_FLOW_FLOW_HASH_H

#include "datapath/flow/flow.h"

static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_word(const void *p, size_t offset) {
    uint64_t v;
    memcpy(&v, (const uint8_t *)p + offset, sizeof v);
    return v;
}

// Never 0: that says "not computed" in struct dp_packet.
static inline uint32_t flow_hash(const struct flow *flow, uint64_t seed) {
    const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu, k2 = 0x8ebc6af09c88c6e3u,
                   k3 = 0x589965cc75374cc3u;
    // Four independent products, so that the multiplier is kept busy. The last word overlaps: 68 =
    // 8 * 8 + 4.
    uint64_t a = hash_fold(hash_word(flow, 0) ^ k0 ^ seed, hash_word(flow, 8) ^ k1);
    uint64_t b = hash_fold(hash_word(flow, 16) ^ k1 ^ seed, hash_word(flow, 24) ^ k2);
    uint64_t c = hash_fold(hash_word(flow, 32) ^ k2 ^ seed, hash_word(flow, 40) ^ k3);
    uint64_t d = hash_fold(hash_word(flow, 48) ^ k3 ^ seed, hash_word(flow, 56) ^ k0);
    uint64_t all = hash_fold(a ^ b ^ k0, c ^ d ^ k1 ^ hash_word(flow, 60));
    uint32_t hash = (uint32_t)(all ^ (all >> 32));
    return hash ? hash : 1;
}

#endif
