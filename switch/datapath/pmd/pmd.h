// The poll-mode driver: one thread that takes batches from rx queues and carries each straight
// through extract → EMC → dpcls (→ upcall) → actions → tx. Nothing travels back up but what an action
// sends around again (recirculation).
//
// The thread owns all that it touches: ports while they are installed, caches, tx batches, counters.
// The control side changes none of it; it asks the thread to, with pmd_run(), between two batches.
// That is also when statistics are read: they then balance to the packet. A function run so should
// be short: forwarding waits for it.
//
// Sleep. In busy mode never. In adaptive mode, after spin_us without a packet, the thread waits in
// poll() for any rx fd or for the control side; it wakes at the first packet and polls again. While
// a port still has packets to push into the kernel, or has no fd to wait for, it sleeps a
// millisecond at most.
//
// RCU. The thread is a reader; it is quiescent once an iteration, and offline while it sleeps.
//
// Without a thread (tests, fuzzers) the caller runs iterations with pmd_poll(), and time can be
// moved forward. The caller is then the reader, if it is registered, and quiescent after each pmd_poll().

#ifndef RINGSIDE_PMD_PMD_H
#define RINGSIDE_PMD_PMD_H

#include "datapath/lookup/lookup.h"
#include "datapath/port/port.h"
#include "datapath/upcall.h"

#define PMD_MAX_RECIRC 6 // Times that a packet may be recirculated.

struct pmd;
struct capture_ring;
struct odp_meters;

struct pmd_config {
    bool threaded;
    bool busy;
    uint32_t spin_us;
    int cpu; // -1 = not pinned.
    struct upcall_ops upcall;
    struct odp_meters *meters; // NULL = none. They live longer than the PMD.
};

// Defined in words: packets are those that ports received (runts are dropped by the ports and are not
// among them); recirculated, those that an action sent around again, whoever brought them. Each of them
// is looked up and is a hit or an upcall:
//     packets + recirculated = cache_hits + upcalls          cache_hits = emc_hits + smc_hits + megaflow_hits
// subtables_searched / (megaflow_hits + upcalls) says what a lookup in the classifier costs. executed_once
// are the upcalls whose answer made no megaflow: the decider did not want one, or the limit was reached.
// An iteration visits every rx queue; it is busy if one of them had a packet. Cycles asleep are in neither
// sum.
struct pmd_stats {
    uint64_t iterations, busy_iterations, sleeps, packets, recirculated;
    uint64_t cache_hits, emc_hits, smc_hits, megaflow_hits, subtables_searched, upcalls,
        executed_once;
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

// Its megaflows, for those who walk them. They live as long as the PMD.
struct megaflow_table *pmd_megaflows(struct pmd *pmd);
uint32_t pmd_cache_entries(const struct pmd *pmd); // Places of the EMC that are taken. Any thread.

// Switches caches on and off. 0, or -ENOMEM: as before.
int pmd_set_lookup(struct pmd *pmd, const struct lookup_config *config);

// A packet from the control side: what is to be done with it, as if it had come in by in_port.
struct pmd_packet_out {
    struct umem *umem; // Of the frame that it travels in.
    uint32_t in_port;  // Port id; 0 = none.
    const void *frame;
    size_t len;
    const struct odp_list *actions;
};
// 0, -EMSGSIZE (longer than a frame), -EINVAL (no whole Ethernet header), -ENOBUFS (no free frame).
int pmd_execute(struct pmd *pmd, const struct pmd_packet_out *out);

// Packets of pmd_execute() are charged to these counters instead of a port's: in them, too,
// received + copies = sent + delivered + Σ drops.
const struct port_counters *pmd_control_counters(const struct pmd *pmd);

// To be called in pmd_run().
void pmd_stats_read(const struct pmd *pmd, struct pmd_stats *out);
void pmd_set_capture(struct pmd *pmd, struct capture_ring *ring);

#endif
