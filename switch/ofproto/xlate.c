#include "ofproto/xlate.h"

void xlate_say(struct xlate *x, const char *format, ...) {
    if (likely(!x->report)) {
        return;
    }
    char line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_put(x->report, "%s\n", line);
}

void xlate_refuse(struct xlate *x, enum drop_reason why) {
    if (x->why == DROP_NONE) {
        x->why = why;
    }
}

static uint32_t wire_tci(struct flow_vlan tag) {
    return ntoh16(tag.tci) & ~FLOW_VLAN_CFI;
}

// Actions that change the packet's outermost tag from what it is to `want`.
static void put_tag(struct xlate *x, struct flow_vlan want) {
    bool has = x->tag.tpid != 0, wants = want.tpid != 0;
    if (has && !wants) {
        odp_actions_add(x->out, ODP_POP_VLAN, 0);
    } else if (!has && wants) {
        uint32_t tpid = ntoh16(want.tpid);
        odp_actions_add(x->out, ODP_PUSH_VLAN, tpid << 16 | wire_tci(want));
    } else if (has && want.tci != x->tag.tci) {
        odp_actions_add(x->out, ODP_SET_VLAN, wire_tci(want));
    }
    x->tag = want;
}

void xlate_output(struct xlate *x, uint32_t port, struct flow_vlan tag) {
    assert(port < OFP_MAX_PORTS && x->bridge->ports[port].exists);
    put_tag(x, tag);
    odp_actions_add(x->out, ODP_OUTPUT, port);
    x->n_outputs++;
}

// To one port, as the packet came.
static void output_to(struct xlate *x, uint32_t port) {
    if (port == 0 || !x->bridge->ports[port].exists) {
        xlate_say(x, "     >> there is no port %u", port);
    } else if (port == x->flow->in_port) {
        xlate_say(x, "     >> skipping output to input port");
    } else {
        xlate_output(x, port, x->flow->vlans[0]);
    }
}

static void flood(struct xlate *x) {
    for (uint32_t port = 1; port < OFP_MAX_PORTS; port++) {
        if (x->bridge->ports[port].exists && port != x->flow->in_port) {
            xlate_output(x, port, x->flow->vlans[0]);
        }
    }
}

static void run_action(struct xlate *x, const struct ofp_action *a) {
    struct ofp_actions one = {.n = 1, .list = &(struct ofp_action){a->type, a->port}};
    if (unlikely(x->report)) {
        text_put(x->report, "    ");
        ofp_actions_format(&one, x->report);
        text_put(x->report, "\n");
    }
    switch ((enum ofp_action_type)a->type) {
    case OFP_OUTPUT: output_to(x, a->port); break;
    case OFP_LOCAL: output_to(x, x->bridge->names.local); break;
    case OFP_FLOOD:
    case OFP_ALL: flood(x); break;
    case OFP_IN_PORT:
        if (x->bridge->ports[x->flow->in_port].exists) {
            xlate_output(x, x->flow->in_port, x->flow->vlans[0]);
        }
        break;
    case OFP_NORMAL: xlate_normal(x); break;
    }
}

static void run_rule(struct xlate *x) {
    x->rule = oftable_lookup(x->bridge->table, x->flow);
    if (!x->rule) {
        xlate_say(x, " 0. No match.");
        xlate_refuse(x, DROP_NO_RULE);
        return;
    }
    if (unlikely(x->report)) {
        char match[1024];
        struct text t;
        text_init(&t, match, sizeof match);
        match_format(&x->rule->match, OFP_DEFAULT_PRIORITY, &t);
        xlate_say(x, " 0. %s%spriority %u", match, match[0] ? ", " : "", x->rule->priority);
    }
    x->out->credit = x->rule;
    if (x->rule->actions.n == 0) {
        xlate_say(x, "    drop");
        xlate_refuse(x, DROP_RULE_DROP);
    }
    for (unsigned i = 0; i < x->rule->actions.n; i++) {
        run_action(x, &x->rule->actions.list[i]);
    }
}

void xlate_run(struct xlate *x) {
    assert(x->flow->in_port > 0 && x->flow->in_port < OFP_MAX_PORTS);
    x->tag = x->flow->vlans[0];
    x->n_outputs = 0;
    x->why = DROP_NONE;
    run_rule(x);
    if (x->n_outputs == 0) {
        x->out->count = 0;
        odp_actions_add(x->out, ODP_DROP, x->why == DROP_NONE ? DROP_NO_OUTPUT : x->why);
    }
}
