// Table lookups: the first one, resubmit, goto_table, output:TABLE; and what keeps them finite.
//
// Depth counts only lookups that do not go forward: going to ever higher tables ends by itself, because
// there are only so many.

#include "ofproto/xlate_private.h"

enum { MAX_STACK = 65536 };

bool xlate_resources_ok(struct xlate *x) {
    if (x->depth >= XLATE_MAX_DEPTH) {
        xlate_error(x, "over max translation depth %u", XLATE_MAX_DEPTH);
        xlate_fail(x, XLATE_RECURSION_TOO_DEEP);
    } else if (x->resubmits >= XLATE_MAX_RESUBMITS) {
        xlate_error(x, "over %u resubmit actions", XLATE_MAX_RESUBMITS);
        xlate_fail(x, XLATE_TOO_MANY_RESUBMITS);
    } else if (x->odp->overflow) {
        x->exit = true;
    } else if (x->stack.len >= MAX_STACK) {
        xlate_error(x, "resubmits yielded over 64 kB of stack");
        xlate_fail(x, XLATE_STACK_TOO_DEEP);
    } else {
        return true;
    }
    return false;
}

// A packet without its connection's original addresses has nothing to be looked up by.
static bool swap_is_possible(const struct flow *f) {
    return f->ct_nw_proto != 0 && flow_is_ip(f->dl_type);
}

#define SWAP(a, b)                                 \
    do {                                           \
        uint8_t swap_[sizeof(a)];                  \
        static_assert(sizeof(a) == sizeof(b), ""); \
        memcpy(swap_, &(a), sizeof(a));            \
        memcpy(&(a), &(b), sizeof(a));             \
        memcpy(&(b), swap_, sizeof(a));            \
    } while (0)

// The packet's own addresses and ports against those that its connection began with.
static void swap_tuple(struct flow *f, bool ipv4) {
    SWAP(f->nw_proto, f->ct_nw_proto);
    if (ipv4) {
        SWAP(f->nw_src, f->ct_nw_src);
        SWAP(f->nw_dst, f->ct_nw_dst);
    } else {
        SWAP(f->ipv6_src, f->ct_ipv6_src);
        SWAP(f->ipv6_dst, f->ct_ipv6_dst);
    }
    SWAP(f->tp_src, f->ct_tp_src);
    SWAP(f->tp_dst, f->ct_tp_dst);
}

static const struct rule *look_in(struct xlate *x, uint8_t table) {
    struct flow *wc = x->wc;
    uint32_t conj_id;
    const struct rule *rule =
        ofproto_lookup(&x->bridge->ofproto, x->version, table, x->flow, wc, &conj_id);
    if (x->credits) {
        const struct flow *in = x->in->flow;
        struct credit lookup = {.table = table, .arg = change_domain(x->flow->metadata)};
        lookup.vlan = change_unchanged(x->flow, in);
        if (in->in_port < OFP_MAX_PORTS &&
            x->flow->in_port == port_names_ofp(&x->bridge->names, in->in_port)) {
            lookup.vlan |= CHANGE_IN_PORT;
        }
        credits_lookup(x, &lookup, rule);
    }
    return rule;
}

// Does a miss in this table ask for a packet-in?
static bool miss_to_controller(const struct xlate *x, uint8_t miss, uint32_t in_port) {
    enum { DEFAULT, CONTROLLER, CONTINUE };
    if (miss != CONTROLLER && miss != CONTINUE) {
        return false;
    }
    uint32_t id;
    const struct bridge_port *port = xlate_port(x, in_port, &id);
    return port && !(port->config & OFPPC_NO_PACKET_IN);
}

const struct rule *xlate_lookup(struct xlate *x, uint32_t in_port, bool may_packet_in,
                                bool honor_miss, bool *to_controller) {
    enum { MISS_CONTINUE = 2 };
    struct flow *f = x->flow;
    uint32_t old_in_port = f->in_port;
    const struct rule *rule = NULL;
    be16 tp_src = f->tp_src, tp_dst = f->tp_dst;
    if (f->nw_frag & FLOW_FRAG_ANY) { // No ports in any fragment, so that all match the same rules.
        f->tp_src = f->tp_dst = 0;
    }
    f->in_port = in_port;
    *to_controller = false;
    for (;; x->table++) {
        rule = look_in(x, x->table);
        if (rule) {
            break;
        }
        uint8_t miss = x->bridge->ofproto.tables[x->table].miss;
        if (honor_miss && miss == MISS_CONTINUE && x->table < OFP_N_TABLES - 1) {
            continue;
        }
        *to_controller = may_packet_in && miss_to_controller(x, honor_miss ? miss : 0, old_in_port);
        break;
    }
    f->in_port = old_in_port;
    f->tp_src = tp_src;
    f->tp_dst = tp_dst;
    return rule;
}

// What a miss does that asks for a packet-in.
static const struct ofpact_controller miss_action = {
    .ofpact = {.type = OFPACT_CONTROLLER, .len = sizeof miss_action},
    .max_len = UINT16_MAX,
    .reason = 0, // no_match
};
static_assert(sizeof miss_action % 8 == 0, "a list of one");

void xlate_run_rule(struct xlate *x, const struct rule *rule, bool to_controller, bool last) {
    x->rule = rule;
    x->cookie = rule ? rule->cookie : 0;
    if (rule) {
        xlate_actions(x, rule->actions, rule->actions_len, last, false);
    } else if (to_controller) {
        xlate_actions(x, &miss_action, sizeof miss_action, last, false);
    } else {
        xlate_actions(x, NULL, 0, last, false);
        xlate_refuse(x, DROP_NO_RULE);
    }
}

void xlate_table(struct xlate *x, uint32_t in_port, uint8_t table, bool may_packet_in,
                 bool honor_miss, bool ct_orig, bool last) {
    if (unlikely(x->was_mpls)) {
        xlate_freeze(x);
        return;
    }
    if (!xlate_resources_ok(x)) {
        return;
    }
    bool ipv4 = x->flow->dl_type == hton16(0x0800);
    if (ct_orig && !swap_is_possible(x->flow)) {
        xlate_error(x, "resubmit(ct) with non-tracked or non-IP packet!");
        return;
    }
    uint8_t old_table = x->table;
    uint64_t old_cookie = x->cookie;
    const struct rule *old_rule = x->rule;
    bool deepens = table <= old_table, to_controller;
    x->table = table;
    if (ct_orig) {
        swap_tuple(x->flow, ipv4);
        swap_tuple(x->wc, ipv4);
    }
    const struct rule *rule = xlate_lookup(x, in_port, may_packet_in, honor_miss, &to_controller);
    if (ct_orig) {
        swap_tuple(x->flow, ipv4);
        swap_tuple(x->wc, ipv4);
    }
    if (unlikely(x->trace)) {
        xlate_say_rule(x, rule, table, to_controller);
    }
    uint32_t level = xlate_enter(x);
    x->resubmits++;
    x->depth += deepens;
    xlate_run_rule(x, rule, to_controller, last);
    x->depth -= deepens;
    xlate_leave(x, level);
    x->rule = old_rule;
    x->cookie = old_cookie;
    x->table = old_table;
}

enum xstep xlate_do_resubmit(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_resubmit *r = (const struct ofpact_resubmit *)(const void *)a;
    uint32_t in_port = r->in_port == OFPP_IN_PORT ? x->flow->in_port : r->in_port;
    uint8_t table = r->table == 255 ? x->table : r->table;
    xlate_table(x, in_port, table, false, false, r->with_ct_orig, at->last);
    return XSTEP_DONE;
}

enum xstep xlate_do_goto_table(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_goto *g = (const struct ofpact_goto *)(const void *)a;
    xlate_table(x, x->flow->in_port, g->table, true, true, false, at->last);
    return XSTEP_DONE;
}
