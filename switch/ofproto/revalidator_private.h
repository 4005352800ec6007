// What upcall.c and the revalidator_*.c files share.

#ifndef RINGSIDE_OFPROTO_REVALIDATOR_PRIVATE_H
#define RINGSIDE_OFPROTO_REVALIDATOR_PRIVATE_H

#include <pthread.h>

#include "ofproto/revalidator.h"

#define REVAL_MAX_TABLES 64u // PMDs.
#define REVAL_SLICE      64u // Megaflows between two quiescent states.

// What a megaflow has of us: whom its packets count for, and to which state of the world it is true.
struct upcall_owner {
    struct credits credits;
    uint64_t seq;            // Of the last change before it was translated.
    uint64_t packets, bytes; // Counted so far.
    uint64_t tables[4];      // Bitmap of those that it was looked up in.
    bool asked_macs;         // It has a CREDIT_ASKED_MAC.
}; // Writer: the PMD until it is installed, then the revalidator, at last who releases it.

void upcall_owner_destroy(struct upcall_owner *owner); // NULL is fine.
void upcall_owner_index(struct upcall_owner *owner);   // tables and asked_macs, out of the credits.

// What has changed up to `seq`, sorted so that a megaflow finds quickly what it is about.
struct reval_view {
    uint64_t seq;
    uint64_t all_seq; // Megaflows older than it know nothing for certain.
    unsigned n;
    bool macs;          // There are notes of addresses.
    uint64_t tables[4]; // Those with notes.
    uint8_t first[256]; // By table: index + 1 of the first note. 0 = none.
    uint8_t next[CHANGE_LOG_CAP];
    struct change_note notes[CHANGE_LOG_CAP];
};
// revalidator_view.c
void reval_view_init(struct reval_view *v, struct change_log *log);
// Can what has changed since its translation touch the megaflow's answer?
bool reval_view_concerns(const struct reval_view *v, const struct megaflow *m,
                         const struct port_names *names);

struct revalidator {
    struct bridge *bridge; // Constant.
    bool threaded;         // Constant.
    bool started;          // Control thread.
    pthread_t thread;      // Control thread.
    unsigned n_tables;     // Constant from the start on.
    struct megaflow_table *tables[REVAL_MAX_TABLES];
    int fd; // eventfd that ends the thread's sleep.

    pthread_mutex_t lock;
    pthread_cond_t moved;          // Something below has.
    bool stop;                     // Under lock.
    bool slicing;                  // Under lock: it looks at ports and tables just now.
    unsigned held;                 // Under lock: by revalidator_hold().
    uint64_t requested, completed; // Under lock: tickets of revalidator_sync().

    // -- the revalidator's own; without a thread: the caller's --
    struct odp_list actions; // Scratch.
    struct credits credits;  // Scratch; empty between translations.
    struct reval_view view;  // Of the present round.
    uint64_t last_regular_ms;
    uint64_t last_round_ns; // How long it took.
    bool late;              // The last round was for a change: another soon.

    atomic_bool flush;          // Writers: control, revalidator.
    _Atomic uint32_t n_flushed; // Writer: revalidator.
    _Atomic uint64_t done_seq;  // Change that all megaflows are true to. Readers: any.
    _Atomic uint32_t max_limit, max_idle_ms, flow_limit; // Writers: control, revalidator.
    // Writer: the revalidator. Readers: any.
    rs_counter rounds, revalidated, killed_changed, killed_idle, killed_limit, refitted;
    rs_counter round_us, longest_round_us, change_us, longest_change_us, change_cpu_us;
};

// One walk over all megaflows.
struct reval_walk {
    struct revalidator *r;
    uint64_t now_ms;
    uint64_t deadline_ns; // After it they are killed instead; the promise of UPCALL_MAX_AGE_MS.
    uint64_t max_idle_ms;
    bool kill_all; // Far over the limit, or asked for.
    uint64_t n_seen;
};

// revalidator_walk.c: visits every megaflow once.
void reval_walk(struct reval_walk *w);
// revalidator.c: between two slices. Nothing of RCU's is held across it.
void reval_begin_slice(struct revalidator *r);
void reval_end_slice(struct revalidator *r);

#endif
