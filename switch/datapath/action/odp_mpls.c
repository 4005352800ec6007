// Labels: they stand between what comes before L3 (or the labels that are there) and the rest.

#include "datapath/action/odp_private.h"

// Writes the EtherType that stands before the labels or L3. (Of a frame without one, over its length,
// as Open vSwitch does.)
static void set_ethertype(struct dp_packet *p, size_t l2_5_ofs, be16 type) {
    if (!(p->flags & PKT_NOT_ETHERNET) && p->len >= ETH_LEN && l2_5_ofs >= ETH_LEN) {
        bool tagged = is_vlan_type(load_be16(p->data + ETH_MACS));
        store_be16(p->data + (tagged ? l2_5_ofs - 2 : ETH_MACS), type);
    }
}

struct label {
    be32 lse;
    be16 ethertype;
};

static bool push_label(struct dp_packet *p, const void *arg) {
    const struct label *label = arg;
    size_t before = p->l2_5_ofs != RS_OFS_NONE ? p->l2_5_ofs : p->l3_ofs;
    if (unlikely(before > p->len)) { // No L3: nothing to put it before.
        return true;
    }
    if (unlikely(dp_packet_headroom(p) < MPLS_LEN)) {
        return false;
    }
    set_ethertype(p, before, label->ethertype);
    if (p->flags & PKT_NOT_ETHERNET) {
        p->packet_type = packet_type_of(label->ethertype);
    }
    p->l2_5_ofs = (uint16_t)before;
    move_start(p, MPLS_LEN, false);
    memmove(p->data, p->data + MPLS_LEN, before);
    store_be32(p->data + before, label->lse);
    return true;
}

static bool add_label(struct dp_packet *p, const void *arg) {
    const struct label *label = arg;
    if (unlikely(dp_packet_headroom(p) < MPLS_LEN)) {
        return false;
    }
    move_start(p, MPLS_LEN, true);
    store_be32(p->data, label->lse);
    p->l2_5_ofs = 0;
    p->flags |= PKT_NOT_ETHERNET;
    p->packet_type = packet_type_of(label->ethertype);
    return true;
}

void odp_push_mpls(struct odp_env *env, const struct odp_action *a, struct dp_packet_batch *batch) {
    const struct odp_push_mpls *push = odp_payload(a);
    struct label label = {hton32(a->arg), push->ethertype};
    if (a->type == ODP_ADD_MPLS) {
        odp_apply(env, batch, add_label, &label, DROP_NO_HEADROOM);
    } else {
        odp_apply(env, batch, push_label, &label, DROP_NO_HEADROOM);
    }
}

static bool has_label(const struct dp_packet *p) {
    return p->l2_5_ofs != RS_OFS_NONE && p->l2_5_ofs + MPLS_LEN <= p->len;
}

static bool pop_label(struct dp_packet *p, const void *arg) {
    be16 ethertype = *(const be16 *)arg;
    if (unlikely(!has_label(p))) {
        return true;
    }
    size_t before = p->l2_5_ofs;
    if (unlikely(before == 0 && p->len == MPLS_LEN)) {
        return false;
    }
    set_ethertype(p, before, ethertype);
    bool bottom = p->data[before + 2] & 1;
    memmove(p->data + MPLS_LEN, p->data, before);
    move_start(p, -MPLS_LEN, false);
    if (bottom) {
        p->l2_5_ofs = RS_OFS_NONE;
    }
    if (p->flags & PKT_NOT_ETHERNET) {
        if (ethertype == hton16(TYPE_ETHERNET)) {
            p->flags &= (uint8_t)~PKT_NOT_ETHERNET;
            forget_offsets(p); // Nobody has looked inside.
        } else {
            p->packet_type = packet_type_of(ethertype);
        }
    }
    return true;
}

void odp_pop_mpls(struct odp_env *env, be16 ethertype, struct dp_packet_batch *batch) {
    odp_apply(env, batch, pop_label, &ethertype, DROP_DECAP);
}

void odp_set_mpls(struct dp_packet *p, be32 lse, be32 mask) {
    if (likely(has_label(p))) {
        uint8_t *field = p->data + p->l2_5_ofs;
        store_be32(field, (be32)masked(load_be32(field), lse, mask));
    }
}
