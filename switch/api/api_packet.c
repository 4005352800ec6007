// Packets to and from controllers.

#include <errno.h>

#include "api/api_private.h"
#include "datapath/flow/flow_extract.h"
#include "ofproto/packet_in.h"

static bool is_told(const struct mf_field *mf) {
    switch (mf->id) {
    case MFF_PKT_MARK:
    case MFF_CT_STATE:
    case MFF_CT_ZONE:
    case MFF_CT_MARK:
    case MFF_CT_LABEL: return true;
    case MFF_IN_PORT_OXM:
    case MFF_PACKET_TYPE: return false;
    default: return mf_is_pipeline_field(mf) && mf->id < MFF_XREG0; // Those are views of registers.
    }
}

// The pipeline fields that are not 0, as a match; what does not fit the buffer is left out.
static void put_metadata(rs_switch *sw, const struct flow *metadata) {
    struct match match;
    struct text t;
    match_init_any(&match);
    for (unsigned id = 0; id < MFF_N_IDS; id++) {
        const struct mf_field *mf = mf_from_id((enum mf_id)id);
        union mf_value value;
        if (is_told(mf) && !mf_is_zero(mf, metadata)) {
            mf_get_value(mf, metadata, &value);
            match_set_field(&match, mf, &value, NULL);
        }
    }
    text_init(&t, sw->packet_in_text, sizeof sw->packet_in_text);
    match_format(&match, OFP_DEFAULT_PRIORITY, OFP_DEFAULT_PRIORITY, NULL, &t);
}

int rs_packet_in_take(rs_switch *sw, struct rs_packet_in *out, uint8_t *data, size_t cap) {
    struct pin pin;
    uint32_t len, total_len;
    if (!sw || !out || !data) {
        return -EINVAL;
    }
    if (packet_ins_take(sw->bridge.pins, &pin, data, cap, &len, &total_len) == 0) {
        return 0;
    }
    put_metadata(sw, &pin.metadata);
    *out = (struct rs_packet_in){
        .reason = pin.reason,
        .table = pin.table,
        .max_len = pin.max_len,
        .controller_id = pin.controller_id,
        .cookie = pin.cookie,
        .meter_id = pin.meter_id,
        .in_port = pin.metadata.in_port,
        .len = len,
        .total_len = total_len,
        .pause = pin.pause,
        .continuation = pin.pause ? pin.frozen_id : 0,
        .userdata_len = pin.userdata_len,
        .userdata = pin.userdata,
        .metadata = sw->packet_in_text,
    };
    return 1;
}

int rs_packet_in_rate(rs_switch *sw, uint32_t rate, uint32_t burst, struct rs_error *err) {
    if (!sw) {
        return api_error(err, EINVAL, "rate", NULL, "no switch");
    }
    packet_ins_set_rate(sw->bridge.pins, rate, burst);
    return 0;
}

void rs_packet_in_stats(rs_switch *sw, struct rs_packet_in_stats *out) {
    struct packet_ins_counts c = {0};
    if (sw && out) {
        packet_ins_counts(sw->bridge.pins, &c);
        *out = (struct rs_packet_in_stats){c.queued, c.no_room, c.rate_limited};
    }
}

int rs_packet_in_fd(rs_switch *sw) {
    return sw ? packet_ins_fd(sw->bridge.pins) : -1;
}

// A packet from a controller on its way through translation.
struct outgoing {
    rs_switch *sw;
    uint32_t in_port; // OpenFlow number.
    const uint8_t *frame;
    size_t len;
    uint32_t recirc_id; // Of a paused packet that goes on; 0 = ofpacts are to be run.
    struct ofpacts *ofpacts;
};

static int extract(const struct outgoing *o, uint8_t *copy, struct dp_packet *packet,
                   struct flow *flow, struct rs_error *err) {
    uint32_t id = port_names_id(&o->sw->bridge.names, o->in_port);
    if (id == 0 && o->in_port != OFPP_CONTROLLER && o->in_port != OFPP_NONE) {
        return api_error(err, ENODEV, "in_port", "a port of the switch, CONTROLLER or ANY",
                         "there is no port %u", o->in_port);
    }
    if (o->len > RS_FRAME_SIZE - RS_PACKET_HEADROOM) {
        return api_error(err, EMSGSIZE, "packet", "at most 3840 bytes", "%zu bytes found", o->len);
    }
    memcpy(copy, o->frame, o->len);
    *packet = (struct dp_packet){.data = copy, .len = (uint16_t)o->len, .in_port = id};
    packet->recirc_id = o->recirc_id;
    if (flow_extract_full(packet, flow) != DROP_NONE) {
        return api_error(err, EINVAL, "packet", "a whole Ethernet header is 14 bytes",
                         "%zu bytes found", o->len);
    }
    flow->in_port = id ? id : o->in_port; // A reserved one matches as itself.
    return 0;
}

static int execute(const struct outgoing *o, uint32_t id, const struct odp_list *actions,
                   struct rs_error *err) {
    struct pmd_packet_out out = {
        .umem = umem_set_default(&o->sw->umems),
        .in_port = id,
        .frame = o->frame,
        .len = o->len,
        .actions = actions,
    };
    if (!out.umem) {
        return api_error(err, ENOMEM, "packet", NULL, "no memory for a umem");
    }
    int error = pmd_execute(o->sw->pmd, &out);
    return error < 0 ? api_error(err, -error, "packet", NULL, "not executed: %s", strerror(-error))
                     : 0;
}

static int check_actions(const struct outgoing *o, const struct flow *flow, struct rs_error *err) {
    struct match match;
    struct ofp_error why;
    match_from_flow(flow, &match);
    if (ofpacts_check(o->ofpacts->data, o->ofpacts->len, &match, 0, OFP_N_TABLES, OFP_MAX_PORTS,
                      &why) < 0) {
        return api_error_from(err, &why);
    }
    return 0;
}

static int send_out(const struct outgoing *o, struct rs_error *err) {
    uint8_t copy[RS_FRAME_SIZE];
    struct dp_packet packet;
    struct flow flow;
    int error = extract(o, copy, &packet, &flow, err);
    if (error == 0 && o->ofpacts) {
        error = check_actions(o, &flow, err);
    }
    if (error < 0) {
        return error;
    }
    uint64_t buffer[256];
    struct odp_list actions = odp_list_on(buffer, sizeof buffer);
    struct credits credits = {0};
    struct xlate_in in = {
        .bridge = &o->sw->bridge,
        .flow = &flow,
        .packet = &packet,
        .now_ms = api_now_ms(o->sw),
        .side_effects = true,
        .tcp_flags = ntoh16(flow.tcp_flags),
        .ofpacts = o->recirc_id      ? NULL
                   : o->ofpacts->len ? o->ofpacts->data
                                     : (const void *)"",
        .ofpacts_len = o->recirc_id ? 0 : o->ofpacts->len,
    };
    struct xlate_out out = {.actions = &actions, .credits = &credits};
    api_enter();
    xlate_run(&in, &out);
    api_leave();
    error = execute(o, packet.in_port, &actions, err);
    if (error == 0) {
        credits_push(&credits, 1, o->len, in.tcp_flags, in.now_ms, &o->sw->bridge);
    }
    credits_destroy(&credits);
    odp_list_destroy(&actions);
    return error;
}

int rs_packet_out(rs_switch *sw, uint32_t in_port, const char *actions, const uint8_t *frame,
                  size_t len, struct rs_error *err) {
    struct ofpacts ofpacts = {0};
    struct ofp_error why;
    if (!sw || !actions || !frame) {
        return api_error(err, EINVAL, "packet", NULL, "no switch, no actions, or no packet");
    }
    if (ofpacts_parse_actions(actions, &sw->bridge.names, &ofpacts, &why) < 0) {
        return api_error_from(err, &why);
    }
    struct outgoing o = {
        .sw = sw, .in_port = in_port, .frame = frame, .len = len, .ofpacts = &ofpacts};
    int error = send_out(&o, err);
    ofpacts_destroy(&ofpacts);
    return error;
}

int rs_packet_resume(rs_switch *sw, uint32_t continuation, uint32_t in_port, const uint8_t *frame,
                     size_t len, struct rs_error *err) {
    if (!sw || !frame) {
        return api_error(err, EINVAL, "packet", NULL, "no switch or no packet");
    }
    api_enter();
    bool known = continuation != 0 && frozen_find(sw->bridge.frozen, continuation);
    api_leave();
    if (!known) {
        return api_error(err, ENOENT, "continuation", "packets wait for half a minute at most",
                         "0x%x is not there, or no longer", continuation);
    }
    struct outgoing o = {
        .sw = sw, .in_port = in_port, .frame = frame, .len = len, .recirc_id = continuation};
    return send_out(&o, err);
}
