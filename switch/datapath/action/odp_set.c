// ODP_SET: which function rewrites which key, and the fields of the packet's metadata.

#include "datapath/action/odp_private.h"

static void set_tunnel(struct dp_packet *p, const struct flow_tnl *tunnel) {
    p->tunnel = tunnel; // In the list itself, which outlives the batch.
    p->flags |= PKT_HAS_TUNNEL;
}

static uint32_t word(const void *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void set_one(enum odp_key what, const void *key, const void *mask, struct dp_packet *p) {
    switch (what) {
    case ODP_KEY_VLAN: odp_set_vlan(p, load_be16(key), load_be16(mask)); break;
    case ODP_KEY_MPLS: odp_set_mpls(p, load_be32(key), load_be32(mask)); break;
    case ODP_KEY_IPV6: odp_set_ipv6(p, key, mask); break;
    case ODP_KEY_ARP: odp_set_arp(p, key, mask); break;
    case ODP_KEY_ICMP: odp_set_icmp(p, PROTO_ICMP, key, mask); break;
    case ODP_KEY_ICMPV6: odp_set_icmp(p, PROTO_ICMPV6, key, mask); break;
    case ODP_KEY_ND: odp_set_nd(p, key, mask); break;
    case ODP_KEY_ND_EXT: odp_set_nd_ext(p, key, mask); break;
    case ODP_KEY_NSH: odp_set_nsh(p, key, mask); break;
    case ODP_KEY_TUNNEL: set_tunnel(p, key); break;
    case ODP_KEY_PRIORITY:
        p->skb_priority = (uint32_t)masked(p->skb_priority, word(key), word(mask));
        break;
    case ODP_KEY_MARK: p->pkt_mark = (uint32_t)masked(p->pkt_mark, word(key), word(mask)); break;
    default: assert(false);
    }
}

static void set_each(enum odp_key what, const void *key, const void *mask,
                     const struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        set_one(what, key, mask, batch->packets[i]);
    }
}

void odp_set(const struct odp_action *a, const struct dp_packet_batch *batch) {
    enum odp_key what = (enum odp_key)a->arg;
    const void *key = odp_payload(a);
    const void *mask = (const uint8_t *)key + odp_key_len(what);
    switch (what) {
    case ODP_KEY_ETH: odp_set_eth(batch, key, mask); break;
    case ODP_KEY_IPV4: odp_set_ipv4(batch, key, mask); break;
    case ODP_KEY_TCP: odp_set_ports(batch, PROTO_TCP, key, mask); break;
    case ODP_KEY_UDP: odp_set_ports(batch, PROTO_UDP, key, mask); break;
    case ODP_KEY_SCTP: odp_set_ports(batch, PROTO_SCTP, key, mask); break;
    default: set_each(what, key, mask, batch); break;
    }
}
