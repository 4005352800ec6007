#include "ofproto/match.h"

#include <netinet/in.h>

static inline uint64_t word_at(const void *p, size_t offset) {
    uint64_t v;
    memcpy(&v, (const uint8_t *)p + offset, sizeof v);
    return v;
}

bool match_covers_flow(const struct match *match, const struct flow *flow) {
    // The last word overlaps the one before: 68 = 8 * 8 + 4.
    static const uint8_t offsets[] = {0, 8, 16, 24, 32, 40, 48, 56, 60};
    for (size_t i = 0; i < sizeof offsets; i++) {
        size_t o = offsets[i];
        if ((word_at(flow, o) ^ word_at(&match->flow, o)) & word_at(&match->mask, o)) {
            return false;
        }
    }
    return true;
}

bool match_covers(const struct match *general, const struct match *specific) {
    const uint8_t *mask = (const uint8_t *)&general->mask;
    const uint8_t *other = (const uint8_t *)&specific->mask;
    for (size_t i = 0; i < sizeof general->mask; i++) {
        if (mask[i] & ~other[i]) {
            return false;
        }
    }
    return match_covers_flow(general, &specific->flow);
}

static bool has_type(const struct match *m, uint16_t type) {
    return m->mask.dl_type == 0xffff && m->flow.dl_type == hton16(type);
}

static bool has_proto(const struct match *m, uint8_t proto) {
    return m->mask.nw_proto == 0xff && m->flow.nw_proto == proto;
}

static bool has_ports(const struct match *m) {
    return has_proto(m, IPPROTO_TCP) || has_proto(m, IPPROTO_UDP) || has_proto(m, IPPROTO_SCTP);
}

// Does the match ask for fragments that have no L4 header?
static bool is_later_fragment(const struct match *m) {
    return m->mask.nw_frag & m->flow.nw_frag & FLOW_FRAG_LATER;
}

bool match_has_prereq(const struct match *m, enum match_prereq need) {
    if (need >= NEED_TCP && is_later_fragment(m)) {
        return false;
    }
    bool ipv4 = has_type(m, 0x0800), ipv6 = has_type(m, 0x86dd);
    bool ip = ipv4 || ipv6;
    bool arp = has_type(m, 0x0806) || has_type(m, 0x8035);
    bool icmp = ipv4 && has_proto(m, IPPROTO_ICMP), icmp6 = ipv6 && has_proto(m, IPPROTO_ICMPV6);
    switch (need) {
    case NEED_NOTHING: return true;
    case NEED_IPV4_OR_ARP: return ipv4 || arp;
    case NEED_IPV4: return ipv4;
    case NEED_IPV6: return ipv6;
    case NEED_IP: return ip;
    case NEED_IP_OR_ARP: return ip || arp;
    case NEED_ARP: return arp;
    case NEED_TCP: return ip && has_proto(m, IPPROTO_TCP);
    case NEED_UDP: return ip && has_proto(m, IPPROTO_UDP);
    case NEED_SCTP: return ip && has_proto(m, IPPROTO_SCTP);
    case NEED_PORTS: return (ip && has_ports(m)) || icmp || icmp6;
    case NEED_ICMP: return icmp;
    case NEED_ICMP6: return icmp6;
    case NEED_ANY_ICMP: return icmp || icmp6;
    }
    return false;
}

const char *match_prereq_hint(enum match_prereq need) {
    switch (need) {
    case NEED_NOTHING: return "";
    case NEED_IPV4_OR_ARP: return "add ip, arp, or a protocol over IPv4 such as tcp";
    case NEED_IPV4: return "add ip, or a protocol over IPv4 such as tcp";
    case NEED_IPV6: return "add ipv6, or a protocol over IPv6 such as tcp6";
    case NEED_IP: return "add ip or ipv6, or a protocol over them such as tcp or tcp6";
    case NEED_IP_OR_ARP: return "add ip, ipv6 or arp";
    case NEED_ARP: return "add arp";
    case NEED_TCP: return "add tcp or tcp6; later fragments have no such header";
    case NEED_UDP: return "add udp or udp6; later fragments have no such header";
    case NEED_SCTP: return "add sctp or sctp6; later fragments have no such header";
    case NEED_PORTS:
        return "add tcp, udp or sctp (tcp6, udp6, sctp6 for IPv6); later fragments have no ports";
    case NEED_ICMP: return "add icmp; later fragments have no such header";
    case NEED_ICMP6: return "add icmp6; later fragments have no such header";
    case NEED_ANY_ICMP: return "add icmp or icmp6; later fragments have no such header";
    }
    return "";
}

// The fields behind the EtherType that packets of these protocols have.
static void mask_l3_fields(const struct flow *flow, struct flow *mask) {
    bool ipv4 = flow->dl_type == hton16(0x0800), ipv6 = flow->dl_type == hton16(0x86dd);
    bool arp = flow->dl_type == hton16(0x0806) || flow->dl_type == hton16(0x8035);
    if (!ipv4 && !ipv6 && !arp) {
        return;
    }
    size_t skip = ipv6 ? 0 : 12;
    memset(mask->nw_src + skip, 0xff, 16 - skip);
    memset(mask->nw_dst + skip, 0xff, 16 - skip);
    mask->nw_proto = 0xff;
    if (arp) {
        return;
    }
    mask->nw_tos = 0xff;
    mask->nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    struct match so_far = {.flow = *flow, .mask = *mask};
    bool icmp = has_proto(&so_far, IPPROTO_ICMP) || has_proto(&so_far, IPPROTO_ICMPV6) ||
                has_proto(&so_far, IPPROTO_IGMP);
    if ((icmp || has_ports(&so_far)) && !is_later_fragment(&so_far)) {
        mask->tp_src = mask->tp_dst = 0xffff;
    }
}

void match_from_flow(const struct flow *flow, struct match *out) {
    memset(out, 0, sizeof *out);
    out->flow = *flow;
    memset(&out->mask, 0, sizeof out->mask);
    out->mask.in_port = UINT32_MAX;
    memset(out->mask.dl_src, 0xff, 6);
    memset(out->mask.dl_dst, 0xff, 6);
    out->mask.dl_type = 0xffff;
    out->mask.vlans[0].tci = 0xffff;
    mask_l3_fields(flow, &out->mask);
}
