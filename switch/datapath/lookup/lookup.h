// A key's megaflow: exact match cache, signature cache if it is on, then the classifier.
//
//     dp_key ─▶ EMC ──▶ hit                    emc.h: one comparison, two cache lines
//                └─▶ SMC ──▶ hit               smc.h: half a cache line, then the megaflow itself
//                     └─▶ dpcls ──▶ hit        dpcls.h: the batch's rest, subtable by subtable
//                          └─▶ miss: the PMD asks the decider, and installs the answer here
//
// What a cache missed and the next stage found is put into it: always into the SMC, once in
// emc_insert_every times into the EMC.
//
// Threads: one PMD owns all of it; megaflows and their table are shared as megaflow.h says.

#ifndef RINGSIDE_LOOKUP_LOOKUP_H
#define RINGSIDE_LOOKUP_LOOKUP_H

#include "datapath/lookup/dpcls.h"
#include "datapath/lookup/emc.h"
#include "datapath/lookup/key_hash.h"
#include "datapath/lookup/megaflow_table.h"
#include "datapath/lookup/smc.h"

struct lookup_config {
    bool emc, smc;             // Off: looked up in the next one.
    uint32_t emc_insert_every; // One of so many misses enters the EMC. 1 = each, 0 = none.
};

#define LOOKUP_CONFIG_DEFAULT \
    ((struct lookup_config){.emc = true, .smc = false, .emc_insert_every = 100})

struct lookup {
    struct lookup_config config;
    uint32_t insert_below; // Of 2^32: a random number below it enters the EMC.
    uint32_t random;
    struct emc emc;
    struct smc smc;
    struct dpcls dpcls;
    struct megaflow_table *table;
    uint64_t ranked_ms;
    rs_counter emc_hits, smc_hits, megaflow_hits; // Writer: PMD. Readers: any.
};

// The table gets ops, wake and wake_aux. 0 or -ENOMEM.
int lookup_init(struct lookup *l, const struct upcall_ops *ops, void (*wake)(void *aux),
                void *wake_aux, uint64_t seed);
void lookup_destroy(struct lookup *l); // Waits for a grace period: not from a PMD.
int lookup_configure(struct lookup *l, const struct lookup_config *config); // 0 or -ENOMEM.

// Looks up keys[0 … n-1], whose hashes are set. Returns a bit for each key that missed; found[i] is set for
// the others.
uint32_t lookup_batch(struct lookup *l, const struct dp_key *keys, unsigned n,
                      struct megaflow **found);

// The decider's answer becomes a megaflow. NULL at the flow limit, or without memory.
struct megaflow *lookup_install(struct lookup *l, const struct dp_key *key, const struct flow *flow,
                                const struct upcall_answer *answer, uint64_t now_ms);

// What is to be done between batches: unlinks killed megaflows; while they linger in the EMC, sweeps it;
// ranks the subtables. Of megaflows and of places in the EMC `some` at most.
void lookup_chores(struct lookup *l, uint64_t now_ms, uint32_t some);

// The key's hash, from the device's if there is one, and the cache lines that it leads to.
static inline void lookup_hash(const struct lookup *l, const struct dp_packet *p,
                               struct dp_key *key) {
    const uint64_t *secret = l->dpcls.secret;
    key->hash =
        unlikely(p->flags & PKT_HASH_VALID) ? key_hash_device(secret, p) : dp_key_hash(key, secret);
    emc_prefetch(&l->emc, key->hash);
}

#endif
