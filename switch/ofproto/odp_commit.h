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

// Packet types (ovs-fields(7)), host byte order.
#define PT_ETH     0u
#define PT_IPV4    0x10800u
#define PT_IPV6    0x186ddu
#define PT_MPLS    0x18847u
#define PT_MPLS_MC 0x18848u
#define PT_NSH     0x1894fu

// Appends to `out`, in Open vSwitch's order: Ethernet addresses; MPLS, if the packet leaves MPLS; NSH; ARP or
// IP or ND; L4 ports; ICMP type and code; MPLS otherwise; VLANs; skb_priority; pkt_mark. Sets are
// masked: they name the fields that differ, and of those the bits that differ or that wc has.
// Un-wildcards in `wc` what the sets overwrite, the tags that are popped, and nw_proto where it chose the
// set. (Labels: whoever changed flow->mpls_lse.) Afterwards *base is *flow, as far as a packet shows it.
//
// Not here: metadata, registers, ct_*, in_port, recirc_id, dp_hash, which are not the packet's; tunnel metadata
// (odp_commit_tunnel(), when the output is a tunnel); layers (odp_commit_encap(), before this).
void odp_commit(const struct flow *flow, struct flow *base, struct odp_list *out, struct flow *wc);

// set(tunnel(…)) if flow->tunnel says where to and differs from base's.
void odp_commit_tunnel(const struct flow *flow, struct flow *base, struct odp_list *out);

// The encap() or decap() that is pending at a commit; then odp_commit() does the rest, so that what was
// set in the new header after encap() comes with the push. encap true: pushes what flow's packet_type
// names (Ethernet, NSH, MPLS). encap false: takes off what base's names; after Ethernet, base is
// brought along; after NSH or MPLS the packet must recirculate, since nobody has seen what is inside.
// `nsh_md2`: metadata of type 2 for a push_nsh, nsh_md2_len bytes (a multiple of four, ODP_NSH_MD2_MAX at
// most).
void odp_commit_encap(const struct flow *flow, struct flow *base, struct odp_list *out,
                      struct flow *wc, bool encap, const void *nsh_md2, size_t nsh_md2_len);

#endif
