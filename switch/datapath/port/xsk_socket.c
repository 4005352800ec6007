#include "datapath/port/xsk_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "datapath/base/cycles.h"

#define BIND_PATIENCE_MS \
    1500 // A freed queue answers EBUSY for 20–33 ms; a loaded host takes longer.
#define BIND_PAUSE_MAX_MS 32u
#define LINGER_MS         20
// Descriptors that one sendto() in copy mode may send: more than the kernel's 32, so that one call
// does for a loaded iteration, yet short of a quarter of a millisecond.
#define TX_BUDGET 256u
#define TX_SNDBUF (4 << 20) // skbs in flight are charged to the socket; the default holds some 200.

static int fail(struct port_open_error *err, int error, const char *what, uint16_t queue) {
    *err = (struct port_open_error){.error = error, .what = what, .queue = queue};
    return -error;
}

// ---- rings -----------------------------------------------------------------------------------

static struct xsk_ring_offset offset_widen(const struct xsk_ring_offset_v1 *v1) {
    return (struct xsk_ring_offset){v1->producer, v1->consumer, v1->desc, 0};
}

static int offsets_read(int fd, struct xsk_offsets *o, bool *has_flags) {
    socklen_t len = sizeof *o;
    *o = (struct xsk_offsets){0};

    if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, o, &len) < 0) {
        return -errno;
    }
    *has_flags = len == sizeof *o;
    if (*has_flags) {
        return 0;
    }
    struct xsk_offsets_v1 v1;
    if (len != sizeof v1) {
        return -EPROTO;
    }
    memcpy(&v1, o, sizeof v1);
    *o = (struct xsk_offsets){offset_widen(&v1.rx), offset_widen(&v1.tx), offset_widen(&v1.fill),
                              offset_widen(&v1.comp)};
    return 0;
}

static int ring_map(const struct xsk_socket *s, struct xsk_ring *r,
                    const struct xsk_ring_offset *at, size_t entry_bytes, uint64_t pgoff) {
    size_t bytes = at->desc + s->config.ring_size * entry_bytes;
    uint8_t *map =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd, (off_t)pgoff);
    if (map == MAP_FAILED) {
        return -errno;
    }
    // A child that inherited the mapping would keep the queue busy after our death.
    (void)madvise(map, bytes, MADV_DONTFORK);
    *r = (struct xsk_ring){
        .mask = s->config.ring_size - 1,
        .producer = (_Atomic uint32_t *)(void *)(map + at->producer),
        .consumer = (_Atomic uint32_t *)(void *)(map + at->consumer),
        .flags = s->need_wakeup ? (_Atomic uint32_t *)(void *)(map + at->flags) : NULL,
        .entries = map + at->desc,
        .map = map,
        .map_bytes = bytes,
    };
    return 0;
}

static void ring_unmap(struct xsk_ring *r) {
    if (r->map) {
        munmap(r->map, r->map_bytes);
        r->map = NULL;
    }
}

static void rings_unmap(struct xsk_socket *s) {
    ring_unmap(&s->rx);
    ring_unmap(&s->tx);
    ring_unmap(&s->fill);
    ring_unmap(&s->comp);
}

static int rings_map(struct xsk_socket *s, struct port_open_error *err) {
    struct xsk_offsets o;
    int error =
        offsets_read(s->fd, &o, &s->need_wakeup); // The flags and the feature came with 5.4.
    if (error < 0) {
        return fail(err, -error, "XDP_MMAP_OFFSETS", s->config.queue);
    }
    const struct {
        struct xsk_ring *ring;
        const struct xsk_ring_offset *at;
        size_t entry_bytes;
        uint64_t pgoff;
    } rings[] = {
        {&s->rx, &o.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING},
        {&s->tx, &o.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING},
        {&s->fill, &o.fill, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING},
        {&s->comp, &o.comp, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(rings) && error == 0; i++) {
        error = ring_map(s, rings[i].ring, rings[i].at, rings[i].entry_bytes, rings[i].pgoff);
    }
    return error < 0 ? fail(err, -error, "mmap(rings)", s->config.queue) : 0;
}

// ---- set-up ----------------------------------------------------------------------------------

static int umem_register(int fd, const struct umem *umem) {
    struct xdp_umem_reg reg = {
        .addr = (uint64_t)(uintptr_t)umem->base,
        .len = (uint64_t)umem->n_frames * umem->frame_size,
        .chunk_size = umem->frame_size,
    };
    return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg) < 0 ? -errno : 0;
}

static int rings_set(struct xsk_socket *s, struct port_open_error *err) {
    static const struct {
        int option;
        const char *name;
    } rings[] = {
        {XDP_UMEM_FILL_RING, "XDP_UMEM_FILL_RING"},
        {XDP_UMEM_COMPLETION_RING, "XDP_UMEM_COMPLETION_RING"},
        {XDP_RX_RING, "XDP_RX_RING"},
        {XDP_TX_RING, "XDP_TX_RING"},
    };
    int size = (int)s->config.ring_size;
    for (size_t i = 0; i < RS_ARRAY_SIZE(rings); i++) {
        if (setsockopt(s->fd, SOL_XDP, rings[i].option, &size, sizeof size) < 0) {
            return fail(err, errno, rings[i].name, s->config.queue);
        }
    }
    // Both only make copy-mode transmit cheaper: a refusal (older kernel, no CAP_NET_ADMIN) is no
    // fault.
    uint32_t budget = s->config.ring_size < TX_BUDGET ? s->config.ring_size : TX_BUDGET;
    (void)setsockopt(s->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof budget);
    int sndbuf = TX_SNDBUF;
    (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof sndbuf);
    return 0;
}

// The control thread fills the ring, past the PMD's cache.
static void fill_ring_prime(struct xsk_socket *s) {
    uint32_t frames[RS_BATCH_MAX];
    while (s->rx_held < s->config.ring_size) {
        uint32_t want = s->config.ring_size - s->rx_held;
        unsigned n = umem_stock_take(s->umem, frames, want < RS_BATCH_MAX ? want : RS_BATCH_MAX);
        for (unsigned i = 0; i < n; i++) {
            s->umem->owner[frames[i]] = s->config.tag;
            *ring_fill_entry(&s->fill, i) = (uint64_t)frames[i] << s->umem->frame_shift;
        }
        ring_prod_submit(&s->fill, n);
        s->rx_held += n;
        if (n == 0) {
            return; // rx catches up as frames come free.
        }
    }
}

// bind() until it stops answering EBUSY, for BIND_PATIENCE_MS at most. *waited_ms: 0 if it never did.
static int bind_patiently(int fd, const struct sockaddr_xdp *addr, unsigned *waited_ms) {
    uint64_t start = time_ns();
    unsigned pause_ms = 1;

    *waited_ms = 0;
    for (;;) {
        int error = bind(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 ? -errno : 0;
        if (error != -EBUSY || *waited_ms >= BIND_PATIENCE_MS) {
            return error;
        }
        nanosleep(&(struct timespec){.tv_nsec = (long)pause_ms * 1000000}, NULL);
        pause_ms = pause_ms * 2 < BIND_PAUSE_MAX_MS ? pause_ms * 2 : BIND_PAUSE_MAX_MS;
        *waited_ms = (unsigned)((time_ns() - start) / 1000000u);
    }
}

static int socket_bind(struct xsk_socket *s, struct port_open_error *err) {
    struct sockaddr_xdp addr = {
        .sxdp_family = AF_XDP,
        .sxdp_ifindex = s->config.ifindex,
        .sxdp_queue_id = s->config.queue,
    };
    const char *what = s->config.zero_copy ? "bind(zero-copy)" : "bind(copy)";
    if (s->umem->sockets) {
        // Mode and need-wakeup come from the umem's other sockets; to state them again is EINVAL.
        addr.sxdp_flags = XDP_SHARED_UMEM;
        addr.sxdp_shared_umem_fd = (uint32_t)s->umem->sockets->fd;
        what = s->config.zero_copy ? "bind(zero-copy, shared umem)" : "bind(copy, shared umem)";
    } else {
        addr.sxdp_flags = (uint16_t)((s->config.zero_copy ? XDP_ZEROCOPY : XDP_COPY) |
                                     (s->need_wakeup ? XDP_USE_NEED_WAKEUP : 0));
    }
    int error = bind_patiently(s->fd, &addr, &s->bind_wait_ms);
    if (error < 0) {
        return fail(err, -error, what, s->config.queue);
    }
    uint32_t options = 0;
    socklen_t len = sizeof options;
    if (getsockopt(s->fd, SOL_XDP, XDP_OPTIONS, &options, &len) == 0) {
        s->zero_copy = (options & XDP_OPTIONS_ZEROCOPY) != 0;
    } else {
        s->zero_copy = s->config.zero_copy; // Before 5.3: XDP_ZEROCOPY meant it or failed.
    }
    return 0;
}

static int socket_setup(struct xsk_socket *s, struct port_open_error *err) {
    s->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        return fail(err, errno, "socket(AF_XDP)", s->config.queue);
    }
    if (!s->umem->sockets) {
        int error = umem_register(s->fd, s->umem);
        if (error < 0) {
            return fail(err, -error, "XDP_UMEM_REG", s->config.queue);
        }
    }
    int error = rings_set(s, err);
    if (error == 0) {
        error = rings_map(s, err);
    }
    if (error == 0) {
        fill_ring_prime(s);
        error = socket_bind(s, err);
    }
    return error;
}

static void socket_teardown(struct xsk_socket *s) {
    rings_unmap(s);
    if (s->fd >= 0) {
        close(s->fd);
    }
    umem_reclaim(s->umem, s->config.tag);
    free(s);
}

int xsk_socket_open(const struct xsk_config *config, struct umem *umem, struct xsk_socket **out,
                    struct port_open_error *err) {
    *out = NULL;
    struct xsk_socket *s = calloc(1, sizeof *s);
    if (!s) {
        return fail(err, ENOMEM, "memory", config->queue);
    }
    s->config = *config;
    s->umem = umem;
    s->fd = -1;
    int error = socket_setup(s, err);
    if (error < 0) {
        socket_teardown(s);
        return error;
    }
    s->next = umem->sockets;
    umem->sockets = s;
    umem->n_sockets++;
    umem->zero_copy = s->zero_copy;
    *out = s;
    return 0;
}

// close() returns before a driver in zero-copy mode has stopped writing into its frames: the pool
// is released later, in a work queue. While that lasts the queue answers EBUSY, so a bind that
// succeeds is proof that it is over.
static void wait_released(uint32_t ifindex, uint16_t queue);

void xsk_socket_close(struct xsk_socket *s) {
    xsk_tx_linger(s, LINGER_MS);
    struct xsk_socket **at = &s->umem->sockets;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    s->umem->n_sockets--;
    if (s->umem->n_sockets == 0) {
        s->umem->zero_copy = false; // The next socket registers the region afresh, in any mode.
    }
    if (s->zero_copy) {
        rings_unmap(s);
        close(s->fd);
        s->fd = -1;
        wait_released(s->config.ifindex, s->config.queue);
    }
    socket_teardown(s);
}

int xsk_socket_statistics(const struct xsk_socket *s, struct xsk_statistics *out) {
    struct xdp_statistics raw = {0}; // A kernel before 5.9 fills the first three.
    socklen_t len = sizeof raw;
    if (getsockopt(s->fd, SOL_XDP, XDP_STATISTICS, &raw, &len) < 0) {
        return -errno;
    }
    *out = (struct xsk_statistics){
        .rx_dropped = raw.rx_dropped,
        .rx_invalid_descs = raw.rx_invalid_descs,
        .tx_invalid_descs = raw.tx_invalid_descs,
        .rx_ring_full = raw.rx_ring_full,
        .rx_fill_ring_empty_descs = raw.rx_fill_ring_empty_descs,
        .tx_ring_empty_descs = raw.tx_ring_empty_descs,
    };
    return 0;
}

// ---- trial binds -----------------------------------------------------------------------------

// Binds a throw-away socket with a umem of two frames and closes it again. `flags` are bind()'s.
static int trial_bind(uint32_t ifindex, uint16_t queue, uint16_t flags) {
    struct umem *umem;
    int error = umem_create(2, 2048, -1, &umem);
    if (error < 0) {
        return error;
    }
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    error = fd < 0 ? -errno : umem_register(fd, umem);
    static const int rings[] = {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING};
    int size = 2;
    for (size_t i = 0; error == 0 && i < RS_ARRAY_SIZE(rings); i++) {
        error = setsockopt(fd, SOL_XDP, rings[i], &size, sizeof size) < 0 ? -errno : 0;
    }
    if (error == 0) {
        struct sockaddr_xdp addr = {
            .sxdp_family = AF_XDP,
            .sxdp_flags = flags,
            .sxdp_ifindex = ifindex,
            .sxdp_queue_id = queue,
        };
        unsigned waited;
        error = bind_patiently(fd, &addr, &waited);
    }
    if (fd >= 0) {
        close(fd);
    }
    umem_destroy(umem);
    return error;
}

int xsk_probe_zero_copy(uint32_t ifindex, uint16_t queue) {
    return trial_bind(ifindex, queue, XDP_ZEROCOPY);
}

static void wait_released(uint32_t ifindex, uint16_t queue) {
    (void)trial_bind(ifindex, queue, XDP_COPY);
}
