// Actions that send the packet somewhere: ports, one or all; controllers; NORMAL; tables.
//
// A packet never goes back to its input port unless `in_port` says so. What has been set is committed before
// each output, so that one action list serves many ports.

#include "ofproto/xlate_private.h"

enum { REASON_ACTION = 1, REASON_ACTION_SET = 3, REASON_GROUP = 4, REASON_PACKET_OUT = 5 };

void xlate_output_port(struct xlate *x, uint32_t ofp_port) {
    uint32_t id;
    const struct bridge_port *port = xlate_port(x, ofp_port, &id);
    if (unlikely(!port)) {
        xlate_warn(x, "Nonexistent output port");
        xlate_refuse(x, DROP_NO_OUTPUT);
        return;
    }
    if (unlikely(port->config & OFPPC_NO_FWD)) {
        xlate_detail(x, "OFPPC_NO_FWD set, skipping output");
        xlate_refuse(x, DROP_NO_OUTPUT);
        return;
    }
    xlate_commit(x);
    odp_put_simple(x->odp, ODP_OUTPUT, id);
}

// To all ports but the one it came from; `all` says that ports with NO_FLOOD get it too.
static void flood(struct xlate *x, bool all) {
    uint32_t in_id = port_names_id(&x->bridge->names, x->flow->in_port);
    xlate_refuse(x, DROP_NO_OUTPUT); // Unless somebody is there.
    for (uint32_t id = 1; id < OFP_MAX_PORTS; id++) {
        const struct bridge_port *port = &x->bridge->ports[id];
        if (port->exists && id != in_id && (all || !(port->config & OFPPC_NO_FLOOD))) {
            xlate_output_port(x, port_names_ofp(&x->bridge->names, id));
        }
    }
}

// -- controllers --

static void pin_metadata(const struct xlate *x, struct flow *md) {
    const struct flow *f = x->flow;
    memset(md, 0, sizeof *md);
    md->tunnel = f->tunnel;
    md->metadata = f->metadata;
    memcpy(md->regs, f->regs, sizeof md->regs);
    md->in_port = f->in_port;
    md->pkt_mark = f->pkt_mark;
    md->ct_state = f->ct_state;
    md->ct_zone = f->ct_zone;
    md->ct_mark = f->ct_mark;
    memcpy(md->ct_label, f->ct_label, sizeof md->ct_label);
    if (f->ct_state) {
        md->ct_nw_proto = f->ct_nw_proto;
        md->ct_nw_src = f->ct_nw_src;
        md->ct_nw_dst = f->ct_nw_dst;
        memcpy(md->ct_ipv6_src, f->ct_ipv6_src, sizeof md->ct_ipv6_src);
        memcpy(md->ct_ipv6_dst, f->ct_ipv6_dst, sizeof md->ct_ipv6_dst);
        md->ct_tp_src = f->ct_tp_src;
        md->ct_tp_dst = f->ct_tp_dst;
    }
    md->packet_type = f->packet_type;
    md->actset_output = f->actset_output;
}

void xlate_packet_in(struct xlate *x, const struct ofpact_controller *c, uint8_t reason,
                     uint32_t frozen_id) {
    struct pin pin = {
        .reason = reason,
        .table = x->table,
        .max_len = c->max_len,
        .controller_id = c->controller_id,
        .cookie = x->cookie,
        .meter_id = c->meter_id,
        .userdata_len = c->userdata_len,
        .userdata = c->userdata_len ? c->userdata : NULL,
        .pause = frozen_id != 0,
        .frozen_id = frozen_id,
    };
    pin_metadata(x, &pin.metadata);
    xlate_commit(x);
    uint32_t id = pin_get_id(x->bridge->pins, &pin);
    if (id == 0) {
        xlate_error(x, "Failed to allocate a packet-in");
        xlate_fail(x, XLATE_NO_MEMORY);
        return;
    }
    if (x->credits) {
        credits_add(x, &(struct credit){.type = CREDIT_PIN, .arg = id});
    } else {
        pin_unref(x->bridge->pins, id);
    }
    if (c->meter_id) { // On a copy: what is over the rate is lost for the controller alone.
        uint32_t at = odp_begin(x->odp, ODP_SAMPLE, UINT32_MAX, 0);
        odp_put_simple(x->odp, ODP_METER, c->meter_id);
        odp_put_simple(x->odp, ODP_CONTROLLER, id);
        odp_end(x->odp, at);
    } else {
        odp_put_simple(x->odp, ODP_CONTROLLER, id);
    }
}

// A rule that matches everything with priority 0 is its table's miss entry; so are its packet-ins.
static bool is_table_miss(const struct rule *rule) {
    return rule && rule->cr.priority == 0 && flowmap_count(rule->cr.match->map) == 0;
}

static void to_controller(struct xlate *x, const struct ofpact_controller *c) {
    enum { NO_MATCH = 0 };
    bool miss = c->reason == REASON_ACTION && is_table_miss(x->rule);
    xlate_packet_in(x, c, miss ? NO_MATCH : c->reason, 0);
}

enum xstep xlate_do_controller(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_controller *c = (const struct ofpact_controller *)(const void *)a;
    (void)at;
    if (c->pause) {
        x->pause = c;
        xlate_freeze(x);
        return XSTEP_AFTER;
    }
    to_controller(x, c);
    return XSTEP_NEXT;
}

// -- output and its kin --

void xlate_output_to(struct xlate *x, uint32_t ofp_port, uint16_t max_len, bool may_packet_in,
                     const struct xplace *at) {
    struct ofpact_controller c;
    switch (ofp_port) {
    case OFPP_IN_PORT: xlate_output_port(x, x->flow->in_port); break;
    case OFPP_TABLE: xlate_table(x, x->flow->in_port, 0, may_packet_in, true, false, false); break;
    case OFPP_NORMAL: xlate_normal(x); break;
    case OFPP_FLOOD: flood(x, false); break;
    case OFPP_ALL: flood(x, true); break;
    case OFPP_CONTROLLER:
        memset(&c, 0, sizeof c);
        c.max_len = max_len;
        c.reason = x->in_packet_out   ? REASON_PACKET_OUT
                   : at->bucket       ? REASON_GROUP
                   : x->in_action_set ? REASON_ACTION_SET
                                      : REASON_ACTION;
        to_controller(x, &c);
        break;
    case OFPP_NONE: xlate_refuse(x, DROP_NO_OUTPUT); break;
    default:
        if (ofp_port != x->flow->in_port) {
            xlate_output_port(x, ofp_port);
        } else {
            xlate_warn(x, "skipping output to input port");
            xlate_refuse(x, DROP_NO_OUTPUT);
        }
    }
}

enum xstep xlate_do_output(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_output *o = (const struct ofpact_output *)(const void *)a;
    xlate_output_to(x, o->port, o->max_len, true, at);
    return XSTEP_NEXT;
}

enum xstep xlate_do_output_reg(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_output_reg *o = (const struct ofpact_output_reg *)(const void *)a;
    uint64_t port = mf_get_subfield(&o->src, x->flow);
    if (port > UINT16_MAX) {
        xlate_warn(x, "output port %llu is out of range", (unsigned long long)port);
        xlate_refuse(x, DROP_NO_OUTPUT);
        return XSTEP_NEXT;
    }
    xlate_detail(x, "output port is %llu", (unsigned long long)port);
    mf_mask_subfield(&o->src, x->wc);
    xlate_output_to(x, (uint32_t)port, o->max_len, false, at);
    return XSTEP_NEXT;
}

static void say_no_truncation(struct xlate *x, const char *kind, uint32_t ofp_port) {
    char room[32];
    struct text t;
    text_init(&t, room, sizeof room);
    port_names_format(NULL, ofp_port, &t);
    if (kind) {
        xlate_error(x, "output_trunc does not support %s %s", kind, room);
    } else {
        xlate_warn(x, "output_trunc does not support port: %s", room);
    }
    xlate_refuse(x, DROP_NO_OUTPUT);
}

enum xstep xlate_do_output_trunc(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_output_trunc *o = (const struct ofpact_output_trunc *)(const void *)a;
    uint32_t id;
    switch (o->port) {
    case OFPP_TABLE:
    case OFPP_NORMAL:
    case OFPP_FLOOD:
    case OFPP_ALL:
    case OFPP_CONTROLLER:
    case OFPP_NONE: say_no_truncation(x, NULL, o->port); return XSTEP_NEXT;
    default: break;
    }
    if (o->port == x->flow->in_port) {
        xlate_warn(x, "skipping output to input port");
        xlate_refuse(x, DROP_NO_OUTPUT);
    } else if (!xlate_port(x, o->port, &id)) {
        say_no_truncation(x, "patch port", o->port);
    } else {
        odp_put_simple(x->odp, ODP_TRUNC, o->max_len);
        xlate_output_to(x, o->port, 0, false, at);
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_enqueue(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_enqueue *e = (const struct ofpact_enqueue *)(const void *)a;
    uint32_t port = e->port, before = x->flow->skb_priority;
    (void)at;
    x->wc->skb_priority = UINT32_MAX;
    if (port == OFPP_IN_PORT) {
        port = x->flow->in_port;
    } else if (port == x->flow->in_port) {
        xlate_refuse(x, DROP_NO_OUTPUT);
        return XSTEP_NEXT;
    }
    x->flow->skb_priority = e->queue;
    xlate_output_port(x, port);
    x->flow->skb_priority = before;
    return XSTEP_NEXT;
}
