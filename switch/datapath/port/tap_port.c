// Port class "tap": frames are read from and written to a tap device, one system call each.
//
// The device is made by us and goes away with our file descriptor, also when the process is killed.
// A device that is there already is somebody else's and is refused.
//
// No offloads are asked for (TUNSETOFFLOAD), so the kernel finishes checksums and segments before
// we read.

#include "datapath/port/tap_port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/port/port_drop.h"

#define ETHERNET_HEADER 14

struct tap {
    int fd;
    struct umem *umem; // Frames are read into it.
};

static struct ifreq ifreq_of(const char *device) {
    struct ifreq ifr = {0};
    memcpy(ifr.ifr_name, device, strnlen(device, IFNAMSIZ - 1));
    return ifr;
}

// MTU and admin state, which the tap's own fd does not set. 0 or -errno with *what set.
static int device_configure(const char *device, uint16_t mtu, const char **what) {
    struct ifreq ifr = ifreq_of(device);
    *what = "socket(AF_INET)";
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    *what = "mtu";
    ifr.ifr_mtu = mtu;
    int error = ioctl(fd, SIOCSIFMTU, &ifr) < 0 ? -errno : 0;
    if (error == 0) {
        *what = "SIOCSIFFLAGS";
        error = ioctl(fd, SIOCGIFFLAGS, &ifr) < 0 ? -errno : 0;
    }
    if (error == 0) {
        ifr.ifr_flags |= IFF_UP;
        error = ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
    }
    close(fd);
    return error;
}

// The tap's fd, or -errno with *what set.
static int device_make(const char *device, uint16_t mtu, const char **what) {
    *what = "open(/dev/net/tun)";
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    struct ifreq ifr = ifreq_of(device);
    ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
    *what = "TUNSETIFF";
    int error = ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
    if (error == -EBUSY || error == -EINVAL) {
        *what = "device"; // It exists (EBUSY), or is no name for a device (EINVAL).
        error = error == -EBUSY ? -EEXIST : error;
    }
    if (error == 0 && strncmp(ifr.ifr_name, device, IFNAMSIZ) != 0) {
        *what = "device"; // The kernel took it for a pattern ("tap%d").
        error = -EINVAL;
    }
    if (error == 0) {
        error = device_configure(device, mtu, what);
    }
    if (error < 0) {
        close(fd);
        return error;
    }
    return fd;
}

int tap_open(struct port *port, const struct port_config *config, struct umem_set *umems,
             struct port_open_error *err) {
    struct tap *tap = calloc(1, sizeof *tap);
    struct umem *umem = umem_set_default(umems);
    if (!tap || !umem) {
        free(tap);
        *err = (struct port_open_error){.error = ENOMEM, .what = umem ? "memory" : "umem"};
        return -ENOMEM;
    }
    int fd = device_make(config->device, config->mtu, &err->what);
    if (fd < 0) {
        err->error = -fd;
        free(tap);
        return fd;
    }
    *tap = (struct tap){.fd = fd, .umem = umem};
    port->priv = tap;
    atomic_store_explicit(&port->up, true, memory_order_relaxed);
    return 0;
}

void tap_close(struct port *port) {
    struct tap *tap = port->priv;
    close(tap->fd);
    free(tap);
    port->priv = NULL;
}

// Reads one frame into `p`. Returns DROP_NONE with *more saying whether there was one, or why it is
// dropped.
static enum drop_reason read_frame(const struct tap *tap, struct port *port, struct dp_packet *p,
                                   bool *more) {
    size_t room = dp_packet_tailroom(p);
    ssize_t n;
    do {
        n = read(tap->fd, p->data, room);
    } while (unlikely(n < 0 && errno == EINTR));
    *more = n >= 0;
    if (n < 0) {
        return DROP_NONE; // EAGAIN: no more. EBADFD: the device was deleted.
    }
    counter_add(&port->counters.received, 1);
    counter_add(&port->counters.received_bytes, (uint64_t)n);
    if (unlikely((size_t)n == room)) {
        return DROP_BAD_DESC; // Cut off: somebody raised the device's MTU above the port's.
    }
    if (unlikely(n < ETHERNET_HEADER)) {
        return DROP_RUNT;
    }
    p->len = (uint16_t)n;
    p->in_port = port->id;
    if (port->config.csum == CSUM_SOFTWARE) {
        p->flags = PKT_CSUM_MAYBE_PARTIAL;
    }
    return DROP_NONE;
}

void tap_rx(struct port *port, unsigned q, struct dp_packet_batch *batch) {
    const struct tap *tap = port->priv;
    bool more = true;
    (void)q;

    // Bounded by reads, not by packets kept, so that a flood of runts cannot hold the PMD.
    for (unsigned i = 0; more && i < RS_BATCH_MAX; i++) {
        struct dp_packet *p = dp_packet_alloc(tap->umem, tap->umem->pmd_cache);
        if (unlikely(!p)) {
            return; // The frames stay in the device's queue until some are free again.
        }
        enum drop_reason reason = read_frame(tap, port, p, &more);
        if (likely(more && reason == DROP_NONE)) {
            batch_add(batch, p);
            continue;
        }
        if (more) {
            counter_add(&port->counters.drops[reason], 1);
        }
        dp_packet_free(p);
    }
}

static enum drop_reason write_error(int error) {
    switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM: return DROP_TX_RING_FULL;
    case EIO:    // The device is down.
    case EBADFD: // It was deleted.
    case ENETDOWN: return DROP_TX_DOWN;
    default: return DROP_TX_ERROR;
    }
}

static enum drop_reason write_frame(const struct tap *tap, const struct port *port,
                                    const struct dp_packet *p) {
    if (unlikely(!atomic_load_explicit(&port->up, memory_order_relaxed))) {
        return DROP_TX_DOWN;
    }
    if (unlikely(p->len > port_frame_max(port))) {
        return DROP_TX_TOO_LONG;
    }
    ssize_t n;
    do {
        n = write(tap->fd, p->data, p->len);
    } while (unlikely(n < 0 && errno == EINTR));
    return likely(n >= 0) ? DROP_NONE : write_error(errno);
}

void tap_write(struct port *port, struct dp_packet_batch *batch, struct port_counters *from,
               rs_counter *taken) {
    const struct tap *tap = port->priv;
    uint64_t packets = 0, bytes = 0;

    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        enum drop_reason reason = write_frame(tap, port, p);
        if (unlikely(reason != DROP_NONE)) {
            port_drop(p, reason, from);
            continue;
        }
        packets++;
        bytes += p->len;
        dp_packet_free(p);
    }
    batch_init(batch);
    counter_add(taken, packets);
    counter_add(&port->tx.packets, packets);
    counter_add(&port->tx.bytes, bytes);
}

static void tap_tx(struct port *port, struct dp_packet_batch *batch, struct port_counters *from) {
    tap_write(port, batch, from, &from->sent);
}

int tap_rx_fd(const struct port *port, unsigned q) {
    return q == 0 ? ((const struct tap *)port->priv)->fd : -1;
}

const struct port_class port_class_tap = {
    .name = "tap",
    .open = tap_open,
    .close = tap_close,
    .rx = tap_rx,
    .tx = tap_tx,
    .rx_fd = tap_rx_fd,
    .rx_is_syscall = true,
};
