// Trace: what would happen to a packet, in the words of ofproto/trace (ovs-vswitchd(8)).

#ifndef RINGSIDE_OFPROTO_TRACE_H
#define RINGSIDE_OFPROTO_TRACE_H

#include "ofproto/xlate.h"

struct trace_options {
    const uint8_t
        *ct_next; // ct_state for each recirculation through ct, as --ct-next; then trk|new.
    unsigned n_ct_next;
    const char *
        ofpacts; // Text of actions to run instead of the tables (ofproto/trace … ACTIONS); NULL = none.
};

// Explains the packet with this key (datapath terms) and follows it through each recirculation:
// "Flow:", "bridge(…)", table lines, "Final flow:", "Megaflow:", "Datapath actions:". No side effects.
void trace_flow(struct bridge *bridge, const struct flow *flow, const struct dp_packet *packet,
                uint64_t now_ms, const struct trace_options *options, struct text *out);

#endif
