// bundle, bundle_load, multipath: choosing by a hash.

#include <strings.h>

#include "ofproto/ofpact_private.h"

static const char *const fields[NX_HASH_N] = {
    [NX_HASH_ETH_SRC] = "eth_src",
    [NX_HASH_SYMMETRIC_L4] = "symmetric_l4",
    [NX_HASH_SYMMETRIC_L3L4] = "symmetric_l3l4",
    [NX_HASH_SYMMETRIC_L3L4_UDP] = "symmetric_l3l4+udp",
    [NX_HASH_NW_SRC] = "nw_src",
    [NX_HASH_NW_DST] = "nw_dst",
    [NX_HASH_SYMMETRIC_L3] = "symmetric_l3",
};
static const char *const bundle_algorithms[] =
    {[BUNDLE_ACTIVE_BACKUP] = "active_backup", [BUNDLE_HRW] = "hrw"};
static const char *const multipath_algorithms[] = {[MULTIPATH_MODULO_N] = "modulo_n",
                                                   [MULTIPATH_HASH_THRESHOLD] = "hash_threshold",
                                                   [MULTIPATH_HRW] = "hrw",
                                                   [MULTIPATH_ITER_HASH] = "iter_hash"};

static int choice_parse(struct act_parser *p, const char *what, const char *text,
                        const char *const *names, size_t n, uint8_t *out) {
    char hint[128] = "";
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(text, names[i]) == 0) {
            *out = (uint8_t)i;
            return 0;
        }
        size_t len = strlen(hint);
        snprintf(hint + len, sizeof hint - len, "%s%s", i ? ", " : "", names[i]);
    }
    return act_error(p, hint, "there is no %s '%s'", what, text);
}
#define CHOICE(p, what, text, names, out) \
    choice_parse(p, what, text, names, RS_ARRAY_SIZE(names), out)

static const char *choice_name(const char *const *names, size_t n, unsigned i) {
    return i < n ? names[i] : "?";
}
#define CHOICE_NAME(names, i) choice_name(names, RS_ARRAY_SIZE(names), i)

static int basis_parse(struct act_parser *p, const char *text, uint16_t *out) {
    return act_u16(p, "basis", text, out);
}

struct bundle_args {
    uint8_t algorithm, fields;
    uint16_t basis, n_members;
    struct mf_subfield dst;
    char *words[6]; // fields, basis, algorithm, ofport, [destination,] members.
    uint16_t members[BUNDLE_MAX_MEMBERS];
};

static int members_parse(struct act_parser *p, char *pos, struct bundle_args *args) {
    char *member;
    while ((member = act_piece(&pos, ", []"))) {
        if (args->n_members == BUNDLE_MAX_MEMBERS) {
            return act_error(p, "use a select group", "it has more than %u members",
                             BUNDLE_MAX_MEMBERS);
        }
        int error = act_port(p, member, &args->members[args->n_members]);
        if (error < 0) {
            return error;
        }
        args->n_members++;
    }
    return 0;
}

static int bundle_words_parse(struct act_parser *p, bool load, struct bundle_args *args) {
    char **w = args->words;
    const char *type = w[3], *members = w[load ? 5 : 4];
    int error = CHOICE(p, "hash of fields", w[0], fields, &args->fields);
    error = error ? error : basis_parse(p, w[1], &args->basis);
    error = error ? error : CHOICE(p, "algorithm", w[2], bundle_algorithms, &args->algorithm);
    if (!error && strcasecmp(type, "ofport") != 0) {
        error = act_error(p, "ofport", "members are not of type '%s'", type);
    }
    if (!error && load) {
        error = act_subfield(p, w[4], &args->dst);
    }
    if (!error && strcasecmp(members, "members") != 0 && strcasecmp(members, "slaves") != 0) {
        error = act_error(p, "members:1,2,3", "'%s' stands where members are", members);
    }
    return error;
}

ACT_PARSE(bundle) {
    struct bundle_args args = {.n_members = 0};
    bool load = p->word->variant;
    unsigned n = load ? 6 : 5;
    char *pos = value;
    for (unsigned i = 0; i < n; i++) {
        args.words[i] = act_piece(&pos, i + 1 < n ? ", " : ": ");
        if (!args.words[i]) {
            return act_error(p,
                             load ? "bundle_load(fields,basis,algorithm,ofport,field,members:…)"
                                  : "bundle(fields,basis,algorithm,ofport,members:…)",
                             "it has too few arguments");
        }
    }
    int error = bundle_words_parse(p, load, &args);
    error = error ? error : members_parse(p, pos, &args);
    if (error < 0) {
        return error;
    }
    size_t bytes = args.n_members * sizeof args.members[0];
    struct ofpact_bundle *a = act_put(p, sizeof *a + bytes);
    if (!a) {
        return act_full(p);
    }
    a->algorithm = args.algorithm;
    a->fields = args.fields;
    a->basis = args.basis;
    a->dst = args.dst;
    a->n_members = args.n_members;
    memcpy(a->members, args.members, bytes);
    return 0;
}

ACT_FORMAT(bundle) {
    const struct ofpact_bundle *b = (const void *)a;
    text_put(f->out, "%s(%s,%u,%s,ofport,", b->dst.field ? "bundle_load" : "bundle",
             CHOICE_NAME(fields, b->fields), b->basis,
             CHOICE_NAME(bundle_algorithms, b->algorithm));
    if (b->dst.field) {
        mf_format_subfield(&b->dst, f->out);
        text_put(f->out, ",");
    }
    text_put(f->out, "members:");
    for (unsigned i = 0; i < b->n_members; i++) {
        text_put(f->out, i ? "," : "");
        port_names_format(f->names, b->members[i], f->out);
    }
    text_put(f->out, ")");
}

static int refuse(struct ofp_error *err, const struct ofpact *a, const char *hint,
                  const char *message) {
    return ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, ofpact_name((enum ofpact_type)a->type),
                        hint, "%s", message);
}

ACT_VALIDATE(bundle) {
    const struct ofpact_bundle *b = (const void *)a;
    if (b->fields >= NX_HASH_N || b->algorithm > BUNDLE_HRW || b->n_members > BUNDLE_MAX_MEMBERS) {
        return refuse(err, a, NULL, "an argument is out of its range");
    }
    if (!b->dst.field) {
        return 0;
    }
    if (b->dst.n_bits < 16 || !act_has_plain_code(b->dst.field)) {
        return refuse(err, a, "16 bits or more, as reg0[0..15]",
                      "its destination has no room for a port");
    }
    return mf_check_dst(&b->dst, NULL, NULL, err);
}

ACT_CHECK(bundle) {
    const struct ofpact_bundle *b = (const void *)a;
    int error = b->dst.field ? mf_check_dst(&b->dst, &c->flow, c->mask, c->err) : 0;
    for (unsigned i = 0; i < b->n_members && !error; i++) {
        uint32_t port = b->members[i];
        if (port != OFPP_NONE) {
            error = act_output_port_check(c, a, port);
        }
        if (!error && port == OFPP_CONTROLLER) {
            error = ofp_error_of(c->err, OFPERR_OFPBAC_BAD_OUT_PORT, "bundle",
                                 "output ports of the switch", "CONTROLLER cannot be a member");
        }
    }
    return error;
}

ACT_PARSE(multipath) {
    char *words[6], *pos = value;
    uint64_t links = 0;
    for (unsigned i = 0; i < RS_ARRAY_SIZE(words); i++) {
        words[i] = act_piece(&pos, ", ");
        if (!words[i]) {
            return act_error(p, "multipath(fields,basis,algorithm,n_links,arg,field)",
                             "it has too few arguments");
        }
    }
    struct ofpact_multipath *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    int error = CHOICE(p, "hash of fields", words[0], fields, &a->fields);
    error = error ? error : basis_parse(p, words[1], &a->basis);
    error = error ? error : CHOICE(p, "algorithm", words[2], multipath_algorithms, &a->algorithm);
    error = error ? error : act_number(p, "number of links", words[3], 65536, &links);
    if (!error && links == 0) {
        error = act_error(p, "1 to 65536", "it has no links");
    }
    a->max_link = (uint16_t)(links - 1);
    error = error ? error : act_u32(p, "argument", words[4], &a->arg);
    return error ? error : act_subfield(p, words[5], &a->dst);
}

ACT_FORMAT(multipath) {
    const struct ofpact_multipath *m = (const void *)a;
    text_put(f->out, "multipath(%s,%u,%s,%u,%u,", CHOICE_NAME(fields, m->fields), m->basis,
             CHOICE_NAME(multipath_algorithms, m->algorithm), m->max_link + 1u, m->arg);
    mf_format_subfield(&m->dst, f->out);
    text_put(f->out, ")");
}

ACT_VALIDATE(multipath) {
    const struct ofpact_multipath *m = (const void *)a;
    if (m->fields >= NX_HASH_N || m->algorithm > MULTIPATH_ITER_HASH) {
        return refuse(err, a, NULL, "an argument is out of its range");
    }
    if ((m->dst.n_bits < 16 && m->max_link >> m->dst.n_bits) || !act_has_plain_code(m->dst.field)) {
        return refuse(err, a, "fewer links, or more bits of the destination",
                      "its destination has no room for all links");
    }
    return mf_check_dst(&m->dst, NULL, NULL, err);
}

ACT_CHECK(multipath) {
    const struct ofpact_multipath *m = (const void *)a;
    return mf_check_dst(&m->dst, &c->flow, c->mask, c->err);
}
