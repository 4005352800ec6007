// The revalidator: keeps megaflows true. A thread of its own (or, without threads, a call between iterations).
//
// Each round (every 500 ms, at once when ofproto.change_seq has moved and UPCALL_MAX_AGE_MS allows no wait):
//   walk the megaflows of all PMDs in slices; credit what they have carried since; kill those idle for max-idle,
//   those over the limit (least recently used first); if anything changed, translate each again and kill or re-fit
//   those whose answer or mask is another now; then rules' timeouts, MAC ageing, frozen states and pins that nobody uses.
// The limit adapts as in Open vSwitch: a round longer than 2 s divides it, a fast one raises it, 200,000 at most.

#ifndef RINGSIDE_OFPROTO_REVALIDATOR_H
#define RINGSIDE_OFPROTO_REVALIDATOR_H

#include "datapath/lookup/megaflow.h"
#include "datapath/upcall.h"
#include "ofproto/xlate.h"

struct revalidator;

// The ops for the datapath; aux is the bridge's upcall context inside the revalidator.
int revalidator_create(struct bridge *bridge, bool threaded, struct revalidator **out);
void revalidator_destroy(struct revalidator *r); // Stops the thread. Before the PMDs' megaflows go.
struct upcall_ops revalidator_upcall_ops(struct revalidator *r);
void revalidator_add_table(struct revalidator *r,
                           struct megaflow_table *t); // Before the thread starts.
void revalidator_start(struct revalidator *r);
// One round now (not threaded, or from the control thread, which then waits for it). Kinds of work that are due.
void revalidator_run(struct revalidator *r, uint64_t now_ms);
// Waits until everything that changed before the call is true in the datapath.
void revalidator_sync(struct revalidator *r);

struct revalidator_stats {
    uint64_t rounds, revalidated, killed_changed, killed_idle, killed_limit, refitted;
    uint64_t last_round_us, longest_round_us, last_change_us; // From change to true.
    uint32_t flow_limit, n_megaflows;
};
void revalidator_stats(const struct revalidator *r, struct revalidator_stats *out);

// Text of a megaflow as `ovs-appctl dpctl/dump-flows` has it ("recirc_id(0),in_port(1),eth(…),… packets:1, bytes:…, used:…, actions:2").
void megaflow_format(const struct megaflow *m, const struct port_names *names, uint64_t now_ms,
                     struct text *out);

#endif
