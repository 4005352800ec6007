// learn: makes a rule out of the packet.
//
// What it reads of the packet is un-wildcarded, so each learned rule has a megaflow of its own, whose use keeps the rule
// (CREDIT_LEARN).

#include "ofproto/xlate_private.h"

#include <errno.h>
#include <stdlib.h>

enum { VALUE_BYTES = sizeof(union mf_value) };

// The argument's value, right-aligned.
static void spec_value(const struct learn_spec *s, const struct flow *f, union mf_value *value) {
    memset(value, 0, sizeof *value);
    if (s->immediate) {
        memcpy(value->b + VALUE_BYTES - s->imm_bytes, s->imm, s->imm_bytes);
    } else {
        mf_read_subfield(&s->src, f, value);
    }
}

static void add_match(struct match *m, const struct learn_spec *s, const union mf_value *value) {
    const struct mf_field *mf = s->dst.field;
    union mf_value v, mask, ones;
    memset(&ones, 0xff, sizeof ones);
    mf_get_value(mf, &m->flow, &v);
    mf_get_value(mf, &m->mask, &mask);
    bits_copy(value, VALUE_BYTES, 0, &v, mf->n_bytes, s->dst.ofs, s->n_bits);
    bits_copy(&ones, VALUE_BYTES, 0, &mask, mf->n_bytes, s->dst.ofs, s->n_bits);
    match_set_field(m, mf, &v, &mask);
}

static bool add_load(struct ofpacts *list, const struct learn_spec *s,
                     const union mf_value *value) {
    const struct mf_field *mf = s->dst.field;
    union mf_value ones;
    struct ofpact_set_field *sf = ofpact_put(
        list, OFPACT_SET_FIELD, offsetof(struct ofpact_set_field, data) + 2u * mf->n_bytes);
    if (!sf) {
        return false;
    }
    memset(&ones, 0xff, sizeof ones);
    sf->ofpact.raw = 1; // load
    sf->field = mf;
    bits_copy(value, VALUE_BYTES, 0, sf->data, mf->n_bytes, s->dst.ofs, s->n_bits);
    bits_copy(&ones, VALUE_BYTES, 0, sf->data + mf->n_bytes, mf->n_bytes, s->dst.ofs, s->n_bits);
    return true;
}

static bool add_output(struct ofpacts *list, const struct learn_spec *s,
                       const union mf_value *value) {
    if (s->n_bits > 16 && bytes_any(value->b, VALUE_BYTES - 2)) {
        return true; // No port.
    }
    uint16_t port = (uint16_t)(value->b[VALUE_BYTES - 2] << 8 | value->b[VALUE_BYTES - 1]);
    if (port >= OFPP_MAX && port != OFPP_IN_PORT && port != OFPP_FLOOD && port != OFPP_LOCAL &&
        port != OFPP_ALL) {
        return true;
    }
    struct ofpact_output *o = ofpact_put(list, OFPACT_OUTPUT, sizeof *o);
    if (o) {
        o->port = port;
    }
    return o != NULL;
}

static bool add_spec(struct flow_mod *fm, const struct learn_spec *s, const struct flow *f) {
    union mf_value value;
    spec_value(s, f, &value);
    switch ((enum ofpact_learn_kind)s->kind) {
    case LEARN_MATCH: add_match(&fm->match, s, &value); return true;
    case LEARN_LOAD: return add_load(&fm->ofpacts, s, &value);
    case LEARN_OUTPUT: return add_output(&fm->ofpacts, s, &value);
    }
    return true;
}

static bool add_fin_timeout(struct ofpacts *list, const struct ofpact_learn *learn) {
    if (!learn->fin_idle_timeout && !learn->fin_hard_timeout) {
        return true;
    }
    struct ofpact_fin_timeout *t = ofpact_put(list, OFPACT_FIN_TIMEOUT, sizeof *t);
    if (t) {
        t->idle = learn->fin_idle_timeout;
        t->hard = learn->fin_hard_timeout;
    }
    return t != NULL;
}

static struct flow_mod *flow_mod_of(const struct ofpact_learn *learn, const struct flow *f) {
    struct flow_mod *fm = calloc(1, sizeof *fm);
    if (!fm) {
        return NULL;
    }
    match_init_any(&fm->match);
    fm->command = FLOW_MODIFY_STRICT;
    fm->table = learn->table;
    fm->priority = learn->priority;
    fm->idle_timeout = learn->idle_timeout;
    fm->hard_timeout = learn->hard_timeout;
    fm->new_cookie = learn->cookie;
    fm->modify_cookie = learn->cookie != UINT64_MAX;
    fm->flags = learn->flags & LEARN_SEND_FLOW_REM ? FLOW_SEND_FLOW_REM : 0;
    fm->out_port = OFPP_ANY;
    fm->out_group = OFPG_ANY;
    bool ok = add_fin_timeout(&fm->ofpacts, learn);
    LEARN_FOR_EACH_SPEC(s, learn) {
        ok = ok && add_spec(fm, s, f);
    }
    if (!ok) {
        ofpacts_destroy(&fm->ofpacts);
        free(fm);
        return NULL;
    }
    return fm;
}

static void say_rule(const struct xlate *x, const struct flow_mod *fm) {
    enum { ROOM = 8192 };
    if (likely(!x->trace)) {
        return;
    }
    char *room = malloc(ROOM);
    struct text t;
    if (!room) {
        return;
    }
    text_init(&t, room, ROOM);
    text_put(&t, "table=%u ", fm->table);
    match_format(&fm->match, OFP_DEFAULT_PRIORITY, OFP_DEFAULT_PRIORITY, NULL, &t);
    text_put(&t, " priority=%u", fm->priority);
    if (fm->new_cookie) {
        text_put(&t, " cookie=0x%llx", (unsigned long long)fm->new_cookie);
    }
    if (fm->idle_timeout) {
        text_put(&t, " idle=%u", fm->idle_timeout);
    }
    if (fm->hard_timeout) {
        text_put(&t, " hard=%u", fm->hard_timeout);
    }
    text_put(&t, "%s actions=", fm->flags & FLOW_SEND_FLOW_REM ? " send_flow_rem" : "");
    ofpacts_format(fm->ofpacts.data, fm->ofpacts.len, NULL, &t);
    xlate_detail(x, "%s", room);
    free(room);
}

static void destroy_flow_mod(struct flow_mod *fm) {
    ofpacts_destroy(&fm->ofpacts);
    free(fm);
}

// The rule is made (or refreshed) now, and again whenever the megaflow carries packets.
static void learn(struct xlate *x, const struct ofpact_learn *l, struct flow_mod *fm) {
    bool limited = false;
    int error = 0;
    if (x->in->side_effects) {
        error = ofproto_learn(&x->bridge->ofproto, fm, l->limit, &limited);
    }
    if (error && error != -EAGAIN) {
        xlate_error(x, "LEARN action execution failed (%s).", strerror(-error));
        destroy_flow_mod(fm);
        return;
    }
    if (l->result_dst.field) {
        xlate_load(x, &l->result_dst, !limited);
    }
    if (limited) {
        xlate_detail(x, "Limit exceeded, learn failed");
    }
    if (limited && x->credits) {
        credits_add(x, &(struct credit){.type = CREDIT_LEARN_FULL, .table = l->table});
    }
    // Whether there would be room now nobody knows without trying, so the next packet must.
    x->out->slow |= !x->in->side_effects && l->limit;
    if (limited || !x->credits) {
        destroy_flow_mod(fm);
    } else {
        credits_add(x, &(struct credit){.type = CREDIT_LEARN, .arg = l->limit, .learn = fm});
    }
}

enum xstep xlate_do_learn(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_learn *l = (const struct ofpact_learn *)(const void *)a;
    (void)at;
    LEARN_FOR_EACH_SPEC(s, l) {
        if (!s->immediate) {
            mf_mask_subfield(&s->src, x->wc);
        }
    }
    if (!x->in->side_effects && (!x->credits || x->trace)) {
        xlate_warn(x, "suppressing side effects, so learn action ignored");
        return XSTEP_NEXT;
    }
    struct flow_mod *fm = flow_mod_of(l, x->flow);
    if (!fm) {
        xlate_fail(x, XLATE_NO_MEMORY);
        return XSTEP_NEXT;
    }
    say_rule(x, fm);
    learn(x, l, fm);
    return XSTEP_NEXT;
}
