// The signature match cache: hash -> slot of the megaflow, for more flows than the exact match cache has
// places for. An entry is six bytes (16 bits of the hash, and the slot), so that 2 MB remember 320,000 flows;
// the key is then held against the megaflow itself, so a wrong guess costs time, never a wrong answer.
//
//     hash ─┬─ low 16 bits ──▶ bucket: [signature × 5][slot × 5]   half a cache line
//           └─ high 16 bits ─▶ signature
//
// It pays where many flows meet many subtables (README.md has figures), so it is off unless asked for, and takes no
// memory then. Entries are not references: what a slot holds now is looked at, whatever it held before.
//
// Threads: one PMD owns it.

#ifndef RINGSIDE_LOOKUP_SMC_H
#define RINGSIDE_LOOKUP_SMC_H

#include "datapath/lookup/megaflow_table.h"

#define SMC_BUCKETS (1u << 16)
#define SMC_WAYS    5u

struct smc_bucket {
    uint16_t signatures[SMC_WAYS];
    uint16_t next;            // Which place is taken next when all are.
    uint32_t slots[SMC_WAYS]; // Slot + 1; 0 = free.
};

static_assert(sizeof(struct smc_bucket) == RS_CACHE_LINE / 2, "two buckets a cache line");

struct smc {
    struct smc_bucket *buckets; // [SMC_BUCKETS] NULL = off.
};

int smc_init(struct smc *smc);     // Empty. 0 or -ENOMEM.
void smc_destroy(struct smc *smc); // Off, too, is fine.
void smc_insert(struct smc *smc, uint32_t hash, const struct megaflow *m);

static inline struct smc_bucket *smc_bucket(const struct smc *smc, uint32_t hash) {
    return &smc->buckets[hash & (SMC_BUCKETS - 1)];
}

#endif
