// dec_ttl and its kin: one hop less; a packet on its last hop goes to the controllers named, and this list of
// actions ends.

#include "ofproto/xlate_private.h"

enum { REASON_INVALID_TTL = 2, TTL_MASK = 0xff };

static void tell(struct xlate *x, uint16_t controller_id) {
    struct ofpact_controller c;
    memset(&c, 0, sizeof c);
    c.max_len = UINT16_MAX;
    c.controller_id = controller_id;
    xlate_packet_in(x, &c, REASON_INVALID_TTL, 0);
}

enum xstep xlate_do_dec_ttl(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_cnt_ids *d = (const struct ofpact_cnt_ids *)(const void *)a;
    struct flow *f = x->flow;
    (void)at;
    x->wc->nw_ttl = UINT8_MAX;
    x->wc->nw_proto = UINT8_MAX; // As setting it does (xlate_header.c).
    if (!flow_is_ip(f->dl_type)) {
        return XSTEP_NEXT;
    }
    if (f->nw_ttl > 1) {
        f->nw_ttl--;
        return XSTEP_NEXT;
    }
    for (unsigned i = 0; i < d->n; i++) {
        tell(x, d->ids[i]);
    }
    xlate_warn(x, "IPv%d decrement TTL exception", f->dl_type == hton16(0x0800) ? 4 : 6);
    xlate_refuse(x, DROP_TTL);
    return XSTEP_STOP;
}

enum xstep xlate_do_dec_mpls_ttl(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    struct flow *f = x->flow;
    (void)a;
    (void)at;
    if (flow_is_mpls(f->dl_type)) {
        uint32_t lse = ntoh32(f->mpls_lse[0]);
        x->wc->mpls_lse[0] |= hton32(TTL_MASK);
        if ((lse & TTL_MASK) > 1) {
            f->mpls_lse[0] = hton32(lse - 1);
            return XSTEP_NEXT;
        }
        tell(x, 0);
    }
    xlate_warn(x, "MPLS decrement TTL exception");
    xlate_refuse(x, DROP_TTL);
    return XSTEP_STOP;
}

enum xstep xlate_do_dec_nsh_ttl(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    struct flow *f = x->flow;
    (void)a;
    (void)at;
    if (f->packet_type == hton32(PT_NSH) || f->dl_type == hton16(0x894f)) {
        x->wc->nsh.ttl = UINT8_MAX;
        if (f->nsh.ttl > 1) {
            f->nsh.ttl--;
            return XSTEP_NEXT;
        }
        tell(x, 0);
    }
    xlate_warn(x, "NSH decrement TTL exception");
    xlate_refuse(x, DROP_TTL);
    return XSTEP_STOP;
}
