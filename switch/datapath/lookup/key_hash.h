// The hash of a packet's key. As dp_key_hash() (flow_hash.h) it multiplies the words in pairs and folds; but
// the products do not wait for each other, and there is no loop for keys of the usual length: with one,
// hashing was a quarter of all instructions between the rx queue and the actions.
//
// The secret, which has a word for each place, keeps a sender from choosing keys that collide.

#ifndef RINGSIDE_LOOKUP_KEY_HASH_H
#define RINGSIDE_LOOKUP_KEY_HASH_H

#include "datapath/flow/flow_hash.h"
#include "datapath/packet/dp_packet.h"

#define KEY_SECRET_WORDS (FLOW_WORDS + 1)

static inline uint64_t key_hash_pair(const uint64_t *secret, const uint64_t *values, unsigned i) {
    return hash_fold(values[i] ^ secret[i], values[i + 1] ^ secret[i + 1]);
}

static inline uint32_t key_hash_end(uint64_t sum) {
    return (uint32_t)(sum ^ sum >> 32);
}

// Of n words, whichever they are.
static inline uint64_t key_hash_words(const uint64_t *secret, const uint64_t *values, unsigned n) {
    uint64_t sum = n & 1 ? hash_fold(values[n - 1] ^ secret[n - 1], secret[n]) : 0;
    switch (n / 2) {
    default:
        for (unsigned i = 14; i + 1 < n; i += 2) {
            sum += key_hash_pair(secret, values, i);
        }
        __attribute__((fallthrough));
    case 7: sum += key_hash_pair(secret, values, 12); __attribute__((fallthrough));
    case 6: sum += key_hash_pair(secret, values, 10); __attribute__((fallthrough));
    case 5: sum += key_hash_pair(secret, values, 8); __attribute__((fallthrough));
    case 4: sum += key_hash_pair(secret, values, 6); __attribute__((fallthrough));
    case 3: sum += key_hash_pair(secret, values, 4); __attribute__((fallthrough));
    case 2: sum += key_hash_pair(secret, values, 2); __attribute__((fallthrough));
    case 1: sum += key_hash_pair(secret, values, 0); __attribute__((fallthrough));
    case 0: return sum;
    }
}

static inline uint32_t key_hash(const uint64_t *secret, const struct dp_key *key) {
    uint64_t sum = key_hash_words(secret, key->values, key->words);
    return key_hash_end(sum + key->map.bits[1] * 0x9e3779b97f4a7c15u + key->map.bits[0]);
}

// Of the device's hash, which is of addresses and ports: what else tells flows apart is mixed in.
static inline uint32_t key_hash_device(const uint64_t *secret, const struct dp_packet *p) {
    uint64_t place = (uint64_t)p->recirc_id << 32 | p->in_port;
    return key_hash_end(hash_fold(p->rx_hash ^ secret[0], place ^ secret[1]));
}

#endif
