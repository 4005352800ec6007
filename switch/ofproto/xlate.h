// Translation: a packet's key -> rule -> datapath actions.
//
// One translation answers for all packets with the same key, so it looks at nothing but key, table
// and bridge. Its only side effect is that NORMAL learns the source address, and that can be
// switched off: tracing is the same code with `report` set and `learn` not.

#ifndef RINGSIDE_OFPROTO_XLATE_H
#define RINGSIDE_OFPROTO_XLATE_H

#include "datapath/action/odp_action.h"
#include "datapath/base/text.h"
#include "datapath/drop_reason.h"
#include "ofproto/bridge.h"

struct xlate {
    // In.
    struct bridge *bridge;
    const struct flow *flow;
    uint64_t now_ms;
    bool learn;
    struct text *report; // NULL = nobody reads.
    // Out.
    struct odp_actions *out;
    struct rule *rule; // That matched, NULL = none.
    // Between.
    struct flow_vlan tag; // The outermost tag of the packet as the actions so far leave it.
    unsigned n_outputs;
    enum drop_reason why; // Why there is no output, DROP_NONE = not known yet.
};

// Runs the translation; fills x->out (initialised by the caller).
void xlate_run(struct xlate *x);

// ---- for xlate_normal.c ----------------------------------------------------------------------

// A line of the report.
__attribute__((format(printf, 2, 3))) void xlate_say(struct xlate *x, const char *format, ...);
// Sends the packet to a port with `tag` as its outermost one (tpid 0 = untagged).
void xlate_output(struct xlate *x, uint32_t port, struct flow_vlan tag);
// There is a reason for not sending the packet. The first one counts.
void xlate_refuse(struct xlate *x, enum drop_reason why);
void xlate_normal(struct xlate *x);

#endif
