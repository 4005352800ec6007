// Ports: opened, started, changed, closed.

#include <errno.h>

#include "api/api_private.h"

struct api_port *api_port_find(rs_switch *sw, uint32_t ofport, struct rs_error *err) {
    if (!sw || ofport == 0 || ofport >= RS_MAX_PORTS || !sw->ports[ofport].port) {
        api_error(err, ENODEV, "ofport", "`show` lists the ports", "there is no port %u", ofport);
        return NULL;
    }
    return &sw->ports[ofport];
}

static int check_vlan(const struct rs_vlan_config *v, struct rs_error *err) {
    if (v->mode < RS_VLAN_TRUNK || v->mode > RS_VLAN_NATIVE) {
        return api_error(err, EINVAL, "vlan.mode", "trunk, access or native", "%d found", v->mode);
    }
    bool tagged = v->mode != RS_VLAN_TRUNK;
    if (tagged ? v->tag < 1 || v->tag > 4094 : v->tag != 0) {
        return api_error(err, EINVAL, "vlan",
                         tagged ? "a VLAN from 1 to 4094" : "a plain trunk has no VLAN of its own",
                         "%u found", v->tag);
    }
    return 0;
}

static struct vlan_config vlan_from(const struct rs_vlan_config *v) {
    struct vlan_config out = {.mode = (enum vlan_mode)v->mode, .tag = v->tag};
    static_assert(sizeof out.trunks == sizeof v->trunks, "bitmaps of 4096 VLANs");
    memcpy(out.trunks, v->trunks, sizeof out.trunks);
    return out;
}

static int check_config(const rs_switch *sw, const struct rs_port_config *c, struct rs_error *err) {
    if (!api_is_terminated(c->name, sizeof c->name) || c->name[0] == '\0') {
        return api_error(err, EINVAL, "name", "1 to 15 bytes", "empty or not terminated");
    }
    if (!api_is_terminated(c->device, sizeof c->device)) {
        return api_error(err, EINVAL, "device", "1 to 15 bytes", "not terminated");
    }
    if (c->n_queues > RS_MAX_QUEUES) {
        return api_error(err, EINVAL, "queues", "at most 64", "%u found", c->n_queues);
    }
    if (c->ofport >= RS_MAX_PORTS) {
        return api_error(err, EINVAL, "ofport", "1 to 1023, or 0 for the first free one",
                         "%u found", c->ofport);
    }
    if (c->ofport && sw->ports[c->ofport].port) {
        return api_error(err, EEXIST, "ofport", "choose another, or 0 for the first free one",
                         "port %u is %s", c->ofport, sw->ports[c->ofport].port->config.name);
    }
    if (port_names_find(&sw->bridge.names, c->name) != OFPP_NONE) {
        return api_error(err, EEXIST, "name", "choose another, or remove that port first",
                         "there is a port %s", c->name);
    }
    return check_vlan(&c->vlan, err);
}

static uint32_t choose_ofport(const rs_switch *sw, uint32_t wanted) {
    for (uint32_t id = 1; !wanted && id < RS_MAX_PORTS; id++) {
        if (!sw->ports[id].port) {
            return id;
        }
    }
    return wanted;
}

static struct port_config config_from(const struct rs_port_config *c) {
    struct port_config out = {
        .type = (enum port_type)c->type,
        .ifindex = c->ifindex,
        .n_queues = c->n_queues,
        .bind_mode = (enum bind_mode)c->bind_mode,
        .force_generic = c->force_generic,
        .csum = (enum csum_policy)c->csum,
        .mtu = c->mtu,
        .ring_size = c->ring_size,
    };
    static_assert(sizeof out.queues == sizeof c->queues, "same queues on both sides");
    memcpy(out.name, c->name, sizeof out.name);
    memcpy(out.device, c->device, sizeof out.device);
    memcpy(out.queues, c->queues, sizeof out.queues);
    return out;
}

static const char *open_hint(const struct port_open_error *e) {
    static const struct {
        int error;
        const char *hint;
    } hints[] = {
        {EPERM, "run it as root, or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_IPC_LOCK"},
        {EBUSY, "another program uses this queue or device: stop it, or choose another"},
        {EEXIST, "another device has this name: choose another"},
        {ENODEV, "check the name of the device and its namespace"},
        {ENOMEM, "free memory, raise RLIMIT_MEMLOCK, or use fewer frames"},
        {ENOBUFS, "free memory, raise RLIMIT_MEMLOCK, or use fewer frames"},
        {EOPNOTSUPP, "the driver cannot do this: choose mode native or generic"},
        {EINVAL, "see switch/datapath/port/README.md for what this step asks for"},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(hints); i++) {
        if (hints[i].error == e->error) {
            return hints[i].hint;
        }
    }
    return NULL;
}

static int open_failed(const struct rs_port_config *c, const struct port_open_error *e,
                       struct rs_error *err) {
    const char *device = c->device[0] ? c->device : c->name;
    const char *reason = strerror(e->error);
    if (c->type == RS_PORT_AFXDP) {
        return api_error(err, e->error, e->what, open_hint(e), "device %s, queue %u: %s", device,
                         e->queue, reason);
    }
    return api_error(err, e->error, e->what, open_hint(e), "device %s: %s", device, reason);
}

struct port_job {
    rs_switch *sw;
    uint32_t id;
    struct vlan_config vlan;
    int csum;
    uint32_t config; // enum ofp_port_config.
    bool up;
};

static void name_in_pmd(void *arg) {
    struct port_job *job = arg;
    const struct port_config *c = &job->sw->ports[job->id].port->config;
    bridge_name_port(&job->sw->bridge, job->id, c->name, c->type == PORT_INTERNAL);
}

int rs_port_open(rs_switch *sw, const struct rs_port_config *config, struct rs_port_info *info,
                 struct rs_error *err) {
    if (!sw || !config) {
        return api_error(err, EINVAL, "config", NULL, "no switch or no configuration");
    }
    int error = check_config(sw, config, err);
    if (error < 0) {
        return error;
    }
    uint32_t id = choose_ofport(sw, config->ofport);
    if (id == 0) {
        return api_error(err, ENOSPC, "ofport", "remove a port first", "all 1023 are in use");
    }
    struct port_config c = config_from(config);
    struct port_open_error failed;
    struct port *port;
    if (port_open(&c, id, &sw->umems, &port, &failed) < 0) {
        return open_failed(config, &failed, err);
    }
    sw->ports[id] = (struct api_port){.port = port, .vlan = config->vlan};
    struct port_job job = {.sw = sw, .id = id};
    api_run_alone(sw, name_in_pmd, &job);
    return info ? rs_port_info(sw, id, info, err) : 0;
}

static void start_in_pmd(void *arg) {
    struct port_job *job = arg;
    bridge_add_port(&job->sw->bridge, job->id, &job->vlan);
    bridge_set_port_up(&job->sw->bridge, job->id, job->up);
}

int rs_port_start(rs_switch *sw, uint32_t ofport, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p) {
        return -ENODEV;
    }
    if (p->started) {
        return 0;
    }
    int error = pmd_add_port(sw->pmd, p->port);
    if (error < 0) {
        return api_error(err, -error, "ofport", NULL, "no memory for the list of queues");
    }
    struct port_job job = {.sw = sw,
                           .id = ofport,
                           .vlan = vlan_from(&p->vlan),
                           .up = atomic_load_explicit(&p->port->up, memory_order_relaxed)};
    api_run_alone(sw, start_in_pmd, &job);
    p->started = true;
    return 0;
}

static void remove_in_pmd(void *arg) {
    struct port_job *job = arg;
    bridge_remove_port(&job->sw->bridge, job->id);
}

int rs_port_close(rs_switch *sw, uint32_t ofport, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p) {
        return -ENODEV;
    }
    struct port_job job = {.sw = sw, .id = ofport};
    int error = p->started ? pmd_remove_port(sw->pmd, p->port) : 0;
    if (error < 0) {
        return api_error(err, -error, "ofport", NULL, "no memory for the list of queues");
    }
    api_run_alone(sw, remove_in_pmd, &job);
    port_close(p->port);
    *p = (struct api_port){0};
    return 0;
}

static void fill_xsk_info(const struct port *port, struct rs_port_info *info) {
    for (unsigned q = 0; q < info->n_queues; q++) {
        info->xsk_fds[q] = port_xsk_fd(port, q);
    }
    info->zero_copy = port_xsk_zero_copy(port);
    info->zero_copy_errno = port_xsk_zero_copy_errno(port);
    info->umem_shared = port_xsk_shares_umem(port);
    info->bind_wait_ms = port_xsk_bind_wait_ms(port);
}

int rs_port_info(rs_switch *sw, uint32_t ofport, struct rs_port_info *info, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p || !info) {
        return p ? api_error(err, EINVAL, "info", NULL, "no place for the result") : -ENODEV;
    }
    const struct port_config *c = &p->port->config;
    memset(info, 0, sizeof *info);
    memcpy(info->name, c->name, sizeof info->name);
    memcpy(info->device, c->device, sizeof info->device);
    info->type = (int)c->type;
    info->ofport = ofport;
    info->n_queues = p->port->n_rxq;
    memcpy(info->queues, c->queues, sizeof info->queues);
    memset(info->xsk_fds, 0xff, sizeof info->xsk_fds);
    if (c->type == PORT_AFXDP) {
        fill_xsk_info(p->port, info);
    }
    info->csum = (int)c->csum;
    info->mtu = c->mtu;
    info->up = atomic_load_explicit(&p->port->up, memory_order_relaxed);
    info->vlan = p->vlan;
    return 0;
}

static void up_in_pmd(void *arg) {
    struct port_job *job = arg;
    bridge_set_port_up(&job->sw->bridge, job->id, job->up);
}

int rs_port_set_up(rs_switch *sw, uint32_t ofport, bool up, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p) {
        return -ENODEV;
    }
    atomic_store_explicit(&p->port->up, up, memory_order_relaxed);
    if (p->started) {
        struct port_job job = {.sw = sw, .id = ofport, .up = up};
        api_run_alone(sw, up_in_pmd, &job);
    }
    return 0;
}

static void config_in_pmd(void *arg) {
    struct port_job *job = arg;
    bridge_set_port_config(&job->sw->bridge, job->id, job->config);
}

int rs_port_set_ofp_config(rs_switch *sw, uint32_t ofport, uint32_t config, struct rs_error *err) {
    enum {
        KNOWN = OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FLOOD | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN
    };
    if (!api_port_find(sw, ofport, err)) {
        return -ENODEV;
    }
    if (config & ~(uint32_t)KNOWN) {
        return api_error(err, EINVAL, "config", "bits 1, 4, 16, 32 and 64", "0x%x found", config);
    }
    struct port_job job = {.sw = sw, .id = ofport, .config = config};
    api_run_alone(sw, config_in_pmd, &job);
    return 0;
}

static void vlan_in_pmd(void *arg) {
    struct port_job *job = arg;
    bridge_set_vlan(&job->sw->bridge, job->id, &job->vlan);
}

int rs_port_set_vlan(rs_switch *sw, uint32_t ofport, const struct rs_vlan_config *vlan,
                     struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p || !vlan) {
        return p ? api_error(err, EINVAL, "vlan", NULL, "none given") : -ENODEV;
    }
    int error = check_vlan(vlan, err);
    if (error < 0) {
        return error;
    }
    p->vlan = *vlan;
    if (p->started) {
        struct port_job job = {.sw = sw, .id = ofport, .vlan = vlan_from(vlan)};
        api_run_alone(sw, vlan_in_pmd, &job);
    }
    return 0;
}

static void csum_in_pmd(void *arg) {
    struct port_job *job = arg;
    job->sw->ports[job->id].port->config.csum = (enum csum_policy)job->csum;
}

int rs_port_set_csum(rs_switch *sw, uint32_t ofport, int csum, struct rs_error *err) {
    struct api_port *p = api_port_find(sw, ofport, err);
    if (!p) {
        return -ENODEV;
    }
    if (csum != RS_CSUM_COMPLETE && csum != RS_CSUM_SOFTWARE) {
        return api_error(err, EINVAL, "checksum", "complete or software", "%d found", csum);
    }
    struct port_job job = {.sw = sw, .id = ofport, .csum = csum};
    pmd_run(sw->pmd, csum_in_pmd, &job);
    return 0;
}

uint32_t rs_port_list(rs_switch *sw, uint32_t *ofports, uint32_t cap) {
    uint32_t n = 0;
    for (uint32_t id = 1; sw && id < RS_MAX_PORTS; id++) {
        if (!sw->ports[id].port) {
            continue;
        }
        if (ofports && n < cap) {
            ofports[n] = id;
        }
        n++;
    }
    return n;
}

int rs_dummy_inject(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len) {
    struct api_port *p = api_port_find(sw, ofport, NULL);
    return p && frame ? port_dummy_inject(p->port, frame, len) : p ? -EINVAL : -ENODEV;
}

int rs_dummy_take(rs_switch *sw, uint32_t ofport, uint8_t *buffer, size_t cap) {
    struct api_port *p = api_port_find(sw, ofport, NULL);
    return p && buffer ? port_dummy_take(p->port, buffer, cap) : p ? -EINVAL : -ENODEV;
}
