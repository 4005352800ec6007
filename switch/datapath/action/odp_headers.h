// Where the headers of a packet are, for the actions that rewrite them. Nothing here trusts the packet: what
// does not lie within its bytes is not there.

#ifndef RINGSIDE_ACTION_ODP_HEADERS_H
#define RINGSIDE_ACTION_ODP_HEADERS_H

#include "datapath/packet/checksum.h"
#include "datapath/packet/dp_packet.h"

enum { ETH_LEN = 14, ETH_MACS = 12, VLAN_LEN = 4, MPLS_LEN = 4, IPV4_LEN = 20, IPV6_LEN = 40 };
enum { ARP_LEN = 28, TCP_LEN = 20, UDP_LEN = 8, SCTP_LEN = 12, ICMP_LEN = 4, ND_LEN = 24 };
enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd, TYPE_NSH = 0x894f };
enum { TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_ETHERNET = 0x6558 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };

static inline uint64_t load_u64(const void *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store_be16(void *p, be16 v) {
    memcpy(p, &v, sizeof v);
}

static inline void store_be32(void *p, be32 v) {
    memcpy(p, &v, sizeof v);
}

// `bits` where the mask is 1, what is there already where it is 0.
static inline uint64_t masked(uint64_t there, uint64_t bits, uint64_t mask) {
    return (there & ~mask) | (bits & mask);
}

static inline bool is_vlan_type(be16 type) {
    return type == hton16(TYPE_VLAN) || type == hton16(TYPE_QINQ);
}

// Namespace 1 (EtherTypes) packet type of a packet without Ethernet header.
static inline be32 packet_type_of(be16 ethertype) {
    return hton32(0x10000u | ntoh16(ethertype));
}

static inline void move_offset(uint16_t *offset, int by) {
    if (*offset != RS_OFS_NONE) {
        *offset = (uint16_t)(*offset + by);
    }
}

// Moves the packet's begin by `by` bytes to the front (negative: to the back). The bytes that are new
// there are the caller's to write; offsets of l2.5 (if that moves too), L3 and L4 follow.
static inline void move_start(struct dp_packet *p, int by, bool with_l2_5) {
    p->data -= by;
    p->len = (uint16_t)(p->len + by);
    if (with_l2_5) {
        move_offset(&p->l2_5_ofs, by);
    }
    move_offset(&p->l3_ofs, by);
    move_offset(&p->l4_ofs, by);
}

static inline void forget_offsets(struct dp_packet *p) {
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = RS_OFS_NONE;
    p->l4_proto = 0;
}

// The packet's L3 header if it is of this EtherType and has `need` bytes; NULL otherwise. RS_OFS_NONE lies behind
// every packet. Behind an Ethernet header L3 comes after its 14 bytes, so the type can be read there.
static inline uint8_t *l3_header(const struct dp_packet *p, unsigned type, size_t need) {
    if (unlikely(p->l2_5_ofs != RS_OFS_NONE || p->l3_ofs + need > p->len)) {
        return NULL;
    }
    if (unlikely(p->flags & PKT_NOT_ETHERNET)) {
        return p->packet_type == packet_type_of(hton16((uint16_t)type)) ? p->data + p->l3_ofs
                                                                        : NULL;
    }
    return load_be16(p->data + p->l3_ofs - 2) == hton16((uint16_t)type) ? p->data + p->l3_ofs
                                                                        : NULL;
}

// What stands behind the IP header.
struct l4_header {
    uint8_t *data; // NULL in a fragment that has an offset, and where no whole header is.
    size_t len;    // Bytes up to the end of the IP packet (or of the frame, if that is cut off).
    uint8_t proto;
    bool rerouted; // IPv6: a routing header says that this is not the final destination.
};

// Of the IP packet at `ip`, which l3_header() found. Fragments that begin one have their L4 header.
struct l4_header ipv4_l4(const struct dp_packet *p, const uint8_t *ip);
struct l4_header ipv6_l4(const struct dp_packet *p, const uint8_t *ip);

// The checksum field of an L4 header that covers the addresses too (a pseudo header); NULL if there is none.
uint8_t *l4_checksum(const struct l4_header *l4, bool ipv6);

// The TCP or UDP header that the extractor found: whole, not in a fragment, not behind labels. NULL: who wants
// to know more looks himself.
static inline uint8_t *plain_l4(const struct dp_packet *p) {
    bool ports = p->l4_proto == PROTO_TCP || p->l4_proto == PROTO_UDP;
    return likely(ports && p->l4_ofs != RS_OFS_NONE && p->l2_5_ofs == RS_OFS_NONE)
               ? p->data + p->l4_ofs
               : NULL;
}

static inline unsigned checksum_at(uint8_t proto) { // Of TCP or UDP.
    return proto == PROTO_TCP ? 16 : 6;
}

// Changes the checksum along with what it covers, if it is in use.
static inline void l4_checksum_apply(uint8_t proto, uint8_t *field, uint64_t delta) {
    be16 csum = load_be16(field);
    if (proto == PROTO_UDP) {
        if (csum == 0) {
            return; // The sender made none (RFC 768).
        }
        csum = csum_apply(csum, delta);
        csum = csum ? csum : UINT16_MAX;
    } else {
        csum = csum_apply(csum, delta);
    }
    store_be16(field, csum);
}

#endif
