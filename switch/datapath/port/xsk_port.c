// Port class "afxdp": an AF_XDP socket for each queue of a network device.
//
// The choice of mode and umem is made here, once for the whole port:
//
//     mode   zero copy, then (BIND_AUTO) copy; a refusal's errno is kept. Zero-copy and copy
//            sockets cannot share a umem: the kernel notes the mode in it.
//     umem   one of the set in the right mode and with frames to spare, where the kernel shares
//            umems (>= 5.10) and the configuration wants it; else one that no socket is bound to;
//            else a new one.
//
// A queue that stays EBUSY ends the ladder at once: it would be as busy in any other mode.

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "datapath/port/port_drop.h"
#include "datapath/port/xsk_socket.h"

struct xsk_port {
    unsigned n;                                // Queues.
    struct xsk_socket *sockets[RS_MAX_QUEUES]; // All packets leave by the first.
    int zero_copy_errno;
};

// What is on its way out of a queue, beside its full fill ring.
static uint32_t frames_in_flight(uint32_t ring_size) {
    return ring_size / 2;
}

static uint32_t frames_for(uint32_t queues, uint32_t ring_size) {
    return queues * (ring_size + frames_in_flight(ring_size));
}

static struct xsk_socket *socket_of(const struct port *port, unsigned q) {
    const struct xsk_port *xp = port->priv;
    return port->class == &port_class_afxdp && xp && q < xp->n ? xp->sockets[q] : NULL;
}

// ---- which umem ------------------------------------------------------------------------------

static bool node_fits(const struct umem *umem, int node) {
    return umem->numa_node == node || umem->numa_node < 0 || node < 0;
}

// Has the umem `need` frames for a further port, and those besides that its sockets will want?
static bool has_frames(struct umem *umem, uint32_t need) {
    for (const struct xsk_socket *s = umem->sockets; s; s = s->next) {
        need += frames_in_flight(s->config.ring_size);
    }
    return umem_free_frames(umem) >= need;
}

// A umem with `need` frames to spare: bound in this mode (shared), or bound by nobody. NULL = a new
// one is needed.
static struct umem *umem_find(const struct umem_set *set, bool shared, bool zero_copy, int node,
                              uint32_t need) {
    for (unsigned i = 0; i < set->n_umems; i++) {
        struct umem *umem = set->umems[i];
        bool fits =
            shared ? umem->n_sockets > 0 && umem->zero_copy == zero_copy : umem->n_sockets == 0;
        if (fits && node_fits(umem, node) && has_frames(umem, need)) {
            return umem;
        }
    }
    return NULL;
}

static int device_numa_node(const char *device) {
    char path[64];
    int node = -1;
    (void)snprintf(path, sizeof path, "/sys/class/net/%.15s/device/numa_node", device);
    FILE *f = fopen(path, "re");
    if (f) {
        if (fscanf(f, "%d", &node) != 1) {
            node = -1;
        }
        fclose(f);
    }
    return node;
}

// ---- opening ---------------------------------------------------------------------------------

struct open_job { // What one attempt at opening works with.
    struct port *port;
    struct umem_set *set;
    struct port_open_error *err;
    uint32_t ifindex;
    uint32_t ring_size;
    int node;
};

static int open_socket(const struct open_job *job, unsigned q, bool zero_copy, struct umem *umem) {
    struct xsk_port *xp = job->port->priv;
    const struct xsk_config config = {
        .ifindex = job->ifindex,
        .queue = job->port->config.queues[q],
        .tag = (uint16_t)(job->port->id * RS_MAX_QUEUES + q),
        .ring_size = job->ring_size,
        .zero_copy = zero_copy,
        .counters = &job->port->counters,
    };
    return xsk_socket_open(&config, umem, &xp->sockets[q], job->err);
}

static struct umem *umem_unbound(const struct open_job *job, uint32_t need) {
    struct umem *umem = umem_find(job->set, false, false, job->node, need);
    return umem ? umem : umem_set_add(job->set, need, job->node);
}

// Queue q on its port's umem, on one shared with other ports, or on one of its own.
static int open_queue(const struct open_job *job, unsigned q, bool zero_copy) {
    struct xsk_port *xp = job->port->priv;
    bool share = job->set->share && !job->set->share_refused;
    uint32_t need_all = frames_for(job->port->config.n_queues - q, job->ring_size);
    struct umem *shared = NULL;

    if (share) {
        shared = umem_find(job->set, true, zero_copy, job->node, need_all);
    } else if (q > 0 && !job->set->share_refused) {
        shared = xp->sockets[0]->umem; // Not with other ports, but the queues of one port do share.
    }
    if (shared) {
        int error = open_socket(job, q, zero_copy, shared);
        if (error != -EINVAL) {
            return error;
        }
        // EINVAL: a kernel before 5.10, or no such queue. A umem of its own tells which.
    }
    uint32_t need = job->set->share_refused ? frames_for(1, job->ring_size) : need_all;
    struct umem *own = umem_unbound(job, need);
    if (!own) {
        *job->err = (struct port_open_error){.error = ENOMEM, .what = "umem"};
        return -ENOMEM;
    }
    int error = open_socket(job, q, zero_copy, own);
    if (error == 0 && shared) {
        job->set->share_refused = true;
    }
    return error;
}

static void close_sockets(struct xsk_port *xp) {
    for (unsigned q = 0; q < xp->n; q++) {
        xsk_socket_close(xp->sockets[q]);
    }
    xp->n = 0;
}

static int open_queues(const struct open_job *job, bool zero_copy) {
    struct xsk_port *xp = job->port->priv;
    for (unsigned q = 0; q < job->port->config.n_queues; q++) {
        int error = open_queue(job, q, zero_copy);
        if (error < 0) {
            close_sockets(xp);
            return error;
        }
        xp->n++;
    }
    return 0;
}

// A new umem for a device that will refuse zero copy would be a waste: then a small one asks first.
static int open_zero_copy(const struct open_job *job) {
    uint32_t need = frames_for(job->port->config.n_queues, job->ring_size);
    if (!umem_find(job->set, true, true, job->node, need) &&
        !umem_find(job->set, false, true, job->node, need)) {
        uint16_t queue = job->port->config.queues[0];
        int error = xsk_probe_zero_copy(job->ifindex, queue);
        if (error < 0) {
            *job->err = (struct port_open_error){-error, "bind(zero-copy)", queue};
            return error;
        }
    }
    return open_queues(job, true);
}

static int open_ladder(const struct open_job *job) {
    struct xsk_port *xp = job->port->priv;
    const struct port_config *c = &job->port->config;

    if (c->bind_mode != BIND_COPY && !c->force_generic) {
        int error = open_zero_copy(job);
        if (error == 0 || error == -EBUSY || c->bind_mode == BIND_ZERO_COPY) {
            return error;
        }
        xp->zero_copy_errno = -error;
    }
    return open_queues(job, false);
}

// Back to the umems that were there: none of those added since has a socket or has lent a frame.
static void umems_trim(struct umem_set *set, unsigned n) {
    while (set->n_umems > n) {
        umem_destroy(set->umems[--set->n_umems]);
    }
}

static bool device_is_up(const char *device) {
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    memcpy(ifr.ifr_name, device, strnlen(device, IFNAMSIZ - 1));
    bool up = ioctl(fd, SIOCGIFFLAGS, &ifr) == 0 && (ifr.ifr_flags & IFF_UP) != 0;
    close(fd);
    return up;
}

static int xsk_port_open(struct port *port, const struct port_config *config,
                         struct umem_set *umems, struct port_open_error *err) {
    unsigned ifindex = config->ifindex ? config->ifindex : if_nametoindex(config->device);
    if (ifindex == 0) {
        *err = (struct port_open_error){.error = ENODEV, .what = "device"};
        return -ENODEV;
    }
    struct xsk_port *xp = calloc(1, sizeof *xp);
    if (!xp) {
        *err = (struct port_open_error){.error = ENOMEM, .what = "memory"};
        return -ENOMEM;
    }
    port->priv = xp;
    const struct open_job job = {
        .port = port,
        .set = umems,
        .err = err,
        .ifindex = ifindex,
        .ring_size = config->ring_size ? config->ring_size : XSK_RING_SIZE_DEFAULT,
        .node = device_numa_node(config->device),
    };
    unsigned n_umems = umems->n_umems;
    int error = open_ladder(&job);
    if (error < 0) {
        umems_trim(umems, n_umems);
        free(xp);
        port->priv = NULL;
        return error;
    }
    port->n_rxq = xp->n;
    atomic_store_explicit(&port->up, device_is_up(config->device), memory_order_relaxed);
    return 0;
}

static void xsk_port_close(struct port *port) {
    close_sockets(port->priv);
    free(port->priv);
    port->priv = NULL;
}

// ---- packets ---------------------------------------------------------------------------------

static void xsk_port_rx(struct port *port, unsigned q, struct dp_packet_batch *batch) {
    struct xsk_port *xp = port->priv;
    assert(q < xp->n);
    xsk_rx(xp->sockets[q], port, batch);
}

// The packet in a frame of the socket's umem: itself, or its one copy. NULL: dropped, NO_FRAME.
static struct dp_packet *into_umem(struct dp_packet *p, struct umem *umem,
                                   struct port_counters *from) {
    if (likely(p->umem == umem)) {
        return p;
    }
    struct dp_packet *copy = dp_packet_clone(p, umem, umem->pmd_cache);
    if (unlikely(!copy)) {
        // Too long for a frame with our headroom, or no frame.
        bool fits = p->len <= umem->frame_size - RS_PACKET_HEADROOM;
        port_drop(p, fits ? DROP_NO_FRAME : DROP_TX_TOO_LONG, from);
        return NULL;
    }
    copy->capture = p->capture; // Its fate is now the copy's.
    dp_packet_free(p);
    return copy;
}

// Ways out: sent; TX_DOWN, TX_TOO_LONG, NO_FRAME, TX_RING_FULL.
static void xsk_port_tx(struct port *port, struct dp_packet_batch *batch,
                        struct port_counters *from) {
    struct xsk_port *xp = port->priv;
    struct xsk_socket *s = xp->sockets[0];
    struct dp_packet *ready[RS_BATCH_MAX];
    uint16_t lens[RS_BATCH_MAX];
    unsigned n = 0;
    bool up = atomic_load_explicit(&port->up, memory_order_relaxed) && xsk_tx_is_up(s);

    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (unlikely(!up)) {
            port_drop(p, DROP_TX_DOWN, from);
        } else if (unlikely(p->len > port_frame_max(port))) {
            port_drop(p, DROP_TX_TOO_LONG, from);
        } else if (likely((p = into_umem(p, s->umem, from)))) {
            lens[n] = p->len;
            ready[n++] = p;
        }
    }
    batch_init(batch);
    unsigned sent = n > 0 ? xsk_tx_put(s, ready, n) : 0;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < sent; i++) {
        bytes += lens[i];
    }
    for (unsigned i = sent; i < n; i++) {
        port_drop(ready[i], DROP_TX_RING_FULL, from);
    }
    counter_add(&from->sent, sent);
    counter_add(&port->tx.packets, sent);
    counter_add(&port->tx.bytes, bytes);
    port->tx_pending |= sent > 0; // Until flush says otherwise.
}

static void xsk_port_flush(struct port *port) {
    struct xsk_port *xp = port->priv;
    port->tx_pending = xsk_tx_flush(xp->sockets[0]);
}

static int xsk_port_rx_fd(const struct port *port, unsigned q) {
    return port_xsk_fd(port, q);
}

const struct port_class port_class_afxdp = {
    .name = "afxdp",
    .open = xsk_port_open,
    .close = xsk_port_close,
    .rx = xsk_port_rx,
    .tx = xsk_port_tx,
    .flush = xsk_port_flush,
    .rx_fd = xsk_port_rx_fd,
};

// ---- questions -------------------------------------------------------------------------------

int port_xsk_fd(const struct port *port, unsigned q) {
    const struct xsk_socket *s = socket_of(port, q);
    return s ? s->fd : -EINVAL;
}

int port_xsk_statistics(const struct port *port, unsigned q, struct xsk_statistics *out) {
    const struct xsk_socket *s = socket_of(port, q);
    return s ? xsk_socket_statistics(s, out) : -EINVAL;
}

bool port_xsk_zero_copy(const struct port *port) {
    const struct xsk_socket *s = socket_of(port, 0);
    return s && s->zero_copy;
}

int port_xsk_zero_copy_errno(const struct port *port) {
    return socket_of(port, 0) ? ((const struct xsk_port *)port->priv)->zero_copy_errno : 0;
}

bool port_xsk_shares_umem(const struct port *port) {
    const struct xsk_socket *s = socket_of(port, 0);
    if (!s) {
        return false;
    }
    for (const struct xsk_socket *o = s->umem->sockets; o; o = o->next) {
        if (o->config.counters != &port->counters) {
            return true;
        }
    }
    return false;
}

unsigned port_xsk_bind_wait_ms(const struct port *port) {
    unsigned ms = 0;
    const struct xsk_socket *s;
    for (unsigned q = 0; (s = socket_of(port, q)); q++) {
        ms += s->bind_wait_ms;
    }
    return ms;
}
