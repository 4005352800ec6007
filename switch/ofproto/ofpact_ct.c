// ct: connection tracking, with what it does to the connection and its packets.

#include "ofproto/ofpact_private.h"

#define NO_TABLE  255u
#define PORT_FTP  21u
#define PORT_TFTP 69u

static int zone_parse(struct act_parser *p, const char *value, uint32_t offset) {
    uint16_t zone = 0;
    struct mf_subfield src = {0};
    struct act_parser quiet = *p;
    quiet.err = NULL;
    int error = act_u16(&quiet, "zone", value, &zone) < 0 ? act_subfield(p, value, &src) : 0;
    struct ofpact_ct *a = (void *)(p->out->data + offset);
    a->zone_imm = zone;
    a->zone_src = src;
    return error;
}

static int alg_parse(struct act_parser *p, const char *value, uint16_t *alg) {
    *alg = strcmp(value, "ftp") == 0 ? PORT_FTP : strcmp(value, "tftp") == 0 ? PORT_TFTP : 0;
    return *alg ? 0 : act_error(p, "ftp or tftp", "there is no helper '%s'", value);
}

static int table_parse(struct act_parser *p, const char *value, uint8_t *table) {
    uint64_t number = 0;
    int error = act_number(p, "table", value, NO_TABLE - 1, &number);
    *table = (uint8_t)number;
    return error;
}

// nat and exec are lists within; all else is an argument of ct itself.
static int argument_parse(struct act_parser *p, const char *key, char *value, uint32_t offset) {
    struct ofpact_ct *a = (void *)(p->out->data + offset);
    if (strcmp(key, "commit") == 0) {
        a->flags |= CT_COMMIT;
        return 0;
    } else if (strcmp(key, "force") == 0) {
        a->flags |= CT_FORCE;
        return 0;
    } else if (strcmp(key, "table") == 0) {
        return table_parse(p, value, &a->recirc_table);
    } else if (strcmp(key, "zone") == 0) {
        return zone_parse(p, value, offset);
    } else if (strcmp(key, "alg") == 0) {
        return alg_parse(p, value, &a->alg);
    } else if (strcmp(key, "nat") == 0) {
        const struct act_word *ct = p->word;
        p->word = act_word_find("nat");
        int error = act_nat_parse(p, value);
        p->word = ct;
        return error;
    } else if (strcmp(key, "exec") == 0) {
        return act_parse_list(p, value, false, OFPACT_CT);
    }
    return act_unknown_key(p, key, "commit, force, table=, zone=, alg=, nat(), exec()");
}

ACT_PARSE(ct) {
    uint32_t offset = p->out->len;
    struct ofpact_ct *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->recirc_table = NO_TABLE;
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        error = argument_parse(p, key, text, offset);
    }
    ofpact_close(p->out, offset);
    return error;
}

static void zone_format(const struct ofpact_ct *ct, struct text *out) {
    if (ct->zone_src.field) {
        text_put(out, "zone=");
        mf_format_subfield(&ct->zone_src, out);
        text_put(out, ",");
    } else if (ct->zone_imm) {
        text_put(out, "zone=%u,", ct->zone_imm);
    }
}

static void alg_format(uint16_t alg, struct text *out) {
    if (alg == PORT_FTP || alg == PORT_TFTP) {
        text_put(out, "alg=%s,", alg == PORT_FTP ? "ftp" : "tftp");
    } else if (alg) {
        text_put(out, "alg=%u,", alg);
    }
}

ACT_FORMAT(ct) {
    const struct ofpact_ct *ct = (const void *)a;
    size_t n;
    const struct ofpact *list = ofpact_nested(a, &n);
    text_put(f->out, "ct(%s%s", ct->flags & CT_COMMIT ? "commit," : "",
             ct->flags & CT_FORCE ? "force," : "");
    if (ct->recirc_table != NO_TABLE) {
        text_put(f->out, "table=%u,", ct->recirc_table);
    }
    zone_format(ct, f->out);
    if (n > 0 && list->type == OFPACT_NAT) {
        act_nat_format(f, list);
        text_put(f->out, ",");
        n -= list->len;
        list = ofpact_next(list);
    }
    if (n > 0) {
        text_put(f->out, "exec(");
        act_format_list(f, list, n);
        text_put(f->out, "),");
    }
    alg_format(ct->alg, f->out);
    text_chomp(f->out, ',');
    text_put(f->out, ")");
}

static bool is_plain_nat(const struct ofpact *a) {
    const struct ofpact_nat *nat = (const void *)a;
    return a->type == OFPACT_NAT && !nat->flags && !nat->range_af;
}

ACT_VALIDATE(ct) {
    const struct ofpact_ct *ct = (const void *)a;
    size_t n;
    const void *list = ofpact_nested(a, &n);
    if (ct->flags & CT_FORCE && !(ct->flags & CT_COMMIT)) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "ct", "ct(commit,force)",
                            "force is for commit alone");
    }
    if (ct->zone_src.field) {
        int error = mf_check_src(&ct->zone_src, NULL, NULL, err);
        if (error < 0) {
            return error;
        }
        if (ct->zone_src.n_bits != 16) {
            return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_LEN, "ct", "zone=reg0[0..15]",
                                "a zone has 16 bits, not %u", ct->zone_src.n_bits);
        }
    }
    int error = act_verify(list, n, false, OFPACT_CT, err);
    OFPACT_FOR_EACH(inner, list, n) {
        if (!error && !(ct->flags & CT_COMMIT) && !is_plain_nat(inner)) {
            error = ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "ct", "ct(commit,…)",
                                 "without commit it can have nat alone, without arguments");
        }
    }
    return error;
}

ACT_CHECK(ct) {
    const struct ofpact_ct *ct = (const void *)a;
    const struct flow *flow = &c->flow;
    bool commit = ct->flags & CT_COMMIT;
    const char *needs = !flow_is_ip(act_dl_type(flow))                 ? "ip or ipv6"
                        : commit && (flow->ct_state & FLOW_CS_INV)     ? "a valid connection"
                        : ct->alg == PORT_FTP && flow->nw_proto != 6   ? "tcp, for alg=ftp"
                        : ct->alg == PORT_TFTP && flow->nw_proto != 17 ? "udp, for alg=tftp"
                                                                       : NULL;
    if (needs) {
        return ofp_error_of(c->err, OFPERR_OFPBAC_MATCH_INCONSISTENT, "ct", "say so in the match",
                            "it needs %s", needs);
    }
    int error = ct->zone_src.field ? mf_check_src(&ct->zone_src, flow, c->mask, c->err) : 0;
    return error ? error : act_check_list(c, (uint8_t *)a + sizeof *ct, a->len - sizeof *ct);
}
