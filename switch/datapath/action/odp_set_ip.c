// IPv4, IPv6 and ARP fields in place, with the checksums that cover them.

#include "datapath/action/odp_private.h"

// The L4 checksum's share of a changed address.
static void pseudo_changed(const struct l4_header *l4, bool ipv6, uint64_t delta) {
    uint8_t *field = l4_checksum(l4, ipv6);
    if (field) {
        l4_checksum_apply(l4, field, delta);
    }
}

void odp_set_ipv4(struct dp_packet *p, const struct odp_key_ipv4 *key,
                  const struct odp_key_ipv4 *mask) {
    uint8_t *ip = l3_header(p, TYPE_IPV4, IPV4_LEN);
    if (unlikely(!ip)) {
        return;
    }
    uint64_t delta = 0;
    uint64_t address_mask = load_u64(&mask->src); // Both addresses, as they lie in the header.
    if (address_mask) {
        uint64_t old = load_u64(ip + 12);
        uint64_t new = masked(old, load_u64(&key->src), address_mask);
        if (new != old) {
            delta = csum_delta64(old, new);
            struct l4_header l4 = ipv4_l4(p, ip);
            pseudo_changed(&l4, false, delta);
            memcpy(ip + 12, &new, sizeof new);
        }
    }
    // TOS and TTL with the bytes that they share a word of the checksum with.
    be16 tos_word = load_be16(ip), ttl_word = load_be16(ip + 8);
    ip[1] = (uint8_t)masked(ip[1], key->tos, mask->tos);
    ip[8] = (uint8_t)masked(ip[8], key->ttl, mask->ttl);
    if (load_be16(ip) != tos_word) {
        delta = csum_add(delta, csum_delta16(tos_word, load_be16(ip)));
    }
    if (load_be16(ip + 8) != ttl_word) {
        delta = csum_add(delta, csum_delta16(ttl_word, load_be16(ip + 8)));
    }
    if (delta !=
        0) { // Of a real change it never is: a header that nothing changes keeps every bit.
        store_be16(ip + 10, csum_apply(load_be16(ip + 10), delta));
    }
}

// 16 bytes at `field`; returns what their change adds to a checksum.
static uint64_t set_address(uint8_t *field, const uint8_t *key, const uint8_t *mask,
                            bool *changed) {
    uint64_t delta = 0;
    for (unsigned i = 0; i < 16; i += 8) {
        uint64_t old = load_u64(field + i);
        uint64_t new = masked(old, load_u64(key + i), load_u64(mask + i));
        if (new != old) {
            delta = csum_add(delta, csum_delta64(old, new));
            memcpy(field + i, &new, sizeof new);
            *changed = true;
        }
    }
    return delta;
}

static bool is_zero16(const uint8_t *bytes) {
    return (load_u64(bytes) | load_u64(bytes + 8)) == 0;
}

void odp_set_ipv6(struct dp_packet *p, const struct odp_key_ipv6 *key,
                  const struct odp_key_ipv6 *mask) {
    uint8_t *ip = l3_header(p, TYPE_IPV6, IPV6_LEN);
    if (unlikely(!ip)) {
        return;
    }
    if (!is_zero16(mask->src) || !is_zero16(mask->dst)) {
        bool src_changed = false, dst_changed = false;
        uint64_t src = set_address(ip + 8, key->src, mask->src, &src_changed);
        uint64_t dst = set_address(ip + 24, key->dst, mask->dst, &dst_changed);
        if (src_changed || dst_changed) {
            struct l4_header l4 = ipv6_l4(p, ip);
            // The checksum has the final destination, which is then in the routing header (RFC 8200, 8.1).
            dst = l4.rerouted ? 0 : dst;
            if (src_changed || !l4.rerouted) {
                pseudo_changed(&l4, true, csum_add(src, dst));
            }
        }
    }
    be32 word_mask = mask->label | hton32((uint32_t)mask->tclass << 20);
    be32 word_key = key->label | hton32((uint32_t)key->tclass << 20);
    store_be32(ip, (be32)masked(load_be32(ip), word_key, word_mask));
    ip[7] = (uint8_t)masked(ip[7], key->hlimit, mask->hlimit);
}

static void set_bytes(uint8_t *field, const uint8_t *key, const uint8_t *mask, size_t n) {
    for (size_t i = 0; i < n; i++) {
        field[i] = (uint8_t)masked(field[i], key[i], mask[i]);
    }
}

// Ethernet and IPv4, as its fixed part says; another kind has no such fields.
static bool is_ethernet_ipv4(const uint8_t *arp) {
    static const uint8_t fixed[6] = {0, 1, 8, 0, 6, 4};
    return memcmp(arp, fixed, sizeof fixed) == 0;
}

void odp_set_arp(struct dp_packet *p, const struct odp_key_arp *key,
                 const struct odp_key_arp *mask) {
    uint8_t *arp = l3_header(p, TYPE_ARP, ARP_LEN);
    if (unlikely(!arp || !is_ethernet_ipv4(arp))) {
        return;
    }
    store_be16(arp + 6, (be16)masked(load_be16(arp + 6), key->op, mask->op));
    set_bytes(arp + 8, key->sha, mask->sha, 6);
    store_be32(arp + 14, (be32)masked(load_be32(arp + 14), key->sip, mask->sip));
    set_bytes(arp + 18, key->tha, mask->tha, 6);
    store_be32(arp + 24, (be32)masked(load_be32(arp + 24), key->tip, mask->tip));
}
