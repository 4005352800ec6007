#include "ofproto/odp_commit_private.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };
enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd, TYPE_NSH = 0x894f };

struct field { // Of a key: either all of its bits are compared and written, or none.
    uint8_t offset, size;
};
#define FIELD(type, member) \
    { offsetof(struct type, member), sizeof(((struct type *)0)->member) }

static void or_bytes(void *dst, const void *src, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] |= ((const uint8_t *)src)[i];
    }
}

// Appends a set of the fields in which `value` and `base` differ. In: `mask` is what wc has of the key.
// Out: the mask of the set. False if there is nothing to set.
static bool put_differences(struct odp_list *out, enum odp_key key, const void *value,
                            const void *base, void *mask, const struct field *fields) {
    bool differ = false;
    for (; fields->size > 0; fields++) {
        const uint8_t *v = (const uint8_t *)value + fields->offset;
        const uint8_t *b = (const uint8_t *)base + fields->offset;
        uint8_t *m = (uint8_t *)mask + fields->offset;
        if (memcmp(v, b, fields->size) == 0) {
            memset(m, 0, fields->size);
            continue;
        }
        differ = true;
        for (unsigned i = 0; i < fields->size; i++) {
            m[i] |= v[i] ^ b[i];
        }
    }
    if (differ) {
        odp_put_set(out, key, value, mask);
    }
    return differ;
}

// ---- what a key is made of, and back. The same functions serve flows and masks. ----------------

static struct odp_key_eth get_eth(const struct flow *f) {
    struct odp_key_eth k;
    memcpy(k.src, f->dl_src, sizeof k.src);
    memcpy(k.dst, f->dl_dst, sizeof k.dst);
    return k;
}

static struct odp_key_ipv4 get_ipv4(const struct flow *f) {
    return (struct odp_key_ipv4){
        .src = f->nw_src, .dst = f->nw_dst, .tos = f->nw_tos, .ttl = f->nw_ttl};
}

static struct odp_key_ipv6 get_ipv6(const struct flow *f) {
    struct odp_key_ipv6 k = {.tclass = f->nw_tos, .hlimit = f->nw_ttl};
    k.label = f->ipv6_label & hton32(0xfffff);
    memcpy(k.src, f->ipv6_src, sizeof k.src);
    memcpy(k.dst, f->ipv6_dst, sizeof k.dst);
    return k;
}

static struct odp_key_arp get_arp(const struct flow *f, bool is_mask) {
    struct odp_key_arp k;
    memset(&k, 0, sizeof k); // With its padding.
    k.sip = f->nw_src;
    k.tip = f->nw_dst;
    k.op = is_mask && f->nw_proto == UINT8_MAX ? UINT16_MAX : hton16(f->nw_proto);
    memcpy(k.sha, f->arp_sha, sizeof k.sha);
    memcpy(k.tha, f->arp_tha, sizeof k.tha);
    return k;
}

static struct odp_key_nd get_nd(const struct flow *f) {
    struct odp_key_nd k;
    memcpy(k.target, f->nd_target, sizeof k.target);
    memcpy(k.sll, f->arp_sha, sizeof k.sll);
    memcpy(k.tll, f->arp_tha, sizeof k.tll);
    return k;
}

static struct odp_key_nd_ext get_nd_ext(const struct flow *f) {
    return (struct odp_key_nd_ext){.reserved = f->igmp_group_ip4,
                                   .options_type = (uint8_t)ntoh16(f->tcp_flags)};
}

// ---- one function for each key -----------------------------------------------------------------

static void commit_eth(const struct flow *flow, struct flow *base, struct odp_list *out,
                       struct flow *wc) {
    static const struct field fields[] = {FIELD(odp_key_eth, src), FIELD(odp_key_eth, dst), {0, 0}};
    if (flow->packet_type != PT_ETH || base->packet_type != PT_ETH) {
        return;
    }
    struct odp_key_eth k = get_eth(flow), b = get_eth(base), m = get_eth(wc);
    if (put_differences(out, ODP_KEY_ETH, &k, &b, &m, fields)) {
        or_bytes(wc->dl_src, m.src, sizeof m.src);
        or_bytes(wc->dl_dst, m.dst, sizeof m.dst);
        memcpy(base->dl_src, k.src, sizeof k.src);
        memcpy(base->dl_dst, k.dst, sizeof k.dst);
    }
}

static bool odp_tunnel_is_set(const struct flow_tnl *t) {
    static const uint8_t zero[16];
    return t->ip_dst != 0 || memcmp(t->ipv6_dst, zero, sizeof zero) != 0;
}

// ECN bits that nobody changed stay the packet's: a tunnel may have marked them.
static uint8_t tos_mask(const struct flow *flow, const struct flow *base, uint8_t mask) {
    bool same_ecn = ((flow->nw_tos ^ base->nw_tos) & 3) == 0;
    return same_ecn && odp_tunnel_is_set(&base->tunnel) ? mask & ~3u : mask;
}

static void commit_ipv4(const struct flow *flow, struct flow *base, struct odp_list *out,
                        struct flow *wc) {
    static const struct field fields[] = {FIELD(odp_key_ipv4, src),
                                          FIELD(odp_key_ipv4, dst),
                                          FIELD(odp_key_ipv4, tos),
                                          FIELD(odp_key_ipv4, ttl),
                                          {0, 0}};
    struct odp_key_ipv4 k = get_ipv4(flow), b = get_ipv4(base), m = get_ipv4(wc);
    m.tos = tos_mask(flow, base, m.tos);
    if (put_differences(out, ODP_KEY_IPV4, &k, &b, &m, fields)) {
        wc->nw_src |= m.src;
        wc->nw_dst |= m.dst;
        wc->nw_tos |= m.tos;
        wc->nw_ttl |= m.ttl;
        base->nw_src = k.src;
        base->nw_dst = k.dst;
        base->nw_tos = k.tos;
        base->nw_ttl = k.ttl;
    }
}

static void commit_ipv6(const struct flow *flow, struct flow *base, struct odp_list *out,
                        struct flow *wc) {
    static const struct field fields[] = {FIELD(odp_key_ipv6, src),    FIELD(odp_key_ipv6, dst),
                                          FIELD(odp_key_ipv6, label),  FIELD(odp_key_ipv6, tclass),
                                          FIELD(odp_key_ipv6, hlimit), {0, 0}};
    struct odp_key_ipv6 k = get_ipv6(flow), b = get_ipv6(base), m = get_ipv6(wc);
    m.tclass = tos_mask(flow, base, m.tclass);
    if (put_differences(out, ODP_KEY_IPV6, &k, &b, &m, fields)) {
        or_bytes(wc->ipv6_src, m.src, sizeof m.src);
        or_bytes(wc->ipv6_dst, m.dst, sizeof m.dst);
        wc->ipv6_label |= m.label;
        wc->nw_tos |= m.tclass;
        wc->nw_ttl |= m.hlimit;
        memcpy(base->ipv6_src, k.src, sizeof k.src);
        memcpy(base->ipv6_dst, k.dst, sizeof k.dst);
        base->ipv6_label = flow->ipv6_label;
        base->nw_tos = k.tclass;
        base->nw_ttl = k.hlimit;
    }
}

static void commit_arp(const struct flow *flow, struct flow *base, struct odp_list *out,
                       struct flow *wc) {
    static const struct field fields[] = {FIELD(odp_key_arp, sip), FIELD(odp_key_arp, tip),
                                          FIELD(odp_key_arp, op),  FIELD(odp_key_arp, sha),
                                          FIELD(odp_key_arp, tha), {0, 0}};
    struct odp_key_arp k = get_arp(flow, false), b = get_arp(base, false), m = get_arp(wc, true);
    if (put_differences(out, ODP_KEY_ARP, &k, &b, &m, fields)) {
        wc->nw_src |= m.sip;
        wc->nw_dst |= m.tip;
        wc->nw_proto |= (uint8_t)ntoh16(m.op);
        or_bytes(wc->arp_sha, m.sha, sizeof m.sha);
        or_bytes(wc->arp_tha, m.tha, sizeof m.tha);
        base->nw_src = k.sip;
        base->nw_dst = k.tip;
        base->nw_proto = flow->nw_proto;
        memcpy(base->arp_sha, k.sha, sizeof k.sha);
        memcpy(base->arp_tha, k.tha, sizeof k.tha);
    }
}

static void commit_nd(const struct flow *flow, struct flow *base, struct odp_list *out,
                      struct flow *wc) {
    static const struct field ext_fields[] = {
        FIELD(odp_key_nd_ext, reserved), FIELD(odp_key_nd_ext, options_type), {0, 0}};
    static const struct field fields[] = {
        FIELD(odp_key_nd, target), FIELD(odp_key_nd, sll), FIELD(odp_key_nd, tll), {0, 0}};

    // First what kind of option there is, then what stands in it.
    struct odp_key_nd_ext xk = get_nd_ext(flow), xb = get_nd_ext(base), xm = get_nd_ext(wc);
    if (put_differences(out, ODP_KEY_ND_EXT, &xk, &xb, &xm, ext_fields)) {
        wc->igmp_group_ip4 |= xm.reserved;
        wc->tcp_flags |= hton16(xm.options_type);
        base->igmp_group_ip4 = flow->igmp_group_ip4;
        base->tcp_flags = flow->tcp_flags;
    }
    struct odp_key_nd k = get_nd(flow), b = get_nd(base), m = get_nd(wc);
    if (put_differences(out, ODP_KEY_ND, &k, &b, &m, fields)) {
        or_bytes(wc->nd_target, m.target, sizeof m.target);
        or_bytes(wc->arp_sha, m.sll, sizeof m.sll);
        or_bytes(wc->arp_tha, m.tll, sizeof m.tll);
        memcpy(base->nd_target, k.target, sizeof k.target);
        memcpy(base->arp_sha, k.sll, sizeof k.sll);
        memcpy(base->arp_tha, k.tll, sizeof k.tll);
    }
}

static bool network_differs(const struct flow *a, const struct flow *b) {
    return a->nw_src != b->nw_src || a->nw_dst != b->nw_dst || a->nw_tos != b->nw_tos ||
           a->nw_ttl != b->nw_ttl || a->ipv6_label != b->ipv6_label ||
           memcmp(a->ipv6_src, b->ipv6_src, 2 * sizeof a->ipv6_src) != 0 ||
           memcmp(a->arp_sha, b->arp_sha, 2 * sizeof a->arp_sha) != 0;
}

static void commit_network(const struct flow *flow, struct flow *base, struct odp_list *out,
                           struct flow *wc) {
    unsigned type = ntoh16(base->dl_type);
    if (!flow->nw_proto) {
        // No header that could be read; or one with protocol (or ARP operation) 0, which Open vSwitch
        // takes for that too. Other packets would be set, so the megaflow must tell them apart.
        bool has_one = type == TYPE_IPV4 || type == TYPE_IPV6 || type == TYPE_ARP;
        if (has_one && flow->dl_type == base->dl_type && network_differs(flow, base)) {
            wc->nw_proto = UINT8_MAX;
        }
    } else if (type == TYPE_IPV4) {
        commit_ipv4(flow, base, out, wc);
    } else if (type == TYPE_IPV6) {
        commit_ipv6(flow, base, out, wc);
        if (base->nw_proto == PROTO_ICMPV6) {
            commit_nd(flow, base, out, wc);
        }
    } else if (type == TYPE_ARP) {
        commit_arp(flow, base, out, wc);
    }
}

static void commit_ports(const struct flow *flow, struct flow *base, struct odp_list *out,
                         struct flow *wc) {
    static const struct field fields[] = {
        FIELD(odp_key_ports, src), FIELD(odp_key_ports, dst), {0, 0}};
    if (!flow_is_ip(base->dl_type)) {
        return;
    }
    enum odp_key key = flow->nw_proto == PROTO_TCP    ? ODP_KEY_TCP
                       : flow->nw_proto == PROTO_UDP  ? ODP_KEY_UDP
                       : flow->nw_proto == PROTO_SCTP ? ODP_KEY_SCTP
                                                      : ODP_N_KEYS;
    struct odp_key_ports k = {flow->tp_src, flow->tp_dst}, b = {base->tp_src, base->tp_dst};
    struct odp_key_ports m = {wc->tp_src, wc->tp_dst};
    if (key != ODP_N_KEYS && put_differences(out, key, &k, &b, &m, fields)) {
        wc->nw_proto = UINT8_MAX;
        wc->tp_src |= m.src;
        wc->tp_dst |= m.dst;
        base->tp_src = k.src;
        base->tp_dst = k.dst;
    }
}

// Type and code are always set together, as Open vSwitch does.
static void commit_icmp(const struct flow *flow, struct flow *base, struct odp_list *out,
                        struct flow *wc) {
    bool v4 = flow->dl_type == hton16(TYPE_IPV4) && flow->nw_proto == PROTO_ICMP;
    bool v6 = flow->dl_type == hton16(TYPE_IPV6) && flow->nw_proto == PROTO_ICMPV6;
    if ((!v4 && !v6) || (flow->tp_src == base->tp_src && flow->tp_dst == base->tp_dst)) {
        return;
    }
    struct odp_key_icmp k = {(uint8_t)ntoh16(flow->tp_src), (uint8_t)ntoh16(flow->tp_dst)};
    struct odp_key_icmp m = {UINT8_MAX, UINT8_MAX};
    odp_put_set(out, v4 ? ODP_KEY_ICMP : ODP_KEY_ICMPV6, &k, &m);
    wc->nw_proto = UINT8_MAX;
    wc->tp_src |= hton16(UINT8_MAX);
    wc->tp_dst |= hton16(UINT8_MAX);
    base->tp_src = flow->tp_src;
    base->tp_dst = flow->tp_dst;
}

static void commit_nsh(const struct flow *flow, struct flow *base, struct odp_list *out,
                       struct flow *wc) {
    static const struct field fields[] = {FIELD(flow_nsh, flags),
                                          FIELD(flow_nsh, ttl),
                                          FIELD(flow_nsh, path_hdr),
                                          FIELD(flow_nsh, context),
                                          {0, 0}};
    if (flow->dl_type != hton16(TYPE_NSH)) {
        return;
    }
    struct odp_key_nsh k = {flow->nsh}, b = {base->nsh}, m = {wc->nsh};
    m.nsh.mdtype = m.nsh.np = 0; // Never set.
    if (put_differences(out, ODP_KEY_NSH, &k, &b, &m, fields)) {
        or_bytes(&wc->nsh, &m.nsh, sizeof m.nsh);
        base->nsh = flow->nsh;
    }
}

static void commit_metadata(const struct flow *flow, struct flow *base, struct odp_list *out,
                            struct flow *wc) {
    static const struct field word[] = {{0, sizeof(uint32_t)}, {0, 0}};
    uint32_t mask = wc->skb_priority;
    if (put_differences(out, ODP_KEY_PRIORITY, &flow->skb_priority, &base->skb_priority, &mask,
                        word)) {
        wc->skb_priority |= mask;
        base->skb_priority = flow->skb_priority;
    }
    mask = wc->pkt_mark;
    if (put_differences(out, ODP_KEY_MARK, &flow->pkt_mark, &base->pkt_mark, &mask, word)) {
        wc->pkt_mark |= mask;
        base->pkt_mark = flow->pkt_mark;
    }
}

// The usual case: of all that a packet carries, nothing has been changed since the last output.
static bool is_unchanged(const struct flow *flow, const struct flow *base) {
    const size_t from = offsetof(struct flow, dl_dst);
    return flow->packet_type == base->packet_type && flow->skb_priority == base->skb_priority &&
           flow->pkt_mark == base->pkt_mark &&
           memcmp((const uint8_t *)flow + from, (const uint8_t *)base + from,
                  sizeof *flow - from) == 0;
}

void odp_commit(const struct flow *flow, struct flow *base, struct odp_list *out, struct flow *wc) {
    if (is_unchanged(flow, base)) {
        return;
    }
    bool leaves_mpls = flow_is_mpls(base->dl_type) && !flow_is_mpls(flow->dl_type);

    commit_eth(flow, base, out, wc);
    if (leaves_mpls) { // Before anything is set in the headers below.
        commit_mpls(flow, base, out, ODP_PUSH_MPLS);
    }
    commit_nsh(flow, base, out, wc);
    commit_network(flow, base, out, wc);
    commit_ports(flow, base, out, wc);
    commit_icmp(flow, base, out, wc);
    if (!leaves_mpls) {
        commit_mpls(flow, base, out, ODP_PUSH_MPLS);
    }
    commit_vlans(flow, base, out, wc);
    commit_metadata(flow, base, out, wc);
}

void odp_commit_tunnel(const struct flow *flow, struct flow *base, struct odp_list *out) {
    if (odp_tunnel_is_set(&flow->tunnel) &&
        memcmp(&flow->tunnel, &base->tunnel, sizeof flow->tunnel) != 0) {
        struct flow_tnl mask;
        memset(&mask, 0xff, sizeof mask);
        odp_put_set(out, ODP_KEY_TUNNEL, &flow->tunnel, &mask);
        base->tunnel = flow->tunnel;
    }
}
