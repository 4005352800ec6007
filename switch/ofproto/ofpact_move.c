// move, push, pop, delete_field, check_pkt_larger: actions on fields that have no value of their own.

#include "ofproto/ofpact_private.h"

int act_move_scan(struct act_parser *p, const char *text, struct mf_subfield *src,
                  struct mf_subfield *dst) {
    const char *s = text;
    int error = mf_parse_subfield(&s, src, p->err);
    if (error < 0) {
        return error;
    }
    if (strncmp(s, "->", 2) != 0) {
        return act_error(p, "source->destination", "'%s' has no '->' behind its source", text);
    }
    error = act_subfield(p, s + 2, dst);
    if (error < 0) {
        return error;
    }
    return src->n_bits == dst->n_bits
               ? 0
               : act_error(p, "as many bits on either side, as reg0[0..15]->reg1[16..31]",
                           "the source has %u bits, the destination %u", src->n_bits, dst->n_bits);
}

ACT_PARSE(move) {
    struct ofpact_move *a = act_put(p, sizeof *a);
    return a ? act_move_scan(p, value, &a->src, &a->dst) : act_full(p);
}

ACT_FORMAT(move) {
    const struct ofpact_move *m = (const void *)a;
    text_put(f->out, "move:");
    mf_format_subfield(&m->src, f->out);
    text_put(f->out, "->");
    mf_format_subfield(&m->dst, f->out);
}

ACT_VALIDATE(move) {
    const struct ofpact_move *m = (const void *)a;
    int error = mf_check_src(&m->src, NULL, NULL, err);
    return error ? error : mf_check_dst(&m->dst, NULL, NULL, err);
}

ACT_CHECK(move) {
    const struct ofpact_move *m = (const void *)a;
    int error = mf_check_src(&m->src, &c->flow, c->mask, c->err);
    return error ? error : mf_check_dst(&m->dst, &c->flow, c->mask, c->err);
}

ACT_PARSE(stack) {
    struct ofpact_stack *a = act_put(p, sizeof *a);
    return a ? act_subfield(p, value, &a->subfield) : act_full(p);
}

ACT_FORMAT(stack) {
    text_put(f->out, a->type == OFPACT_STACK_PUSH ? "push:" : "pop:");
    mf_format_subfield(&((const struct ofpact_stack *)(const void *)a)->subfield, f->out);
}

static int stack_check(const struct ofpact *a, const struct flow *flow, const struct flow *mask,
                       struct ofp_error *err) {
    const struct mf_subfield *sf = &((const struct ofpact_stack *)(const void *)a)->subfield;
    return a->type == OFPACT_STACK_PUSH ? mf_check_src(sf, flow, mask, err)
                                        : mf_check_dst(sf, flow, mask, err);
}

ACT_VALIDATE(stack) {
    return stack_check(a, NULL, NULL, err);
}

ACT_CHECK(stack) {
    return stack_check(a, &c->flow, c->mask, c->err);
}

ACT_PARSE(delete_field) {
    struct ofpact_delete_field *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->field = mf_from_name(value);
    return a->field
               ? 0
               : act_error(p, "tun_metadata0 … tun_metadata63", "there is no field '%s'", value);
}

ACT_FORMAT(delete_field) {
    text_put(f->out, "delete_field:%s",
             ((const struct ofpact_delete_field *)(const void *)a)->field->name);
}

ACT_VALIDATE(delete_field) {
    const struct mf_field *field = ((const struct ofpact_delete_field *)(const void *)a)->field;
    if (field->id >= MFF_TUN_METADATA0 && field->id <= MFF_TUN_METADATA63) {
        return mf_check_mapped(field, 0, err);
    }
    return ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, field->name,
                        "tun_metadata0 … tun_metadata63", "it cannot be deleted from a packet");
}

ACT_PARSE(check_pkt_larger) {
    char *arrow = strstr(value, "->");
    struct ofpact_check_pkt_larger *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    if (!arrow || arrow == value) {
        return act_error(p, "check_pkt_larger(1500)->reg0[0]", "'%s' has no '->'", value);
    }
    arrow[arrow[-1] == ')' ? -1 : 0] = '\0';
    int error = act_subfield(p, arrow + 2, &a->dst);
    return error ? error : act_u16(p, "length", value, &a->pkt_len);
}

ACT_FORMAT(check_pkt_larger) {
    const struct ofpact_check_pkt_larger *c = (const void *)a;
    text_put(f->out, "check_pkt_larger(%u)->", c->pkt_len);
    mf_format_subfield(&c->dst, f->out);
}

ACT_VALIDATE(check_pkt_larger) {
    const struct ofpact_check_pkt_larger *c = (const void *)a;
    if (c->dst.n_bits != 1) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_LEN, "check_pkt_larger",
                            "one bit, as reg0[0]", "its answer goes into %u bits", c->dst.n_bits);
    }
    return mf_check_dst(&c->dst, NULL, NULL, err);
}
