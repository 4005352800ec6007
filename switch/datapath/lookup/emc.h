// The decision cache: exact match on the whole flow key.
//
// What is cached is the answer of upcall_ops.translate() for one key, actions and all, so that a
// hit touches three neighbouring cache lines and nothing else. An entry holds while its generation
// is the decider's present one and it is younger than EMC_MAX_AGE_MS; nothing is ever searched for
// and removed: a stale entry is a miss, and is overwritten in place.
//
//     hash ──┬─ low 12 bits ───> slots[0 … 4095]
//            └─ next 12 bits ──> slots[4096 … 8191]
//
// Two places for each key, as in Open vSwitch: flows that meet in one rarely meet in both.
//
// Lists of more than EMC_ACTIONS actions are not kept (a flood over many ports, which is rare and
// slow anyway): they are asked for again for every packet.
//
// Threads: one PMD owns the cache; nobody else looks at it.

#ifndef RINGSIDE_LOOKUP_EMC_H
#define RINGSIDE_LOOKUP_EMC_H

#include "datapath/action/odp_action.h"
#include "datapath/flow/flow.h"

#define EMC_WAY_BITS   12u
#define EMC_WAY        (1u << EMC_WAY_BITS)
#define EMC_SLOTS      (2u * EMC_WAY)
#define EMC_ACTIONS    11u
#define EMC_MAX_AGE_MS 500u // = UPCALL_MAX_AGE_MS (checked in pmd_process.c).

struct RS_CACHE_ALIGNED emc_entry {
    uint64_t generation; // Of the decider, when it was asked.
    uint32_t hash;       // 0 = never used.
    struct flow key;
    // -- second cache line, with the key's last words --
    uint64_t made_ms;
    void *credit;
    // Its place in the batch that is being processed; valid if `batch` is that batch's number.
    uint8_t group;
    uint8_t n_actions;
    uint16_t unused;
    uint32_t batch;
    struct odp_action actions[EMC_ACTIONS];
};

static_assert(sizeof(struct emc_entry) == 3 * RS_CACHE_LINE, "an entry is three cache lines");

struct emc {
    struct emc_entry *slots; // [EMC_SLOTS]
};

// What an entry has to be to count: not older than this.
struct emc_epoch {
    uint64_t generation;
    uint64_t now_ms;
};

int emc_init(struct emc *emc); // 0 or -ENOMEM.
void emc_destroy(struct emc *emc);

// Keeps an answer; an over-long one is not kept. PMD thread.
void emc_insert(struct emc *emc, const struct flow *key, uint32_t hash, struct emc_epoch epoch,
                const struct odp_actions *actions);

// Entries among `n` slots from `first` on that still hold. For statistics: a walk over all of them
// takes long enough to be seen in the latency.
uint32_t emc_count(const struct emc *emc, struct emc_epoch epoch, uint32_t first, uint32_t n);

static inline struct emc_entry *emc_slot(const struct emc *emc, uint32_t hash, unsigned way) {
    uint32_t i = way == 0 ? hash : hash >> EMC_WAY_BITS;
    return &emc->slots[way * EMC_WAY + (i & (EMC_WAY - 1))];
}

static inline void emc_prefetch(const struct emc *emc, uint32_t hash) {
    const struct emc_entry *e = emc_slot(emc, hash, 0);
    __builtin_prefetch(e);
    __builtin_prefetch((const uint8_t *)e + RS_CACHE_LINE);
}

static inline bool emc_entry_holds(const struct emc_entry *e, struct emc_epoch epoch) {
    return e->generation == epoch.generation && epoch.now_ms - e->made_ms < EMC_MAX_AGE_MS;
}

// The entry that holds for this key, NULL on a miss. Valid until the next insert.
static inline struct emc_entry *emc_lookup(const struct emc *emc, const struct flow *key,
                                           uint32_t hash, struct emc_epoch epoch) {
    for (unsigned way = 0; way < 2; way++) {
        struct emc_entry *e = emc_slot(emc, hash, way);
        if (e->hash == hash && emc_entry_holds(e, epoch) && flow_equal(&e->key, key)) {
            return e;
        }
    }
    return NULL;
}

#endif
