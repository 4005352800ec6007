// set_field, and load, which is its older spelling for a run of bits.

#include <inttypes.h>

#include "ofproto/mf_text.h"
#include "ofproto/ofpact_private.h"

#define LOAD_BITS \
    64u // A load carries no more: wider ones become several, as they would on the wire.

// "value->field": cuts it in two.
static int split(struct act_parser *p, char *value, char **field) {
    char *arrow = strstr(value, "->");
    if (!arrow) {
        return act_error(p, "value->field", "'%s' has no '->'", value);
    }
    *arrow = '\0';
    *field = arrow + 2;
    return **field ? 0 : act_error(p, "value->field", "no field follows '->'");
}

static struct ofpact_set_field *set_field_put(struct act_parser *p, const struct mf_field *field) {
    struct ofpact_set_field *a =
        ofpact_put(p->out, OFPACT_SET_FIELD, sizeof *a + 2 * (size_t)field->n_bytes);
    if (a) {
        a->field = field;
    }
    return a;
}

static int field_find(struct act_parser *p, const char *name, const struct mf_field **out) {
    const struct mf_field *field = mf_from_name(name);
    if (!field) {
        char hint[256];
        return act_error(p, mf_name_hint(name, hint, sizeof hint), "there is no field '%s'", name);
    }
    if (!field->writable) {
        return ofp_error_of(p->err, OFPERR_OFPBAC_BAD_SET_ARGUMENT, field->name,
                            "ovs-fields(7) says which fields are writable", "it is read-only");
    }
    *out = field;
    return 0;
}

ACT_PARSE(set_field) {
    char *name;
    const struct mf_field *field = NULL;
    union mf_value v, mask, all;
    int error = split(p, value, &name);
    error = error ? error : field_find(p, name, &field);
    error = error ? error : mf_parse(field, value, p->names, &v, &mask, p->err);
    if (error < 0) {
        return error;
    }
    mf_all_bits(field, &all);
    if (field->id == MFF_VLAN_VID && mf_is_mask_exact(field, &mask)) {
        v.be16 |=
            hton16(FLOW_VLAN_CFI); // The bit that says "present", which OpenFlow 1.2+ asks for.
    }
    struct ofpact_set_field *a = set_field_put(p, field);
    if (!a) {
        return act_full(p);
    }
    for (unsigned i = 0; i < field->n_bytes; i++) {
        uint8_t bits = mask.b[i] & all.b[i];
        a->data[i] = v.b[i] & bits;
        a->data[field->n_bytes + i] = bits;
    }
    return 0;
}

// All of a field whose length the TLV map says is as many bits as it has there.
static void load_trim(struct mf_subfield *dst) {
    union mf_value all;
    mf_all_bits(dst->field, &all);
    if (dst->n_bits == dst->field->n_bits) {
        while (dst->n_bits > 1 &&
               bits_all(all.b, dst->field->n_bytes, dst->n_bits - 1u, 1, false)) {
            dst->n_bits--;
        }
    }
}

// Bits from `value` (right-aligned) into the field's. Fields that a load has no code for are set by set_field.
static int load_put(struct act_parser *p, const struct mf_subfield *dst, const uint8_t *value) {
    const struct mf_field *field = dst->field;
    static const union mf_value ones = {.b = {[0 ... 127] = 0xff}};
    bool plain = act_has_plain_code(field) &&
                 !(field->id >= MFF_TUN_METADATA0 && field->id <= MFF_TUN_METADATA63);
    unsigned most = plain ? LOAD_BITS : dst->n_bits;
    for (unsigned done = 0; done < dst->n_bits; done += most) {
        unsigned n = dst->n_bits - done < most ? dst->n_bits - done : most;
        struct ofpact_set_field *a = set_field_put(p, field);
        if (!a) {
            return act_full(p);
        }
        a->ofpact.raw = plain;
        bits_copy(value, field->n_bytes, done, a->data, field->n_bytes, dst->ofs + done, n);
        bits_copy(ones.b, field->n_bytes, 0, a->data + field->n_bytes, field->n_bytes,
                  dst->ofs + done, n);
    }
    return 0;
}

ACT_PARSE(load) {
    char *name;
    struct mf_subfield dst = {0};
    uint8_t number[sizeof(union mf_value)];
    int error = split(p, value, &name);
    error = error ? error : act_subfield(p, name, &dst);
    if (error < 0) {
        return error;
    }
    load_trim(&dst);
    size_t n_bytes = dst.field->n_bytes;
    const char *end = act_wide_number(value, number, n_bytes);
    if (!end || *end) {
        return act_error(p, "decimal, or 0x and hexadecimal",
                         "'%s' is not a number that %s has room for", value, dst.field->name);
    }
    if (!bits_all(number, n_bytes, dst.n_bits, (unsigned)n_bytes * 8 - dst.n_bits, false)) {
        return act_error(p, "a smaller number, or more bits", "%s does not fit into %u bits", value,
                         dst.n_bits);
    }
    return load_put(p, &dst, number);
}

static bool mask_bit(const struct ofpact_set_field *s, unsigned bit) {
    const uint8_t *mask = s->data + s->field->n_bytes;
    return mask[s->field->n_bytes - 1 - bit / 8] >> (bit % 8) & 1;
}

// The next run of masked bits from sf->ofs + sf->n_bits on, at most LOAD_BITS of them.
static bool load_next(const struct ofpact_set_field *s, struct mf_subfield *sf) {
    unsigned n_bits = s->field->n_bits, ofs = sf->ofs + sf->n_bits;
    while (ofs < n_bits && !mask_bit(s, ofs)) {
        ofs++;
    }
    unsigned end = ofs;
    while (end < n_bits && end - ofs < LOAD_BITS && mask_bit(s, end)) {
        end++;
    }
    sf->ofs = (uint16_t)ofs;
    sf->n_bits = (uint16_t)(end - ofs);
    return sf->n_bits > 0;
}

static void load_format(const struct act_printer *f, const struct ofpact_set_field *s) {
    struct mf_subfield sf = {.field = s->field};
    const char *comma = "";
    while (load_next(s, &sf)) {
        be64 value = 0;
        bits_copy(s->data, s->field->n_bytes, sf.ofs, &value, sizeof value, 0, sf.n_bits);
        text_put(f->out, "%sload:%#" PRIx64 "->", comma, (uint64_t)be64toh(value));
        mf_format_subfield(&sf, f->out);
        comma = ",";
    }
}

ACT_FORMAT(set_field) {
    const struct ofpact_set_field *s = (const void *)a;
    if (a->raw) {
        load_format(f, s);
        return;
    }
    union mf_value value, mask;
    memcpy(value.b, s->data, s->field->n_bytes);
    memcpy(mask.b, s->data + s->field->n_bytes, s->field->n_bytes);
    text_put(f->out, "set_field:");
    mf_format(s->field, &value, mf_is_mask_exact(s->field, &mask) ? NULL : &mask, f->names, f->out);
    text_put(f->out, "->%s", s->field->name);
}

// One more than the number of its highest bit that is set.
static unsigned bits_used(const struct ofpact_set_field *s) {
    unsigned n = s->field->n_bits;
    while (n > 0 && !mask_bit(s, n - 1)) {
        n--;
    }
    return n;
}

ACT_VALIDATE(set_field) {
    const struct ofpact_set_field *s = (const void *)a;
    union mf_value value;
    memcpy(value.b, s->data, s->field->n_bytes);
    int error = mf_check_mapped(s->field, bits_used(s), err);
    if (error < 0) {
        return error;
    }
    const char *wrong = !s->field->writable ? "it is read-only"
                        : !a->raw && s->field->id == MFF_IN_PORT_OXM
                            ? "the port that a packet came in on cannot be set so"
                        : !a->raw && !mf_is_value_valid(s->field, &value)
                            ? "it never has this value"
                            : NULL;
    return wrong ? ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_ARGUMENT, s->field->name,
                                "ovs-fields(7) says what it may be", "%s", wrong)
                 : 0;
}

ACT_CHECK(set_field) {
    struct ofpact_set_field *s = (void *)a;
    struct flow_vlan *vlan = &c->flow.vlans[0];
    bool tagged = vlan->tci & hton16(FLOW_VLAN_CFI);
    if (!mf_are_prereqs_ok(s->field, &c->flow, NULL) || (s->field->id == MFF_VLAN_VID && !tagged)) {
        return ofp_error_of(c->err, OFPERR_OFPBAC_MATCH_INCONSISTENT, s->field->name,
                            mf_prereq_hint(s->field),
                            "the match does not say that packets have this field");
    }
    s->flow_has_vlan = tagged;
    if (s->field->id == MFF_VLAN_TCI) {
        memcpy(&vlan->tci, s->data, sizeof vlan->tci); // The tag comes or goes with it.
    }
    return 0;
}
