// What would happen to a packet, in words.

#include <errno.h>

#include "api/api_private.h"
#include "datapath/flow/flow_extract.h"
#include "ofproto/trace.h"

struct trace {
    rs_switch *sw;
    const struct flow *flow;
    const struct dp_packet *packet; // NULL = only its key is known.
    struct trace_options options;
};

static void put_trace(struct text *t, void *arg) {
    const struct trace *tr = arg;
    trace_flow(&tr->sw->bridge, tr->flow, tr->packet, api_now_ms(tr->sw), &tr->options, t);
}

static int explain(struct trace *tr, const struct rs_trace_options *options, struct rs_text *out,
                   struct rs_error *err) {
    struct api_text text = {0};
    if (options) {
        tr->options = (struct trace_options){
            .ct_next = options->ct_next,
            .n_ct_next = options->n_ct_next,
            .ofpacts = options->actions,
            .names = options->names,
            .all_recircs = options->all_recircs,
        };
    }
    api_enter();
    ofproto_settle(&tr->sw->bridge.ofproto); // The bits that decide, and no more.
    int error = api_text_put(&text, put_trace, tr);
    api_leave();
    if (error == 0) {
        error = api_text_give(&text, out);
    }
    api_text_destroy(&text);
    return error < 0 ? api_error(err, ENOMEM, "trace", NULL, "no memory for the text") : 0;
}

static int check_options(rs_switch *sw, const struct rs_trace_options *options,
                         struct rs_error *err) {
    struct ofpacts ofpacts = {0};
    struct ofp_error why;
    if (!options) {
        return 0;
    }
    if (options->n_ct_next > 0 && !options->ct_next) {
        return api_error(err, EINVAL, "ct_next", NULL, "none given");
    }
    if (options->actions) {
        if (ofpacts_parse(options->actions, &sw->bridge.names, &ofpacts, &why) < 0) {
            return api_error_from(err, &why);
        }
        ofpacts_destroy(&ofpacts);
    }
    return 0;
}

int rs_trace_flow(rs_switch *sw, const char *flow_text, const struct rs_trace_options *options,
                  struct rs_text *out, struct rs_error *err) {
    struct match match;
    struct flow_text extra;
    struct ofp_error why;
    if (!sw || !flow_text || !out) {
        return api_error(err, EINVAL, "flow", NULL, "no switch, no flow, or no result");
    }
    if (match_parse(flow_text, &sw->bridge.names, &match, &extra, &why) < 0) {
        return api_error_from(err, &why);
    }
    int error = check_options(sw, options, err);
    if (error < 0) {
        return error;
    }
    if (match.mask.in_port == 0) {
        return api_error(err, EINVAL, "in_port", "add in_port=PORT",
                         "the flow does not say where the packet came in");
    }
    uint32_t id = port_names_id(&sw->bridge.names, match.flow.in_port);
    if (id == 0 && match.flow.in_port < OFPP_MAX) {
        return api_error(err, ENODEV, "in_port", "`show` lists the ports", "there is no port %u",
                         match.flow.in_port);
    }
    match.flow.in_port = id ? id : match.flow.in_port;
    // A tagged packet has a tag: the text only says its number.
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        struct flow_vlan *tag = &match.flow.vlans[i];
        if (tag->tci & hton16(FLOW_VLAN_CFI) && !tag->tpid) {
            tag->tpid = hton16(0x8100);
        }
    }
    struct trace tr = {.sw = sw, .flow = &match.flow};
    return explain(&tr, options, out, err);
}

int rs_trace_packet(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len,
                    const struct rs_trace_options *options, struct rs_text *out,
                    struct rs_error *err) {
    uint8_t copy[RS_FRAME_SIZE];
    struct flow flow;
    if (!api_port_find(sw, ofport, err)) {
        return -ENODEV;
    }
    if (!frame || !out || len > sizeof copy) {
        return api_error(err, EINVAL, "packet", "at most 4096 bytes", "%zu bytes found", len);
    }
    int error = check_options(sw, options, err);
    if (error < 0) {
        return error;
    }
    memcpy(copy, frame, len);
    struct dp_packet packet = {.data = copy, .len = (uint16_t)len, .in_port = ofport};
    enum drop_reason reason = flow_extract_full(&packet, &flow);
    if (reason != DROP_NONE) {
        return api_error(err, EINVAL, "packet", "a whole Ethernet header is 14 bytes", "%s: %s",
                         drop_reason_name(reason), drop_reason_meaning(reason));
    }
    struct trace tr = {.sw = sw, .flow = &flow, .packet = &packet};
    return explain(&tr, options, out, err);
}
