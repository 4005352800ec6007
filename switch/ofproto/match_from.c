// Matches made from packets.

#include "ofproto/match.h"

#define PROTO_ICMP   1
#define PROTO_IGMP   2
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_ICMPV6 58
#define PROTO_SCTP   132

#define EXACT(mask, member) memset(&(mask)->member, 0xff, sizeof(mask)->member)

// The tunnel fields that a packet has.
static void tunnel_fields(const struct flow_tnl *t, struct flow_tnl *mask) {
    static const uint8_t none[16];
    if (!t->ip_dst && memcmp(t->ipv6_dst, none, sizeof none) == 0) {
        mask->tun_id = t->tun_id ? UINT64_MAX : 0;
        return;
    }
    uint64_t tun_id = t->flags & FLOW_TNL_KEY ? UINT64_MAX : 0;
    memset(mask, 0xff, offsetof(struct flow_tnl, pad));
    mask->tun_id = tun_id;
    mask->opts_present = t->opts_present;
    if (t->opts_present) {
        EXACT(mask, opts);
    }
}

static void ethernet_fields(const struct flow *f, struct flow *mask) {
    EXACT(mask, dl_dst);
    EXACT(mask, dl_src);
    EXACT(mask, dl_type);
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) { // The first one that is not there, too.
        EXACT(mask, vlans[i]);
        if (!f->vlans[i].tci) {
            break;
        }
    }
}

static void mpls_fields(const struct flow *f, struct flow *mask) {
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        EXACT(mask, mpls_lse[i]);
        if (f->mpls_lse[i] & hton32(0x100)) { // Bottom of stack.
            break;
        }
    }
}

static void transport_fields(const struct flow *f, struct flow *mask) {
    switch (f->nw_proto) {
    case PROTO_TCP: EXACT(mask, tcp_flags); break;
    case PROTO_IGMP: EXACT(mask, igmp_group_ip4); break;
    case PROTO_ICMP:
    case PROTO_UDP:
    case PROTO_SCTP:
    case PROTO_ICMPV6: break;
    default: return;
    }
    EXACT(mask, tp_src);
    EXACT(mask, tp_dst);
}

static void ipv6_fields(const struct flow *f, struct flow *mask) {
    EXACT(mask, ipv6_src);
    EXACT(mask, ipv6_dst);
    EXACT(mask, ipv6_label);
    unsigned type = ntoh16(f->tp_src);
    if (f->nw_proto == PROTO_ICMPV6 && !f->tp_dst && (type == 135 || type == 136)) {
        EXACT(mask, arp_sha);
        EXACT(mask, arp_tha);
        EXACT(mask, nd_target);
        EXACT(mask, tp_src);
        EXACT(mask, tp_dst);
    } else {
        EXACT(mask, ct_ipv6_src);
        EXACT(mask, ct_ipv6_dst);
    }
}

static void ip_fields(const struct flow *f, struct flow *mask) {
    mask->nw_frag = FLOW_FRAG_MASK;
    EXACT(mask, nw_tos);
    EXACT(mask, nw_ttl);
    EXACT(mask, nw_proto);
    EXACT(mask, ct_nw_proto);
    EXACT(mask, ct_tp_src);
    EXACT(mask, ct_tp_dst);
    if (!(f->nw_frag & FLOW_FRAG_LATER)) {
        transport_fields(f, mask);
    }
}

static void network_fields(const struct flow *f, uint16_t type, struct flow *mask) {
    switch (type) {
    case 0x0800:
        EXACT(mask, nw_src);
        EXACT(mask, nw_dst);
        EXACT(mask, ct_nw_src);
        EXACT(mask, ct_nw_dst);
        ip_fields(f, mask);
        break;
    case 0x86dd:
        ipv6_fields(f, mask);
        ip_fields(f, mask);
        break;
    case 0x0806:
    case 0x8035:
        EXACT(mask, nw_src);
        EXACT(mask, nw_dst);
        EXACT(mask, nw_proto);
        EXACT(mask, arp_sha);
        EXACT(mask, arp_tha);
        break;
    case 0x8847:
    case 0x8848: mpls_fields(f, mask); break;
    case 0x894f:
        EXACT(mask, nsh);
        ip_fields(f, mask); // As Open vSwitch does; they are all 0.
        break;
    default: break;
    }
}

void match_from_flow(const struct flow *flow, struct match *out) {
    struct flow *mask = &out->mask;
    memset(mask, 0, sizeof *mask);
    tunnel_fields(&flow->tunnel, &mask->tunnel);
    EXACT(mask, skb_priority);
    EXACT(mask, pkt_mark);
    EXACT(mask, ct_state);
    EXACT(mask, ct_zone);
    EXACT(mask, ct_mark);
    EXACT(mask, ct_label);
    EXACT(mask, recirc_id);
    EXACT(mask, dp_hash);
    EXACT(mask, in_port);
    EXACT(mask, packet_type);
    EXACT(mask, regs);
    EXACT(mask, metadata);
    uint32_t packet_type = ntoh32(flow->packet_type);
    uint16_t type = packet_type >> 16 == 1 ? (uint16_t)packet_type : 0;
    if (packet_type == 0) {
        ethernet_fields(flow, mask);
        type = ntoh16(flow->dl_type);
    }
    network_fields(flow, type, mask);
    match_from_wc(flow, mask, out);
}

void match_from_wc(const struct flow *flow, const struct flow *wc, struct match *out) {
    const uint64_t *value = flow_words_const(flow), *mask = flow_words_const(wc);
    uint64_t *out_value = flow_words(&out->flow), *out_mask = flow_words(&out->mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        out_mask[i] = mask[i];
        out_value[i] = value[i] & mask[i];
    }
}
