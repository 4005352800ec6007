// VLAN tags in place: the Ethernet addresses move by four bytes into or out of the headroom;
// nothing else moves.

#include "datapath/action/odp_execute.h"
#include "datapath/port/port_drop.h"

enum { MACS_LEN = 12, TAG_LEN = 4, TAGGED_LEN = MACS_LEN + TAG_LEN + 2 };

static inline void move_offset(uint16_t *offset, int by) {
    if (*offset != RS_OFS_NONE) {
        *offset = (uint16_t)(*offset + by);
    }
}

static inline void move_start(struct dp_packet *p, int by) {
    p->data -= by;
    p->len = (uint16_t)(p->len + by);
    move_offset(&p->l3_ofs, by);
    move_offset(&p->l4_ofs, by);
}

static bool is_tagged(const struct dp_packet *p) {
    be16 type = load_be16(p->data + MACS_LEN);
    return p->len >= TAGGED_LEN && (type == hton16(0x8100) || type == hton16(0x88a8));
}

// False without headroom for the tag.
static bool vlan_push(struct dp_packet *p, uint32_t tpid_tci) {
    if (unlikely(dp_packet_headroom(p) < TAG_LEN || p->len < MACS_LEN + 2)) {
        return false;
    }
    be32 tag = hton32(tpid_tci);
    move_start(p, TAG_LEN);
    memmove(p->data, p->data + TAG_LEN, MACS_LEN);
    memcpy(p->data + MACS_LEN, &tag, TAG_LEN);
    return true;
}

static void vlan_pop(struct dp_packet *p) {
    if (likely(is_tagged(p))) {
        memmove(p->data + TAG_LEN, p->data, MACS_LEN);
        move_start(p, -TAG_LEN);
    }
}

static void vlan_set(struct dp_packet *p, uint32_t tci) {
    if (likely(is_tagged(p))) {
        be16 value = hton16((uint16_t)tci);
        memcpy(p->data + MACS_LEN + 2, &value, sizeof value);
    }
}

void odp_vlan(struct odp_env *env, struct odp_action action, struct dp_packet_batch *batch) {
    unsigned kept = 0;
    odp_complete_checksums(env, batch);
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (action.type == ODP_POP_VLAN) {
            vlan_pop(p);
        } else if (action.type == ODP_SET_VLAN) {
            vlan_set(p, action.arg);
        } else if (unlikely(!vlan_push(p, action.arg))) {
            port_drop(p, DROP_VLAN_PUSH, env->from);
            continue;
        }
        batch->packets[kept++] = p;
    }
    batch->count = kept;
}
