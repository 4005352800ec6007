// The poll-mode driver: one thread that takes batches from rx queues and carries each straight
// through extract → decision cache (→ upcall) → actions → tx. Nothing travels back up.
//
// The thread owns all that it touches: ports while they are installed, cache, tx batches, counters.
// The control side changes none of it; it asks the thread to, with pmd_run(), between two batches.
// That is also when statistics are read: they then balance to the packet. A function run so should
// be short: forwarding waits for it.
//
// Sleep. In busy mode never. In adaptive mode, after spin_us without a packet, the thread waits in
// poll() for any rx fd or for the control side; it wakes at the first packet and polls again. While
// a port still has packets to push into the kernel, or has no fd to wait for, it sleeps a
// millisecond at most.
//
// Without a thread (tests, fuzzers) the caller runs iterations with pmd_poll(), and time can be
// moved forward.

#ifndef RINGSIDE_PMD_PMD_H
#define RINGSIDE_PMD_PMD_H

#include "datapath/port/port.h"
#include "datapath/upcall.h"

struct pmd;
struct capture_ring;

struct pmd_config {
    bool threaded;
    bool busy;
    uint32_t spin_us;
    int cpu; // -1 = not pinned.
    struct upcall_ops upcall;
};

// Defined in words: packets = cache_hits + upcalls; runts are dropped by the ports and are not
// among them. An iteration visits every rx queue; it is busy if one of them had a packet. Cycles
// asleep are in neither sum.
struct pmd_stats {
    uint64_t iterations, busy_iterations, sleeps, packets, cache_hits, upcalls;
    uint64_t cycles_busy, cycles_idle;
};

// All functions: control thread, unless they say otherwise.

// 0, -ENOMEM, -EINVAL (no such cpu), or the errno of a thread or fd that could not be made.
int pmd_create(const struct pmd_config *config, struct pmd **out);
void pmd_destroy(struct pmd *pmd); // Stops the thread. Ports that are still installed stay open.

// Runs fn(arg) between two batches in the PMD thread and waits for its end.
void pmd_run(struct pmd *pmd, void (*fn)(void *arg), void *arg);

// From now on the port is polled and can be an output / no longer. On return the PMD has forgotten
// a removed port.
int pmd_add_port(struct pmd *pmd, struct port *port);    // 0 or -ENOMEM.
int pmd_remove_port(struct pmd *pmd, struct port *port); // 0 or -ENOMEM.

// One iteration, if not threaded. Returns packets received.
unsigned pmd_poll(struct pmd *pmd);
void pmd_warp(struct pmd *pmd, uint64_t ms);

// Milliseconds of the monotonic clock that ages things, warped. Any thread.
uint64_t pmd_now_ms(const struct pmd *pmd);

// Entries of the decision cache that hold now. Walks it in slices, so that forwarding never waits
// for the whole walk.
uint32_t pmd_cache_entries(struct pmd *pmd);

// To be called in pmd_run().
void pmd_stats_read(const struct pmd *pmd, struct pmd_stats *out);
void pmd_set_capture(struct pmd *pmd, struct capture_ring *ring);

#endif
