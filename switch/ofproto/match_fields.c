#include "ofproto/match_fields.h"

#include <errno.h>
#include <netinet/in.h>

#define AT(member) offsetof(struct flow, member)
#define MAC_FORM   "an address such as 02:00:00:00:00:01, or ADDRESS/MASK"
#define IPV4_FORM  "an address such as 10.0.0.1, or ADDRESS/LENGTH, or ADDRESS/MASK"
#define IPV6_FORM  "an address such as fd00::1, or ADDRESS/LENGTH, or ADDRESS/MASK"
#define PORT_FORM  "a number from 0 to 65535, or NUMBER/MASK"
#define BYTE_FORM  "a number from 0 to 255"

static const struct match_field fields[] = {
    {"priority", NULL, FIELD_PRIORITY, 0, 65535, false, NEED_NOTHING, "a number from 0 to 65535"},
    {"table", NULL, FIELD_TABLE, 0, 0, false, NEED_NOTHING, "there is only table 0"},
    {"in_port", NULL, FIELD_PORT, AT(in_port), 0, false, NEED_NOTHING,
     "a port's number (1 to 255) or name, or LOCAL"},
    {"dl_src", "eth_src", FIELD_MAC, AT(dl_src), 0, true, NEED_NOTHING, MAC_FORM},
    {"dl_dst", "eth_dst", FIELD_MAC, AT(dl_dst), 0, true, NEED_NOTHING, MAC_FORM},
    {"dl_type", "eth_type", FIELD_BE16, AT(dl_type), 65535, false, NEED_NOTHING,
     "a number from 0 to 0xffff"},
    {"dl_vlan", NULL, FIELD_VLAN, AT(vlans[0].tci), 65535, false, NEED_NOTHING,
     "a VLAN from 0 to 4095, or 0xffff for untagged packets"},
    {"dl_vlan_pcp", "vlan_pcp", FIELD_VLAN_PCP, AT(vlans[0].tci), 7, false, NEED_NOTHING,
     "a number from 0 to 7"},
    {"vlan_tci", NULL, FIELD_VLAN_TCI, AT(vlans[0].tci), 65535, true, NEED_NOTHING, PORT_FORM},
    {"vlan_vid", NULL, FIELD_VLAN_VID, AT(vlans[0].tci), 0x1fff, true, NEED_NOTHING,
     "0x1000 + VLAN, or 0 for untagged packets, or NUMBER/MASK"},
    {"nw_src", "ip_src", FIELD_IPV4, AT(nw_src[12]), 0, true, NEED_IPV4_OR_ARP, IPV4_FORM},
    {"nw_dst", "ip_dst", FIELD_IPV4, AT(nw_dst[12]), 0, true, NEED_IPV4_OR_ARP, IPV4_FORM},
    {"arp_spa", NULL, FIELD_IPV4, AT(nw_src[12]), 0, true, NEED_ARP, IPV4_FORM},
    {"arp_tpa", NULL, FIELD_IPV4, AT(nw_dst[12]), 0, true, NEED_ARP, IPV4_FORM},
    {"arp_op", NULL, FIELD_U8, AT(nw_proto), 255, false, NEED_ARP, BYTE_FORM},
    {"ipv6_src", NULL, FIELD_IPV6, AT(nw_src), 0, true, NEED_IPV6, IPV6_FORM},
    {"ipv6_dst", NULL, FIELD_IPV6, AT(nw_dst), 0, true, NEED_IPV6, IPV6_FORM},
    {"nw_proto", "ip_proto", FIELD_U8, AT(nw_proto), 255, false, NEED_IP_OR_ARP, BYTE_FORM},
    {"nw_tos", NULL, FIELD_TOS, AT(nw_tos), 255, false, NEED_IP,
     "a number from 0 to 252 whose two lowest bits are 0"},
    {"ip_dscp", NULL, FIELD_DSCP, AT(nw_tos), 63, false, NEED_IP, "a number from 0 to 63"},
    {"nw_ecn", "ip_ecn", FIELD_ECN, AT(nw_tos), 3, false, NEED_IP, "a number from 0 to 3"},
    {"nw_frag", "ip_frag", FIELD_FRAG, AT(nw_frag), 0, false, NEED_IP,
     "no, yes, first, later or not_later"},
    {"tp_src", NULL, FIELD_BE16, AT(tp_src), 65535, true, NEED_PORTS, PORT_FORM},
    {"tp_dst", NULL, FIELD_BE16, AT(tp_dst), 65535, true, NEED_PORTS, PORT_FORM},
    {"tcp_src", NULL, FIELD_BE16, AT(tp_src), 65535, true, NEED_TCP, PORT_FORM},
    {"tcp_dst", NULL, FIELD_BE16, AT(tp_dst), 65535, true, NEED_TCP, PORT_FORM},
    {"udp_src", NULL, FIELD_BE16, AT(tp_src), 65535, true, NEED_UDP, PORT_FORM},
    {"udp_dst", NULL, FIELD_BE16, AT(tp_dst), 65535, true, NEED_UDP, PORT_FORM},
    {"sctp_src", NULL, FIELD_BE16, AT(tp_src), 65535, true, NEED_SCTP, PORT_FORM},
    {"sctp_dst", NULL, FIELD_BE16, AT(tp_dst), 65535, true, NEED_SCTP, PORT_FORM},
    {"icmp_type", NULL, FIELD_BE16, AT(tp_src), 255, false, NEED_ANY_ICMP, BYTE_FORM},
    {"icmp_code", NULL, FIELD_BE16, AT(tp_dst), 255, false, NEED_ANY_ICMP, BYTE_FORM},
    {"icmpv6_type", NULL, FIELD_BE16, AT(tp_src), 255, false, NEED_ICMP6, BYTE_FORM},
    {"icmpv6_code", NULL, FIELD_BE16, AT(tp_dst), 255, false, NEED_ICMP6, BYTE_FORM},
};

static const struct match_keyword keywords[] = {
    {"ip", 0x0800, 0},
    {"ipv6", 0x86dd, 0},
    {"ip6", 0x86dd, 0},
    {"arp", 0x0806, 0},
    {"rarp", 0x8035, 0},
    {"icmp", 0x0800, IPPROTO_ICMP},
    {"icmp6", 0x86dd, IPPROTO_ICMPV6},
    {"tcp", 0x0800, IPPROTO_TCP},
    {"tcp6", 0x86dd, IPPROTO_TCP},
    {"udp", 0x0800, IPPROTO_UDP},
    {"udp6", 0x86dd, IPPROTO_UDP},
    {"sctp", 0x0800, IPPROTO_SCTP},
    {"sctp6", 0x86dd, IPPROTO_SCTP},
};

// Words of ovs-ofctl that are right there and mean nothing here.
static const char *const elsewhere[] = {
    "arp_sha",          "arp_tha",    "check_overlap", "conj_id",  "cookie",       "ct_mark",
    "ct_state",         "ct_zone",    "hard_timeout",  "icmpv6",   "idle_timeout", "importance",
    "ip_ttl",           "ipv6_label", "metadata",      "mpls",     "mpls_label",   "nd_target",
    "no_packet_counts", "nw_ttl",     "out_port",      "pkt_mark", "recirc_id",    "send_flow_rem",
    "tcp_flags",        "tun_id",     "tun_src",       "tun_dst",  "nd_sll",
};

const struct match_field *match_field_find(const char *name) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(fields); i++) {
        const struct match_field *f = &fields[i];
        if (strcmp(f->name, name) == 0 || (f->alias && strcmp(f->alias, name) == 0)) {
            return f;
        }
    }
    return NULL;
}

const struct match_keyword *match_keyword_find(const char *name) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(keywords); i++) {
        if (strcmp(keywords[i].name, name) == 0) {
            return &keywords[i];
        }
    }
    return NULL;
}

enum { WORD_MAX = 24 };

static unsigned min3(unsigned a, unsigned b, unsigned c) {
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

// Number of single-letter changes between two words; both shorter than WORD_MAX.
static unsigned edit_distance(const char *a, const char *b) {
    unsigned row[WORD_MAX];
    size_t len = strlen(b);
    for (unsigned j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= len; j++) {
            unsigned above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[len];
}

static void consider(const char *word, const char *name, const char **best, unsigned *distance) {
    unsigned d = edit_distance(word, name);
    if (d < *distance) {
        *distance = d;
        *best = name;
    }
}

static const char *nearest(const char *name) {
    const char *best = NULL;
    unsigned distance = 3; // Further away is another word.
    if (strlen(name) >= WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(fields); i++) {
        consider(name, fields[i].name, &best, &distance);
        if (fields[i].alias) {
            consider(name, fields[i].alias, &best, &distance);
        }
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(keywords); i++) {
        consider(name, keywords[i].name, &best, &distance);
    }
    return best;
}

int match_unknown_word(const char *name, struct ofp_error *err) {
    if (name[0] == '\0') {
        return ofp_error_set(err, EINVAL, "flow", "write FIELD=VALUE", "a value without a field");
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(elsewhere); i++) {
        if (strcmp(elsewhere[i], name) == 0) {
            return ofp_error_set(err, EINVAL, name, "leave it out",
                                 "this table matches no %s and keeps nothing of that name", name);
        }
    }
    char hint[64];
    const char *near = nearest(name);
    snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
    return ofp_error_set(err, EINVAL, name, near ? hint : "ovs-fields(7) lists the names of fields",
                         "there is no field of this name");
}
