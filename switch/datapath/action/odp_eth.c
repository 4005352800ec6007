// The Ethernet header: addresses, and the header as a whole around and off a packet of another type.

#include "datapath/action/odp_private.h"

void odp_set_eth(const struct dp_packet_batch *batch, const struct odp_key_eth *key,
                 const struct odp_key_eth *mask) {
    // On the wire the destination comes first: a word of it and the source's begin, then the source's end.
    uint8_t k[ETH_MACS], m[ETH_MACS];
    memcpy(k, key->dst, 6);
    memcpy(k + 6, key->src, 6);
    memcpy(m, mask->dst, 6);
    memcpy(m + 6, mask->src, 6);
    uint64_t first_mask = load_u64(m), first = load_u64(k) & first_mask;
    uint32_t last_mask = load_be32(m + 8), last = load_be32(k + 8) & last_mask;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (unlikely(p->len < ETH_LEN || (p->flags & PKT_NOT_ETHERNET))) {
            continue;
        }
        uint64_t head = (load_u64(p->data) & ~first_mask) | first;
        memcpy(p->data, &head, sizeof head);
        store_be32(p->data + 8, (load_be32(p->data + 8) & ~last_mask) | last);
    }
}

static bool push(struct dp_packet *p, const void *arg) {
    const struct odp_key_eth *key = arg;
    if (unlikely(!(p->flags & PKT_NOT_ETHERNET))) {
        return true;
    }
    if (unlikely(dp_packet_headroom(p) < ETH_LEN)) {
        return false;
    }
    move_start(p, ETH_LEN, true);
    memcpy(p->data, key->dst, 6);
    memcpy(p->data + 6, key->src, 6);
    store_be16(p->data + ETH_MACS, hton16((uint16_t)ntoh32(p->packet_type)));
    p->flags &= (uint8_t)~PKT_NOT_ETHERNET;
    p->packet_type = 0;
    return true;
}

void odp_push_eth(struct odp_env *env, const struct odp_key_eth *key,
                  struct dp_packet_batch *batch) {
    odp_apply(env, batch, push, key, DROP_NO_HEADROOM);
}

// With its VLAN tags: up to the labels, or L3.
static bool pop(struct dp_packet *p, const void *arg) {
    (void)arg;
    if (unlikely(p->flags & PKT_NOT_ETHERNET)) {
        return true;
    }
    size_t header = p->l2_5_ofs != RS_OFS_NONE ? p->l2_5_ofs : p->l3_ofs;
    if (unlikely(header < ETH_LEN || header >= p->len)) {
        return false;
    }
    p->packet_type = packet_type_of(load_be16(p->data + header - 2));
    p->flags |= PKT_NOT_ETHERNET;
    move_start(p, -(int)header, true);
    return true;
}

void odp_pop_eth(struct odp_env *env, struct dp_packet_batch *batch) {
    odp_apply(env, batch, pop, NULL, DROP_DECAP);
}
