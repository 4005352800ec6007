// match -> text, in the order and the spelling of ovs-ofctl dump-flows.

#include <arpa/inet.h>

#include "ofproto/match.h"

static bool is_zero(const void *p, size_t n) {
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        if (b[i]) {
            return false;
        }
    }
    return true;
}

// True if the word for the protocol says nw_proto too.
static bool put_protocol(const struct match *m, struct text *out) {
    static const struct {
        uint8_t proto;
        const char *v4, *v6;
    } words[] = {{IPPROTO_ICMP, "icmp", NULL},
                 {IPPROTO_ICMPV6, NULL, "icmp6"},
                 {IPPROTO_TCP, "tcp", "tcp6"},
                 {IPPROTO_UDP, "udp", "udp6"},
                 {IPPROTO_SCTP, "sctp", "sctp6"}};
    uint16_t type = ntoh16(m->flow.dl_type);
    if (!m->mask.dl_type) {
        return false;
    }
    if (type == 0x0806 || type == 0x8035) {
        text_put(out, type == 0x0806 ? "arp," : "rarp,");
    }
    if (type != 0x0800 && type != 0x86dd) {
        return false;
    }
    for (size_t i = 0; m->mask.nw_proto && i < RS_ARRAY_SIZE(words); i++) {
        const char *word = type == 0x0800 ? words[i].v4 : words[i].v6;
        if (words[i].proto == m->flow.nw_proto && word) {
            text_put(out, "%s,", word);
            return true;
        }
    }
    text_put(out, type == 0x0800 ? "ip," : "ipv6,");
    return false;
}

static void put_vlan(const struct match *m, struct text *out) {
    uint16_t tci = ntoh16(m->flow.vlans[0].tci), mask = ntoh16(m->mask.vlans[0].tci);
    uint16_t vid = mask & 0xfff, pcp = mask & 0xe000;
    bool tagged = (mask & FLOW_VLAN_CFI) && (tci & FLOW_VLAN_CFI);
    if (!mask) {
        return;
    }
    if (tagged && (vid == 0 || vid == 0xfff) && (pcp == 0 || pcp == 0xe000) && (vid || pcp)) {
        if (vid) {
            text_put(out, "dl_vlan=%u,", tci & 0xfff);
        }
        if (pcp) {
            text_put(out, "dl_vlan_pcp=%u,", tci >> 13);
        }
    } else if (mask == 0xffff) {
        text_put(out, "vlan_tci=0x%04x,", tci);
    } else {
        text_put(out, "vlan_tci=0x%04x/0x%04x,", tci, mask);
    }
}

static void put_mac(const char *name, const uint8_t *v, const uint8_t *k, struct text *out) {
    static const uint8_t exact[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (is_zero(k, 6)) {
        return;
    }
    text_put(out, "%s=%02x:%02x:%02x:%02x:%02x:%02x", name, v[0], v[1], v[2], v[3], v[4], v[5]);
    if (memcmp(k, exact, 6) != 0) {
        text_put(out, "/%02x:%02x:%02x:%02x:%02x:%02x", k[0], k[1], k[2], k[3], k[4], k[5]);
    }
    text_put(out, ",");
}

// Length of the prefix that a mask is, -1 if it is none.
static int prefix_length(const uint8_t *mask, int bytes) {
    int n = 0;
    while (n < bytes * 8 && (mask[n / 8] >> (7 - n % 8) & 1)) {
        n++;
    }
    for (int i = n; i < bytes * 8; i++) {
        if (mask[i / 8] >> (7 - i % 8) & 1) {
            return -1;
        }
    }
    return n;
}

static void put_ip(const char *name, int family, const uint8_t *value, const uint8_t *mask,
                   struct text *out) {
    char buf[INET6_ADDRSTRLEN];
    int bytes = family == AF_INET ? 4 : 16;
    int length = prefix_length(mask, bytes);
    if (length == 0) {
        return;
    }
    text_put(out, "%s=%s", name, inet_ntop(family, value, buf, sizeof buf));
    if (length < 0) {
        text_put(out, "/%s", inet_ntop(family, mask, buf, sizeof buf));
    } else if (length < bytes * 8) {
        text_put(out, "/%d", length);
    }
    text_put(out, ",");
}

static void put_addresses(const struct match *m, struct text *out) {
    const struct flow *f = &m->flow, *k = &m->mask;
    uint16_t type = m->mask.dl_type ? ntoh16(f->dl_type) : 0;
    if (type == 0x86dd) {
        put_ip("ipv6_src", AF_INET6, f->nw_src, k->nw_src, out);
        put_ip("ipv6_dst", AF_INET6, f->nw_dst, k->nw_dst, out);
        return;
    }
    bool arp = type == 0x0806 || type == 0x8035;
    put_ip(arp ? "arp_spa" : "nw_src", AF_INET, f->nw_src + 12, k->nw_src + 12, out);
    put_ip(arp ? "arp_tpa" : "nw_dst", AF_INET, f->nw_dst + 12, k->nw_dst + 12, out);
}

static void put_frag(const struct match *m, struct text *out) {
    uint8_t v = m->flow.nw_frag;
    switch (m->mask.nw_frag & (FLOW_FRAG_ANY | FLOW_FRAG_LATER)) {
    case FLOW_FRAG_ANY | FLOW_FRAG_LATER:
        text_put(out, "nw_frag=%s,",
                 v & FLOW_FRAG_LATER ? "later"
                 : v & FLOW_FRAG_ANY ? "first"
                                     : "no");
        break;
    case FLOW_FRAG_ANY: text_put(out, "nw_frag=%s,", v & FLOW_FRAG_ANY ? "yes" : "no"); break;
    case FLOW_FRAG_LATER:
        text_put(out, "nw_frag=%s,", v & FLOW_FRAG_LATER ? "later" : "not_later");
        break;
    }
}

static void put_be16(const char *name, be16 value, be16 mask, struct text *out) {
    if (mask == 0xffff) {
        text_put(out, "%s=%u,", name, ntoh16(value));
    } else if (mask) {
        text_put(out, "%s=0x%x/0x%x,", name, ntoh16(value), ntoh16(mask));
    }
}

static void put_nw(const struct match *m, bool said_proto, struct text *out) {
    const struct flow *f = &m->flow, *k = &m->mask;
    if (k->nw_proto && !said_proto) {
        bool arp = match_has_prereq(m, NEED_ARP);
        text_put(out, "%s=%u,", arp ? "arp_op" : "nw_proto", f->nw_proto);
    }
    if (k->nw_tos & 0xfc) {
        text_put(out, "nw_tos=%u,", f->nw_tos & 0xfc);
    }
    if (k->nw_tos & 3) {
        text_put(out, "nw_ecn=%u,", f->nw_tos & 3);
    }
    put_frag(m, out);
    bool icmp = match_has_prereq(m, NEED_ANY_ICMP);
    put_be16(icmp ? "icmp_type" : "tp_src", f->tp_src, k->tp_src, out);
    put_be16(icmp ? "icmp_code" : "tp_dst", f->tp_dst, k->tp_dst, out);
}

void match_format(const struct match *match, uint32_t priority, struct text *out) {
    const struct flow *f = &match->flow, *k = &match->mask;
    if (priority != OFP_DEFAULT_PRIORITY) {
        text_put(out, "priority=%u,", priority);
    }
    bool said_proto = put_protocol(match, out);
    if (k->in_port) {
        text_put(out, "in_port=%u,", f->in_port);
    }
    put_vlan(match, out);
    put_mac("dl_src", f->dl_src, k->dl_src, out);
    put_mac("dl_dst", f->dl_dst, k->dl_dst, out);
    uint16_t type = ntoh16(f->dl_type);
    if (k->dl_type && type != 0x0800 && type != 0x86dd && type != 0x0806 && type != 0x8035) {
        text_put(out, "dl_type=0x%04x,", type);
    }
    put_addresses(match, out);
    put_nw(match, said_proto, out);
    text_chomp(out, ',');
}
