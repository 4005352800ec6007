// What would happen to a packet, in words; laid out like `ovs-appctl ofproto/trace`.

#ifndef RINGSIDE_OFPROTO_TRACE_H
#define RINGSIDE_OFPROTO_TRACE_H

#include "ofproto/xlate.h"

// Explains the translation of `flow`. Changes nothing. PMD thread (it reads the MAC table).
void trace_flow(struct bridge *bridge, const struct flow *flow, uint64_t now_ms, struct text *out);

// Datapath actions as text: "push_vlan(vid=10,pcp=0),3,pop_vlan,2", "drop (no_rule)".
void odp_actions_format(const struct odp_actions *actions, struct text *out);

#endif
