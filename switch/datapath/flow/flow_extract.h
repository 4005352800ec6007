// dp_packet -> flow key. Never reads past the packet's end, whatever the bytes say.

#ifndef RINGSIDE_FLOW_FLOW_EXTRACT_H
#define RINGSIDE_FLOW_FLOW_EXTRACT_H

#include "datapath/flow/flow.h"
#include "datapath/packet/dp_packet.h"

// Fills *flow (all bytes, those of absent headers with 0) from p->data, p->len and p->in_port, and
// sets p->l3_ofs, l4_ofs, l4_proto. Returns DROP_NONE, or DROP_RUNT without a whole Ethernet
// header.
//
// Headers that contradict the frame are no reason to lose it: like Open vSwitch, the walk stops
// there, the fields of the bad header and of all behind it stay 0, and the packet can still be
// switched by what lies before (its MAC addresses, its VLAN, its IPv6 addresses). Bytes behind the
// IP length are padding and never read.
//
// l4_ofs is RS_OFS_NONE unless the L4 header is whole and the packet is not a fragment, so that
// whoever finds it set may treat the rest of the packet as that protocol's. A first fragment still
// has its ports in *flow.
enum drop_reason flow_extract(struct dp_packet *p, struct flow *flow);

#endif
