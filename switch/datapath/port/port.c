#include "datapath/port/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UMEM_FRAMES_DEFAULT 16384u
#define RING_SIZE_MIN       64u // A copy-mode transmit budget and a batch fit, with room to spare.
#define RING_SIZE_MAX       32768u
#define MTU_MIN             68u // RFC 791: what IPv4 needs at least.

void (*port_drop_hook)(const struct dp_packet *p, enum drop_reason reason);

static const struct port_class *const classes[] = {
    [PORT_AFXDP] = &port_class_afxdp,
    [PORT_TAP] = &port_class_tap,
    [PORT_INTERNAL] = &port_class_internal,
    [PORT_DUMMY] = &port_class_dummy,
};

static bool name_is_valid(const char *name) {
    return name[0] != '\0' && memchr(name, '\0', RS_PORT_NAME) != NULL;
}

static bool ring_size_is_valid(uint32_t n) {
    return n == 0 || (n >= RING_SIZE_MIN && n <= RING_SIZE_MAX && (n & (n - 1)) == 0);
}

static bool queues_are_valid(const struct port_config *c) {
    if (c->n_queues == 0 || c->n_queues > RS_MAX_QUEUES) {
        return false;
    }
    for (unsigned i = 0; i < c->n_queues; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (c->queues[i] == c->queues[j]) {
                return false;
            }
        }
    }
    return true;
}

// The name of the field that is at fault, NULL if there is none.
static const char *config_fault(const struct port_config *c) {
    if ((unsigned)c->type >= RS_ARRAY_SIZE(classes)) {
        return "type";
    }
    if (!name_is_valid(c->name)) {
        return "name";
    }
    if (c->type != PORT_DUMMY && !name_is_valid(c->device)) {
        return "device";
    }
    // A frame of that MTU with two VLAN tags must fit behind the headroom with a byte to spare: by
    // that byte tap tells a frame that was cut off.
    if (c->mtu < MTU_MIN || c->mtu + 22u >= RS_FRAME_SIZE - RS_PACKET_HEADROOM) {
        return "mtu";
    }
    if ((unsigned)c->csum > CSUM_SOFTWARE) {
        return "csum";
    }
    if (c->type != PORT_AFXDP) {
        return NULL;
    }
    if (!queues_are_valid(c)) {
        return "queues";
    }
    if (!ring_size_is_valid(c->ring_size)) {
        return "ring_size";
    }
    if ((unsigned)c->bind_mode > BIND_COPY ||
        (c->force_generic && c->bind_mode == BIND_ZERO_COPY)) {
        return "bind_mode";
    }
    return NULL;
}

int port_open(const struct port_config *config, uint32_t id, struct umem_set *umems,
              struct port **out, struct port_open_error *err) {
    *out = NULL;
    *err = (struct port_open_error){0};
    const char *fault = id == 0 || id >= RS_MAX_PORTS ? "id" : config_fault(config);
    if (fault) {
        *err = (struct port_open_error){.error = EINVAL, .what = fault};
        return -EINVAL;
    }
    struct port *port = aligned_alloc(RS_CACHE_LINE, sizeof *port);
    if (!port) {
        *err = (struct port_open_error){.error = ENOMEM, .what = "memory"};
        return -ENOMEM;
    }
    memset(port, 0, sizeof *port);
    port->id = id;
    port->class = classes[config->type];
    port->config = *config;
    port->n_rxq = 1;
    int error = port->class->open(port, config, umems, err);
    if (error < 0) {
        free(port);
        return error;
    }
    *out = port;
    return 0;
}

void port_close(struct port *port) {
    if (port) {
        port->class->close(port);
        free(port);
    }
}

struct umem *umem_set_add(struct umem_set *set, uint32_t n_frames, int numa_node) {
    uint32_t frames = set->frames ? set->frames : UMEM_FRAMES_DEFAULT;
    if (set->n_umems == RS_ARRAY_SIZE(set->umems)) {
        return NULL;
    }
    struct umem *umem;
    if (umem_create(frames > n_frames ? frames : n_frames, RS_FRAME_SIZE, numa_node, &umem) < 0) {
        return NULL;
    }
    set->umems[set->n_umems++] = umem;
    return umem;
}

struct umem *umem_set_default(struct umem_set *set) {
    return set->n_umems > 0 ? set->umems[0] : umem_set_add(set, 0, -1);
}

void umem_set_destroy(struct umem_set *set) {
    for (unsigned i = 0; i < set->n_umems; i++) {
        umem_destroy(set->umems[i]);
    }
    set->n_umems = 0;
}
