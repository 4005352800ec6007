// The frame of a translation: what it starts from and what it leaves.
//
//     datapath key ─▶ thaw (recirc_id ≠ 0) or table 0 ─▶ actions ─▶ action set ─▶ freeze, or done
//                                                          │
//                                            odp list, wc, credits, final flow

#include "ofproto/xlate_private.h"

#include <stdlib.h>

enum { STACK_ROOM = 512, ACTION_SET_ROOM = 1024, FROZEN_ROOM = 1024 };

static const struct {
    const char *text; // In OVS's words.
    enum drop_reason drop;
} errors[XLATE_N_ERRORS] = {
    [XLATE_OK] = {"OK", DROP_NONE},
    [XLATE_BRIDGE_NOT_FOUND] = {"Bridge not found", DROP_NO_RULE},
    [XLATE_RECURSION_TOO_DEEP] = {"Recursion too deep", DROP_TOO_DEEP},
    [XLATE_TOO_MANY_RESUBMITS] = {"Too many resubmits", DROP_TOO_MANY_RESUBMITS},
    [XLATE_STACK_TOO_DEEP] = {"Stack too deep", DROP_STACK_TOO_DEEP},
    [XLATE_NO_RECIRCULATION_CONTEXT] = {"No recirculation context", DROP_RECIRC_UNKNOWN},
    [XLATE_TOO_MANY_MPLS_LABELS] = {"Too many MPLS labels", DROP_MPLS_TOO_DEEP},
    [XLATE_INVALID_TUNNEL_METADATA] = {"Invalid tunnel metadata", DROP_TUNNEL_METADATA},
    [XLATE_UNSUPPORTED_PACKET_TYPE] = {"Unsupported packet type", DROP_PACKET_TYPE},
    [XLATE_CONGESTION_DROP] = {"Congestion Drop", DROP_CONGESTION},
    [XLATE_FORWARDING_DISABLED] = {"Forwarding is disabled", DROP_PORT_NO_RECV},
    [XLATE_NO_MEMORY] = {"No memory", DROP_NO_MEMORY},
};

const char *xlate_strerror(enum xlate_error e) {
    return (unsigned)e < XLATE_N_ERRORS ? errors[e].text : "Unknown error";
}

void xlate_fail(struct xlate *x, enum xlate_error e) {
    x->error = e;
    x->why = errors[e].drop;
}

void xbuf_destroy(struct xbuf *b) {
    if (b->owned) {
        free(b->data);
    }
}

bool xbuf_put(struct xlate *x, struct xbuf *b, const void *bytes, uint32_t n) {
    if (unlikely(n > b->cap - b->len)) {
        uint32_t cap = b->cap * 2 > b->len + n ? b->cap * 2 : b->len + n;
        uint8_t *data = realloc(b->owned ? b->data : NULL, cap);
        if (!data) {
            xlate_fail(x, XLATE_NO_MEMORY);
            return false;
        }
        if (!b->owned) {
            memcpy(data, b->data, b->len);
        }
        b->data = data;
        b->cap = cap;
        b->owned = true;
    }
    if (n > 0) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
    return true;
}

static inline uint64_t words_differ(const struct flow *a, const struct flow *b, size_t from,
                                    size_t to) {
    const uint64_t *p = flow_words_const(a), *q = flow_words_const(b);
    uint64_t differ = 0;
    for (size_t i = from / sizeof *p; i < to / sizeof *p; i++) {
        differ |= p[i] ^ q[i];
    }
    return differ;
}

// Does the packet look as the flow says already? Most outputs follow another one.
static bool is_committed(const struct flow *f, const struct flow *b) {
    uint64_t differ =
        words_differ(f, b, offsetof(struct flow, dl_dst), offsetof(struct flow, ct_nw_src)) |
        words_differ(f, b, offsetof(struct flow, ipv6_src), offsetof(struct flow, ct_ipv6_src)) |
        words_differ(f, b, offsetof(struct flow, ipv6_label), offsetof(struct flow, tp_src));
    return !(differ | (uint64_t)(f->tp_src ^ b->tp_src) | (uint64_t)(f->tp_dst ^ b->tp_dst) |
             (f->igmp_group_ip4 ^ b->igmp_group_ip4) | (f->skb_priority ^ b->skb_priority) |
             (f->pkt_mark ^ b->pkt_mark) | (f->packet_type ^ b->packet_type));
}
static_assert(offsetof(struct flow, ct_nw_src) % 8 == 0 &&
                  offsetof(struct flow, ct_ipv6_src) % 8 == 0 &&
                  offsetof(struct flow, ipv6_label) % 8 == 0,
              "words of a packet and words of its connection");

void xlate_commit(struct xlate *x) {
    if (likely(!x->layer.push && !x->layer.pop && is_committed(x->flow, x->base))) {
        return;
    }
    if (unlikely(x->layer.push || x->layer.pop || x->flow->packet_type != x->base->packet_type)) {
        odp_commit_encap(x->flow, x->base, x->odp, x->wc, x->layer.push, x->layer.tlvs,
                         x->layer.tlvs_len);
        x->layer = (struct xlayer){0};
    }
    odp_commit(x->flow, x->base, x->odp, x->wc);
}

bool xlate_port_alive(const struct xlate *x, uint32_t ofp_port) {
    uint32_t id;
    const struct bridge_port *port = xlate_port(x, ofp_port, &id);
    return port && atomic_load_explicit(&port->up, memory_order_relaxed);
}

void xlate_action_set(struct xlate *x) {
    struct ofpacts list = {0};
    if (x->action_set.len == 0) {
        return;
    }
    int error = ofpacts_execute_action_set(&list, x->action_set.data, x->action_set.len);
    x->action_set.len = 0;
    if (error) {
        xlate_fail(x, XLATE_NO_MEMORY);
    } else if (list.len > 0) {
        x->in_action_set = true;
        xlate_say(x, XNODE_TABLE, "--. Executing action set:");
        uint32_t level = xlate_enter(x);
        xlate_actions(x, list.data, list.len, true, false);
        xlate_leave(x, level);
        x->in_action_set = false;
    }
    ofpacts_destroy(&list);
}

// -- which bits decide always, and which never --

static void wc_init(struct xlate *x) {
    const struct flow *f = x->flow;
    struct flow *wc = x->wc;
    memset(wc, 0, sizeof *wc);
    wc->packet_type = UINT32_MAX;
    wc->in_port = UINT32_MAX;
    wc->dl_type = UINT16_MAX;
    wc->recirc_id = UINT32_MAX;
    if (flow_is_ip(f->dl_type)) {
        wc->nw_frag = FLOW_FRAG_MASK;
    }
    if (unlikely(flow_came_by_tunnel(f))) {
        wc->tunnel.tun_id = UINT64_MAX;
        if (f->tunnel.ip_dst) {
            wc->tunnel.ip_src = wc->tunnel.ip_dst = UINT32_MAX;
        } else {
            memset(wc->tunnel.ipv6_src, 0xff, sizeof wc->tunnel.ipv6_src);
            memset(wc->tunnel.ipv6_dst, 0xff, sizeof wc->tunnel.ipv6_dst);
        }
        wc->tunnel.flags = FLOW_TNL_DF | FLOW_TNL_CSUM | FLOW_TNL_KEY;
        wc->tunnel.ip_tos = UINT8_MAX;
        if (flow_is_ip(f->dl_type) && (f->tunnel.ip_tos & 3) == 3) {
            wc->nw_tos |= 3;
        }
    }
}

// What actions push or set is no part of the packet that came: bits of headers it did not have go away again.
static void wc_finish(struct xlate *x) {
    const struct flow *in = x->in->flow, *f = x->flow;
    struct flow *wc = x->wc;
    wc->metadata = 0;
    memset(wc->regs, 0, sizeof wc->regs);
    wc->actset_output = 0;
    wc->conj_id = 0;
    if (in->packet_type != 0) {
        memset(wc->dl_dst, 0, sizeof wc->dl_dst);
        memset(wc->dl_src, 0, sizeof wc->dl_src);
    }
    if ((f->dl_type == hton16(0x0800) && f->nw_proto == 1) ||
        (f->dl_type == hton16(0x86dd) && f->nw_proto == 58)) {
        wc->tp_src &= hton16(0xff); // ICMP type and code are bytes in the datapath.
        wc->tp_dst &= hton16(0xff);
    }
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        bool looked_at = wc->vlans[i].tci || wc->vlans[i].tpid;
        if (!tpid_is_vlan(in->vlans[i].tpid)) {
            wc->vlans[i] = (struct flow_vlan){0, 0}; // But for its absence.
        }
        if (looked_at) {
            wc->vlans[i].tci |= hton16(FLOW_VLAN_CFI);
        }
    }
    if (f->nw_frag & FLOW_FRAG_LATER) {
        wc->tp_src = wc->tp_dst = 0;
    }
    if (!flow_is_mpls(in->dl_type)) {
        memset(wc->mpls_lse, 0, sizeof wc->mpls_lse);
    }
    if (!flow_came_by_tunnel(in)) {
        memset(&wc->tunnel, 0, sizeof wc->tunnel);
    }
}

void xlate_wc_for_text(const struct flow *key, struct flow *wc) {
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        if (!tpid_is_vlan(key->vlans[i].tpid)) {
            wc->vlans[i] = (struct flow_vlan){0, 0};
        }
    }
}

// Congestion marks of a tunnel go over to the packet inside; false: it must be dropped (RFC 6040).
static bool process_ecn(struct xlate *x) {
    struct flow *f = x->flow;
    if (flow_is_ip(f->dl_type) && (f->tunnel.ip_tos & 3) == 3 && flow_came_by_tunnel(f)) {
        if ((f->nw_tos & 3) == 0) {
            return false;
        }
        f->nw_tos |= 3;
    }
    return true;
}

// -- the way through --

// What to do first: the caller's actions, what was frozen, or the rule that a table has.
struct start {
    const void *ofpacts; // NULL: rule.
    size_t n;
    const struct rule *rule; // NULL: a miss.
    bool to_controller;      // The miss asks for a packet-in.
};

static void find_start(struct xlate *x, const struct frozen_state *thawed, struct start *s) {
    *s = (struct start){.ofpacts = x->in->ofpacts, .n = x->in->ofpacts_len};
    if (thawed && thawed->ofpacts_len > 0) {
        s->ofpacts = thawed->ofpacts;
        s->n = thawed->ofpacts_len;
    }
    if (!s->ofpacts) {
        s->rule = xlate_lookup(x, x->flow->in_port, true, true, &s->to_controller);
        xlate_say_rule(x, s->rule, x->table, s->to_controller);
        xlate_enter(x); // To the end: the action set is said below it too.
    }
}

static void run(struct xlate *x, const struct start *s) {
    if (s->ofpacts) {
        xlate_actions(x, s->ofpacts, s->n, true, false);
    } else {
        xlate_run_rule(x, s->rule, s->to_controller, true);
    }
    if (!x->error && !x->freezing) {
        xlate_action_set(x);
    }
    if (!x->error && x->freezing) {
        xlate_finish_freezing(x);
    }
}

static void translate(struct xlate *x) {
    const struct frozen_state *thawed = NULL;
    if (x->flow->recirc_id != 0 && !xlate_thaw(x, &thawed)) {
        return;
    }
    if (!thawed && x->flow->ct_state & FLOW_CS_TRK) {
        x->conntracked = true;
    }
    struct start s;
    find_start(x, thawed, &s);
    uint32_t id = x->in->flow->in_port;
    const struct bridge_port *in = id > 0 && id < OFP_MAX_PORTS ? &x->bridge->ports[id] : NULL;
    if (!process_ecn(x)) {
        xlate_fail(x, XLATE_CONGESTION_DROP);
    } else if (in && in->exists && in->config & OFPPC_NO_RECV) {
        xlate_refuse(x, DROP_PORT_NO_RECV);
    } else {
        run(x, &s);
    }
}

// A clone at the very end needs no copy: nothing comes behind it.
static void unwrap_last_clone(struct odp_list *odp) {
    const struct odp_action *last = NULL;
    ODP_FOR_EACH(a, odp->data, odp->len) {
        last = a;
    }
    if (last && last->type == ODP_CLONE) {
        uint32_t n = last->len - (uint32_t)sizeof *last;
        uint32_t at = (uint32_t)((const uint8_t *)last - odp->data);
        memmove(odp->data + at, odp->data + at + sizeof *last, n);
        odp->len = at + n;
    }
}

static void finish_actions(struct xlate *x) {
    struct xlate_out *out = x->out;
    if (x->odp->overflow && !x->error) {
        xlate_error(x, "resubmits yielded over 64 kB of actions");
        x->why = DROP_TOO_MANY_ACTIONS;
        odp_list_clear(x->odp);
    } else if (x->error) {
        odp_list_clear(x->odp);
    } else {
        unwrap_last_clone(x->odp);
    }
    out->error = x->error == XLATE_CONGESTION_DROP || x->error == XLATE_FORWARDING_DISABLED
                     ? XLATE_OK
                     : x->error;
    out->drop = DROP_NONE;
    if (x->odp->len == 0) {
        out->drop = x->why == DROP_NONE ? DROP_NO_OUTPUT : x->why;
        odp_put_simple(x->odp, ODP_DROP, out->drop);
    }
}

static void start(struct xlate *x, const struct xlate_in *in, struct xlate_out *out,
                  struct flow *base, struct flow *scratch_wc) {
    out->slow = false;
    out->final_flow = *in->flow;
    *base = *in->flow;
    memset(&base->tunnel, 0, sizeof base->tunnel); // The datapath keeps none for an output.
    *x = (struct xlate){
        .in = in,
        .out = out,
        .bridge = in->bridge,
        .flow = &out->final_flow,
        .base = base,
        .wc = out->wc ? out->wc : scratch_wc,
        .odp = out->actions,
        .credits = out->credits,
        .trace = in->report ? xtrace_create() : NULL,
        .version = in->version
                       ? in->version
                       : atomic_load_explicit(&in->bridge->ofproto.version, memory_order_acquire),
        .cookie = UINT64_MAX,
        .why = DROP_NONE,
        .in_packet_out = in->ofpacts != NULL,
        .orig_priority = in->flow->skb_priority,
    };
    if (x->credits) {
        x->credits->bridge = in->bridge;
    }
    x->flow->actset_output = OFPP_UNSET;
    if (in->flow->in_port < OFP_MAX_PORTS) { // A packet-out may name a reserved one.
        x->flow->in_port = port_names_ofp(&in->bridge->names, in->flow->in_port);
    }
}

void xlate_run(const struct xlate_in *in, struct xlate_out *out) {
    struct xlate x;
    struct flow base, scratch_wc;
    uint64_t stack[STACK_ROOM / 8], action_set[ACTION_SET_ROOM / 8], frozen[FROZEN_ROOM / 8];
    start(&x, in, out, &base, &scratch_wc);
    x.stack = xbuf_on(stack, sizeof stack);
    x.action_set = xbuf_on(action_set, sizeof action_set);
    x.frozen = xbuf_on(frozen, sizeof frozen);

    wc_init(&x);
    xlate_say(&x, XNODE_BRIDGE, "bridge(\"%s\")", in->bridge->name);
    uint32_t level = xlate_enter(&x);
    translate(&x);
    xlate_leave(&x, level);
    wc_finish(&x);
    finish_actions(&x);

    xbuf_destroy(&x.stack);
    xbuf_destroy(&x.action_set);
    xbuf_destroy(&x.frozen);
    if (x.trace) {
        xtrace_print(x.trace, in->report);
        xtrace_destroy(x.trace);
    }
}
