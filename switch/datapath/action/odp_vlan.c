// VLAN tags in place: the Ethernet addresses move by four bytes into or out of the headroom; nothing
// else moves.

#include "datapath/action/odp_private.h"

static bool is_tagged(const struct dp_packet *p) {
    return p->len >= ETH_LEN + VLAN_LEN && !(p->flags & PKT_NOT_ETHERNET) &&
           is_vlan_type(load_be16(p->data + ETH_MACS));
}

static bool push(struct dp_packet *p, const void *tag) {
    if (unlikely(p->len < ETH_LEN || (p->flags & PKT_NOT_ETHERNET))) {
        return true;
    }
    if (unlikely(dp_packet_headroom(p) < VLAN_LEN)) {
        return false;
    }
    move_start(p, VLAN_LEN, true);
    memmove(p->data, p->data + VLAN_LEN, ETH_MACS);
    memcpy(p->data + ETH_MACS, tag, VLAN_LEN);
    return true;
}

void odp_push_vlan(struct odp_env *env, uint32_t tpid_tci, struct dp_packet_batch *batch) {
    be32 tag = hton32(tpid_tci);
    odp_apply(env, batch, push, &tag, DROP_VLAN_PUSH);
}

void odp_pop_vlan(struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (likely(is_tagged(p))) {
            memmove(p->data + VLAN_LEN, p->data, ETH_MACS);
            move_start(p, -VLAN_LEN, true);
        }
    }
}

void odp_set_vlan(struct dp_packet *p, be16 tci, be16 mask) {
    mask &= (be16)~hton16(0x1000); // The CFI bit stays.
    if (likely(is_tagged(p))) {
        uint8_t *field = p->data + ETH_MACS + 2;
        store_be16(field, (be16)masked(load_be16(field), tci, mask));
    }
}
