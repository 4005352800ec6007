// ct(…): the packet goes through connection tracking, in the datapath. With a table, a copy comes back tracked and
// goes on there; the packet itself goes on here, untracked.

#include "ofproto/xlate_private.h"

enum { ALG_FTP = 21, ALG_TFTP = 69, NO_TABLE = 255 };

void xlate_clear_conntrack(struct xlate *x) {
    struct flow *f = x->flow;
    x->conntracked = false;
    f->ct_state = 0;
    f->ct_zone = 0;
    f->ct_mark = 0;
    memset(f->ct_label, 0, sizeof f->ct_label);
    f->ct_nw_proto = 0;
    f->ct_tp_src = f->ct_tp_dst = 0;
    if (f->dl_type == hton16(0x0800)) {
        f->ct_nw_src = f->ct_nw_dst = 0;
    } else if (f->dl_type == hton16(0x86dd)) {
        memset(f->ct_ipv6_src, 0, sizeof f->ct_ipv6_src);
        memset(f->ct_ipv6_dst, 0, sizeof f->ct_ipv6_dst);
    }
}

// A frozen state holds these: another value is another recirc_id, so the megaflow need not look at them.
static bool is_frozen_metadata(enum mf_id id) {
    return (id >= MFF_TUN_ID && id <= MFF_IN_PORT_OXM) || (id >= MFF_REG0 && id < MFF_ETH_SRC);
}

static uint16_t zone_of(struct xlate *x, const struct ofpact_ct *c) {
    if (!c->zone_src.field) {
        return c->zone_imm;
    }
    if (x->in->flow->recirc_id == 0 || !is_frozen_metadata(c->zone_src.field->id)) {
        mf_mask_subfield(&c->zone_src, x->wc);
    }
    return (uint16_t)mf_get_subfield(&c->zone_src, x->flow);
}

static uint16_t nat_flags(const struct ofpact_nat *n) {
    uint16_t flags = ODP_CT_NAT;
    if (!(n->flags & (NAT_SRC | NAT_DST))) {
        return flags; // nat: as the connection has it.
    }
    flags |= n->flags & NAT_SRC ? ODP_CT_NAT_SRC : ODP_CT_NAT_DST;
    flags |= n->flags & NAT_PERSISTENT ? ODP_CT_NAT_PERSISTENT : 0;
    flags |= n->flags & NAT_HASH ? ODP_CT_NAT_HASH : n->flags & NAT_RANDOM ? ODP_CT_NAT_RANDOM : 0;
    return flags;
}

static void put_nat(struct odp_ct *ct, const struct ofpact_nat *n) {
    ct->flags |= nat_flags(n);
    if (!(ct->flags & (ODP_CT_NAT_SRC | ODP_CT_NAT_DST)) || n->range_af == 0) {
        return;
    }
    size_t len = n->range_af == 6 ? 16 : 4;
    ct->flags |= n->range_af == 6 ? ODP_CT_NAT_IPV6 : 0;
    memcpy(ct->nat_min, n->addr_min, len);
    if (memcmp(n->addr_max, n->addr_min, len) > 0) { // Big-endian: as numbers.
        memcpy(ct->nat_max, n->addr_max, len);
    }
    if (n->port_min) {
        ct->nat_port_min = n->port_min;
        ct->nat_port_max = n->port_max > n->port_min ? n->port_max : 0;
    }
}

static void put_label(struct odp_ct *ct, const struct flow *f, const struct flow *wc) {
    for (unsigned i = 0; i < sizeof ct->label; i++) {
        ct->label_mask[i] = wc->ct_label[i];
        ct->label[i] = f->ct_label[i] & wc->ct_label[i];
    }
}

static void put_ct(struct xlate *x, const struct ofpact_ct *c, uint16_t zone) {
    struct odp_ct *ct = odp_put(x->odp, ODP_CT, 0, sizeof *ct);
    if (!ct) {
        return;
    }
    if (c->flags & CT_COMMIT) {
        ct->flags |= ODP_CT_COMMIT | (c->flags & CT_FORCE ? ODP_CT_FORCE : 0);
    }
    ct->zone = zone;
    ct->mark_mask = x->wc->ct_mark;
    ct->mark = x->flow->ct_mark & x->wc->ct_mark;
    put_label(ct, x->flow, x->wc);
    if (c->alg == ALG_FTP || c->alg == ALG_TFTP) {
        memcpy(ct->helper, c->alg == ALG_FTP ? "ftp" : "tftp", c->alg == ALG_FTP ? 4 : 5);
    } else if (c->alg) {
        xlate_error(x, "cannot serialize ct_helper %d", c->alg);
    }
    if (x->nat) {
        put_nat(ct, x->nat);
    }
}

enum xstep xlate_do_ct(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_ct *c = (const struct ofpact_ct *)(const void *)a;
    uint16_t zone = zone_of(x, c);
    uint32_t old_mark = x->wc->ct_mark;
    uint8_t old_label[16];
    size_t nested = a->len - offsetof(struct ofpact_ct, actions);
    xlate_commit(x);

    // What exec(…) sets shows in wc, which says which bits of mark and label to write; not what was looked at.
    memcpy(old_label, x->wc->ct_label, sizeof old_label);
    x->wc->ct_mark = 0;
    memset(x->wc->ct_label, 0, sizeof x->wc->ct_label);
    x->nat = NULL;
    if (nested > 0) {
        xlate_actions(x, c->actions, nested, at->last, false);
    } else {
        xlate_say(x, XNODE_ACTION, "drop"); // As Open vSwitch says of any empty list.
    }
    put_ct(x, c, zone);
    x->wc->ct_mark = old_mark;
    memcpy(x->wc->ct_label, old_label, sizeof old_label);

    if (c->recirc_table != NO_TABLE) {
        x->conntracked = true;
        xlate_fork(x, c->recirc_table, zone);
    }
    x->nat = NULL;
    xlate_clear_conntrack(x);
    xlate_detail(x, "Sets the packet to an untracked state, and clears all the conntrack fields.");
    return XSTEP_NEXT;
}

enum xstep xlate_do_nat(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)at;
    x->nat = (const struct ofpact_nat *)(const void *)a; // For the ct around it.
    return XSTEP_NEXT;
}

enum xstep xlate_do_ct_clear(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)a;
    (void)at;
    if (x->conntracked) {
        xlate_clear_conntrack(x);
        odp_put_simple(x->odp, ODP_CT_CLEAR, 0);
    }
    return XSTEP_NEXT;
}
