// Transport headers: TCP, UDP, SCTP, ICMP, ICMPv6 with neighbour discovery, IGMP. Layouts are RFC
// 9293, 768, 9260, 792, 4443, 4861, 3376. Which IP carries a protocol is not asked: ICMP in IPv6
// is wrong and gets its fields all the same, as in Open vSwitch.

#include <netinet/in.h>

#include "datapath/flow/flow_extract_private.h"

enum {
    ND_SOLICIT = 135,
    ND_ADVERT = 136,
    ND_OPT_SLL = 1,
    ND_OPT_TLL = 2,
    ND_TARGET_LEN = 16,
    ND_OPT_UNIT = 8, // Option lengths count in these; an Ethernet address takes one.
    MAC_LEN = 6,
};

#define WORD_TP        FLOW_WORD(tp_src)
#define WORD_TCP_FLAGS FLOW_WORD(tcp_flags)
#define WORD_ARP_SHA   FLOW_WORD(arp_sha)
#define WORD_IGMP      FLOW_WORD(igmp_group_ip4)

static_assert(offsetof(struct flow, tp_src) % 8 == 0 &&
                  offsetof(struct flow, ct_tp_src) == offsetof(struct flow, tp_src) + 4,
              "ports are half a word");
static_assert(offsetof(struct flow, tcp_flags) % 8 == 4 &&
                  offsetof(struct flow, arp_sha) % 8 == 0 && WORD_TCP_FLAGS == WORD_ARP_SHA + 1,
              "TCP flags share a word with the end of arp_tha");
static_assert(offsetof(struct flow, igmp_group_ip4) % 8 == 0, "a word of its own");

// ICMP and IGMP type and code, each in 16 bits.
static inline uint32_t type_code(const uint8_t *at) {
    return word32_of_bytes(0, at[0], 0, at[1]);
}

static inline void put_ports(struct key_writer *w, uint32_t ports, uint32_t ct_ports) {
    put_word(w, WORD_TP, word_of_32s(ports, ct_ports));
}

// Source and target link layer addresses as they lie in struct flow, and the first option's type.
struct nd_options {
    uint8_t sll[MAC_LEN], tll[MAC_LEN];
    be16 type;
    uint16_t pad;
};

static_assert(sizeof(struct nd_options) == 16 &&
                  offsetof(struct nd_options, type) ==
                      offsetof(struct flow, tcp_flags) - offsetof(struct flow, arp_sha),
              "struct nd_options lies in struct flow as it is");

// False: the same option came twice. An option that is cut off, or empty, ends the list.
static bool read_nd_options(struct cursor c, struct nd_options *o) {
    static const uint8_t zero[MAC_LEN];
    while (c.left >= ND_OPT_UNIT) {
        size_t length = c.at[1] * (size_t)ND_OPT_UNIT;
        if (length == 0 || length > c.left) {
            break;
        }
        uint8_t type = c.at[0];
        if (length == ND_OPT_UNIT && (type == ND_OPT_SLL || type == ND_OPT_TLL)) {
            uint8_t *mac = type == ND_OPT_SLL ? o->sll : o->tll;
            if (memcmp(mac, zero, MAC_LEN) != 0) {
                return false;
            }
            memcpy(mac, c.at + 2, MAC_LEN);
            o->type = o->type ? o->type : hton16(type);
        }
        pull(&c, length);
    }
    return true;
}

// Neighbour solicitation or advertisement, at its ICMPv6 header.
static void extract_nd(struct cursor c, struct key_writer *w) {
    uint32_t ports = type_code(c.at);
    be32 reserved = load_be32(c.at + 4);
    struct nd_options options = {0};
    pull(&c, ICMP_LEN);
    if (c.left >= ND_TARGET_LEN) {
        const uint8_t *target = c.at;
        pull(&c, ND_TARGET_LEN);
        if (read_nd_options(c, &options)) {
            put_bytes(w, FLOW_WORD(nd_target), target, 2);
        } else { // The type alone stays, as in Open vSwitch.
            options = (struct nd_options){.type = options.type};
        }
    }
    put_bytes(w, WORD_ARP_SHA, &options, 2);
    put_ports(w, ports, 0);
    put_word(w, WORD_IGMP, word_of_32s(reserved, 0));
}

static bool extract_icmpv6(struct cursor c, struct key_writer *w, uint32_t ct_ports) {
    if (c.left < ICMP_LEN) {
        return false;
    }
    if (c.at[1] == 0 && (c.at[0] == ND_SOLICIT || c.at[0] == ND_ADVERT)) {
        extract_nd(c, w);
    } else {
        put_ports(w, type_code(c.at), ct_ports);
    }
    return true;
}

static inline bool extract_tcp(struct cursor c, struct key_writer *w, uint32_t ct_ports) {
    if (c.left < TCP_LEN) {
        return false;
    }
    size_t header = (c.at[12] >> 4) * 4u;
    if (header < TCP_LEN || header > c.left) {
        return false;
    }
    be16 flags = load_be16(c.at + 12) & hton16(0x0fff);
    put_word(w, WORD_TCP_FLAGS, word_of_32s(0, word32_of_16s(flags, 0)));
    put_ports(w, load_32(c.at), ct_ports);
    return true;
}

// Headers of which nothing but the ports is read.
static inline bool extract_ports(struct cursor c, struct key_writer *w, size_t header,
                                 uint32_t ct_ports) {
    if (c.left < header) {
        return false;
    }
    put_ports(w, load_32(c.at), ct_ports);
    return true;
}

static bool extract_icmp(struct cursor c, struct key_writer *w, bool igmp, uint32_t ct_ports) {
    if (c.left < ICMP_LEN) {
        return false;
    }
    put_ports(w, type_code(c.at), ct_ports);
    if (igmp) {
        put_word(w, WORD_IGMP, word_of_32s(load_32(c.at + 4), 0));
    }
    return true;
}

bool extract_l4(struct cursor c, struct key_writer *w, uint8_t proto, uint32_t ct_ports) {
    switch (proto) {
    case IPPROTO_TCP: return extract_tcp(c, w, ct_ports);
    case IPPROTO_UDP: return extract_ports(c, w, UDP_LEN, ct_ports);
    case IPPROTO_SCTP: return extract_ports(c, w, SCTP_LEN, ct_ports);
    case IPPROTO_ICMP: return extract_icmp(c, w, false, ct_ports);
    case IPPROTO_IGMP: return extract_icmp(c, w, true, ct_ports);
    case IPPROTO_ICMPV6: return extract_icmpv6(c, w, ct_ports);
    default: return false;
    }
}
