#include "ofproto/trace.h"

#include <stdlib.h>

#include "datapath/action/odp_text.h"
#include "ofproto/packet_in.h"

struct trace {
    struct bridge *bridge;
    const struct trace_options *options;
    const struct port_names *names; // NULL = ports by number.
    uint64_t now_ms;
    unsigned n_ct_next; // Of options' that have been used.
    struct xlate_recircs todo;
    struct text *out;
};

static void put_port(void *aux, uint32_t id, struct text *t) {
    const struct trace *tr = aux;
    const char *name = id < OFP_MAX_PORTS ? tr->bridge->names.name[id] : "";
    if (tr->names && name[0]) {
        text_put(t, "%s", name);
    } else {
        text_put(t, "%u", id);
    }
}

static void put_controller(void *aux, uint32_t pin_id, struct text *t) {
    const struct trace *tr = aux;
    pin_format(tr->bridge->pins, pin_id, true, t);
}

static void put_actions(const struct trace *tr, const struct odp_list *actions) {
    struct odp_text_names names = {
        .port = put_port, .controller = put_controller, .aux = (void *)(uintptr_t)tr};
    text_put(tr->out, "Datapath actions: ");
    odp_text_put(tr->out, actions->data, actions->len, &names);
    text_put(tr->out, "\n");
}

static void put_megaflow(const struct trace *tr, const struct flow *flow, const struct flow *wc) {
    struct match match;
    match_from_wc(flow, wc, &match);
    text_put(tr->out, "Megaflow: ");
    match_format(&match, OFP_DEFAULT_PRIORITY, OFP_DEFAULT_PRIORITY, tr->names, tr->out);
    text_put(tr->out, "\n");
}

// The flow in OpenFlow's terms, without what only translation knows.
static struct flow as_openflow(const struct trace *tr, const struct flow *flow) {
    struct flow f = *flow;
    if (f.in_port < OFP_MAX_PORTS) {
        f.in_port = port_names_ofp(&tr->bridge->names, f.in_port);
    }
    f.actset_output = 0;
    return f;
}

// One translation: flow in the datapath's terms, ofpacts NULL = the tables.
static void trace_once(struct trace *tr, const struct flow *flow, const struct dp_packet *packet,
                       const struct ofpacts *ofpacts) {
    struct flow wc, initial = as_openflow(tr, flow);
    struct odp_list actions = odp_list_on(NULL, 0);
    struct xlate_in in = {
        .bridge = tr->bridge,
        .flow = flow,
        .packet = packet,
        .now_ms = tr->now_ms,
        .tcp_flags = ntoh16(flow->tcp_flags),
        .report = tr->out,
        .report_names = tr->names != NULL,
        .recircs = &tr->todo,
        .ofpacts = !ofpacts       ? NULL
                   : ofpacts->len ? ofpacts->data
                                  : (const void *)"",
        .ofpacts_len = ofpacts ? ofpacts->len : 0,
    };
    // Nobody is credited; pins and frozen states that the text is about linger for long enough.
    struct xlate_out out = {.actions = &actions, .wc = &wc};
    text_put(tr->out, "Flow: ");
    flow_format(&initial, tr->names, tr->out);
    text_put(tr->out, "\n"); // The report begins with an empty line.
    xlate_run(&in, &out);
    out.final_flow.actset_output = 0;
    text_put(tr->out, "\nFinal flow: ");
    if (flow_equal(&initial, &out.final_flow)) {
        text_put(tr->out, "unchanged");
    } else {
        flow_format(&out.final_flow, tr->names, tr->out);
    }
    text_put(tr->out, "\n");
    xlate_wc_for_text(flow, &wc);
    put_megaflow(tr, &initial, &wc);
    put_actions(tr, &actions);
    if (out.error != XLATE_OK) {
        text_put(tr->out, "Translation failed (%s), packet is dropped.\n",
                 xlate_strerror(out.error));
    }
    odp_list_destroy(&actions);
}

// -- recirculation --

static void put_ct_state(struct text *t, uint8_t state) {
    static const char *const names[] = {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"};
    for (unsigned i = 0; i < RS_ARRAY_SIZE(names); i++) {
        if (state >> i & 1) {
            text_put(t, "%s|", names[i]);
        }
    }
    text_chomp(t, '|');
}

static void put_field(struct text *t, enum mf_id id, const struct flow *flow) {
    union mf_value value;
    mf_get_value(mf_from_id(id), flow, &value);
    mf_format(mf_from_id(id), &value, NULL, NULL, t);
}

static void put_tuple(struct text *t, uint8_t af, const struct flow *flow) {
    text_put(t, af == 4 ? "nw_src=" : "ipv6_src=[");
    put_field(t, af == 4 ? MFF_IPV4_SRC : MFF_IPV6_SRC, flow);
    text_put(t, "%s,tp_src=%u,%s", af == 4 ? "" : "]", ntoh16(flow->tp_src),
             af == 4 ? "nw_dst=" : "ipv6_dst=[");
    put_field(t, af == 4 ? MFF_IPV4_DST : MFF_IPV6_DST, flow);
    text_put(t, "%s,tp_dst=%u", af == 4 ? "" : "]", ntoh16(flow->tp_dst));
}

// As if conntrack had taken the first address and port of the range.
static void simulate_nat(const struct ofpact_nat *nat, struct flow *flow) {
    if (nat->range_af == 4) {
        memcpy(nat->flags & NAT_SRC ? &flow->nw_src : &flow->nw_dst, nat->addr_min, 4);
    } else if (nat->range_af == 6) {
        memcpy(nat->flags & NAT_SRC ? flow->ipv6_src : flow->ipv6_dst, nat->addr_min, 16);
    }
    if (nat->port_min) {
        *(nat->flags & NAT_SRC ? &flow->tp_src : &flow->tp_dst) = hton16(nat->port_min);
    }
}

static void put_nat(struct trace *tr, struct xlate_recirc *r) {
    text_put(tr->out, "Replacing src/dst IP/ports to simulate NAT:\n Initial flow: ");
    if (r->nat->range_af) {
        put_tuple(tr->out, r->nat->range_af, &r->flow);
    }
    simulate_nat(r->nat, &r->flow);
    text_put(tr->out, "\n Modified flow: ");
    if (r->nat->range_af) {
        put_tuple(tr->out, r->nat->range_af, &r->flow);
    }
    text_put(tr->out, "\n");
}

static void put_conntrack(struct trace *tr, struct xlate_recirc *r) {
    text_put(tr->out, " - resume conntrack with ");
    if (tr->n_ct_next < tr->options->n_ct_next) {
        r->flow.ct_state = tr->options->ct_next[tr->n_ct_next++];
        text_put(tr->out, "ct_state=");
        put_ct_state(tr->out, r->flow.ct_state);
    } else {
        r->flow.ct_state = FLOW_CS_TRK | FLOW_CS_NEW;
        text_put(tr->out, "default ct_state=trk|new (use --ct-next to customize)");
    }
}

static void resume(struct trace *tr, struct xlate_recirc *r) {
    static const char line[] =
        "===============================================================================\n";
    text_put(tr->out, "\n%srecirc(0x%x)", line, r->id);
    if (r->conntrack) {
        put_conntrack(tr, r);
    }
    text_put(tr->out, "\n");
    if (r->conntrack && r->nat) {
        put_nat(tr, r);
    }
    text_put(tr->out, "%s\n", line);
    uint32_t id = port_names_id(&tr->bridge->names, r->flow.in_port);
    r->flow.in_port = id ? id : r->flow.in_port;
    trace_once(tr, &r->flow, NULL, NULL);
}

void trace_flow(struct bridge *bridge, const struct flow *flow, const struct dp_packet *packet,
                uint64_t now_ms, const struct trace_options *options, struct text *out) {
    struct ofpacts ofpacts = {0};
    struct trace tr = {
        .bridge = bridge,
        .options = options,
        .names = options->names ? &bridge->names : NULL,
        .now_ms = now_ms,
        .out = out,
    };
    // Bad actions run as none: who calls has looked at them.
    if (options->ofpacts && ofpacts_parse(options->ofpacts, &bridge->names, &ofpacts, NULL) < 0) {
        ofpacts = (struct ofpacts){0};
    }
    trace_once(&tr, flow, packet, options->ofpacts ? &ofpacts : NULL);
    unsigned n = 0;
    for (uint32_t i = 0; i < tr.todo.n && n < TRACE_MAX_RECIRCS && !out->cut; i++) {
        struct xlate_recirc r = tr.todo.list[i]; // The list grows meanwhile.
        if (r.conntrack || options->all_recircs) {
            resume(&tr, &r);
            n++;
        }
    }
    free(tr.todo.list);
    ofpacts_destroy(&ofpacts);
}
