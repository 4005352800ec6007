// Matches and flows: from text, as ovs-ofctl(8), "Flow Syntax", has it. Of two words that say different
// things of one field the last one counts, as there.

#include <errno.h>

#include "ofproto/match_private.h"
#include "ofproto/ofproto.h"

#define BLANKS ", \t\r\n"

struct parser {
    const struct port_names *names;
    struct match *match;
    struct flow_text *extra;
    struct ofp_error *err;
    struct match_used used;
};

// -- words that are no fields --

enum option {
    OPT_PRIORITY,
    OPT_TABLE,
    OPT_IDLE_TIMEOUT,
    OPT_HARD_TIMEOUT,
    OPT_IMPORTANCE,
    OPT_COOKIE,
    OPT_OUT_PORT,
    OPT_OUT_GROUP,
    OPT_N_PACKETS,
    OPT_N_BYTES,
    OPT_SKIPPED, // What a dump says beside the flow.
    OPT_FLAG,    // Without a value.
};

static const struct option_word {
    const char *name;
    enum option option;
    uint32_t flag; // Of OPT_FLAG; or the largest value.
    const char *form;
} options[] = {
    {"priority", OPT_PRIORITY, 65535, "a number from 0 to 65535"},
    {"table", OPT_TABLE, 255, "a number from 0 to 254"},
    {"cookie", OPT_COOKIE, 0, "a number of 64 bits, or VALUE/MASK to choose flows"},
    {"idle_timeout", OPT_IDLE_TIMEOUT, 65535, "seconds from 0 to 65535"},
    {"hard_timeout", OPT_HARD_TIMEOUT, 65535, "seconds from 0 to 65535"},
    {"importance", OPT_IMPORTANCE, 65535, "a number from 0 to 65535"},
    {"out_port", OPT_OUT_PORT, 0, "a port's number or name"},
    {"out_group", OPT_OUT_GROUP, 0, "a group's number, or ANY"},
    {"n_packets", OPT_N_PACKETS, 0, "a number"},
    {"n_bytes", OPT_N_BYTES, 0, "a number"},
    {"duration", OPT_SKIPPED, 0, ""},
    {"idle_age", OPT_SKIPPED, 0, ""},
    {"hard_age", OPT_SKIPPED, 0, ""},
    {"send_flow_rem", OPT_FLAG, FLOW_SEND_FLOW_REM, ""},
    {"check_overlap", OPT_FLAG, FLOW_CHECK_OVERLAP, ""},
    {"reset_counts", OPT_FLAG, FLOW_RESET_COUNTS, ""},
    {"no_packet_counts", OPT_FLAG, FLOW_NO_PKT_COUNTS, ""},
    {"no_byte_counts", OPT_FLAG, FLOW_NO_BYT_COUNTS, ""},
    {"no_readonly_table", OPT_FLAG, 0, ""}, // These two mean nothing in a text there, nor here.
    {"allow_hidden_fields", OPT_FLAG, 0, ""},
};

static bool parse_cookie(char *value, struct flow_text *extra) {
    char *slash = strchr(value, '/');
    if (!slash) { // The rule's own.
        extra->has_cookie = true;
        return text_parse_u64(value, UINT64_MAX, &extra->new_cookie);
    }
    *slash = '\0';
    return text_parse_u64(value, UINT64_MAX, &extra->cookie) &&
           text_parse_u64(slash + 1, UINT64_MAX, &extra->cookie_mask);
}

static bool parse_group(const char *value, uint32_t *group) {
    uint64_t n;
    if (strcmp(value, "ANY") == 0 || strcmp(value, "any") == 0) {
        *group = OFPG_ANY;
        return true;
    }
    if (!text_parse_u64(value, OFPG_MAX, &n)) {
        return false;
    }
    *group = (uint32_t)n;
    return true;
}

static bool set_option(struct parser *p, const struct option_word *w, char *value) {
    struct flow_text *x = p->extra;
    uint64_t n = 0;
    if (w->flag && !text_parse_u64(value, w->flag, &n)) {
        return false;
    }
    switch (w->option) {
    case OPT_PRIORITY:
        x->priority = (uint32_t)n;
        x->has_priority = true;
        return true;
    case OPT_TABLE: x->table = (uint8_t)n; return true;
    case OPT_IDLE_TIMEOUT: x->idle_timeout = (uint16_t)n; return true;
    case OPT_HARD_TIMEOUT: x->hard_timeout = (uint16_t)n; return true;
    case OPT_IMPORTANCE: x->importance = (uint16_t)n; return true;
    case OPT_COOKIE: return parse_cookie(value, x);
    case OPT_OUT_PORT: return port_names_parse(p->names, value, &x->out_port) == 0;
    case OPT_OUT_GROUP: return parse_group(value, &x->out_group);
    case OPT_N_PACKETS: return text_parse_u64(value, UINT64_MAX, &x->n_packets);
    case OPT_N_BYTES: return text_parse_u64(value, UINT64_MAX, &x->n_bytes);
    case OPT_SKIPPED:
    case OPT_FLAG: return true;
    }
    return false;
}

static const struct option_word *option_find(const char *name) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static int parse_option(struct parser *p, const struct option_word *w, char *value) {
    if (w->option == OPT_FLAG) {
        p->extra->flags |= (uint16_t)w->flag;
        return value ? ofp_error_set(p->err, EINVAL, w->name, "leave out the = and what follows",
                                     "'%.100s' found", value)
                     : 0;
    }
    if (!value) {
        return ofp_error_set(p->err, EINVAL, w->name, w->form, "no value found");
    }
    if (!set_option(p, w, value)) {
        return ofp_error_set(p->err, EINVAL, w->name, w->form, "'%.100s' found", value);
    }
    return 0;
}

// -- fields --

static void mark_used(struct parser *p, const struct mf_field *mf, const char *name) {
    if (strncmp(name, "tp_src", 6) == 0) { // Or tp_src[0..3].
        p->used.tp_src = true;
    } else if (strncmp(name, "tp_dst", 6) == 0) {
        p->used.tp_dst = true;
    } else {
        p->used.fields[mf->id / 64] |= UINT64_C(1) << mf->id % 64;
        p->used.names[mf->id] = name;
    }
}

static int parse_field(struct parser *p, const struct mf_field *mf, const char *name,
                       const char *value) {
    union mf_value v, mask;
    bool is_option = mf->id >= MFF_TUN_METADATA0 && mf->id <= MFF_TUN_METADATA63;
    if (!value && !is_option) { // A tunnel option's name alone: it is there.
        return ofp_error_set(p->err, EINVAL, name, "write FIELD=VALUE", "no value found");
    }
    int error = mf_parse(mf, value ? value : "0/0", p->names, &v, &mask, p->err);
    if (error) {
        if (p->err) { // By the name that the text uses.
            snprintf(p->err->field, sizeof p->err->field, "%s", name);
        }
        return error;
    }
    match_set_field(p->match, mf, &v, &mask);
    if (is_option || !bits_all(&mask, mf->n_bytes, 0, 8u * mf->n_bytes, false)) {
        mark_used(p, mf, name);
    }
    return 0;
}

// "reg0[0..3]=5": some bits of a field, the others as they are.
static int parse_bits(struct parser *p, const char *name, const char *value) {
    static const union mf_value ones = {.b = {[0 ... 127] = 0xff}};
    const char *end = name, *s = value;
    union mf_value bits, v, mask;
    struct mf_subfield sf;
    int error = mf_parse_subfield(&end, &sf, p->err);
    if (error) {
        return error;
    }
    const struct mf_field *mf = sf.field;
    if (*end || !value || text_take_number(&s, bits.b, mf->n_bytes) != NUMBER_OK || *s ||
        !bits_all(&bits, mf->n_bytes, sf.n_bits, 8u * mf->n_bytes - sf.n_bits, false)) {
        return ofp_error_set(p->err, EINVAL, mf->name, "FIELD[FIRST..LAST]=NUMBER",
                             "'%.100s' found, which is no number of %d bits", value ? value : "",
                             sf.n_bits);
    }
    mf_get_value(mf, &p->match->flow, &v);
    mf_get_value(mf, &p->match->mask, &mask);
    bits_copy(&bits, mf->n_bytes, 0, &v, mf->n_bytes, sf.ofs, sf.n_bits);
    bits_copy(&ones, mf->n_bytes, 0, &mask, mf->n_bytes, sf.ofs, sf.n_bits);
    if (mf->maskable == MFM_NONE && !mf_is_mask_exact(mf, &mask)) {
        return ofp_error_set(p->err, EINVAL, mf->name, "match all of its bits",
                             "this field cannot be matched in part");
    }
    if (!mf_is_value_valid(mf, &v)) {
        return ofp_error_set(p->err, EINVAL, mf->name, "ovs-fields(7) says which values it has",
                             "it never has the value '%.100s'", value);
    }
    match_set_field(p->match, mf, &v, &mask);
    mark_used(p, mf, name[0] == 't' && name[1] == 'p' ? name : mf->name);
    return 0;
}

static void set_number(struct match *m, enum mf_id id, uint64_t number) {
    const struct mf_field *mf = mf_from_id(id);
    union mf_value value;
    mf_value_from_number(mf, number, &value);
    match_set_field(m, mf, &value, NULL);
}

static int parse_protocol(struct parser *p, const struct match_word *w, const char *value) {
    if (value) {
        return ofp_error_set(p->err, EINVAL, w->name, "leave out the = and what follows",
                             "'%.100s' found", value);
    }
    set_number(p->match, MFF_ETH_TYPE, w->dl_type);
    if (w->nw_proto) {
        set_number(p->match, MFF_IP_PROTO, w->nw_proto);
    }
    return 0;
}

// -- the text --

// One word, cut in two; value NULL = there is none.
static int parse_word(struct parser *p, const char *name, char *value) {
    const struct match_word *word;
    const struct option_word *option;
    const struct mf_field *mf = mf_from_name(name);
    if (mf) {
        return parse_field(p, mf, name, value);
    }
    if ((word = match_word_find(name))) {
        return parse_protocol(p, word, value);
    }
    if ((option = option_find(name))) {
        return parse_option(p, option, value);
    }
    if (strcmp(name, "eth") == 0 && !value) {
        set_number(p->match, MFF_PACKET_TYPE, 0);
        return 0;
    }
    return strchr(name, '[') ? parse_bits(p, name, value) : match_unknown_word(name, p->err);
}

// Where the word at s ends. Commas and blanks between parentheses are part of it, and so are those between quotes.
static char *word_end(char *s) {
    int depth = 0;
    bool quoted = false;
    for (; *s; s++) {
        if (*s == '"') {
            quoted = !quoted;
        } else if (quoted) {
            s += *s == '\\' && s[1];
        } else if (*s == '(') {
            depth++;
        } else if (*s == ')') {
            depth -= depth > 0;
        } else if (depth == 0 && strchr(BLANKS, *s)) {
            break;
        }
    }
    return s;
}

// "actions=…" or "action = …" at s: what stands behind the "=", else NULL.
static const char *actions_at(const char *s) {
    if (strncmp(s, "action", 6) != 0) {
        return NULL;
    }
    s += s[6] == 's' ? 7 : 6;
    s += strspn(s, " \t\r\n");
    return *s == '=' ? s + 1 : NULL;
}

int match_parse(const char *text, const struct port_names *names, struct match *out,
                struct flow_text *extra, struct ofp_error *err) {
    char copy[OFP_TEXT_MAX];
    struct parser p;
    p.names = names;
    p.match = out;
    p.extra = extra;
    p.err = err;
    memset(p.used.fields, 0, sizeof p.used.fields); // Its names count where these say so.
    p.used.tp_src = p.used.tp_dst = false;
    size_t len = strnlen(text, sizeof copy);
    match_init_any(out);
    *extra = (struct flow_text){.priority = OFP_DEFAULT_PRIORITY,
                                .table = 255,
                                .out_port = OFPP_ANY,
                                .out_group = OFPG_ANY};
    if (len == sizeof copy) {
        return ofp_error_set(err, E2BIG, "flow", "shorten it", "longer than %u bytes",
                             OFP_TEXT_MAX - 1);
    }
    memcpy(copy, text, len + 1);
    for (char *s = copy; *(s += strspn(s, BLANKS));) {
        const char *actions = actions_at(s);
        if (actions) {
            extra->actions = text + (actions - copy);
            break;
        }
        char *name = s, *equals;
        s = word_end(s);
        if (*s) {
            *s++ = '\0';
        }
        if ((equals = strpbrk(name, "=:"))) { // ovs-ofctl takes either.
            *equals++ = '\0';
        }
        int error = parse_word(&p, name, equals);
        if (error) {
            return error;
        }
    }
    return match_check_prereqs(out, &p.used, err);
}
