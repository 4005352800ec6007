// The Ethernet header: addresses, and the header as a whole around and off a packet of another type.

#include "datapath/action/odp_private.h"

void odp_set_eth(struct dp_packet *p, const struct odp_key_eth *key,
                 const struct odp_key_eth *mask) {
    if (unlikely(p->len < ETH_LEN || (p->flags & PKT_NOT_ETHERNET))) {
        return;
    }
    // On the wire the destination comes first.
    uint64_t dst = 0, src = 0, dst_key = 0, src_key = 0, dst_mask = 0, src_mask = 0;
    memcpy(&dst, p->data, 6);
    memcpy(&src, p->data + 6, 6);
    memcpy(&dst_key, key->dst, 6);
    memcpy(&src_key, key->src, 6);
    memcpy(&dst_mask, mask->dst, 6);
    memcpy(&src_mask, mask->src, 6);
    dst = masked(dst, dst_key, dst_mask);
    src = masked(src, src_key, src_mask);
    memcpy(p->data, &dst, 6);
    memcpy(p->data + 6, &src, 6);
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
