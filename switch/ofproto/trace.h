// Trace: what would happen to a packet, in the words of ofproto/trace (ovs-vswitchd(8)).

#ifndef RINGSIDE_OFPROTO_TRACE_H
#define RINGSIDE_OFPROTO_TRACE_H

#include "ofproto/xlate.h"

struct trace_options {
    const uint8_t
        *ct_next; // ct_state for each recirculation through ct, as --ct-next; then trk|new.
    unsigned n_ct_next;
    // Text of actions to run instead of the tables (ofproto/trace-packet-out), checked; NULL = the tables.
    const char *ofpacts;
    bool names;       // Ports by name.
    bool all_recircs; // Follow those of pop_mpls and groups too, which Open vSwitch leaves out.
};

// A loop through conntrack ends here; Open vSwitch follows it for ever.
#define TRACE_MAX_RECIRCS 64u

// Explains the packet with this key (datapath terms) and follows it through each recirculation of a ct action:
// "Flow:", "bridge(…)", table lines, "Final flow:", "Megaflow:", "Datapath actions:", to the letter as Open vSwitch 3.1
// but for the numbers of recirculations and of ports in the actions. No side effects. RCU reader.
void trace_flow(struct bridge *bridge, const struct flow *flow, const struct dp_packet *packet,
                uint64_t now_ms, const struct trace_options *options, struct text *out);

#endif
