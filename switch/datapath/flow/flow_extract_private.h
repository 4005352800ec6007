// What the flow_extract*.c files share: a cursor over the packet, a writer of the key, and the words
// of the key that are put together from several header fields.

#ifndef RINGSIDE_FLOW_FLOW_EXTRACT_PRIVATE_H
#define RINGSIDE_FLOW_FLOW_EXTRACT_PRIVATE_H

#include <endian.h>

#include "datapath/flow/flow_extract.h"

enum {
    ETH_LEN = 14,
    VLAN_LEN = 4,
    SNAP_LEN = 8,
    MPLS_LEN = 4,
    ARP_LEN = 28,
    IPV4_LEN = 20,
    IPV6_LEN = 40,
    NSH_LEN = 8,
    NSH_MD1_LEN = 24,
    TCP_LEN = 20,
    UDP_LEN = 8,
    SCTP_LEN = 12,
    ICMP_LEN = 8,
    ETHERTYPE_MIN = 0x600, // Smaller values are the length of an 802.3 frame.
};

#define ETHERTYPE_IPV4 hton16(0x0800)
#define ETHERTYPE_IPV6 hton16(0x86dd)
#define ETHERTYPE_ARP  hton16(0x0806)
#define ETHERTYPE_RARP hton16(0x8035)
#define ETHERTYPE_NSH  hton16(0x894f)

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

// Writes the words of a key, which come in ascending order. Those before FLOW_TNL_WORDS are the
// tunnel's and have been written before.
struct key_writer {
    uint64_t *at;
    uint64_t map; // Bitmap word 1.
};

static inline void put_word(struct key_writer *w, unsigned word, uint64_t value) {
    w->map |= UINT64_C(1) << (word - FLOW_TNL_WORDS);
    *w->at++ = value;
}

static inline uint64_t load_word(const void *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void put_bytes(struct key_writer *w, unsigned word, const void *bytes,
                             unsigned n_words) {
    for (unsigned i = 0; i < n_words; i++) {
        put_word(w, word + i, load_word((const uint8_t *)bytes + i * sizeof(uint64_t)));
    }
}

// A word of two 32-bit fields, the first one first in memory.
static inline uint64_t word_of_32s(uint32_t first, uint32_t second) {
#if __BYTE_ORDER == __LITTLE_ENDIAN
    return first | (uint64_t)second << 32;
#else
    return (uint64_t)first << 32 | second;
#endif
}

// Four bytes, or two 16-bit fields, the first one first in memory. Put together in a register: small
// stores that are loaded as one make the load wait.
static inline uint32_t word32_of_bytes(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
#if __BYTE_ORDER == __LITTLE_ENDIAN
    return a | (uint32_t)b << 8 | (uint32_t)c << 16 | (uint32_t)d << 24;
#else
    return (uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d;
#endif
}

static inline uint32_t word32_of_16s(uint16_t first, uint16_t second) {
#if __BYTE_ORDER == __LITTLE_ENDIAN
    return first | (uint32_t)second << 16;
#else
    return (uint32_t)first << 16 | second;
#endif
}

// The first six of eight loaded bytes, zeros behind them.
static inline uint64_t word_first6(uint64_t word) {
    return word & htobe64(UINT64_C(0xffffffffffff0000));
}

static inline uint32_t load_32(const void *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

// IP fields: label, fragment, TOS, TTL, protocol.
struct ip_fields {
    be32 label;
    uint8_t frag, tos, ttl, proto;
};

static inline void put_ip_fields(struct key_writer *w, struct ip_fields f) {
    static_assert(offsetof(struct flow, ipv6_label) % 8 == 0 &&
                      offsetof(struct flow, nw_frag) == offsetof(struct flow, ipv6_label) + 4 &&
                      offsetof(struct flow, nw_proto) == offsetof(struct flow, nw_frag) + 3,
                  "in this order");
    put_word(w, FLOW_WORD(ipv6_label),
             word_of_32s(f.label, word32_of_bytes(f.frag, f.tos, f.ttl, f.proto)));
}

// Connection state, protocol and zone of a packet that has them, as they lie in struct flow behind
// recirc_id; and the original direction's ports, as they lie there behind tp_src and tp_dst.
static inline uint32_t load_ct(const struct dp_packet *p) {
    static_assert(offsetof(struct dp_packet, ct_zone) == offsetof(struct dp_packet, ct_state) + 2 &&
                      offsetof(struct flow, ct_zone) == offsetof(struct flow, ct_state) + 2 &&
                      offsetof(struct flow, ct_state) == offsetof(struct flow, recirc_id) + 4,
                  "half a word, the same in both");
    return load_32(&p->ct_state);
}

static inline bool has_ct_label(const struct dp_packet *p) {
    return (load_word(p->ct_label) | load_word(p->ct_label + 8)) != 0;
}

static inline uint32_t load_ct_ports(const struct dp_packet *p) {
    static_assert(offsetof(struct dp_packet, ct_tp_dst) ==
                          offsetof(struct dp_packet, ct_tp_src) + 2 &&
                      offsetof(struct flow, ct_tp_src) == offsetof(struct flow, tp_src) + 4,
                  "half a word, the same in both");
    return load_32(&p->ct_tp_src);
}

static inline bool is_vlan_type(be16 type) {
    return type == hton16(0x8100) || type == hton16(0x88a8);
}

static inline void set_form(struct dp_key *key, struct flowmap map, unsigned words) {
    key->hash = 0;
    key->words = words;
    key->map = map;
}

static inline void set_offsets(struct dp_packet *p, uint16_t l3, uint16_t l4, uint8_t proto) {
    p->l2_5_ofs = RS_OFS_NONE;
    p->l3_ofs = l3;
    p->l4_ofs = l4;
    p->l4_proto = proto;
}

// flow_extract_l2.c. The whole of flow_extract(), for packets of any kind.
enum drop_reason extract_any(struct dp_packet *p, struct dp_key *key);

// flow_extract_l3.c. At the network header of a packet of the type. IP: true if the header is good,
// its fields then in *ip and the cursor at the L4 header, padding cut off.
void extract_arp(struct cursor c, struct key_writer *w);
void extract_nsh(struct cursor c, struct key_writer *w);
bool extract_ipv4(struct cursor *c, struct key_writer *w, struct ip_fields *ip);
bool extract_ipv6(struct cursor *c, struct key_writer *w, struct ip_fields *ip);

// flow_extract_l4.c. At the L4 header of the protocol: true if it is whole and its fields are in
// the key. ct_ports: the word of the original direction's ports, zero without connection tracking.
bool extract_l4(struct cursor c, struct key_writer *w, uint8_t proto, uint32_t ct_ports);

#endif
