// Actions that steer the translation: resubmit, conjunction, note, sample, fin_timeout, tunnels, and those without arguments.

#include <inttypes.h>
#include <strings.h>

#include "ofproto/ofpact_private.h"

#define TABLE_SAME 255u

ACT_PARSE(plain) {
    (void)value;
    return act_put(p, sizeof(struct ofpact_null)) ? 0 : act_full(p);
}

ACT_FORMAT(plain) {
    text_put(f->out, "%s", ofpact_name((enum ofpact_type)a->type));
}

ACT_PARSE(tunnel) {
    struct ofpact_tunnel *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    int error = act_number(p, "tunnel id", value, UINT64_MAX, &a->tun_id);
    a->ofpact.raw = p->word->variant || a->tun_id > UINT32_MAX;
    return error;
}

ACT_FORMAT(tunnel) {
    const struct ofpact_tunnel *t = (const void *)a;
    text_put(f->out, "set_tunnel%s:%#" PRIx64, a->raw ? "64" : "", t->tun_id);
}

ACT_PARSE(fin_timeout) {
    struct ofpact_fin_timeout *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        if (strcmp(key, "idle_timeout") == 0) {
            error = act_u16(p, "timeout", text, &a->idle);
        } else if (strcmp(key, "hard_timeout") == 0) {
            error = act_u16(p, "timeout", text, &a->hard);
        } else {
            error = act_unknown_key(p, key, "idle_timeout= and hard_timeout=");
        }
    }
    return error;
}

ACT_FORMAT(fin_timeout) {
    const struct ofpact_fin_timeout *t = (const void *)a;
    text_put(f->out, "fin_timeout(");
    if (t->idle) {
        text_put(f->out, "idle_timeout=%u%s", t->idle, t->hard ? "," : "");
    }
    if (t->hard) {
        text_put(f->out, "hard_timeout=%u", t->hard);
    }
    text_put(f->out, ")");
}

ACT_CHECK(fin_timeout) {
    if (c->flow.nw_proto != 6) {
        act_misfit(c, a, "tcp");
    }
    return 0;
}

// An empty argument stays empty, unlike in act_piece(): resubmit(,1).
static char *argument(char **pos) {
    char *s = *pos;
    if (!s) {
        return NULL;
    }
    char *comma = strchr(s, ',');
    *pos = comma ? comma + 1 : NULL;
    if (comma) {
        *comma = '\0';
    }
    return *s ? s : NULL;
}

ACT_PARSE(resubmit) {
    char *pos = value, *port = argument(&pos), *table = argument(&pos), *ct = argument(&pos);
    struct ofpact_resubmit *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    uint64_t number = TABLE_SAME;
    a->in_port = OFPP_IN_PORT;
    int error = port ? act_port(p, port, &a->in_port) : 0;
    if (!error && table) {
        error = act_number(p, "table", table, UINT8_MAX, &number);
    }
    a->table = (uint8_t)number;
    if (!error && ct && strcmp(ct, "ct") != 0) {
        error = act_error(p, "resubmit(port,table,ct)", "it has no argument '%s'", ct);
    }
    a->with_ct_orig = ct != NULL;
    if (!error && a->in_port == OFPP_IN_PORT && a->table == TABLE_SAME) {
        error = act_error(p, "resubmit:port, or resubmit(,table)",
                          "the same port in the same table would go round for ever");
    }
    return error;
}

ACT_FORMAT(resubmit) {
    const struct ofpact_resubmit *r = (const void *)a;
    if (r->in_port != OFPP_IN_PORT && r->table == TABLE_SAME && !r->with_ct_orig) {
        text_put(f->out, "resubmit:");
        port_names_format(f->names, r->in_port, f->out);
        return;
    }
    text_put(f->out, "resubmit(");
    if (r->in_port != OFPP_IN_PORT) {
        port_names_format(f->names, r->in_port, f->out);
    }
    text_put(f->out, ",");
    if (r->table != TABLE_SAME) {
        text_put(f->out, "%u", r->table);
    }
    text_put(f->out, r->with_ct_orig ? ",ct)" : ")");
}

ACT_CHECK(resubmit) {
    const struct ofpact_resubmit *r = (const void *)a;
    // CT_NW_SRC and CT_IPV6_SRC are fields of tracked packets alone, which is what is asked here.
    enum mf_id tuple = act_dl_type(&c->flow) == hton16(0x86dd) ? MFF_CT_IPV6_SRC : MFF_CT_NW_SRC;
    struct mf_subfield sf = {.field = mf_from_id(tuple), .n_bits = mf_from_id(tuple)->n_bits};
    if (!r->with_ct_orig || mf_check_src(&sf, &c->flow, c->mask, NULL) == 0) {
        return 0;
    }
    return ofp_error_of(c->err, OFPERR_OFPBAC_MATCH_INCONSISTENT, "resubmit",
                        "ct_state=+trk-inv, or +est, +new …",
                        "ct needs a match on tracked packets");
}

// A number at *s, moved behind it and blanks. any_base: 0x is hexadecimal, 0 octal.
static bool number_scan(const char **s, bool any_base, uint64_t max, uint64_t *out) {
    uint64_t n = 0;
    const char *begin = *s;
    bool hex = any_base && begin[0] == '0' && (begin[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : any_base && begin[0] == '0' ? 8 : 10;
    for (*s += hex ? 2 : 0;; (*s)++) {
        char c = **s, small = (char)(c | 0x20);
        unsigned digit = c >= '0' && c <= '9'           ? (unsigned)(c - '0')
                         : small >= 'a' && small <= 'f' ? (unsigned)(small - 'a') + 10
                                                        : 16;
        if (digit >= base) {
            break;
        }
        n = n * base + digit;
        if (n > max) {
            return false;
        }
    }
    bool any = *s > begin + (hex ? 2 : 0);
    *out = n;
    *s += strspn(*s, " \t");
    return any;
}

static bool skip(const char **s, char c) {
    if (**s != c) {
        return false;
    }
    *s += 1 + strspn(*s + 1, " \t");
    return true;
}

ACT_PARSE(conjunction) {
    uint64_t id, clause, n;
    const char *s = value + strspn(value, " \t");
    if (!number_scan(&s, true, UINT32_MAX, &id) || !skip(&s, ',') ||
        !number_scan(&s, false, 255, &clause) || !skip(&s, '/') ||
        !number_scan(&s, false, 255, &n) || *s) {
        return act_error(p, "conjunction(id,k/n), as conjunction(1,1/2)", "'%s' is something else",
                         value);
    }
    if (n < 2 || n > 64 || clause < 1 || clause > n) {
        return ofp_error_of(p->err, OFPERR_NXBAC_BAD_CONJUNCTION, "conjunction",
                            "2 to 64 clauses, counted from 1", "there is no clause %u of %u",
                            (unsigned)clause, (unsigned)n);
    }
    struct ofpact_conjunction *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->id = (uint32_t)id;
    a->clause = (uint8_t)(clause - 1);
    a->n_clauses = (uint8_t)n;
    return 0;
}

ACT_FORMAT(conjunction) {
    const struct ofpact_conjunction *c = (const void *)a;
    text_put(f->out, "conjunction(%u,%u/%u)", c->id, c->clause + 1u, c->n_clauses);
}

ACT_VALIDATE(conjunction) {
    const struct ofpact_conjunction *c = (const void *)a;
    if (c->n_clauses >= 2 && c->n_clauses <= 64 && c->clause < c->n_clauses) {
        return 0;
    }
    return ofp_error_of(err, OFPERR_NXBAC_BAD_CONJUNCTION, "conjunction",
                        "2 to 64 clauses, counted from 1", "there is no clause %u of %u",
                        c->clause + 1u, c->n_clauses);
}

ACT_PARSE(note) {
    size_t n = act_hex_bytes(value, NULL);
    if (n == SIZE_MAX) {
        return act_error(p, "pairs of hexadecimal digits, as 01.2f.a0", "'%s' is something else",
                         value);
    }
    size_t padded = ((n + 2 + 7) & ~(size_t)7) - 2; // The wire has room for 8 k + 6 and no length.
    padded = padded < 6 ? 6 : padded;
    struct ofpact_note *a = act_put(p, sizeof *a + padded);
    if (!a) {
        return act_full(p);
    }
    a->length = (uint16_t)padded;
    act_hex_bytes(value, a->data);
    return 0;
}

ACT_FORMAT(note) {
    const struct ofpact_note *n = (const void *)a;
    text_put(f->out, "note:");
    act_put_dotted(f->out, n->data, n->length);
}

static int sample_argument(struct act_parser *p, const char *key, const char *text,
                           struct ofpact_sample *a) {
    if (strcmp(key, "probability") == 0) {
        return act_u16(p, "probability", text, &a->probability);
    } else if (strcmp(key, "collector_set_id") == 0) {
        return act_u32(p, "collector set", text, &a->collector_set_id);
    } else if (strcmp(key, "obs_domain_id") == 0) {
        return act_u32(p, "domain", text, &a->obs_domain_id);
    } else if (strcmp(key, "obs_point_id") == 0) {
        return act_u32(p, "point", text, &a->obs_point_id);
    } else if (strcmp(key, "sampling_port") == 0) {
        return act_port(p, text, &a->sampling_port);
    } else if (strcmp(key, "ingress") == 0) {
        a->direction = 1;
        return 0;
    } else if (strcmp(key, "egress") == 0) {
        a->direction = 2;
        return 0;
    }
    return act_unknown_key(p, key,
                           "probability, collector_set_id, obs_domain_id, obs_point_id, "
                           "sampling_port, ingress, egress");
}

ACT_PARSE(sample) {
    struct ofpact_sample *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->sampling_port = OFPP_NONE;
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        error = sample_argument(p, key, text, a);
    }
    return error;
}

ACT_FORMAT(sample) {
    const struct ofpact_sample *s = (const void *)a;
    text_put(f->out, "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,obs_point_id=%u",
             s->probability, s->collector_set_id, s->obs_domain_id, s->obs_point_id);
    if (s->sampling_port != OFPP_NONE) {
        text_put(f->out, ",sampling_port=");
        port_names_format(f->names, s->sampling_port, f->out);
    }
    text_put(f->out, s->direction == 1 ? ",ingress)" : s->direction == 2 ? ",egress)" : ")");
}

ACT_VALIDATE(sample) {
    const struct ofpact_sample *s = (const void *)a;
    return s->probability
               ? 0
               : ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "sample",
                              "probability=1 to 65535 (of 65535)", "its probability is 0");
}

ACT_FORMAT(unroll) {
    const struct ofpact_unroll *u = (const void *)a;
    text_put(f->out, "unroll_xlate(table=%u, cookie=%" PRIu64 ")", u->table, u->cookie);
}
