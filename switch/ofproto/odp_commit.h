// The datapath actions that make a packet that looks like `base` look like `flow`.
//
// Translation changes a flow as the OpenFlow actions say, and commits only before something looks at the
// packet (an output, a recirculation): so a field that is set three times is written once, and one that is
// never output is not written at all.
//
// Threads: any; touches its arguments alone.

#ifndef RINGSIDE_OFPROTO_ODP_COMMIT_H
#define RINGSIDE_OFPROTO_ODP_COMMIT_H

#include "datapath/action/odp_action.h"

// Appends to `out`, in Open vSwitch's order: Ethernet addresses; MPLS, if the packet leaves MPLS; NSH; ARP or
// IP or ND; L4 ports; ICMP type and code; MPLS otherwise; VLANs; skb_priority; pkt_mark. Sets are
// masked and name only the fields that differ. Un-wildcards in `wc` the bits that the sets overwrite, and
// what had to be known to make them (nw_proto for ports, tags and labels that are popped). Afterwards *base =
// *flow, as far as a packet shows it.
//
// metadata, registers, ct_*, in_port, recirc_id, dp_hash are not the packet's: no action is made for them.
// Tunnel metadata: odp_commit_tunnel(), when the output is a tunnel. Layers of encapsulation:
// odp_commit_encap(), before.
void odp_commit(const struct flow *flow, struct flow *base, struct odp_list *out, struct flow *wc);

// set(tunnel(…)) if flow->tunnel says where to and differs from base's.
void odp_commit_tunnel(const struct flow *flow, struct flow *base, struct odp_list *out);

// encap() and decap(): pushes or pops the one header by which flow's packet_type and base's differ (Ethernet or
// NSH), and makes base look like it. `nsh_md2`: metadata of type 2 that goes with encap(nsh), of
// `nsh_md2_len` bytes (a multiple of four, ODP_NSH_MD2_MAX at most), or NULL. To be called when the encap or
// decap action is met, before anything inside the new layer is changed.
enum odp_layer { ODP_ENCAP_ETH, ODP_DECAP_ETH, ODP_ENCAP_NSH, ODP_DECAP_NSH };
void odp_commit_encap(enum odp_layer layer, const struct flow *flow, struct flow *base,
                      struct odp_list *out, struct flow *wc, const void *nsh_md2,
                      size_t nsh_md2_len);

#endif
