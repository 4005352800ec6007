#include "ofproto/trace.h"

void odp_actions_format(const struct odp_actions *actions, struct text *out) {
    for (unsigned i = 0; i < actions->count; i++) {
        uint32_t arg = actions->actions[i].arg;
        switch ((enum odp_action_type)actions->actions[i].type) {
        case ODP_OUTPUT: text_put(out, "%u,", arg); break;
        case ODP_DROP: text_put(out, "drop (%s)", drop_reason_name(arg)); break;
        case ODP_POP_VLAN: text_put(out, "pop_vlan,"); break;
        case ODP_PUSH_VLAN:
            text_put(out, "push_vlan(");
            if (arg >> 16 != 0x8100) {
                text_put(out, "tpid=0x%04x,", arg >> 16);
            }
            text_put(out, "vid=%u,pcp=%u),", arg & 0xfff, arg >> 13 & 7);
            break;
        case ODP_SET_VLAN:
            text_put(out, "set_vlan(vid=%u,pcp=%u),", arg & 0xfff, arg >> 13 & 7);
            break;
        }
    }
    text_chomp(out, ',');
}

static void put_ports(const struct bridge *b, const struct odp_actions *actions, struct text *out) {
    for (unsigned i = 0; i < actions->count; i++) {
        const struct odp_action *a = &actions->actions[i];
        if (a->type == ODP_OUTPUT) {
            text_put(out, "Output: port %u (%s)\n", a->arg, b->names.name[a->arg]);
        } else if (a->type == ODP_DROP) {
            text_put(out, "Dropped: %s: %s\n", drop_reason_name(a->arg),
                     drop_reason_meaning(a->arg));
        }
    }
}

void trace_flow(struct bridge *bridge, const struct flow *flow, uint64_t now_ms, struct text *out) {
    struct odp_actions actions;
    struct match exact;
    odp_actions_init(&actions);
    match_from_flow(flow, &exact);
    text_put(out, "Flow: ");
    match_format(&exact, OFP_DEFAULT_PRIORITY, out);
    text_put(out, "\n\nbridge(\"%s\")\n", bridge->name);
    text_put(out, "----------------\n");
    struct xlate x = {.bridge = bridge,
                      .flow = flow,
                      .now_ms = now_ms,
                      .learn = false,
                      .report = out,
                      .out = &actions};
    xlate_run(&x);
    text_put(out, "\nDatapath actions: ");
    odp_actions_format(&actions, out);
    text_put(out, "\n");
    put_ports(bridge, &actions, out);
}
