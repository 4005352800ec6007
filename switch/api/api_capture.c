// Packets seen inside the switch.

#include <errno.h>

#include "api/api_private.h"

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
