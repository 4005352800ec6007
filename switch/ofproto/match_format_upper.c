// Matches in text: what lies behind Ethernet.

#include "ofproto/match_private.h"

enum { TYPE_IP = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_NSH = 0x894f };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_ICMPV6 = 58 };

static bool is_arp(uint16_t type) {
    return type == 0x0806 || type == 0x8035;
}

static void put_nsh(const struct flow_nsh *nsh, const struct flow_nsh *mask, struct text *out) {
    static const char *const context[] = {"nsh_c1", "nsh_c2", "nsh_c3", "nsh_c4"};
    uint32_t path = ntoh32(nsh->path_hdr), path_mask = ntoh32(mask->path_hdr);
    text_put_dec_masked(out, "nsh_flags", nsh->flags, mask->flags, UINT8_MAX, 2);
    text_put_dec_masked(out, "nsh_ttl", nsh->ttl, mask->ttl, UINT8_MAX, 2);
    text_put_dec_masked(out, "nsh_mdtype", nsh->mdtype, mask->mdtype, UINT8_MAX, 2);
    text_put_dec_masked(out, "nsh_np", nsh->np, mask->np, UINT8_MAX, 2);
    text_put_0x_masked(out, "nsh_spi", path >> 8, path_mask >> 8, 0xffffff, 1);
    text_put_dec_masked(out, "nsh_si", path & 0xff, path_mask & 0xff, UINT8_MAX, 2);
    for (unsigned i = 0; i < 4 && mask->mdtype == UINT8_MAX && nsh->mdtype == 1; i++) {
        text_put_0x_masked(out, context[i], ntoh32(nsh->context[i]), ntoh32(mask->context[i]),
                           UINT32_MAX, 1);
    }
}

static void put_addresses(const struct flow *f, const struct flow *mask, uint16_t type,
                          struct text *out) {
    if (type == TYPE_IPV6) {
        text_put_ipv6_masked(out, "ipv6_src", f->ipv6_src, mask->ipv6_src);
        text_put_ipv6_masked(out, "ipv6_dst", f->ipv6_dst, mask->ipv6_dst);
        text_put_0x_masked(out, "ipv6_label", ntoh32(f->ipv6_label),
                           ntoh32(mask->ipv6_label) & 0xfffff, 0xfffff, 5);
    } else if (is_arp(type)) {
        text_put_ipv4_masked(out, "arp_spa", f->nw_src, mask->nw_src);
        text_put_ipv4_masked(out, "arp_tpa", f->nw_dst, mask->nw_dst);
    } else if (type == TYPE_NSH) {
        put_nsh(&f->nsh, &mask->nsh, out);
    } else {
        text_put_ipv4_masked(out, "nw_src", f->nw_src, mask->nw_src);
        text_put_ipv4_masked(out, "nw_dst", f->nw_dst, mask->nw_dst);
    }
}

static void put_network(const struct flow *f, const struct flow *mask, uint16_t type,
                        bool proto_said, struct text *out) {
    put_addresses(f, mask, type, out);
    if (!proto_said && mask->nw_proto) {
        text_put(out, "%s=%u,", is_arp(type) ? "arp_op" : "nw_proto", f->nw_proto);
    }
    if (is_arp(type)) {
        text_put_mac_masked(out, "arp_sha", f->arp_sha, mask->arp_sha);
        text_put_mac_masked(out, "arp_tha", f->arp_tha, mask->arp_tha);
    }
    if (mask->nw_tos & 0xfc) {
        text_put(out, "nw_tos=%d,", f->nw_tos & 0xfc);
    }
    if (mask->nw_tos & 3) {
        text_put(out, "nw_ecn=%d,", f->nw_tos & 3);
    }
    if (mask->nw_ttl) {
        text_put(out, "nw_ttl=%u,", f->nw_ttl);
    }
}

static void put_mpls(const struct flow *f, const struct flow *mask, struct text *out) {
    static const struct {
        const char *name;
        uint32_t bits;
        unsigned shift;
    } parts[] = {
        {"mpls_label", 0xfffff000, 12},
        {"mpls_tc", 0xe00, 9},
        {"mpls_ttl", 0xff, 0},
        {"mpls_bos", 0x100, 8},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(parts); i++) {
        if (ntoh32(mask->mpls_lse[0]) & parts[i].bits) {
            text_put(out, "%s=%u,", parts[i].name,
                     (ntoh32(f->mpls_lse[0]) & parts[i].bits) >> parts[i].shift);
        }
    }
    text_put_dec_masked(out, "mpls_lse1", ntoh32(f->mpls_lse[1]), ntoh32(mask->mpls_lse[1]),
                        UINT32_MAX, 8);
    text_put_dec_masked(out, "mpls_lse2", ntoh32(f->mpls_lse[2]), ntoh32(mask->mpls_lse[2]),
                        UINT32_MAX, 8);
}

static void put_transport(const struct flow *f, const struct flow *mask, uint16_t type,
                          struct text *out) {
    bool is_icmp = type == TYPE_IP && f->nw_proto == PROTO_ICMP;
    bool is_icmpv6 = type == TYPE_IPV6 && f->nw_proto == PROTO_ICMPV6;
    bool is_type = is_icmp || is_icmpv6;
    text_put_be16_masked(out, is_type ? "icmp_type" : "tp_src", f->tp_src, mask->tp_src);
    text_put_be16_masked(out, is_type ? "icmp_code" : "tp_dst", f->tp_dst, mask->tp_dst);
    if (is_icmpv6) {
        text_put_ipv6_masked(out, "nd_target", f->nd_target, mask->nd_target);
        text_put_mac_masked(out, "nd_sll", f->arp_sha, mask->arp_sha);
        text_put_mac_masked(out, "nd_tll", f->arp_tha, mask->arp_tha);
        text_put_dec_masked(out, "nd_reserved", ntoh32(f->igmp_group_ip4),
                            ntoh32(mask->igmp_group_ip4), UINT32_MAX, 8);
        text_put_be16_masked(out, "nd_options_type", f->tcp_flags, mask->tcp_flags);
    }
    uint16_t flags = ntoh16(mask->tcp_flags) & 0xfff;
    if (flags && flow_is_ip(f->dl_type) && f->nw_proto == PROTO_TCP) {
        text_put(out, "tcp_flags=");
        mf_flags_format(mf_flags_of(mf_from_id(MFF_TCP_FLAGS)), ntoh16(f->tcp_flags), flags, 0xfff,
                        out);
        text_put(out, ",");
    }
}

void match_format_upper(const struct flow *f, const struct flow *mask, uint16_t type,
                        bool proto_said, struct text *out) {
    put_network(f, mask, type, proto_said, out);
    put_mpls(f, mask, out);
    if (mask->nw_frag & FLOW_FRAG_MASK) {
        text_put(out, "nw_frag=");
        text_put_frag(out, f->nw_frag, mask->nw_frag);
        text_put(out, ",");
    }
    put_transport(f, mask, type, out);
}
