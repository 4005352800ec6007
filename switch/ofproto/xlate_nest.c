// Actions around actions: clone, check_pkt_larger, and the action set.

#include "ofproto/xlate_private.h"

enum { ROOM = 1024, MAX_COPIES = 64 };
#define MAX_NESTED (ODP_MAX_NESTING - 2u) // Besides the list itself and a controller's meter.

// Stack and action set as they are here, to come back to after a list that works on a copy of the packet.
struct saved {
    struct xbuf stack, action_set;
    uint64_t stack_room[ROOM / 8], set_room[ROOM / 8];
};

// How deep lists may lie inside lists. Resubmits alone do not keep this small: they may go up from table to table.
static bool may_nest(struct xlate *x) {
    if (x->copies >= MAX_COPIES || x->nested >= MAX_NESTED) {
        xlate_error(x, "over max nesting of copies: %u, %u of them in the datapath", x->copies,
                    x->nested);
        xlate_fail(x, XLATE_RECURSION_TOO_DEEP);
        return false;
    }
    return true;
}

static void save(struct xlate *x, struct saved *s) {
    x->copies++;
    s->stack = x->stack;
    s->action_set = x->action_set;
    x->stack = xbuf_on(s->stack_room, sizeof s->stack_room);
    x->action_set = xbuf_on(s->set_room, sizeof s->set_room);
    xbuf_put(x, &x->stack, s->stack.data, s->stack.len);
    xbuf_put(x, &x->action_set, s->action_set.data, s->action_set.len);
}

static void restore(struct xlate *x, struct saved *s) {
    x->copies--;
    xbuf_destroy(&x->stack);
    xbuf_destroy(&x->action_set);
    x->layer = (struct xlayer){0}; // What the list began and did not end.
    x->stack = s->stack;
    x->action_set = s->action_set;
}

// A list to its very end: with its action set, or until it freezes.
static void run_to_end(struct xlate *x, const void *ofpacts, size_t n, bool last) {
    xlate_actions(x, ofpacts, n, last, false);
    if (!x->freezing && !x->error) {
        xlate_action_set(x);
    }
    if (x->freezing && !x->error) {
        xlate_finish_freezing(x);
    }
}

// -- clone --

// Is what the list does to the datapath's packet undone by setting the packet back? Else it needs a real copy.
static bool is_reversible(const void *ofpacts, size_t n) {
    OFPACT_FOR_EACH(a, ofpacts, n) {
        switch ((enum ofpact_type)a->type) {
        case OFPACT_CT:
        case OFPACT_METER:
        case OFPACT_NAT:
        case OFPACT_OUTPUT_TRUNC:
        case OFPACT_ENCAP:
        case OFPACT_DECAP:
        case OFPACT_DEC_NSH_TTL: return false;
        default: break;
        }
    }
    return true;
}

static void clone_for_real(struct xlate *x, const void *ofpacts, size_t n) {
    xlate_commit(x); // Else it would be done twice: in the copy, and behind it.
    struct flow base = *x->base;
    bool was_mpls = x->was_mpls, conntracked = x->conntracked;
    uint32_t at = odp_begin(x->odp, ODP_CLONE, 0, 0);
    uint32_t empty = x->odp->len;
    x->nested++;
    run_to_end(x, ofpacts, n, true);
    x->nested--;
    if (x->odp->len == empty) {
        x->odp->len = at;
    } else {
        odp_end(x->odp, at);
    }
    x->conntracked = conntracked;
    x->was_mpls = was_mpls;
    *x->base = base;
}

enum xstep xlate_do_clone(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_nest *nest = (const struct ofpact_nest *)(const void *)a;
    size_t n = a->len - offsetof(struct ofpact_nest, actions);
    struct saved saved;
    struct flow before = *x->flow;
    if (!may_nest(x)) {
        return XSTEP_STOP;
    }
    xlate_commit_layer(x);
    save(x, &saved);
    if (is_reversible(nest->actions, n) || at->last) {
        run_to_end(x, nest->actions, n, at->last);
    } else {
        clone_for_real(x, nest->actions, n);
    }
    restore(x, &saved);
    *x->flow = before;
    return XSTEP_NEXT;
}

// -- check_pkt_larger: everything behind it twice, once for each answer --

struct branch { // To come back to between the two.
    struct flow flow, base;
    bool was_mpls, conntracked;
};

static void go_back(struct xlate *x, const struct branch *b) {
    *x->flow = b->flow;
    *x->base = b->base;
    x->was_mpls = b->was_mpls;
    x->conntracked = b->conntracked;
    x->layer = (struct xlayer){0}; // What the branch began and did not end.
}

static uint32_t run_branch(struct xlate *x, const struct mf_subfield *dst, bool larger,
                           const struct ofpact *rest, size_t n) {
    uint32_t start = x->odp->len;
    mf_set_subfield(dst, larger, x->flow);
    run_to_end(x, rest, n, true);
    return x->odp->len - start;
}

enum xstep xlate_do_check_pkt_larger(struct xlate *x, const struct ofpact *a,
                                     const struct xplace *at) {
    const struct ofpact_check_pkt_larger *c =
        (const struct ofpact_check_pkt_larger *)(const void *)a;
    const struct ofpact *rest = ofpact_next(a);
    size_t n = (size_t)((const uint8_t *)at->end - (const uint8_t *)rest);
    struct odp_check_pkt_len lens = {0};
    struct saved saved;
    struct branch branch;
    if (!may_nest(x)) {
        return XSTEP_STOP;
    }
    branch.flow = *x->flow;
    xlate_commit(x);
    save(x, &saved);
    x->nested++;
    branch.base = *x->base;
    branch.was_mpls = x->was_mpls;
    branch.conntracked = x->conntracked;

    uint32_t begin = x->odp->len;
    odp_begin(x->odp, ODP_CHECK_PKT_LEN, c->pkt_len, sizeof lens);
    lens.greater_len = run_branch(x, &c->dst, true, rest, n);
    go_back(x, &branch);
    bool exited = x->exit;
    x->exit = false;
    lens.less_equal_len = run_branch(x, &c->dst, false, rest, n);
    x->nested--;
    if (!x->odp->overflow) { // Also after an error: a bucket around this may forgive it.
        memcpy(x->odp->data + begin + sizeof(struct odp_action), &lens, sizeof lens);
        odp_end(x->odp, begin);
    }
    restore(x, &saved);
    go_back(x, &branch);
    x->exit = exited;
    return XSTEP_STOP;
}

// -- the action set --

void xlate_add_to_action_set(struct xlate *x, const void *ofpacts, size_t n) {
    if (!x->action_set_has_group) {
        OFPACT_FOR_EACH(a, ofpacts, n) {
            if (a->type == OFPACT_OUTPUT) {
                x->flow->actset_output = ((const struct ofpact_output *)(const void *)a)->port;
            } else if (a->type == OFPACT_GROUP) {
                x->flow->actset_output = OFPP_UNSET;
                x->action_set_has_group = true;
                break;
            }
        }
    }
    xbuf_put(x, &x->action_set, ofpacts, (uint32_t)n);
}

enum xstep xlate_do_write_actions(struct xlate *x, const struct ofpact *a,
                                  const struct xplace *at) {
    const struct ofpact_nest *nest = (const struct ofpact_nest *)(const void *)a;
    (void)at;
    xlate_add_to_action_set(x, nest->actions, a->len - offsetof(struct ofpact_nest, actions));
    xlate_say_action_set(x, "is");
    return XSTEP_NEXT;
}

enum xstep xlate_do_clear_actions(struct xlate *x, const struct ofpact *a,
                                  const struct xplace *at) {
    (void)a;
    (void)at;
    xlate_say_action_set(x, "was");
    x->action_set.len = 0;
    x->flow->actset_output = OFPP_UNSET;
    x->action_set_has_group = false;
    return XSTEP_NEXT;
}
