// MPLS: push and pop labels, set their fields.
//
// The key holds FLOW_MAX_MPLS labels. What lies behind the last label popped is unknown until the datapath has
// looked at the packet again: was_mpls makes the next action that needs it recirculate.

#include "ofproto/xlate_private.h"

enum { BOS = 0x100, LABEL_SHIFT = 12, TC_SHIFT = 9, DSCP_MASK = 0xfc };
#define LABEL_MASK UINT32_C(0xfffff000)
#define TC_MASK    UINT32_C(0x00000e00)
#define TTL_MASK   UINT32_C(0x000000ff)

// Labels of the stack. Without a bottom in the key, those that are not zero count, as in Open vSwitch; a bit of each is
// looked at then, which tells.
unsigned xlate_count_mpls(const struct flow *flow, struct flow *wc) {
    unsigned n = 0;
    if (!flow_is_mpls(flow->dl_type)) {
        return 0;
    }
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        wc->mpls_lse[i] |= hton32(BOS);
        if (flow->mpls_lse[i] & hton32(BOS)) {
            return i + 1;
        }
    }
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        be32 lse = flow->mpls_lse[i];
        wc->mpls_lse[i] |= lse ? lse & -lse : UINT32_MAX;
        n += lse != 0;
    }
    return n;
}

// The first label: explicit null of the protocol below, whose TTL and class it takes over (RFC 3032, RFC 3443).
static be32 first_label(struct flow *f, struct flow *wc) {
    uint32_t label = f->dl_type == hton16(0x86dd) ? 2 : 0, tc = 0, ttl = 64;
    if (flow_is_ip(f->dl_type)) {
        wc->nw_tos |= DSCP_MASK;
        wc->nw_ttl = UINT8_MAX;
        tc = (f->nw_tos & DSCP_MASK) >> 2 & 7;
        ttl = f->nw_ttl ? f->nw_ttl : ttl;
    }
    return hton32(label << LABEL_SHIFT | tc << TC_SHIFT | BOS | ttl);
}

void xlate_push_mpls_header(struct flow *f, unsigned n, be16 ethertype, struct flow *wc) {
    assert(n < FLOW_MAX_MPLS);
    if (n > 0) {
        memset(wc->mpls_lse, 0xff, n * sizeof wc->mpls_lse[0]);
        memmove(&f->mpls_lse[1], &f->mpls_lse[0], n * sizeof f->mpls_lse[0]);
        f->mpls_lse[0] = f->mpls_lse[1] & hton32(~(uint32_t)BOS);
    } else {
        f->mpls_lse[0] = first_label(f, wc);
        memset(&f->nw_src, 0, sizeof *f - offsetof(struct flow, nw_src)); // Below a label: unseen.
        f->dp_hash = 0;
    }
    f->dl_type = ethertype;
}

bool xlate_pop_mpls_header(struct flow *f, unsigned n, be16 ethertype, struct flow *wc) {
    if (n == 0) {
        return false;
    }
    if (n == FLOW_MAX_MPLS) {
        wc->mpls_lse[n - 1] |= hton32(BOS);
        if (!(f->mpls_lse[n - 1] & hton32(BOS))) {
            return false; // Nobody knows which label comes up behind.
        }
    }
    memset(&wc->mpls_lse[1], 0xff, (n - 1) * sizeof wc->mpls_lse[0]);
    memmove(&f->mpls_lse[0], &f->mpls_lse[1], (n - 1) * sizeof f->mpls_lse[0]);
    f->mpls_lse[n - 1] = 0;
    f->dl_type = ethertype;
    return true;
}

static void too_many(struct xlate *x, const char *what) {
    if (x->in->packet) {
        xlate_error(x,
                    "dropping packet on which an MPLS %s action can't be performed as it %s more "
                    "MPLS LSEs than the %u supported.",
                    what, what[1] == 'u' ? "would have" : "has", FLOW_MAX_MPLS);
    }
    xlate_fail(x, XLATE_TOO_MANY_MPLS_LABELS);
}

enum xstep xlate_do_push_mpls(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    be16 ethertype = hton16(((const struct ofpact_u16 *)(const void *)a)->value);
    unsigned n = xlate_count_mpls(x->flow, x->wc);
    (void)at;
    if (n == 0) {
        xlate_commit(x); // What was set below the label can no longer be, once it is there.
    } else if (n >= FLOW_MAX_MPLS) {
        too_many(x, "push");
        return XSTEP_NEXT;
    }
    xlate_push_mpls_header(x->flow, n, ethertype, x->wc);
    return XSTEP_NEXT;
}

enum xstep xlate_do_pop_mpls(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    be16 ethertype = hton16(((const struct ofpact_u16 *)(const void *)a)->value);
    unsigned n = xlate_count_mpls(x->flow, x->wc);
    (void)at;
    if (xlate_pop_mpls_header(x->flow, n, ethertype, x->wc)) {
        x->was_mpls |= !flow_is_mpls(ethertype);
    } else if (n >= FLOW_MAX_MPLS) {
        too_many(x, "pop");
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_mpls(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    uint32_t value, mask;
    (void)at;
    if (!flow_is_mpls(x->flow->dl_type)) {
        return XSTEP_NEXT;
    }
    switch ((enum ofpact_type)a->type) {
    case OFPACT_SET_MPLS_LABEL:
        value = ((const struct ofpact_u32 *)(const void *)a)->value << LABEL_SHIFT;
        mask = LABEL_MASK;
        break;
    case OFPACT_SET_MPLS_TC:
        value = (uint32_t)((const struct ofpact_u16 *)(const void *)a)->value << TC_SHIFT;
        mask = TC_MASK;
        break;
    default:
        value = ((const struct ofpact_u16 *)(const void *)a)->value;
        mask = TTL_MASK;
        break;
    }
    x->wc->mpls_lse[0] |= hton32(mask);
    x->flow->mpls_lse[0] = (x->flow->mpls_lse[0] & hton32(~mask)) | hton32(value & mask);
    return XSTEP_NEXT;
}
