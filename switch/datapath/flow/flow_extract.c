// One function for each protocol; each gets a cursor, checks what it reads, and moves on. Header
// layouts are RFC 791, 8200, 826, IEEE 802.3 and 802.1Q; which packets are refused how is Open
// vSwitch's (miniflow_extract).

#include "datapath/flow/flow_extract.h"

#include <netinet/in.h>

enum {
    ETH_LEN = 14,
    VLAN_LEN = 4,
    SNAP_LEN = 8,
    ARP_LEN = 28,
    IPV4_LEN = 20,
    IPV6_LEN = 40,
    TCP_LEN = 20,
    UDP_LEN = 8,
    SCTP_LEN = 12,
    ICMP_LEN = 8,
    ETHERTYPE_MIN = 0x600, // Smaller values are the length of an 802.3 frame.
};

// What is left to read.
struct cursor {
    const uint8_t *at;
    size_t left;
};

static inline void pull(struct cursor *c, size_t n) {
    assert(n <= c->left);
    c->at += n;
    c->left -= n;
}

static inline bool is_vlan_type(be16 type) {
    return type == hton16(0x8100) || type == hton16(0x88a8);
}

// At the EtherType field. Tags are taken while the EtherType behind them is there too.
static inline void extract_vlans(struct cursor *c, struct flow *flow) {
    for (unsigned n = 0; n < FLOW_MAX_VLANS; n++) {
        be16 type = load_be16(c->at);
        if (likely(!is_vlan_type(type)) || c->left < VLAN_LEN + 2) {
            return;
        }
        flow->vlans[n].tpid = type;
        flow->vlans[n].tci = load_be16(c->at + 2) | hton16(FLOW_VLAN_CFI);
        pull(c, VLAN_LEN);
    }
}

// At the EtherType field: EtherType, or 802.3 length with LLC/SNAP behind it.
static inline be16 extract_dl_type(struct cursor *c) {
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    be16 type = load_be16(c->at);
    pull(c, 2);
    if (likely(ntoh16(type) >= ETHERTYPE_MIN)) {
        return type;
    }
    if (c->left < SNAP_LEN || memcmp(c->at, snap, sizeof snap) != 0) {
        return hton16(FLOW_DL_TYPE_NONE);
    }
    type = load_be16(c->at + 6);
    pull(c, SNAP_LEN);
    return ntoh16(type) >= ETHERTYPE_MIN ? type : hton16(FLOW_DL_TYPE_NONE);
}

// ARP and RARP for IPv4 over Ethernet.
static void extract_arp(struct cursor *c, struct flow *flow) {
    static const uint8_t head[6] = {0, 1, 0x08, 0x00, 6, 4};
    if (c->left < ARP_LEN || memcmp(c->at, head, sizeof head) != 0) {
        return;
    }
    unsigned op = ntoh16(load_be16(c->at + 6));
    memcpy(flow->nw_src + 12, c->at + 14, 4);
    memcpy(flow->nw_dst + 12, c->at + 24, 4);
    flow->nw_proto = op <= UINT8_MAX ? (uint8_t)op : 0; // Only opcodes of one byte can be matched.
}

// False: the header contradicts the frame.
static inline bool extract_ipv4(struct cursor *c, struct flow *flow) {
    const uint8_t *ip = c->at;
    if (unlikely(c->left < IPV4_LEN)) {
        return false;
    }
    size_t header = (ip[0] & 15u) * 4u;
    size_t total = ntoh16(load_be16(ip + 2));
    if (unlikely(header < IPV4_LEN || total < header || total > c->left)) {
        return false;
    }
    c->left = total; // Cuts off the padding of short frames.
    unsigned frag = ntoh16(load_be16(ip + 6));
    if (unlikely(frag & 0x3fffu)) { // More fragments, or an offset.
        flow->nw_frag = FLOW_FRAG_ANY | (frag & 0x1fffu ? FLOW_FRAG_LATER : 0);
    }
    flow->nw_tos = ip[1];
    flow->nw_proto = ip[9];
    memcpy(flow->nw_src + 12, ip + 12, 4);
    memcpy(flow->nw_dst + 12, ip + 16, 4);
    pull(c, header);
    return true;
}

// An IPv6 extension header at the cursor, `next` being its number. False: it is not whole.
static bool skip_ipv6_extension(struct cursor *c, uint8_t *next, uint8_t *frag) {
    if (c->left < 8) {
        return false;
    }
    size_t length = 8;
    if (*next == IPPROTO_FRAGMENT) {
        unsigned offset_flags = ntoh16(load_be16(c->at + 2));
        if (offset_flags != 0) {
            *frag = FLOW_FRAG_ANY;
        }
        if (offset_flags & 0xfff8u) {
            *frag |= FLOW_FRAG_LATER;
            pull(c, length);
            return true; // What follows is payload: the number stays.
        }
    } else if (*next == IPPROTO_AH) {
        length = (c->at[1] + 2u) * 4u;
    } else {
        length = (c->at[1] + 1u) * 8u;
    }
    if (c->left < length) {
        return false;
    }
    *next = c->at[0];
    pull(c, length);
    return true;
}

static inline bool is_ipv6_extension(uint8_t proto) {
    return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
           proto == IPPROTO_AH || proto == IPPROTO_FRAGMENT;
}

// False: a header contradicts the frame. The addresses are kept if only an extension header does.
static bool extract_ipv6(struct cursor *c, struct flow *flow) {
    const uint8_t *ip = c->at;
    if (c->left < IPV6_LEN) {
        return false;
    }
    size_t payload = ntoh16(load_be16(ip + 4));
    if (payload > c->left - IPV6_LEN) {
        return false;
    }
    memcpy(flow->nw_src, ip + 8, 16);
    memcpy(flow->nw_dst, ip + 24, 16);
    pull(c, IPV6_LEN);
    c->left = payload;
    uint8_t next = ip[6];
    uint8_t frag = 0;
    // Ends: each round takes at least 8 bytes, or was the last.
    while (is_ipv6_extension(next) && !(frag & FLOW_FRAG_LATER)) {
        if (!skip_ipv6_extension(c, &next, &frag)) {
            return false;
        }
    }
    flow->nw_tos = (uint8_t)(ntoh16(load_be16(ip)) >> 4);
    flow->nw_proto = next;
    flow->nw_frag = frag;
    return true;
}

// Smallest whole header of an L4 protocol, 0 for one that has no fields here. Which IP carries it is
// not asked: ICMP in IPv6 is wrong and gets its fields all the same, as in Open vSwitch.
static inline size_t l4_header_len(uint8_t proto) {
    switch (proto) {
    case IPPROTO_TCP: return TCP_LEN;
    case IPPROTO_UDP: return UDP_LEN;
    case IPPROTO_SCTP: return SCTP_LEN;
    case IPPROTO_ICMP:
    case IPPROTO_IGMP:
    case IPPROTO_ICMPV6: return ICMP_LEN;
    default: return 0;
    }
}

static inline bool has_ports(uint8_t proto) {
    return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

// True if the L4 header is whole and its fields are in *flow.
static inline bool extract_l4(const struct cursor *c, struct flow *flow) {
    size_t need = l4_header_len(flow->nw_proto);
    if (need == 0 || c->left < need) {
        return false;
    }
    if (likely(has_ports(flow->nw_proto))) {
        flow->tp_src = load_be16(c->at);
        flow->tp_dst = load_be16(c->at + 2);
    } else { // Type and code.
        flow->tp_src = hton16(c->at[0]);
        flow->tp_dst = hton16(c->at[1]);
    }
    return true;
}

static inline uint16_t offset_of(const struct dp_packet *p, const struct cursor *c) {
    return (uint16_t)(c->at - p->data);
}

enum drop_reason flow_extract(struct dp_packet *p, struct flow *flow) {
    memset(flow, 0, sizeof *flow);
    flow->in_port = p->in_port;
    p->l3_ofs = p->l4_ofs = RS_OFS_NONE;
    p->l4_proto = 0;
    if (unlikely(p->len < ETH_LEN)) {
        return DROP_RUNT;
    }

    struct cursor c = {.at = p->data, .left = p->len};
    memcpy(flow->dl_dst, c.at, 12); // Both addresses: they are neighbours on the wire and in flow.
    pull(&c, 12);
    extract_vlans(&c, flow);
    flow->dl_type = extract_dl_type(&c);
    p->l3_ofs = offset_of(p, &c);

    bool ip_good;
    if (likely(flow->dl_type == hton16(0x0800))) {
        ip_good = extract_ipv4(&c, flow);
    } else if (flow->dl_type == hton16(0x86dd)) {
        ip_good = extract_ipv6(&c, flow);
    } else {
        if (flow->dl_type == hton16(0x0806) || flow->dl_type == hton16(0x8035)) {
            extract_arp(&c, flow);
        }
        return DROP_NONE;
    }
    if (unlikely(!ip_good)) {
        return DROP_NONE;
    }
    p->l4_proto = flow->nw_proto;
    if (likely(!(flow->nw_frag & FLOW_FRAG_LATER)) && extract_l4(&c, flow) &&
        likely(flow->nw_frag == 0)) {
        p->l4_ofs = offset_of(p, &c);
    }
    return DROP_NONE;
}
