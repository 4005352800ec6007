// The PMD's side of its megaflows: making, listing, retiring. What everybody else may do with them is
// in megaflow.h.
//
//     create ─▶ (dpcls_insert) ─▶ publish ─▶ … megaflow_kill() ─▶ next_killed ─▶ (dpcls_remove) ─▶ retire
//                                                 any thread                                        │
//              upcall_ops.release, free ◀── grace period ◀── no place in the exact match cache ◀────┘
//
// Slots are published under RCU in chunks that are never moved, so that a walk and an insertion do not
// see each other. Killed ones are pushed on a stack without locks; the PMD takes them from there between
// two batches, a few at a time.

#ifndef RINGSIDE_LOOKUP_MEGAFLOW_TABLE_H
#define RINGSIDE_LOOKUP_MEGAFLOW_TABLE_H

#include "datapath/lookup/megaflow.h"
#include "datapath/upcall.h"

#define MEGAFLOW_CHUNK         1024u
#define MEGAFLOW_LIMIT_DEFAULT 200000u

struct megaflow_chunk {
    struct megaflow *_Atomic slots[MEGAFLOW_CHUNK]; // Writer: PMD. Readers: any, under RCU.
    uint32_t next_free[MEGAFLOW_CHUNK];             // PMD: slot + 1, 0 = the last.
};

struct megaflow_table {
    const struct upcall_ops *ops;        // Constant. Its `release` is called for each owner.
    void (*wake)(void *aux);             // Constant. Ends the PMD's sleep. May be NULL.
    void *wake_aux;                      // Constant.
    uint64_t next_id;                    // PMD.
    uint32_t free_slots;                 // PMD: head of the list, slot + 1.
    uint32_t n_lingering;                // PMD: retired, but still in the exact match cache.
    struct megaflow *condemned;          // PMD: taken from `killed`.
    atomic_uint n_slots;                 // Slots ever used. Writer: PMD. Readers: any.
    atomic_uint limit;                   // Writer: any. Reader: PMD.
    RS_CACHE_ALIGNED atomic_uint n_live; // Writers: PMD, who kills. Readers: any.
    atomic_uint n_allocated;             // Not freed yet. Writers: PMD, who reaps RCU.
    struct megaflow *_Atomic killed;     // Stack. Writers: any push, PMD takes.
    atomic_bool asleep;                  // The PMD sleeps, or is about to. Writer: PMD.
    struct megaflow_chunk *_Atomic chunks[MEGAFLOW_LIMIT_MAX / MEGAFLOW_CHUNK]; // Writer: PMD.
};

int megaflow_table_create(const struct upcall_ops *ops, void (*wake)(void *aux), void *wake_aux,
                          struct megaflow_table **out); // 0 or -ENOMEM.
// All megaflows are retired. Returns when the last one has been released: waits for a grace period. The
// PMD no longer runs.
void megaflow_table_destroy(struct megaflow_table *t);

// megaflow.c's: memory, nothing of the table. The actions of a list that has overflown are a drop.
const void *megaflow_actions_of(const struct odp_list *list, uint32_t *len);
struct megaflow *megaflow_alloc(const struct flow *flow, const struct upcall_answer *answer);
void megaflow_free(struct megaflow *m);

// All below: PMD thread.

// A megaflow of the flow under the answer's mask, not published. -ENOSPC at the limit, -ENOMEM. The
// answer's owner is the megaflow's once it is published.
int megaflow_create(struct megaflow_table *t, const struct flow *flow,
                    const struct upcall_answer *answer, uint64_t now_ms, struct megaflow **out);
void megaflow_discard(struct megaflow *m); // One that never was published.
void megaflow_publish(struct megaflow *m);

// What the slot holds, NULL if nothing. Of a slot that once was a megaflow's.
static inline struct megaflow *megaflow_in_slot(const struct megaflow_table *t, uint32_t slot) {
    struct megaflow_chunk *chunk =
        atomic_load_explicit(&t->chunks[slot / MEGAFLOW_CHUNK], memory_order_relaxed);
    return atomic_load_explicit(&chunk->slots[slot % MEGAFLOW_CHUNK], memory_order_relaxed);
}

// A killed one that is to be unlinked and retired, NULL if there is none.
struct megaflow *megaflow_next_killed(struct megaflow_table *t);
void megaflow_retire(struct megaflow *m);
// The exact match cache took or gave back a reference.
static inline void megaflow_emc_ref(struct megaflow *m) {
    m->emc_refs++;
}
void megaflow_emc_unref(struct megaflow *m);

static inline bool megaflow_is_dead(const struct megaflow *m) {
    return atomic_load_explicit(&m->dead, memory_order_relaxed);
}

static inline uint64_t megaflow_newest(
    const struct megaflow_table *t) { // Moves with each that is made.
    return t->next_id;
}

static inline bool megaflow_has_killed(const struct megaflow_table *t) {
    return t->condemned || atomic_load_explicit(&t->killed, memory_order_relaxed);
}

// Around a sleep: from going_to_sleep() on megaflow_kill() wakes the PMD. False: there are killed ones
// now, do not sleep.
bool megaflow_table_going_to_sleep(struct megaflow_table *t);
void megaflow_table_woke(struct megaflow_table *t);

#endif
