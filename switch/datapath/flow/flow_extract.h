// dp_packet -> flow key. Never reads past the packet's end, whatever the bytes say.

#ifndef RINGSIDE_FLOW_FLOW_EXTRACT_H
#define RINGSIDE_FLOW_FLOW_EXTRACT_H

#include "datapath/flow/flow.h"
#include "datapath/packet/dp_packet.h"

// Fills *flow (all bytes, those of absent headers with 0) from p->data, p->len and p->in_port, and sets p->l3_ofs, l4_ofs, l4_proto.
// Returns DROP_NONE, or the reason for which the packet cannot be forwarded: RUNT (no Ethernet header),
// BAD_IP (an IP version or length that contradicts the frame). A truncated L4 header is no reason: its fields are then 0
// and l4_ofs is RS_OFS_NONE, as in Open vSwitch.
enum drop_reason flow_extract(struct dp_packet *p, struct flow *flow);

#endif
