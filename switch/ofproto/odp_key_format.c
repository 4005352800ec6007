// A datapath key and its mask as text, in the words of `ovs-appctl dpctl/dump-flows`: attributes that are wildcarded
// are left out, unless `more` asks for them.

#include "ofproto/odp_key_text.h"
#include "ofproto/revalidator.h"

void key_put_number(const struct key_text *k, const char *name, bool hex, uint64_t value,
                    uint64_t mask, uint64_t all) {
    if (!mask && !k->more) {
        return;
    }
    text_put(k->out, hex ? "%s=%#llx" : "%s=%llu", name, (unsigned long long)value);
    if (mask != all) {
        text_put(k->out, "/%#llx", (unsigned long long)mask);
    }
    text_put(k->out, ",");
}

bool key_any(const void *mask, size_t n) {
    const uint8_t *bytes = mask;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i]) {
            return true;
        }
    }
    return false;
}

static void put_mac(const struct key_text *k, const char *name, const uint8_t *mac,
                    const uint8_t *mask) {
    if (key_any(mask, 6) || k->more) {
        text_put(k->out, "%s=", name);
        text_put_mac(k->out, mac, mask);
        text_put(k->out, ",");
    }
}

void key_put_ipv4(const struct key_text *k, const char *name, be32 ip, be32 mask) {
    if (!mask && !k->more) {
        return;
    }
    const uint8_t *a = (const uint8_t *)&ip, *m = (const uint8_t *)&mask;
    text_put(k->out, "%s=%u.%u.%u.%u", name, a[0], a[1], a[2], a[3]);
    if (mask != UINT32_MAX) {
        text_put(k->out, "/%u.%u.%u.%u", m[0], m[1], m[2], m[3]);
    }
    text_put(k->out, ",");
}

void key_put_ipv6(const struct key_text *k, const char *name, const uint8_t *ip,
                  const uint8_t *mask) {
    static const uint8_t exact[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (!key_any(mask, 16) && !k->more) {
        return;
    }
    text_put(k->out, "%s=", name);
    text_put_ipv6(k->out, ip, NULL);
    if (memcmp(mask, exact, 16) != 0) {
        text_put(k->out, "/");
        text_put_ipv6(k->out, mask, NULL);
    }
    text_put(k->out, ",");
}

size_t key_begin(const struct key_text *k, const char *name) {
    size_t before = k->out->len;
    text_put(k->out, "%s(", name);
    return before;
}

void key_end(const struct key_text *k, size_t before, const char *name) {
    if (k->out->len == before + strlen(name) + 1) {
        k->out->len = before;
        k->out->buf[before] = '\0';
        return;
    }
    text_chomp(k->out, ',');
    text_put(k->out, "),");
}

void key_put_flags(const struct key_text *k, const char *name, enum mf_id id, uint32_t value,
                   uint32_t mask, uint32_t all) {
    if (!mask && !k->more) {
        return;
    }
    text_put(k->out, "%s(", name);
    if (k->more && id == MFF_CT_STATE) {
        text_put(k->out, "%#x", value);
        if (mask != all) {
            text_put(k->out, "/%#x", mask);
        }
    } else {
        mf_flags_format(mf_flags_of(mf_from_id(id)), value, mask, all, k->out);
    }
    text_put(k->out, "),");
}

static void put_ports(const struct key_text *k, const char *name) {
    const struct flow *f = k->key, *m = k->mask;
    size_t before = key_begin(k, name);
    key_put_number(k, "src", false, ntoh16(f->tp_src), ntoh16(m->tp_src), UINT16_MAX);
    key_put_number(k, "dst", false, ntoh16(f->tp_dst), ntoh16(m->tp_dst), UINT16_MAX);
    key_end(k, before, name);
}

static void put_icmp(const struct key_text *k, const char *name) {
    const struct flow *f = k->key, *m = k->mask;
    size_t before = key_begin(k, name);
    key_put_number(k, "type", false, ntoh16(f->tp_src) & 0xff, ntoh16(m->tp_src) & 0xff, UINT8_MAX);
    key_put_number(k, "code", false, ntoh16(f->tp_dst) & 0xff, ntoh16(m->tp_dst) & 0xff, UINT8_MAX);
    key_end(k, before, name);
}

static void put_nd(const struct key_text *k) {
    const struct flow *f = k->key, *m = k->mask;
    size_t before = key_begin(k, "nd");
    key_put_ipv6(k, "target", f->nd_target, m->nd_target);
    put_mac(k, "sll", f->arp_sha, m->arp_sha);
    put_mac(k, "tll", f->arp_tha, m->arp_tha);
    key_end(k, before, "nd");
    if (m->igmp_group_ip4 || m->tcp_flags) {
        before = key_begin(k, "nd_ext");
        key_put_number(k, "nd_reserved", true, ntoh32(f->igmp_group_ip4), ntoh32(m->igmp_group_ip4),
                       UINT32_MAX);
        key_put_number(k, "nd_options_type", false, ntoh16(f->tcp_flags), ntoh16(m->tcp_flags),
                       UINT16_MAX);
        key_end(k, before, "nd_ext");
    }
}

static void put_l4(const struct key_text *k) {
    enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132, SOLICIT = 135, ADVERT = 136 };
    const struct flow *f = k->key, *m = k->mask;
    bool v6 = f->dl_type == hton16(0x86dd);
    if (!m->nw_proto || f->nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    if (f->nw_proto == TCP) {
        put_ports(k, "tcp");
        key_put_flags(k, "tcp_flags", MFF_TCP_FLAGS, ntoh16(f->tcp_flags), ntoh16(m->tcp_flags),
                      0xfff);
    } else if (f->nw_proto == UDP) {
        put_ports(k, "udp");
    } else if (f->nw_proto == SCTP) {
        put_ports(k, "sctp");
    } else if (f->nw_proto == ICMP && !v6) {
        put_icmp(k, "icmp");
    } else if (f->nw_proto == ICMPV6 && v6) {
        put_icmp(k, "icmpv6");
        if ((m->tp_src & hton16(0xff)) == hton16(0xff) &&
            (f->tp_src == hton16(SOLICIT) || f->tp_src == hton16(ADVERT))) {
            put_nd(k);
        }
    }
}

static void put_frag(const struct key_text *k) {
    if (k->mask->nw_frag) {
        text_put(k->out, "frag=%s,",
                 k->key->nw_frag & FLOW_FRAG_LATER ? "later"
                 : k->key->nw_frag                 ? "first"
                                                   : "no");
    }
}

static void put_ip(const struct key_text *k) {
    const struct flow *f = k->key, *m = k->mask;
    bool v6 = f->dl_type == hton16(0x86dd);
    size_t before = key_begin(k, v6 ? "ipv6" : "ipv4");
    if (v6) {
        key_put_ipv6(k, "src", f->ipv6_src, m->ipv6_src);
        key_put_ipv6(k, "dst", f->ipv6_dst, m->ipv6_dst);
        key_put_number(k, "label", true, ntoh32(f->ipv6_label), ntoh32(m->ipv6_label) & 0xfffff,
                       0xfffff);
    } else {
        key_put_ipv4(k, "src", f->nw_src, m->nw_src);
        key_put_ipv4(k, "dst", f->nw_dst, m->nw_dst);
    }
    key_put_number(k, "proto", false, f->nw_proto, m->nw_proto, UINT8_MAX);
    key_put_number(k, v6 ? "tclass" : "tos", true, f->nw_tos, m->nw_tos, UINT8_MAX);
    key_put_number(k, v6 ? "hlimit" : "ttl", false, f->nw_ttl, m->nw_ttl, UINT8_MAX);
    put_frag(k);
    key_end(k, before, v6 ? "ipv6" : "ipv4");
    put_l4(k);
}

static void put_arp(const struct key_text *k) {
    const struct flow *f = k->key, *m = k->mask;
    size_t before = key_begin(k, "arp");
    key_put_ipv4(k, "sip", f->nw_src, m->nw_src);
    key_put_ipv4(k, "tip", f->nw_dst, m->nw_dst);
    key_put_number(k, "op", false, f->nw_proto, m->nw_proto, UINT8_MAX);
    put_mac(k, "sha", f->arp_sha, m->arp_sha);
    put_mac(k, "tha", f->arp_tha, m->arp_tha);
    key_end(k, before, "arp");
}

// Are all labels down to the bottom of the stack matched in full?
static bool mpls_is_exact(const struct key_text *k) {
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        if (k->mask->mpls_lse[i] != UINT32_MAX) {
            return false;
        }
        if (k->key->mpls_lse[i] & hton32(0x100)) {
            return true;
        }
    }
    return true;
}

static void put_mpls(const struct key_text *k) {
    const struct flow *f = k->key, *m = k->mask;
    bool exact = mpls_is_exact(k);
    size_t before = key_begin(k, "mpls");
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        uint32_t lse = ntoh32(f->mpls_lse[i]), mask = ntoh32(m->mpls_lse[i]);
        if (mask && exact) {
            text_put(k->out, "label=%u,tc=%u,ttl=%u,bos=%u,", lse >> 12, lse >> 9 & 7, lse & 0xff,
                     lse >> 8 & 1);
        } else if (mask) {
            text_put(k->out, "label=%u/0x%x,tc=%u/%x,ttl=%u/0x%x,bos=%u/%x,", lse >> 12, mask >> 12,
                     lse >> 9 & 7, mask >> 9 & 7, lse & 0xff, mask & 0xff, lse >> 8 & 1,
                     mask >> 8 & 1);
        }
    }
    key_end(k, before, "mpls");
}

static void put_nsh(const struct key_text *k) {
    static const char *const names[] = {"c1", "c2", "c3", "c4"};
    const struct flow_nsh *f = &k->key->nsh, *m = &k->mask->nsh;
    uint32_t path = ntoh32(f->path_hdr), mask = ntoh32(m->path_hdr);
    size_t before = key_begin(k, "nsh");
    key_put_number(k, "flags", false, f->flags, m->flags, UINT8_MAX);
    key_put_number(k, "ttl", false, f->ttl, m->ttl, UINT8_MAX);
    key_put_number(k, "mdtype", false, f->mdtype, m->mdtype, UINT8_MAX);
    key_put_number(k, "np", false, f->np, m->np, UINT8_MAX);
    key_put_number(k, "spi", true, path >> 8, mask >> 8, 0xffffff);
    key_put_number(k, "si", false, path & 0xff, mask & 0xff, UINT8_MAX);
    for (unsigned i = 0; i < 4; i++) {
        key_put_number(k, names[i], true, ntoh32(f->context[i]), ntoh32(m->context[i]), UINT32_MAX);
    }
    key_end(k, before, "nsh");
}

static void put_vlan(const struct key_text *k, unsigned i) {
    uint16_t tci = ntoh16(k->key->vlans[i].tci), mask = ntoh16(k->mask->vlans[i].tci);
    size_t before = key_begin(k, "vlan");
    key_put_number(k, "vid", false, tci & 0xfff, mask & 0xfff, 0xfff);
    key_put_number(k, "pcp", false, tci >> 13, mask >> 13, 7);
    key_end(k, before, "vlan");
}

static void put_l3(const struct key_text *k) {
    be16 type = k->key->dl_type;
    if (type == hton16(FLOW_DL_TYPE_NONE)) {
        text_put(k->out, "eth_type(0/0xffff),");
    } else {
        text_put(k->out, "eth_type(0x%04x),", ntoh16(type));
    }
    if (flow_is_ip(type)) {
        put_ip(k);
    } else if (type == hton16(0x0806) || type == hton16(0x8035)) {
        put_arp(k);
    } else if (flow_is_mpls(type)) {
        put_mpls(k);
    } else if (type == hton16(0x894f)) {
        put_nsh(k);
    }
}

void odp_key_format(const struct flow *key, const struct flow *mask, const struct port_names *names,
                    bool more, struct text *out) {
    struct flow exact;
    if (!mask) {
        memset(&exact, 0xff, sizeof exact);
    }
    struct key_text k = {
        .out = out, .key = key, .mask = mask ? mask : &exact, .more = more, .names = names};
    key_put_metadata(&k);
    if (key->packet_type == 0) {
        size_t before = key_begin(&k, "eth");
        put_mac(&k, "src", key->dl_src, k.mask->dl_src);
        put_mac(&k, "dst", key->dl_dst, k.mask->dl_dst);
        key_end(&k, before, "eth");
    }
    unsigned n = 0;
    while (n < FLOW_MAX_VLANS && key->vlans[n].tpid) {
        text_put(out, "eth_type(0x%04x),", ntoh16(key->vlans[n].tpid));
        put_vlan(&k, n++);
        text_put(out, "encap(");
    }
    put_l3(&k);
    text_chomp(out, ',');
    for (; n > 0; n--) {
        text_put(out, ")");
    }
}
