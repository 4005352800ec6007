// learn: a rule made from the packet. Its arguments are the new rule's match, actions and properties.

#include <stdlib.h>

#include "ofproto/ofpact_private.h"

#define DEFAULT_TABLE 1u

// Appends an argument whose immediate value, if any, is right-aligned in imm[].
static int spec_put(struct act_parser *p, uint32_t offset, const struct learn_spec *spec,
                    const uint8_t *imm) {
    struct learn_spec *s = ofpact_grow(p->out, offset, sizeof *s + spec->imm_bytes);
    if (!s) {
        return act_full(p);
    }
    *s = *spec;
    if (spec->imm_bytes) {
        memcpy(s->imm, imm, spec->imm_bytes);
    }
    struct ofpact_learn *a = (void *)(p->out->data + offset);
    a->specs_len = a->ofpact.len - (uint32_t)sizeof *a;
    return 0;
}

static int plain_code(struct act_parser *p, const struct mf_field *field) {
    return act_has_plain_code(field)
               ? 0
               : act_error(p, "move it to a register first",
                           "%s is known by an extended code, which learn has no room for",
                           field->name);
}

// "field=…" with a value: the whole field as ovs-fields(7) writes it, part of one as a number.
static int immediate_scan(struct act_parser *p, const char *text, struct learn_spec *spec,
                          union mf_value *value) {
    const struct mf_subfield *dst = &spec->dst;
    size_t n_bytes = dst->field->n_bytes;
    spec->immediate = true;
    spec->imm_bytes = (uint16_t)((dst->n_bits + 7) / 8);
    if (dst->ofs == 0 && dst->n_bits == dst->field->n_bits) {
        return mf_parse_value(dst->field, text, p->names, value, p->err);
    }
    const char *end = act_wide_number(text, value->b, n_bytes);
    if (!end || *end ||
        !bits_all(value->b, n_bytes, dst->n_bits, (unsigned)n_bytes * 8 - dst->n_bits, false)) {
        return act_error(p, "a number, or a field", "'%s' is no value for %u bits of %s", text,
                         dst->n_bits, dst->field->name);
    }
    return 0;
}

// dst=src, dst=value, or dst alone, which takes its own value.
static int match_spec_parse(struct act_parser *p, uint32_t offset, const struct mf_subfield *dst,
                            const char *value) {
    struct learn_spec spec = {.kind = LEARN_MATCH, .n_bits = dst->n_bits, .src = *dst, .dst = *dst};
    union mf_value imm = {0};
    const char *s = value;
    int error = plain_code(p, dst->field);
    if (error < 0) {
        return error;
    }
    if (*value && (mf_parse_subfield(&s, &spec.src, NULL) < 0 || *s)) {
        spec.src = (struct mf_subfield){0};
        error = immediate_scan(p, value, &spec, &imm);
    }
    if (!error && !spec.immediate && spec.src.n_bits != dst->n_bits) {
        error = act_error(p, "as many bits on either side", "%s has %u bits, its source %u",
                          dst->field->name, dst->n_bits, spec.src.n_bits);
    }
    return error ? error : spec_put(p, offset, &spec, imm.b + dst->field->n_bytes - spec.imm_bytes);
}

// load:value->dst or load:src->dst.
static int load_spec_parse(struct act_parser *p, uint32_t offset, char *value) {
    struct learn_spec spec = {.kind = LEARN_LOAD};
    union mf_value imm;
    const char *end = act_wide_number(value, imm.b, sizeof imm.b);
    int error;
    if (end && strncmp(end, "->", 2) == 0) {
        error = act_subfield(p, end + 2, &spec.dst);
        error = error ? error : plain_code(p, spec.dst.field);
        unsigned all = sizeof imm.b * 8;
        if (!error &&
            !bits_all(imm.b, sizeof imm.b, spec.dst.n_bits, all - spec.dst.n_bits, false)) {
            error = act_error(p, "a smaller number, or more bits",
                              "%s: it does not fit into %u bits", value, spec.dst.n_bits);
        }
        spec.immediate = true;
        spec.imm_bytes = (uint16_t)((spec.dst.n_bits + 7) / 8);
    } else {
        error = act_move_scan(p, value, &spec.src, &spec.dst);
    }
    spec.n_bits = spec.dst.n_bits;
    return error ? error : spec_put(p, offset, &spec, imm.b + sizeof imm.b - spec.imm_bytes);
}

static int spec_parse(struct act_parser *p, uint32_t offset, const char *key, char *value) {
    struct mf_subfield dst;
    const char *s = key;
    if (mf_parse_subfield(&s, &dst, NULL) == 0 && !*s) {
        return match_spec_parse(p, offset, &dst, value);
    }
    if (strcmp(key, "load") == 0) {
        return load_spec_parse(p, offset, value);
    }
    if (strcmp(key, "output") == 0) {
        struct learn_spec spec = {.kind = LEARN_OUTPUT};
        int error = act_subfield(p, value, &spec.src);
        spec.n_bits = spec.src.n_bits;
        return error ? error : spec_put(p, offset, &spec, NULL);
    }
    return act_unknown_key(p, key,
                           "table, priority, idle_timeout, hard_timeout, fin_idle_timeout, "
                           "fin_hard_timeout, cookie, send_flow_rem, delete_learned, "
                           "limit, result_dst, load:, output:, or a field");
}

static int table_parse(struct act_parser *p, const char *value, uint8_t *table) {
    uint64_t number = 0;
    int error = act_number(p, "table", value, 254, &number);
    *table = (uint8_t)number;
    return error;
}

static int result_parse(struct act_parser *p, const char *value, struct mf_subfield *dst) {
    int error = act_subfield(p, value, dst);
    if (!error && (!dst->field->writable || dst->n_bits != 1)) {
        return act_error(p, "one bit of a register, as reg0[0]", "result_dst cannot be %s", value);
    }
    return error;
}

// The rule's properties. 1 if the key is none of them.
static int property_parse(struct act_parser *p, struct ofpact_learn *a, const char *key,
                          const char *value) {
    const struct {
        const char *name;
        uint16_t *to;
    } numbers[] = {
        {"priority", &a->priority},
        {"idle_timeout", &a->idle_timeout},
        {"hard_timeout", &a->hard_timeout},
        {"fin_idle_timeout", &a->fin_idle_timeout},
        {"fin_hard_timeout", &a->fin_hard_timeout},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(numbers); i++) {
        if (strcmp(key, numbers[i].name) == 0) {
            return act_u16(p, key, value, numbers[i].to);
        }
    }
    if (strcmp(key, "table") == 0) {
        return table_parse(p, value, &a->table);
    } else if (strcmp(key, "cookie") == 0) {
        return act_number(p, "cookie", value, UINT64_MAX, &a->cookie);
    } else if (strcmp(key, "send_flow_rem") == 0) {
        a->flags |= LEARN_SEND_FLOW_REM;
        return 0;
    } else if (strcmp(key, "delete_learned") == 0) {
        a->flags |= LEARN_DELETE_LEARNED;
        return 0;
    } else if (strcmp(key, "limit") == 0) {
        return act_u32(p, "limit", value, &a->limit);
    } else if (strcmp(key, "result_dst") == 0) {
        return result_parse(p, value, &a->result_dst);
    }
    return 1;
}

ACT_PARSE(learn) {
    uint32_t offset = p->out->len;
    struct ofpact_learn *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->priority = OFP_DEFAULT_PRIORITY;
    a->table = DEFAULT_TABLE;
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        a = (void *)(p->out->data + offset);
        error = property_parse(p, a, key, text);
        if (error > 0) {
            error = spec_parse(p, offset, key, text);
        }
    }
    return error;
}

ACT_VALIDATE(learn) {
    const struct ofpact_learn *l = (const void *)a;
    if (l->table == 255) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "learn", "0 to 254",
                            "there is no table 255 to learn into");
    }
    if (l->result_dst.field && !l->result_dst.field->writable) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_ARGUMENT, "learn", "a register's bit",
                            "result_dst %s is read-only", l->result_dst.field->name);
    }
    int error = 0;
    LEARN_FOR_EACH_SPEC(s, l) {
        if (!error && !s->immediate) {
            error = mf_check_src(&s->src, NULL, NULL, err);
        }
        if (!error && s->kind != LEARN_OUTPUT) {
            error = s->kind == LEARN_LOAD ? mf_check_dst(&s->dst, NULL, NULL, err)
                                          : mf_check_src(&s->dst, NULL, NULL, err);
        }
    }
    return error;
}

// Notes in the match of the rule to be learned what an argument puts there, for the arguments behind it.
static void learned_note(const struct learn_spec *s, struct flow *flow, struct flow *mask) {
    union mf_value value = {0};
    memcpy(value.b + sizeof value.b - s->imm_bytes, s->imm, s->imm_bytes);
    mf_write_subfield(&s->dst, &value, flow);
    memset(&value, 0xff, sizeof value);
    mf_write_subfield(&s->dst, &value, mask);
}

// Sources are fields of this rule's packets, destinations of the learned rule's: what a field there needs, arguments
// before it must have said with a value.
ACT_CHECK(learn) {
    const struct ofpact_learn *l = (const void *)a;
    struct flow flow = {0}, mask = {0};
    int error = 0;
    LEARN_FOR_EACH_SPEC(s, l) {
        if (!error && !s->immediate) {
            error = mf_check_src(&s->src, &c->flow, c->mask, c->err);
        }
        if (!error && s->kind == LEARN_MATCH) {
            error = mf_check_src(&s->dst, &flow, &mask, c->err);
            if (!error && s->immediate) {
                learned_note(s, &flow, &mask);
            }
        } else if (!error && s->kind == LEARN_LOAD) {
            error = mf_check_dst(&s->dst, &flow, &mask, c->err);
        }
    }
    return error;
}
