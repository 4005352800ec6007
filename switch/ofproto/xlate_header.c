// OpenFlow 1.0's and 1.1's actions that name one header field each: VLAN, Ethernet, IP, L4 ports.

#include "ofproto/xlate_private.h"

enum { VID_MASK = 0x0fff, PCP_MASK = 0xe000, PCP_SHIFT = 13, TPID_8021Q = 0x8100 };
enum { DSCP_MASK = 0xfc, ECN_MASK = 0x03 };

// -- VLAN --

static void set_tci(struct xlate *x, const struct ofpact_vlan *v, uint16_t mask, uint16_t bits) {
    struct flow_vlan *tag = &x->flow->vlans[0];
    x->wc->vlans[0].tci |= hton16(mask | FLOW_VLAN_CFI);
    if (flow_has_vlan(x->flow) || v->push_if_needed) {
        tag->tpid = tag->tpid ? tag->tpid : hton16(TPID_8021Q);
        tag->tci = (tag->tci & (be16)~hton16(mask)) | hton16(bits | FLOW_VLAN_CFI);
    }
}

enum xstep xlate_do_set_vlan_vid(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_vlan *v = (const struct ofpact_vlan *)(const void *)a;
    (void)at;
    set_tci(x, v, VID_MASK, v->value);
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_vlan_pcp(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_vlan *v = (const struct ofpact_vlan *)(const void *)a;
    (void)at;
    set_tci(x, v, PCP_MASK, (uint16_t)(v->value << PCP_SHIFT));
    return XSTEP_NEXT;
}

static unsigned count_vlans(const struct flow *f) {
    unsigned n = 0;
    while (n < FLOW_MAX_VLANS && f->vlans[n].tci & hton16(FLOW_VLAN_CFI)) {
        n++;
    }
    return n;
}

enum xstep xlate_do_strip_vlan(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    struct flow_vlan *tags = x->flow->vlans;
    unsigned n = count_vlans(x->flow);
    (void)a;
    (void)at;
    if (n < FLOW_MAX_VLANS) {
        x->wc->vlans[n].tci |= hton16(FLOW_VLAN_CFI); // That there is no such tag counts too.
    }
    if (n > 1) {
        memset(&x->wc->vlans[1], 0xff, (n - 1) * sizeof tags[0]);
        memmove(&tags[0], &tags[1], (n - 1) * sizeof tags[0]);
    }
    if (n > 0) {
        tags[n - 1] = (struct flow_vlan){0, 0};
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_push_vlan(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_u16 *p = (const struct ofpact_u16 *)(const void *)a;
    struct flow_vlan *tags = x->flow->vlans;
    (void)at;
    memset(x->wc->vlans, 0xff, count_vlans(x->flow) * sizeof tags[0]);
    x->wc->vlans[FLOW_MAX_VLANS - 1].tci |=
        hton16(FLOW_VLAN_CFI); // Pushed out of the key, or not there.
    memmove(&tags[1], &tags[0], (FLOW_MAX_VLANS - 1) * sizeof tags[0]);
    tags[0] = (struct flow_vlan){.tpid = hton16(p->value), .tci = hton16(FLOW_VLAN_CFI)};
    return XSTEP_NEXT;
}

// -- Ethernet, IP, ports --
//
// Whoever sets a field of IP looks at the protocol too: a packet with protocol 0 is taken for one without an IP
// header that could be read, and is not set.

enum xstep xlate_do_set_eth(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const uint8_t *mac = ((const struct ofpact_mac *)(const void *)a)->mac;
    bool src = a->type == OFPACT_SET_ETH_SRC;
    (void)at;
    memset(src ? x->wc->dl_src : x->wc->dl_dst, 0xff, 6);
    memcpy(src ? x->flow->dl_src : x->flow->dl_dst, mac, 6);
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_ipv4(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    be32 address = ((const struct ofpact_u32 *)(const void *)a)->value;
    bool src = a->type == OFPACT_SET_IPV4_SRC;
    (void)at;
    if (x->flow->dl_type == hton16(0x0800)) {
        *(src ? &x->wc->nw_src : &x->wc->nw_dst) = UINT32_MAX;
        x->wc->nw_proto = UINT8_MAX;
        *(src ? &x->flow->nw_src : &x->flow->nw_dst) = address;
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_ip(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    uint8_t value = (uint8_t)((const struct ofpact_u16 *)(const void *)a)->value;
    struct flow *f = x->flow;
    (void)at;
    if (!flow_is_ip(f->dl_type)) {
        return XSTEP_NEXT;
    }
    x->wc->nw_proto = UINT8_MAX;
    if (a->type == OFPACT_SET_IP_TTL) {
        x->wc->nw_ttl = UINT8_MAX;
        f->nw_ttl = value;
    } else {
        uint8_t mask = a->type == OFPACT_SET_IP_DSCP ? DSCP_MASK : ECN_MASK;
        x->wc->nw_tos |= mask;
        f->nw_tos = (uint8_t)((f->nw_tos & ~mask) | (value & mask));
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_l4(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    be16 port = hton16(((const struct ofpact_u16 *)(const void *)a)->value);
    bool src = a->type == OFPACT_SET_L4_SRC_PORT;
    (void)at;
    if (flow_is_ip(x->flow->dl_type) && !(x->flow->nw_frag & FLOW_FRAG_LATER)) {
        x->wc->nw_proto = UINT8_MAX;
        *(src ? &x->wc->tp_src : &x->wc->tp_dst) = UINT16_MAX;
        *(src ? &x->flow->tp_src : &x->flow->tp_dst) = port;
    }
    return XSTEP_NEXT;
}
