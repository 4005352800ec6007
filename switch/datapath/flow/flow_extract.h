// dp_packet -> datapath key. Never reads past the packet's end, whatever the bytes say.

#ifndef RINGSIDE_FLOW_FLOW_EXTRACT_H
#define RINGSIDE_FLOW_FLOW_EXTRACT_H

#include "datapath/flow/miniflow.h"
#include "datapath/packet/dp_packet.h"

// Writes the packet's key (map and values, `words`; hash is set to 0) from p->data, p->len and the
// packet's metadata (in_port, recirc_id, dp_hash, pkt_mark, skb_priority; ct_* and tunnel when p->flags says
// that there are some), and sets p->l2_5_ofs, l3_ofs, l4_ofs, l4_proto. Returns DROP_NONE, or DROP_RUNT
// without a whole Ethernet header.
//
// Headers that contradict the frame are no reason to lose it: like Open vSwitch (miniflow_extract), the
// walk stops there, the fields of the bad header and of all behind it stay 0, and the packet can still be
// switched by what lies before. Bytes behind the IP length are padding and never read.
//
// l4_ofs is RS_OFS_NONE unless the L4 header is whole and the packet is not a fragment. A first
// fragment still has its ports in the key.
enum drop_reason flow_extract(struct dp_packet *p, struct dp_key *key);

// The same into the full form.
enum drop_reason flow_extract_full(struct dp_packet *p, struct flow *flow);

#endif
