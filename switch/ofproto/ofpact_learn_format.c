// learn's text.

#include <inttypes.h>

#include "ofproto/ofpact_private.h"

static void put_number(struct text *out, const char *name, uint32_t number, uint32_t usual) {
    if (number != usual) {
        text_put(out, ",%s=%u", name, number);
    }
}

static void properties_format(const struct ofpact_learn *l, struct text *out) {
    text_put(out, "table=%u", l->table);
    put_number(out, "idle_timeout", l->idle_timeout, 0);
    put_number(out, "hard_timeout", l->hard_timeout, 0);
    put_number(out, "fin_idle_timeout", l->fin_idle_timeout, 0);
    put_number(out, "fin_hard_timeout", l->fin_hard_timeout, 0);
    put_number(out, "priority", l->priority, OFP_DEFAULT_PRIORITY);
    if (l->flags & LEARN_SEND_FLOW_REM) {
        text_put(out, ",send_flow_rem");
    }
    if (l->flags & LEARN_DELETE_LEARNED) {
        text_put(out, ",delete_learned");
    }
    if (l->cookie) {
        text_put(out, ",cookie=%#" PRIx64, l->cookie);
    }
    put_number(out, "limit", l->limit, 0);
    if (l->result_dst.field) {
        text_put(out, ",result_dst=");
        mf_format_subfield(&l->result_dst, out);
    }
}

static void match_format_value(const struct act_printer *f, const struct learn_spec *s) {
    if (s->dst.ofs || s->dst.n_bits != s->dst.field->n_bits) {
        mf_format_subfield(&s->dst, f->out);
        text_put(f->out, "=");
        act_put_hex(f->out, s->imm, s->imm_bytes);
        return;
    }
    union mf_value value = {0};
    memcpy(value.b + s->dst.field->n_bytes - s->imm_bytes, s->imm, s->imm_bytes);
    text_put(f->out, "%s=", s->dst.field->name);
    mf_format(s->dst.field, &value, NULL, f->names, f->out);
}

static void match_format_source(const struct act_printer *f, const struct learn_spec *s) {
    mf_format_subfield(&s->dst, f->out);
    if (s->src.field != s->dst.field || s->src.ofs != s->dst.ofs) {
        text_put(f->out, "=");
        mf_format_subfield(&s->src, f->out);
    }
}

static void load_format(const struct act_printer *f, const struct learn_spec *s) {
    text_put(f->out, "load:");
    if (s->immediate) {
        act_put_hex(f->out, s->imm, s->imm_bytes);
    } else {
        mf_format_subfield(&s->src, f->out);
    }
    text_put(f->out, "->");
    mf_format_subfield(&s->dst, f->out);
}

ACT_FORMAT(learn) {
    const struct ofpact_learn *l = (const void *)a;
    text_put(f->out, "learn(");
    properties_format(l, f->out);
    LEARN_FOR_EACH_SPEC(s, l) {
        text_put(f->out, ",");
        if (s->kind == LEARN_LOAD) {
            load_format(f, s);
        } else if (s->kind == LEARN_OUTPUT) {
            text_put(f->out, "output:");
            mf_format_subfield(&s->src, f->out);
        } else if (s->immediate) {
            match_format_value(f, s);
        } else {
            match_format_source(f, s);
        }
    }
    text_put(f->out, ")");
}
