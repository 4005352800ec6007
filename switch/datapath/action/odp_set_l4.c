// Ports, ICMP type and code, neighbour discovery: what stands behind IP.

#include "datapath/action/odp_private.h"

enum { ICMP_FULL = 8, ND_SOLICIT = 135, ND_ADVERT = 136, ND_OPT_SLL = 1, ND_OPT_TLL = 2 };

// The L4 header of an IP packet with this protocol and at least `need` bytes; data is NULL otherwise.
static struct l4_header find_l4(const struct dp_packet *p, uint8_t proto, size_t need) {
    struct l4_header l4 = {0};
    const uint8_t *ip = l3_header(p, TYPE_IPV4, IPV4_LEN);
    if (ip) {
        l4 = ipv4_l4(p, ip);
    } else if ((ip = l3_header(p, TYPE_IPV6, IPV6_LEN))) {
        l4 = ipv6_l4(p, ip);
    }
    if (l4.proto != proto || l4.len < need) {
        l4.data = NULL;
    }
    return l4;
}

// Of SCTP, and of what is a fragment. Source, destination: in that order, as in the key.
static void set_ports(struct dp_packet *p, uint8_t proto, be32 ports, be32 mask) {
    struct l4_header l4 = find_l4(p, proto, UDP_LEN);
    be32 old = l4.data ? load_be32(l4.data) : 0, new = (old & ~mask) | ports;
    if (!l4.data || new == old) {
        return;
    }
    store_be32(l4.data, new);
    if (proto == PROTO_SCTP) {
        // In the first of several fragments the checksum cannot be kept right: it covers them all.
        be32 crc = load_be32(l4.data + 8);
        store_be32(l4.data + 8, crc32c_change_first_word(crc, old, new, l4.len));
    } else {
        l4_checksum_apply(proto, l4.data + checksum_at(proto), csum_delta32(old, new));
    }
}

void odp_set_ports(const struct dp_packet_batch *batch, uint8_t proto,
                   const struct odp_key_ports *key, const struct odp_key_ports *mask) {
    be32 bits = load_be32(mask), ports = load_be32(key) & bits;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        uint8_t *plain = plain_l4(p);
        if (unlikely(!plain)) {
            set_ports(p, proto, ports, bits);
        } else if (likely(p->l4_proto == proto)) {
            be32 old = load_be32(plain), new = (old & ~bits) | ports;
            if (new != old) {
                store_be32(plain, new);
                l4_checksum_apply(proto, plain + checksum_at(proto), csum_delta32(old, new));
            }
        }
    }
}

void odp_set_icmp(struct dp_packet *p, uint8_t proto, const struct odp_key_icmp *key,
                  const struct odp_key_icmp *mask) {
    struct l4_header l4 = find_l4(p, proto, ICMP_FULL);
    if (unlikely(!l4.data)) {
        return;
    }
    be16 old = load_be16(l4.data);
    be16 new = (be16)masked(old, load_be16(key), load_be16(mask)); // Type, code.
    if (new != old) {
        store_be16(l4.data, new);
        l4_checksum_apply(l4.proto, l4.data + 2, csum_delta16(old, new));
    }
}

static struct l4_header find_nd(const struct dp_packet *p, size_t need) {
    struct l4_header l4 = find_l4(p, PROTO_ICMPV6, need);
    if (l4.data && l4.data[0] != ND_SOLICIT && l4.data[0] != ND_ADVERT) {
        l4.data = NULL;
    }
    return l4;
}

// Masked bytes at an even place of the ICMPv6 message; returns what that adds to its checksum.
static uint64_t set_words(uint8_t *field, const uint8_t *key, const uint8_t *mask, size_t n) {
    uint64_t delta = 0;
    for (size_t i = 0; i < n; i += 2) {
        be16 old = load_be16(field + i);
        be16 new = (be16)masked(old, load_be16(key + i), load_be16(mask + i));
        if (new != old) {
            store_be16(field + i, new);
            delta += csum_delta16(old, new);
        }
    }
    return delta;
}

// The first link layer address option, which is the only one that a message of these has.
static uint8_t *lla_option(const struct l4_header *l4) {
    for (size_t at = ND_LEN; at + 8 <= l4->len;) {
        uint8_t *option = l4->data + at;
        size_t len = (size_t)option[1] * 8;
        if (len == 0 || len > l4->len - at) {
            break;
        }
        if (len == 8 && (option[0] == ND_OPT_SLL || option[0] == ND_OPT_TLL)) {
            return option;
        }
        at += len;
    }
    return NULL;
}

void odp_set_nd(struct dp_packet *p, const struct odp_key_nd *key, const struct odp_key_nd *mask) {
    struct l4_header l4 = find_nd(p, ND_LEN);
    if (unlikely(!l4.data)) {
        return;
    }
    uint64_t delta = set_words(l4.data + 8, key->target, mask->target, 16);
    uint8_t *option = lla_option(&l4);
    if (option && option[0] == ND_OPT_SLL) {
        delta += set_words(option + 2, key->sll, mask->sll, 6);
    } else if (option) {
        delta += set_words(option + 2, key->tll, mask->tll, 6);
    }
    if (delta != 0) {
        l4_checksum_apply(l4.proto, l4.data + 2, delta);
    }
}

// Reserved bits (with the R, S and O flags of an advertisement) and the type of the first option.
void odp_set_nd_ext(struct dp_packet *p, const struct odp_key_nd_ext *key,
                    const struct odp_key_nd_ext *mask) {
    struct l4_header l4 = find_nd(p, ND_LEN);
    if (unlikely(!l4.data)) {
        return;
    }
    uint64_t delta = set_words(l4.data + 4, (const uint8_t *)&key->reserved,
                               (const uint8_t *)&mask->reserved, 4);
    if (l4.len >= ND_LEN + 8) {
        uint8_t type[2] = {key->options_type, 0}, type_mask[2] = {mask->options_type, 0};
        delta += set_words(l4.data + ND_LEN, type, type_mask, 2);
    }
    if (delta != 0) {
        l4_checksum_apply(l4.proto, l4.data + 2, delta);
    }
}
