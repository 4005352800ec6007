// What the switch shows of single packets: trace and capture.

#include <errno.h>

#include "api/api_private.h"
#include "datapath/flow/flow_extract.h"
#include "ofproto/trace.h"

struct trace_job {
    rs_switch *sw;
    const struct flow *flow;
    struct text text;
};

static void trace_in_pmd(void *arg) {
    struct trace_job *job = arg;
    trace_flow(&job->sw->bridge, job->flow, pmd_now_ms(job->sw->pmd), &job->text);
}

static int trace(rs_switch *sw, const struct flow *flow, char *out, size_t cap,
                 struct rs_error *err) {
    struct trace_job job = {.sw = sw, .flow = flow};
    text_init(&job.text, out, cap);
    pmd_run(sw->pmd, trace_in_pmd, &job);
    if (job.text.cut) {
        return api_error(err, ENOSPC, "trace", "use a larger buffer",
                         "the explanation is longer than %zu bytes", cap);
    }
    return (int)job.text.len;
}

int rs_trace_flow(rs_switch *sw, const char *flow_text, char *out, size_t cap,
                  struct rs_error *err) {
    struct match match;
    struct match_text extra;
    struct ofp_error why;
    if (!sw || !flow_text || !out || cap == 0) {
        return api_error(err, EINVAL, "flow", NULL, "no switch, no flow, or no buffer");
    }
    if (match_parse(flow_text, &sw->bridge.names, &match, &extra, &why) < 0) {
        return api_error_from(err, &why);
    }
    if (match.flow.in_port == 0) {
        return api_error(err, EINVAL, "in_port", "add in_port=PORT",
                         "the flow does not say where the packet came in");
    }
    if (!api_port_find(sw, match.flow.in_port, err)) {
        return -ENODEV;
    }
    // A tagged packet has a tag: the text only says its number.
    if (match.flow.vlans[0].tci & hton16(FLOW_VLAN_CFI)) {
        match.flow.vlans[0].tpid = hton16(0x8100);
    }
    return trace(sw, &match.flow, out, cap, err);
}

int rs_trace_packet(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len, char *out,
                    size_t cap, struct rs_error *err) {
    uint8_t copy[RS_FRAME_SIZE];
    struct flow flow;
    if (!api_port_find(sw, ofport, err)) {
        return -ENODEV;
    }
    if (!frame || !out || cap == 0 || len > sizeof copy) {
        return api_error(err, EINVAL, "packet", "at most 4096 bytes", "%zu bytes found", len);
    }
    memcpy(copy, frame, len);
    struct dp_packet packet = {.data = copy, .len = (uint16_t)len, .in_port = ofport};
    enum drop_reason reason = flow_extract(&packet, &flow);
    if (reason != DROP_NONE) {
        struct text t;
        text_init(&t, out, cap);
        text_put(&t, "Dropped: %s: %s\n", drop_reason_name(reason), drop_reason_meaning(reason));
        return (int)t.len;
    }
    return trace(sw, &flow, out, cap, err);
}

struct capture_job {
    rs_switch *sw;
    struct port *port;
    bool on;
};

static void capture_in_pmd(void *arg) {
    struct capture_job *job = arg;
    pmd_set_capture(job->sw->pmd, job->sw->capture);
    atomic_store_explicit(&job->port->capture, job->on, memory_order_relaxed);
}

int rs_capture_start(rs_switch *sw, uint32_t ofport, uint32_t snaplen, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p) {
        return -ENODEV;
    }
    if (snaplen == 0 || snaplen > CAPTURE_SNAPLEN_MAX) {
        return api_error(err, EINVAL, "snaplen", "1 to 4096 bytes", "%u found", snaplen);
    }
    if (!sw->capture && capture_create(&sw->capture) < 0) {
        return api_error(err, ENOMEM, "capture", NULL, "no memory for the ring");
    }
    atomic_store_explicit(&sw->capture->snaplen, snaplen, memory_order_relaxed);
    struct capture_job job = {.sw = sw, .port = p->port, .on = true};
    pmd_run(sw->pmd, capture_in_pmd, &job);
    return 0;
}

int rs_capture_stop(rs_switch *sw, uint32_t ofport, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p) {
        return -ENODEV;
    }
    struct capture_job job = {.sw = sw, .port = p->port, .on = false};
    pmd_run(sw->pmd, capture_in_pmd, &job);
    return 0;
}

int rs_capture_read(rs_switch *sw, struct rs_capture_packet *packet, uint8_t *data, size_t cap) {
    if (!sw || !packet || !data) {
        return -EINVAL;
    }
    const struct capture_record *r = sw->capture ? capture_peek(sw->capture) : NULL;
    if (!r) {
        return 0;
    }
    uint32_t caplen = r->caplen < cap ? r->caplen : (uint32_t)cap;
    *packet = (struct rs_capture_packet){.time_ns = r->time_ns,
                                         .ofport = r->port_id,
                                         .outbound = r->outbound,
                                         .drop = r->drop,
                                         .len = r->len,
                                         .caplen = caplen};
    memcpy(data, r->data, caplen);
    capture_pop(sw->capture);
    return 1;
}

uint64_t rs_capture_lost(rs_switch *sw) {
    return sw && sw->capture ? counter_get(&sw->capture->lost) : 0;
}
