// Hashes beside that of a packet's key (flow_hash.h): of masked keys, and of what the device has hashed.

#ifndef RINGSIDE_LOOKUP_KEY_HASH_H
#define RINGSIDE_LOOKUP_KEY_HASH_H

#include "datapath/flow/flow_hash.h"
#include "datapath/packet/dp_packet.h"

// Of n words, whichever they are.
static inline uint64_t key_hash_words(const uint64_t *secret, const uint64_t *values, unsigned n) {
    uint64_t sum = n & 1 ? hash_fold(values[n - 1] ^ secret[n - 1], secret[n]) : 0;
    switch (n / 2) {
    default:
        for (unsigned i = 14; i + 1 < n; i += 2) {
            sum += hash_pair(secret, values, i);
        }
        __attribute__((fallthrough));
    case 7: sum += hash_pair(secret, values, 12); __attribute__((fallthrough));
    case 6: sum += hash_pair(secret, values, 10); __attribute__((fallthrough));
    case 5: sum += hash_pair(secret, values, 8); __attribute__((fallthrough));
    case 4: sum += hash_pair(secret, values, 6); __attribute__((fallthrough));
    case 3: sum += hash_pair(secret, values, 4); __attribute__((fallthrough));
    case 2: sum += hash_pair(secret, values, 2); __attribute__((fallthrough));
    case 1: sum += hash_pair(secret, values, 0); __attribute__((fallthrough));
    case 0: return sum;
    }
}

// Of the device's hash, which is of addresses and ports: what else tells flows apart is mixed in.
static inline uint32_t key_hash_device(const uint64_t *secret, const struct dp_packet *p) {
    uint64_t place = (uint64_t)p->recirc_id << 32 | p->in_port;
    return hash_end(hash_fold(p->rx_hash ^ secret[0], place ^ secret[1]));
}

#endif
