// Small ones: note, exit, conjunction, meter, sample, fin_timeout, debug_recirc, and what frozen states add.

#include "ofproto/xlate_private.h"

enum { TCP_FIN_OR_RST = 0x05 };

enum xstep xlate_do_note(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)x;
    (void)a;
    (void)at;
    return XSTEP_NEXT;
}

enum xstep xlate_do_exit(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)a;
    (void)at;
    x->exit = true;
    return XSTEP_NEXT;
}

// The classifier never returns such a rule; a packet-out may still name the action.
enum xstep xlate_do_conjunction(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)a;
    (void)at;
    xlate_error(x, "executing no-op conjunction action");
    return XSTEP_NEXT;
}

enum xstep xlate_do_meter(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    uint32_t id = ((const struct ofpact_u32 *)(const void *)a)->value;
    (void)at;
    if (ofproto_has_meter(&x->bridge->ofproto, id)) {
        odp_put_simple(x->odp, ODP_METER, id);
    }
    return XSTEP_NEXT;
}

// Sampled packets would go to an IPFIX collector; without one (as Open vSwitch, unless its database names one), no
// copy is made.
enum xstep xlate_do_sample(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)x;
    (void)a;
    (void)at;
    return XSTEP_NEXT;
}

enum xstep xlate_do_fin_timeout(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_fin_timeout *f = (const struct ofpact_fin_timeout *)(const void *)a;
    (void)at;
    x->wc->nw_proto = UINT8_MAX;
    if (!x->rule) {
        return XSTEP_NEXT;
    }
    if (x->in->side_effects && x->in->tcp_flags & TCP_FIN_OR_RST) {
        ofproto_fin_timeout(&x->bridge->ofproto, x->rule, f->idle, f->hard);
    }
    if (x->credits && rule_try_ref(x->rule)) {
        credits_add(
            x, &(struct credit){.type = CREDIT_FIN_TIMEOUT, .fin = {x->rule, f->idle, f->hard}});
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_debug_recirc(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)a;
    (void)at;
    xlate_freeze(x);
    return XSTEP_AFTER;
}

enum xstep xlate_do_unroll(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_unroll *u = (const struct ofpact_unroll *)(const void *)a;
    (void)at;
    x->table = u->table;
    x->cookie = u->cookie;
    xlate_say(
        x, XNODE_THAW, "restored state: table=%u, cookie=%#llx", u->table,
        (unsigned long long)htobe64(u->cookie)); // Open vSwitch prints it as it is on the wire.
    return XSTEP_NEXT;
}
