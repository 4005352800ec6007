// Sub-fields: a run of bits of a field, as actions name them.

#include <errno.h>

#include "ofproto/mf_text.h"

void mf_read_subfield(const struct mf_subfield *sf, const struct flow *flow,
                      union mf_value *value) {
    union mf_value whole;
    mf_get_value(sf->field, flow, &whole);
    memset(value, 0, sizeof *value);
    bits_copy(&whole, sf->field->n_bytes, sf->ofs, value, sizeof *value, 0, sf->n_bits);
}

uint64_t mf_get_subfield(const struct mf_subfield *sf, const struct flow *flow) {
    union mf_value whole;
    be64 low = 0;
    mf_get_value(sf->field, flow, &whole);
    bits_copy(&whole, sf->field->n_bytes, sf->ofs, &low, sizeof low, 0,
              sf->n_bits < 64 ? sf->n_bits : 64);
    return be64toh(low);
}

void mf_write_subfield(const struct mf_subfield *sf, const union mf_value *value,
                       struct flow *flow) {
    union mf_value whole;
    mf_get_value(sf->field, flow, &whole);
    bits_copy(value, sizeof *value, 0, &whole, sf->field->n_bytes, sf->ofs, sf->n_bits);
    mf_set_flow_value(sf->field, &whole, flow);
}

void mf_set_subfield(const struct mf_subfield *sf, uint64_t value, struct flow *flow) {
    union mf_value whole;
    be64 low = htobe64(value);
    unsigned n = sf->n_bits < 64 ? sf->n_bits : 64;
    mf_get_value(sf->field, flow, &whole);
    bits_copy(&low, sizeof low, 0, &whole, sf->field->n_bytes, sf->ofs, n);
    for (unsigned i = n; i < sf->n_bits; i++) { // What a number of 64 bits does not reach is 0.
        unsigned bit = sf->ofs + i;
        whole.b[sf->field->n_bytes - 1 - bit / 8] &= (uint8_t) ~(1u << bit % 8);
    }
    mf_set_flow_value(sf->field, &whole, flow);
}

void mf_mask_subfield(const struct mf_subfield *sf, struct flow *wc) {
    static const union mf_value ones = {.b = {[0 ... 127] = 0xff}};
    union mf_value mask;
    memset(&mask, 0, sf->field->n_bytes);
    bits_copy(&ones, sizeof ones, 0, &mask, sf->field->n_bytes, sf->ofs, sf->n_bits);
    mf_mask_field_masked(sf->field, &mask, wc);
}

int mf_check_mapped(const struct mf_field *mf, unsigned n_bits, struct ofp_error *err) {
    if (mf->id < MFF_TUN_METADATA0 || mf->id > MFF_TUN_METADATA63) {
        return 0;
    }
    const struct tun_map *map = atomic_load_explicit(&mf_tun_map, memory_order_acquire);
    unsigned len = map ? map->entries[mf->id - MFF_TUN_METADATA0].len : 0;
    if (len == 0) {
        return ofp_error_of(err, OFPERR_NXFMFC_INVALID_TLV_FIELD, mf->name, "map it first",
                            "the TLV map has no such option");
    }
    return n_bits <= len * 8
               ? 0
               : ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_LEN, mf->name, "bits that the option has",
                              "bit %u named, but the option has %u", n_bits - 1, len * 8);
}

static int check(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, const char *role, struct ofp_error *err) {
    if (!sf->field) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_TYPE, role, "name one of ovs-fields(7)",
                            "no field given");
    }
    if (!sf->n_bits || sf->ofs + sf->n_bits > sf->field->n_bits) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_LEN, sf->field->name, NULL,
                            "bits %d to %d given, but the field has %d", sf->ofs,
                            sf->ofs + sf->n_bits - 1, sf->field->n_bits);
    }
    int error = mf_check_mapped(sf->field, sf->ofs + sf->n_bits, err);
    if (error < 0) {
        return error;
    }
    if (match_flow && !mf_are_match_prereqs_ok(sf->field, match_flow, match_mask)) {
        return ofp_error_of(err, OFPERR_OFPBAC_MATCH_INCONSISTENT, sf->field->name,
                            mf_prereq_hint(sf->field),
                            "the match does not say that packets have this field");
    }
    return 0;
}

int mf_check_src(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, struct ofp_error *err) {
    return check(sf, match_flow, match_mask, "source", err);
}

int mf_check_dst(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, struct ofp_error *err) {
    int error = check(sf, match_flow, match_mask, "destination", err);
    if (!error && !sf->field->writable) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_ARGUMENT, sf->field->name,
                            "actions write the fields that ovs-fields(7) calls read/write",
                            "the field is read-only");
    }
    return error;
}

// -- text --

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Decimal digits at *s; false if there are none or too many of them.
static bool take_number(const char **s, unsigned *n) {
    const char *begin = *s;
    for (*n = 0; **s >= '0' && **s <= '9' && *s - begin < 5; ++*s) {
        *n = *n * 10 + (unsigned)(**s - '0');
    }
    return *s > begin;
}

// "[]", "[bit]", "[first..last]" or nothing at *s.
static bool take_range(const char **s, unsigned *first, unsigned *last) {
    if (**s != '[') {
        return true;
    }
    ++*s;
    if (**s != ']') {
        if (!take_number(s, first)) {
            return false;
        }
        *last = *first;
        if (strncmp(*s, "..", 2) == 0) {
            *s += 2;
            if (!take_number(s, last)) {
                return false;
            }
        }
    }
    return *(*s)++ == ']';
}

int mf_parse_subfield(const char **text, struct mf_subfield *sf, struct ofp_error *err) {
    const char *begin = *text, *s = begin;
    while (is_word(*s)) {
        s++;
    }
    int len = s - begin > 64 ? 64 : (int)(s - begin);
    const struct mf_field *field = mf_from_name_n(begin, (size_t)(s - begin));
    if (!field) {
        char word[65], hint[256];
        snprintf(word, sizeof word, "%.*s", len, begin);
        return ofp_error_set(err, EINVAL, len ? word : "field",
                             mf_name_hint(word, hint, sizeof hint), "no field has this name");
    }
    unsigned first = 0, last = field->n_bits - 1u;
    if (!take_range(&s, &first, &last)) {
        return ofp_error_set(err, EINVAL, field->name, "FIELD[], FIELD[BIT] or FIELD[FIRST..LAST]",
                             "'%.*s' found", (int)strnlen(begin, 64), begin);
    }
    if (first > last || last >= field->n_bits) {
        return ofp_error_set(err, EINVAL, field->name, "the lower bit comes first",
                             "bits %u to %u given, but the field has 0 to %d", first, last,
                             field->n_bits - 1);
    }
    *sf = (struct mf_subfield){field, (uint16_t)first, (uint16_t)(last - first + 1), 0};
    *text = s;
    return 0;
}

void mf_format_subfield(const struct mf_subfield *sf, struct text *out) {
    if (!sf->field) {
        text_put(out, "<unknown>");
        return;
    }
    text_put(out, "%s", mf_code_name(sf->field));
    if (sf->ofs == 0 && sf->n_bits == sf->field->n_bits) {
        text_put(out, "[]");
    } else if (sf->n_bits == 1) {
        text_put(out, "[%d]", sf->ofs);
    } else {
        text_put(out, "[%d..%d]", sf->ofs, sf->ofs + sf->n_bits - 1);
    }
}
