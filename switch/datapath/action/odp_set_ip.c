// IPv4, IPv6 and ARP fields in place, with the checksums that cover them.

#include "datapath/action/odp_private.h"

// The L4 checksum's share of a changed address.
static void pseudo_changed(const struct l4_header *l4, bool ipv6, uint64_t delta) {
    uint8_t *field = l4_checksum(l4, ipv6);
    if (field) {
        l4_checksum_apply(l4->proto, field, delta);
    }
}

static inline void ipv4_pseudo_changed(struct dp_packet *p, const uint8_t *ip, uint64_t delta) {
    uint8_t *plain = plain_l4(p);
    if (likely(plain)) {
        l4_checksum_apply(p->l4_proto, plain + checksum_at(p->l4_proto), delta);
    } else {
        struct l4_header l4 = ipv4_l4(p, ip);
        pseudo_changed(&l4, false, delta);
    }
}

// A set of IPv4 fields, laid out as they lie in the header: TOS and TTL with the byte that they share a word of
// the checksum with.
struct ipv4_set {
    uint64_t addresses, address_mask;
    be16 tos, tos_mask; // Behind version and length.
    be16 ttl, ttl_mask; // Before the protocol.
};

static inline void ipv4_rewrite(struct dp_packet *p, const struct ipv4_set *set) {
    uint8_t *ip = l3_header(p, TYPE_IPV4, IPV4_LEN);
    if (unlikely(!ip)) {
        return;
    }
    be16 tos = load_be16(ip), new_tos = (tos & ~set->tos_mask) | set->tos;
    be16 ttl = load_be16(ip + 8), new_ttl = (ttl & ~set->ttl_mask) | set->ttl;
    uint64_t delta = 0;
    if (new_tos != tos) {
        delta += csum_delta16(tos, new_tos);
        store_be16(ip, new_tos);
    }
    if (new_ttl != ttl) {
        delta += csum_delta16(ttl, new_ttl);
        store_be16(ip + 8, new_ttl);
    }
    if (set->address_mask) {
        uint64_t old = load_u64(ip + 12), new = (old & ~set->address_mask) | set->addresses;
        if (new != old) {
            uint64_t change = csum_delta64(old, new);
            ipv4_pseudo_changed(p, ip, change);
            memcpy(ip + 12, &new, sizeof new);
            delta = csum_add(delta, change);
        }
    }
    if (delta != 0) { // Else nothing has changed that a sum shows: the header keeps every bit.
        store_be16(ip + 10, csum_apply(load_be16(ip + 10), delta));
    }
}

void odp_set_ipv4(const struct dp_packet_batch *batch, const struct odp_key_ipv4 *key,
                  const struct odp_key_ipv4 *mask) {
    struct ipv4_set set = {
        .address_mask = load_u64(&mask->src), // Source, destination: as in the header.
        .tos_mask = hton16(mask->tos),
        .ttl_mask = hton16((uint16_t)(mask->ttl << 8)),
    };
    set.addresses = load_u64(&key->src) & set.address_mask;
    set.tos = hton16(key->tos) & set.tos_mask;
    set.ttl = hton16((uint16_t)(key->ttl << 8)) & set.ttl_mask;
    for (unsigned i = 0; i < batch->count; i++) {
        ipv4_rewrite(batch->packets[i], &set);
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
