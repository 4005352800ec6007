// Actions that set fields by name: set_field, load, move; metadata; queue, tunnel id, tunnel options.
//
// A field is set only if the packet has it; whether it has is looked at (un-wildcarded) then. Registers, which
// are what pipelines mostly set, go the short way.

#include "ofproto/xlate_private.h"

static bool is_reg(const struct mf_field *mf) {
    return (unsigned)(mf->id - MFF_REG0) < FLOW_N_REGS;
}

static void set_reg(struct xlate *x, const struct ofpact_set_field *sf) {
    unsigned i = (unsigned)(sf->field->id - MFF_REG0);
    uint32_t value = ntoh32(load_be32(sf->data)), mask = ntoh32(load_be32(sf->data + 4));
    x->wc->regs[i] |= mask;
    x->flow->regs[i] = (x->flow->regs[i] & ~mask) | (value & mask);
}

// As for the actions that name IP's and ARP's fields one by one (xlate_header.c).
static void mask_protocol(enum mf_id id, const struct flow *f, struct flow *wc) {
    switch (id) {
    case MFF_IPV4_SRC:
    case MFF_IPV4_DST:
    case MFF_IPV6_SRC:
    case MFF_IPV6_DST:
    case MFF_IPV6_LABEL:
    case MFF_IP_DSCP:
    case MFF_IP_ECN:
    case MFF_IP_TTL: wc->nw_proto |= flow_is_ip(f->dl_type) ? UINT8_MAX : 0; break;
    case MFF_ARP_OP:
    case MFF_ARP_SHA:
    case MFF_ARP_THA:
    case MFF_ARP_SPA:
    case MFF_ARP_TPA: wc->nw_proto |= f->dl_type == hton16(0x0806) ? UINT8_MAX : 0; break;
    default: break;
    }
}

enum xstep xlate_do_set_field(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_set_field *sf = (const struct ofpact_set_field *)(const void *)a;
    const struct mf_field *mf = sf->field;
    union mf_value value, mask;
    (void)at;
    if (is_reg(mf)) {
        set_reg(x, sf);
        return XSTEP_NEXT;
    }
    if (!mf_are_prereqs_ok(mf, x->flow, x->wc)) {
        xlate_warn(x, "unmet prerequisites for %s, set_field ignored", mf->name);
        return XSTEP_NEXT;
    }
    memcpy(&value, sf->data, mf->n_bytes);
    memcpy(&mask, sf->data + mf->n_bytes, mf->n_bytes);
    mask_protocol(mf->id, x->flow, x->wc);
    mf_mask_field_masked(mf, &mask, x->wc);
    mf_set_flow_value_masked(mf, &value, &mask, x->flow);
    return XSTEP_NEXT;
}

static uint32_t low_bits(unsigned n) {
    return n >= 32 ? UINT32_MAX : (UINT32_C(1) << n) - 1;
}

static void move_reg(struct xlate *x, const struct mf_subfield *src,
                     const struct mf_subfield *dst) {
    unsigned from = (unsigned)(src->field->id - MFF_REG0);
    unsigned to = (unsigned)(dst->field->id - MFF_REG0);
    uint32_t bits = low_bits(dst->n_bits);
    uint32_t value = x->flow->regs[from] >> src->ofs & bits;
    x->wc->regs[from] |= bits << src->ofs;
    x->wc->regs[to] |= bits << dst->ofs;
    x->flow->regs[to] = (x->flow->regs[to] & ~(bits << dst->ofs)) | value << dst->ofs;
}

static void move(struct xlate *x, const struct mf_subfield *src, const struct mf_subfield *dst) {
    union mf_value from, to;
    if (!mf_are_prereqs_ok(dst->field, x->flow, x->wc) ||
        !mf_are_prereqs_ok(src->field, x->flow, x->wc)) {
        return;
    }
    mf_mask_subfield(src, x->wc);
    mf_mask_subfield(dst, x->wc);
    mf_get_value(dst->field, x->flow, &to);
    mf_get_value(src->field, x->flow, &from);
    bits_copy(&from, src->field->n_bytes, src->ofs, &to, dst->field->n_bytes, dst->ofs,
              src->n_bits);
    mf_set_flow_value(dst->field, &to, x->flow);
}

enum xstep xlate_do_reg_move(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_move *m = (const struct ofpact_move *)(const void *)a;
    (void)at;
    if (is_reg(m->src.field) && is_reg(m->dst.field)) {
        move_reg(x, &m->src, &m->dst);
    } else {
        move(x, &m->src, &m->dst);
    }
    xlate_say_subfield(x, &m->dst);
    return XSTEP_NEXT;
}

void xlate_load(struct xlate *x, const struct mf_subfield *dst, uint64_t value) {
    mf_mask_subfield(dst, x->wc);
    mf_set_subfield(dst, value, x->flow);
    xlate_say_subfield(x, dst);
}

enum xstep xlate_do_write_metadata(struct xlate *x, const struct ofpact *a,
                                   const struct xplace *at) {
    const struct ofpact_write_metadata *w = (const struct ofpact_write_metadata *)(const void *)a;
    (void)at;
    x->flow->metadata = (x->flow->metadata & ~w->mask) | (w->metadata & w->mask);
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_tunnel(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)at;
    x->flow->tunnel.tun_id = htobe64(((const struct ofpact_tunnel *)(const void *)a)->tun_id);
    return XSTEP_NEXT;
}

enum xstep xlate_do_set_queue(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)at;
    x->wc->skb_priority = UINT32_MAX;
    x->flow->skb_priority = ((const struct ofpact_u32 *)(const void *)a)->value;
    return XSTEP_NEXT;
}

enum xstep xlate_do_pop_queue(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    (void)a;
    (void)at;
    x->wc->skb_priority = UINT32_MAX;
    if (x->flow->skb_priority != x->orig_priority) {
        x->flow->skb_priority = x->orig_priority;
        xlate_detail(x, "queue = %#x", x->orig_priority);
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_delete_field(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct mf_field *mf = ((const struct ofpact_delete_field *)(const void *)a)->field;
    const struct tun_map *map = rcu_get(mf_tun_map);
    unsigned i = (unsigned)(mf->id - MFF_TUN_METADATA0);
    (void)at;
    if (map && i < TUN_N_METADATA) {
        struct flow_tnl *t = &x->flow->tunnel;
        memset(t->opts + map->entries[i].ofs, 0, map->entries[i].len);
        t->opts_present &= ~(UINT64_C(1) << i);
    }
    xlate_detail(x, "delete %s", mf->name);
    return XSTEP_NEXT;
}
