// The exact match cache: key -> megaflow, in front of the classifier.
//
//     hash ──┬─ low 13 bits ───> slots[0 … 8191]
//            └─ next 13 bits ──> slots[8192 … 16383]
//
// Two places for each key: flows that meet in one rarely meet in both. An entry is two cache lines with the key
// in it; the map's unused upper bits hold the hash, so that "same map and same hash" is two
// comparisons. Longer keys (IPv6 through a tunnel) go past the cache.
//
// What is learned. A key is put in with a probability of 1/100 each time that the classifier had to find
// its megaflow, so that many short flows do not wash out the few that carry the traffic.
//
// Entries hold a reference to their megaflow (struct megaflow, emc_refs), which is not freed before they are gone.
// A killed one is a miss at once; emc_sweep() takes such entries out.
//
// Threads: one PMD owns the cache.

#ifndef RINGSIDE_LOOKUP_EMC_H
#define RINGSIDE_LOOKUP_EMC_H

#include "datapath/base/hugemem.h"
#include "datapath/lookup/megaflow_table.h"

#define EMC_WAY_BITS 13u
#define EMC_WAY      (1u << EMC_WAY_BITS)
#define EMC_SLOTS    (2u * EMC_WAY)
#define EMC_WORDS    13u // Words of the longest key that is cached.

struct RS_CACHE_ALIGNED emc_entry {
    uint64_t head[2];      // emc_head() of the key.
    struct megaflow *flow; // NULL = free.
    uint64_t values[EMC_WORDS];
};

static_assert(sizeof(struct emc_entry) == 2 * RS_CACHE_LINE, "an entry is two cache lines");

struct emc {
    struct hugemem mem;      // Of slots.
    struct emc_entry *slots; // [EMC_SLOTS] One huge page where the kernel makes them.
    uint32_t sweep;          // Where emc_sweep() goes on.
    atomic_uint n;           // Entries. Writer: PMD. Readers: any.
};

int emc_init(struct emc *emc); // 0 or -ENOMEM.
void emc_destroy(struct emc *emc);
void emc_clear(struct emc *emc); // Gives back all references.
void emc_insert(struct emc *emc, const struct dp_key *key, struct megaflow *m);
void emc_sweep(struct emc *emc, uint32_t n); // Looks at the next n entries for killed megaflows.

static inline bool emc_takes(const struct dp_key *key) {
    return key->words <= EMC_WORDS;
}

// 42 + 41 bits of map; in the room above the latter the hash's low 23 bits, ten of which the place does
// not tell.
static inline void emc_head(const struct dp_key *key, uint64_t head[2]) {
    head[0] = key->map.bits[0];
    head[1] = key->map.bits[1] | (uint64_t)key->hash << (FLOW_WORDS - FLOW_TNL_WORDS);
}

static inline struct emc_entry *emc_slot(const struct emc *emc, uint32_t hash, unsigned way) {
    uint32_t i = way == 0 ? hash : hash >> EMC_WAY_BITS;
    return &emc->slots[way * EMC_WAY + (i & (EMC_WAY - 1))];
}

// The second line is not worth asking for: it comes while the packets behind are compared.
static inline void emc_prefetch(const struct emc *emc, uint32_t hash) {
    __builtin_prefetch(emc_slot(emc, hash, 0));
}

// One jump, then no loop: this is a good part of what a hit costs.
static inline uint64_t emc_difference(const uint64_t *a, const uint64_t *b, unsigned n) {
    uint64_t differs = 0;
#define EMC_WORD(i) \
    case (i) + 1: differs |= a[i] ^ b[i]; __attribute__((fallthrough));
    switch (n) {
        EMC_WORD(12)
        EMC_WORD(11)
        EMC_WORD(10)
        EMC_WORD(9)
        EMC_WORD(8)
        EMC_WORD(7)
        EMC_WORD(6)
        EMC_WORD(5)
        EMC_WORD(4)
        EMC_WORD(3)
        EMC_WORD(2)
        EMC_WORD(1)
        EMC_WORD(0)
    default: return differs;
    }
#undef EMC_WORD
}

static_assert(EMC_WORDS == 13, "emc_difference() has a case for each number of words");

static inline bool emc_entry_is(const struct emc_entry *e, const struct dp_key *key,
                                const uint64_t head[2]) {
    return ((e->head[0] ^ head[0]) | (e->head[1] ^ head[1])) == 0 &&
           likely(emc_difference(e->values, key->values, key->words) == 0);
}

// The live megaflow cached for this key, which emc_takes(); NULL on a miss.
static inline struct megaflow *emc_lookup(const struct emc *emc, const struct dp_key *key) {
    uint64_t head[2];
    emc_head(key, head);
    for (unsigned way = 0; way < 2; way++) {
        const struct emc_entry *e = emc_slot(emc, key->hash, way);
        if (likely(emc_entry_is(e, key, head)) && e->flow && likely(!megaflow_is_dead(e->flow))) {
            return e->flow;
        }
    }
    return NULL;
}

#endif
