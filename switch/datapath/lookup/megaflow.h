// A megaflow: the datapath's entry for all packets that agree in the bits of its mask.
//
// Life: made by the PMD after an upcall; found through EMC, SMC and dpcls; taken back by the decider
// (megaflow_kill, from any thread) or by the flow limit. A killed one is a miss from the next lookup
// on; its PMD unlinks it between two batches and frees it after a grace period, which also calls
// upcall_ops.release(owner).
//
//     fields without a remark are constant from publication on

#ifndef RINGSIDE_LOOKUP_MEGAFLOW_H
#define RINGSIDE_LOOKUP_MEGAFLOW_H

#include "datapath/action/odp_action.h"
#include "datapath/flow/miniflow.h"

struct dpcls_subtable;
struct megaflow_table;

// A published list of actions; replaced as a whole, freed after a grace period.
struct odp_blob {
    uint32_t len;
    uint32_t flags;   // The executor's own remarks on the list (for instance "one plain output").
    uint64_t bytes[]; // struct odp_action, packed.
};

struct RS_CACHE_ALIGNED megaflow {
    // -- the one cache line that a packet needs --
    atomic_bool dead;           // Writer: any (megaflow_kill). Readers: PMD, any.
    uint8_t group;              // PMD: which group of the batch is its own, if it has one.
    _Atomic uint16_t tcp_flags; // OR of all packets, host byte order. Writer: PMD. Readers: any.
    uint32_t hash;              // PMD: of the masked key, as its subtable hashes.
    struct odp_blob *_Atomic actions;   // Writer: the decider (megaflow_set_actions). Readers: any.
    struct dpcls_subtable *subtable;    // PMD.
    uint32_t emc_refs;                  // PMD: places in the exact match cache.
    uint32_t slot;                      // PMD: index in its table.
    rs_counter packets, bytes, used_ms; // Writer: PMD, once for a batch. Readers: any.
    // -- cold --
    bool retired;                 // PMD: unlinked; freed when emc_refs is 0.
    struct megaflow_table *table; // That it belongs to.
    struct megaflow *next_killed; // In the table's list of killed ones.
    uint64_t created_ms;
    void *owner;           // The decider's; see upcall_answer.
    uint64_t id;           // Unique in the process: "ufid".
    struct miniflow *mask; // Behind the key, in the same allocation.
    struct miniflow key;   // Masked. Same map as the mask.
};

static_assert(offsetof(struct megaflow, retired) <= RS_CACHE_LINE, "a packet needs one cache line");

// struct megaflow_table: the megaflows of one PMD, for those who walk them: the revalidator, dumps,
// statistics.

// Calls fn for each live megaflow of the table, in no order. Any thread that is registered with RCU and
// does not quiesce meanwhile. fn returns false to stop.
void megaflow_for_each(const struct megaflow_table *t, bool (*fn)(struct megaflow *m, void *arg),
                       void *arg);
// In slices, so that the caller can quiesce between them: megaflows in slots from `first` on, `n` slots
// at most; returns the first slot not looked at, 0 at the end.
uint32_t megaflow_slice(const struct megaflow_table *t, uint32_t first, uint32_t n,
                        bool (*fn)(struct megaflow *m, void *arg), void *arg);
uint32_t megaflow_count(const struct megaflow_table *t); // Live ones. Any thread.
// Above the limit no packet makes a megaflow. Any thread. Default 200,000, MEGAFLOW_LIMIT_MAX at most.
void megaflow_set_limit(struct megaflow_table *t, uint32_t limit);
uint32_t megaflow_limit(const struct megaflow_table *t); // Any thread.

#define MEGAFLOW_LIMIT_MAX (1u << 20)

// Takes a megaflow back. Any thread, under RCU.
void megaflow_kill(struct megaflow *m);
// Gives it other actions. One thread at a time (the revalidator). 0 or -ENOMEM.
int megaflow_set_actions(struct megaflow *m, const struct odp_list *actions);

#endif
