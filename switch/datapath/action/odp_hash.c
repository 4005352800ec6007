// ODP_HASH: a hash of the 5-tuple into dp_hash, from which select groups choose their buckets.
//
// The functions are Open vSwitch's (flow_hash_5tuple, flow_hash_symmetric_l3l4, over the 32-bit MurmurHash3 by
// Austin Appleby, which is in the public domain), so that both choose alike. With a hash from the device, it
// is that one, mixed with the basis.

#include "datapath/action/odp_private.h"

static uint32_t rotate(uint32_t x, int k) {
    return x << k | x >> (32 - k);
}

static uint32_t mix(uint32_t hash, uint32_t data) {
    data = rotate(data * 0xcc9e2d51u, 15) * 0x1b873593u;
    return rotate(hash ^ data, 13) * 5 + 0xe6546b64u;
}

static uint32_t finish(uint32_t hash, uint32_t bytes) {
    hash ^= bytes;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

struct tuple {
    be16 type;   // EtherType; 0 of others than IPv4, IPv6, ARP.
    be32 src[4]; // IPv4 and ARP: the first word.
    be32 dst[4];
    uint8_t proto; // Of ARP, the operation.
    uint8_t first; // IPv6: what the fixed header names, which may be an extension header.
    be16 ports[2]; // Of ICMP, type and code.
};

static void tuple_l4(struct tuple *t, const struct l4_header *l4) {
    t->proto = l4->proto;
    if (!l4->data) {
        return;
    }
    bool icmp = t->proto == PROTO_ICMP || t->proto == PROTO_ICMPV6;
    if (icmp) {
        t->ports[0] = hton16(l4->data[0]);
        t->ports[1] = hton16(l4->data[1]);
    } else if (l4->len >= 4) {
        t->ports[0] = load_be16(l4->data);
        t->ports[1] = load_be16(l4->data + 2);
    }
}

static void tuple_of(const struct dp_packet *p, struct tuple *t) {
    const uint8_t *l3;
    memset(t, 0, sizeof *t);
    if ((l3 = l3_header(p, TYPE_IPV4, IPV4_LEN))) {
        struct l4_header l4 = ipv4_l4(p, l3);
        t->type = hton16(TYPE_IPV4);
        t->src[0] = load_be32(l3 + 12);
        t->dst[0] = load_be32(l3 + 16);
        tuple_l4(t, &l4);
    } else if ((l3 = l3_header(p, TYPE_IPV6, IPV6_LEN))) {
        struct l4_header l4 = ipv6_l4(p, l3);
        t->type = hton16(TYPE_IPV6);
        t->first = l4.data ? l3[6] : l4.proto;
        memcpy(t->src, l3 + 8, sizeof t->src);
        memcpy(t->dst, l3 + 24, sizeof t->dst);
        tuple_l4(t, &l4);
    } else if ((l3 = l3_header(p, TYPE_ARP, ARP_LEN))) {
        t->type = hton16(TYPE_ARP);
        t->src[0] = load_be32(l3 + 14);
        t->dst[0] = load_be32(l3 + 24);
        t->proto = l3[6] == 0 ? l3[7] : 0;
    }
}

static bool has_ports(uint8_t proto) {
    return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP || proto == PROTO_ICMP ||
           proto == PROTO_ICMPV6;
}

static uint32_t hash_5tuple(const struct dp_packet *p, uint32_t basis) {
    struct tuple t;
    uint32_t hash = basis;
    tuple_of(p, &t);
    if (t.type != 0) {
        unsigned words = t.type == hton16(TYPE_IPV6) ? 4 : 1;
        for (unsigned i = 0; i < words; i++) {
            hash = mix(hash, t.src[i]);
        }
        for (unsigned i = 0; i < words; i++) {
            hash = mix(hash, t.dst[i]);
        }
        // Of TCP and UDP over IPv6, Open vSwitch takes what the fixed header names.
        bool fixed = t.type == hton16(TYPE_IPV6) && (t.proto == PROTO_TCP || t.proto == PROTO_UDP);
        hash = mix(hash, fixed ? t.first : t.proto);
        if (has_ports(t.proto)) {
            hash = mix(hash, load_be32(t.ports));
        }
    }
    return finish(hash, 42);
}

// Without an IP header: the addresses, VLANs and EtherType of Ethernet.
static uint32_t hash_symmetric_l2(const struct dp_packet *p, uint32_t basis) {
    uint8_t words[12] = {0};
    size_t at = ETH_MACS;
    if ((p->flags & PKT_NOT_ETHERNET) || p->len < ETH_LEN) {
        return 0;
    }
    be16 vids = 0;
    for (unsigned i = 0; i < 2 && is_vlan_type(load_be16(p->data + at)) && at + 6 <= p->len; i++) {
        vids ^= load_be16(p->data + at + 2) & hton16(0xfff);
        at += VLAN_LEN;
    }
    memcpy(words, p->data + at, 2);
    memcpy(words + 2, &vids, 2);
    for (unsigned i = 0; i < 6; i++) {
        words[4 + i] = p->data[i] ^ p->data[6 + i];
    }
    uint32_t hash = basis;
    for (unsigned i = 0; i < sizeof words; i += 4) {
        hash = mix(hash, load_be32(words + i));
    }
    return finish(hash, basis);
}

static uint32_t hash_symmetric(const struct dp_packet *p, uint32_t basis) {
    struct tuple t;
    tuple_of(p, &t);
    if (t.type == 0 || t.type == hton16(TYPE_ARP)) {
        return hash_symmetric_l2(p, basis);
    }
    uint32_t hash = basis;
    unsigned words = t.type == hton16(TYPE_IPV6) ? 4 : 1;
    for (unsigned i = 0; i < words; i++) {
        hash = mix(hash, t.src[i] ^ t.dst[i]);
    }
    hash = mix(hash, t.proto);
    if (t.proto == PROTO_TCP || t.proto == PROTO_SCTP) {
        hash = mix(hash, (uint16_t)(t.ports[0] ^ t.ports[1]));
    }
    return finish(hash, basis);
}

void odp_hash(const struct odp_action *a, struct dp_packet_batch *batch) {
    const struct odp_hash *how = odp_payload(a);
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (how->alg == ODP_HASH_SYM_L4) {
            p->dp_hash = hash_symmetric(p, a->arg);
        } else {
            uint32_t hash = p->flags & PKT_HASH_VALID ? p->rx_hash : hash_5tuple(p, 0);
            p->dp_hash = finish(mix(mix(hash, 0), a->arg), 8);
        }
    }
}
