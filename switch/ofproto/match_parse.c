// ovs-ofctl text -> match.

#include <errno.h>

#include "ofproto/match_fields.h"

// Sets bits of the match. False: they contradict what the text said before.
static bool set_bits(struct match *m, size_t offset, const void *value, const void *mask,
                     size_t n) {
    uint8_t *v = (uint8_t *)&m->flow + offset;
    uint8_t *k = (uint8_t *)&m->mask + offset;
    const uint8_t *new_v = value;
    const uint8_t *new_k = mask;
    for (size_t i = 0; i < n; i++) {
        if ((v[i] ^ new_v[i]) & k[i] & new_k[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        v[i] |= new_v[i];
        k[i] |= new_k[i];
    }
    return true;
}

static bool set_byte(struct match *m, size_t offset, uint32_t value, uint32_t mask) {
    uint8_t v = (uint8_t)value, k = (uint8_t)mask;
    return set_bits(m, offset, &v, &k, 1);
}

static bool set_be16(struct match *m, size_t offset, uint32_t value, uint32_t mask) {
    be16 v = hton16((uint16_t)value), k = hton16((uint16_t)mask);
    return set_bits(m, offset, &v, &k, 2);
}

enum outcome { SET, BAD_VALUE, CONTRADICTS };

static enum outcome outcome(bool set) {
    return set ? SET : CONTRADICTS;
}

static enum outcome set_frag(struct match *m, size_t offset, const char *text) {
    static const struct {
        const char *name;
        uint8_t value, mask;
    } kinds[] = {
        {"no", 0, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"yes", FLOW_FRAG_ANY, FLOW_FRAG_ANY},
        {"first", FLOW_FRAG_ANY, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"later", FLOW_FRAG_ANY | FLOW_FRAG_LATER, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"not_later", 0, FLOW_FRAG_LATER},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, text) == 0) {
            return outcome(set_byte(m, offset, kinds[i].value, kinds[i].mask));
        }
    }
    return BAD_VALUE;
}

static enum outcome set_vlan(struct match *m, size_t offset, uint32_t vlan) {
    if (vlan == 0xffff) {
        return outcome(set_be16(m, offset, 0, 0xffff));
    }
    if (vlan > 4095) {
        return BAD_VALUE;
    }
    return outcome(set_be16(m, offset, FLOW_VLAN_CFI | vlan, FLOW_VLAN_CFI | 0xfff));
}

// Fields whose value is a number.
static enum outcome set_number(struct match *m, const struct match_field *f, const char *text,
                               struct match_text *extra) {
    uint32_t value, mask;
    if (!value_parse_int(text, f->max, &value, &mask)) {
        return BAD_VALUE;
    }
    switch (f->kind) {
    case FIELD_TABLE: return SET; // Its only value is 0.
    case FIELD_PRIORITY:
        extra->priority = value;
        extra->has_priority = true;
        return SET;
    case FIELD_U8: return outcome(set_byte(m, f->offset, value, 0xff));
    case FIELD_BE16: // A type or code fills its two bytes.
        return outcome(set_be16(m, f->offset, value, f->maskable ? mask : 0xffff));
    case FIELD_VLAN: return set_vlan(m, f->offset, value);
    case FIELD_VLAN_VID:
    case FIELD_VLAN_TCI: return outcome(set_be16(m, f->offset, value, mask));
    case FIELD_VLAN_PCP:
        return outcome(set_be16(m, f->offset, FLOW_VLAN_CFI | value << 13, FLOW_VLAN_CFI | 0xe000));
    case FIELD_TOS: return value & 3 ? BAD_VALUE : outcome(set_byte(m, f->offset, value, 0xfc));
    case FIELD_DSCP: return outcome(set_byte(m, f->offset, value << 2, 0xfc));
    case FIELD_ECN: return outcome(set_byte(m, f->offset, value, 3));
    default: return BAD_VALUE;
    }
}

static enum outcome set_in_port(struct match *m, const char *text, const struct port_names *names) {
    uint32_t port = value_parse_port(text, names), all = UINT32_MAX;
    if (port == 0) {
        return BAD_VALUE;
    }
    return outcome(set_bits(m, offsetof(struct flow, in_port), &port, &all, sizeof port));
}

static enum outcome set_field(struct match *m, const struct match_field *f, const char *text,
                              const struct port_names *names, struct match_text *extra) {
    uint8_t value[16], mask[16];
    switch (f->kind) {
    case FIELD_PORT: return set_in_port(m, text, names);
    case FIELD_FRAG: return set_frag(m, f->offset, text);
    case FIELD_MAC:
        return value_parse_mac(text, value, mask) ? outcome(set_bits(m, f->offset, value, mask, 6))
                                                  : BAD_VALUE;
    case FIELD_IPV4:
        return value_parse_ipv4(text, value, mask) ? outcome(set_bits(m, f->offset, value, mask, 4))
                                                   : BAD_VALUE;
    case FIELD_IPV6:
        return value_parse_ipv6(text, value, mask)
                   ? outcome(set_bits(m, f->offset, value, mask, 16))
                   : BAD_VALUE;
    default: return set_number(m, f, text, extra);
    }
}

struct parser {
    const struct port_names *names;
    struct match *match;
    struct match_text *extra;
    struct ofp_error *err;
    // Prerequisites to look at when everything has been read, by the field that has them.
    unsigned n_needs;
    const struct match_field *needs[32];
};

static int parse_keyword(struct parser *p, const struct match_keyword *k) {
    if (!set_be16(p->match, offsetof(struct flow, dl_type), k->dl_type, 0xffff) ||
        (k->nw_proto && !set_byte(p->match, offsetof(struct flow, nw_proto), k->nw_proto, 0xff))) {
        return ofp_error_set(p->err, EINVAL, k->name, "keep one of the two",
                             "contradicts a protocol that the match names before");
    }
    return 0;
}

static int parse_field(struct parser *p, const struct match_field *f, const char *value) {
    if (strcmp(value, "*") == 0 || strcmp(value, "ANY") == 0) {
        return 0;
    }
    if (!f->maskable && strchr(value, '/')) {
        return ofp_error_set(p->err, EINVAL, f->name, f->form, "'%s' has a mask", value);
    }
    switch (set_field(p->match, f, value, p->names, p->extra)) {
    case SET: break;
    case BAD_VALUE: return ofp_error_set(p->err, EINVAL, f->name, f->form, "'%s' found", value);
    case CONTRADICTS:
        return ofp_error_set(p->err, EINVAL, f->name, "keep one of the two",
                             "'%s' contradicts what the match says before", value);
    }
    if (f->need != NEED_NOTHING && p->n_needs < RS_ARRAY_SIZE(p->needs)) {
        p->needs[p->n_needs++] = f;
    }
    return 0;
}

// One word: "field=value" or a keyword. Cuts it at the "=".
static int parse_word(struct parser *p, char *word) {
    char *equals = strchr(word, '=');
    if (equals) {
        *equals = '\0';
    }
    const struct match_field *field = match_field_find(word);
    const struct match_keyword *keyword = match_keyword_find(word);
    if (field && equals) {
        return parse_field(p, field, equals + 1);
    }
    if (keyword && !equals) {
        return parse_keyword(p, keyword);
    }
    if (field) {
        return ofp_error_set(p->err, EINVAL, field->name, field->form, "no value found");
    }
    if (keyword) {
        return ofp_error_set(p->err, EINVAL, keyword->name, "leave out the = and what follows",
                             "'%s' found", equals + 1);
    }
    return match_unknown_word(word, p->err);
}

static int check_prereqs(const struct parser *p) {
    for (unsigned i = 0; i < p->n_needs; i++) {
        const struct match_field *f = p->needs[i];
        if (!match_has_prereq(p->match, f->need)) {
            return ofp_error_set(p->err, EINVAL, f->name, match_prereq_hint(f->need),
                                 "the match does not say that packets have this field");
        }
    }
    return 0;
}

int match_parse(const char *text, const struct port_names *names, struct match *out,
                struct match_text *extra, struct ofp_error *err) {
    char copy[OFP_TEXT_MAX];
    size_t len = strnlen(text, sizeof copy);
    memset(out, 0, sizeof *out);
    *extra = (struct match_text){.priority = OFP_DEFAULT_PRIORITY};
    if (len == sizeof copy) {
        return ofp_error_set(err, E2BIG, "flow", "shorten it", "longer than %u bytes",
                             OFP_TEXT_MAX - 1);
    }
    memcpy(copy, text, len + 1);
    struct parser parser = {.names = names, .match = out, .extra = extra, .err = err};
    char *save;
    for (char *word = strtok_r(copy, ", \t\r\n", &save); word;
         word = strtok_r(NULL, ", \t\r\n", &save)) {
        int error = parse_word(&parser, word);
        if (error < 0) {
            return error;
        }
    }
    return check_prereqs(&parser);
}
