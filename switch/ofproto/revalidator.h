// The revalidator: keeps megaflows true. A thread of its own (or, without threads, a call between iterations).
//
// Each round (every 500 ms, and at once after a change):
//   walk the megaflows of all PMDs in slices; credit what they have carried since; kill those idle for max-idle (100 ms
//   when the table is full); translate those that a change concerns (change_log.h) again, and kill or re-fit those whose answer or mask
//   is another now; then rules' timeouts, MAC ageing, frozen states and pins that nobody uses.
// A change that leaves no time to translate all of them kills the rest: their next packets ask again.
// The limit adapts as in Open vSwitch: a round longer than 2 s divides it, a fast one raises it, 200,000 at most.
//
// A round for a change begins at once if the thread sleeps (ofproto_changed() wakes it), else after as long as the
// round before took, so that a storm of changes costs half a core at most. 50 ms later another one looks for megaflows
// that were being made meanwhile out of what was before.

#ifndef RINGSIDE_OFPROTO_REVALIDATOR_H
#define RINGSIDE_OFPROTO_REVALIDATOR_H

#include "datapath/lookup/megaflow.h"
#include "datapath/upcall.h"
#include "ofproto/xlate.h"

struct revalidator;

// threaded: it has a thread of its own. 0, or -errno.
int revalidator_create(struct bridge *bridge, bool threaded, struct revalidator **out);
// Ends the thread; to be called before the PMDs and their megaflows go, which still release their owners to us.
void revalidator_stop(struct revalidator *r);
void revalidator_destroy(struct revalidator *r); // After them. NULL is fine.
// The ops for the datapath (upcall.c).
struct upcall_ops revalidator_upcall_ops(struct revalidator *r);
void revalidator_add_table(struct revalidator *r,
                           struct megaflow_table *t); // Before the start.
int revalidator_start(struct revalidator *r);         // 0, or -errno.

// Without a thread: a round if one is due. RCU reader.
void revalidator_run(struct revalidator *r, uint64_t now_ms);
// Waits until everything that changed before the call is true in the datapath, and what megaflows carried before
// it is counted. With a thread: the caller is offline in RCU's terms, or not registered.
void revalidator_sync(struct revalidator *r);
// Until it is let go, the revalidator looks at neither ports nor tables: they may change. Not for long. As _sync.
void revalidator_hold(struct revalidator *r);
void revalidator_let_go(struct revalidator *r);

// Takes all megaflows back; how many. As _sync.
uint32_t revalidator_flush(struct revalidator *r);
void revalidator_set(struct revalidator *r, uint32_t limit, uint32_t max_idle_ms);

struct revalidator_stats {
    uint64_t rounds, revalidated, refitted;
    uint64_t killed_changed, killed_idle, killed_limit; // _limit: over it, or flushed.
    uint64_t last_round_us, longest_round_us;
    uint64_t last_change_us,
        longest_change_us;       // From a change to the moment that it was true everywhere.
    uint64_t last_change_cpu_us; // Of the revalidator's, for that.
    uint32_t flow_limit, n_megaflows;
};
void revalidator_stats(const struct revalidator *r, struct revalidator_stats *out);

// Text of a megaflow as `ovs-appctl dpctl/dump-flows` has it ("recirc_id(0),in_port(1),eth(…),… packets:1, bytes:…,
// used:…, actions:2"). names: NULL = ports by number. more: as its -m, with ufid and what is wildcarded. pins: what
// userspace actions mean; NULL = not said. RCU reader.
struct packet_ins;
void megaflow_format(const struct megaflow *m, const struct port_names *names,
                     struct packet_ins *pins, bool more, uint64_t now_ms, struct text *out);
// A packet's key in the same words; mask NULL = exact.
void odp_key_format(const struct flow *key, const struct flow *mask, const struct port_names *names,
                    bool more, struct text *out);

#endif
