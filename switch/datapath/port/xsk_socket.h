// One AF_XDP socket, bound to one queue of one device, on one umem: made and unmade here, straight
// on the kernel interface (Documentation/networking/af_xdp.rst). xsk_rx.c and xsk_tx.c move packets
// through it.
//
// Order matters in three places, each learnt from somebody's outage:
// - the fill ring is filled before bind(): drivers take buffers from it at once, and some never ask
//   again;
// - the rings are unmapped before close(): a mapped ring keeps the queue EBUSY for ever;
// - bind() is retried while it answers EBUSY: the kernel frees a queue 20–33 ms after the close().

#ifndef RINGSIDE_PORT_XSK_SOCKET_H
#define RINGSIDE_PORT_XSK_SOCKET_H

#include "datapath/port/port.h"
#include "datapath/port/xsk_ring.h"
#include "datapath/umem/umem.h"

#define XSK_RING_SIZE_DEFAULT 2048u

struct xsk_config {
    uint32_t ifindex;
    uint16_t queue;
    uint16_t tag; // 1 … UMEM_TAG_MAX, unlike any other socket's on the same umem.
    uint32_t ring_size;
    bool zero_copy;                 // Bind in this mode or not at all.
    struct port_counters *counters; // Of the socket's port: bad_frames.
};

struct xsk_socket {
    // Constant while bound.
    struct xsk_config config;
    int fd;
    struct umem *umem;
    bool zero_copy;          // What the kernel says (XDP_OPTIONS).
    bool need_wakeup;        // The kernel knows XDP_USE_NEED_WAKEUP.
    unsigned bind_wait_ms;   // Waited for the queue to be freed by its last user.
    struct xsk_socket *next; // In umem->sockets. Control thread only.
    // PMD thread, while the port is published.
    struct xsk_ring rx, fill;
    uint32_t rx_held; // Frames in the fill and rx rings: at most ring_size, which is also the aim.
    struct xsk_ring tx, comp;
    uint32_t tx_held;  // Frames in the tx and completion rings.
    bool net_down;     // The last kick was refused because the device is down …
    uint64_t retry_ns; // … and this (time_ns) is when to try again.
};

// Opens, sets up and binds a socket on `umem`: the first one there registers the region, further
// ones share its registration. 0 or -errno with *err filled; then nothing is left behind. -EBUSY
// after the queue was waited for in vain. Control thread.
int xsk_socket_open(const struct xsk_config *config, struct umem *umem, struct xsk_socket **out,
                    struct port_open_error *err);
// Sends what is pending (for a bounded time), closes and takes all frames back to the stock.
// Control thread, with the port unpublished.
void xsk_socket_close(struct xsk_socket *s);

// Would the queue be bound in zero-copy mode? 0, or the -errno of the refusal. Costs two pages of
// memory and not a whole umem, but binds the queue for a moment if the answer is yes.
int xsk_probe_zero_copy(uint32_t ifindex, uint16_t queue);

// XDP_STATISTICS; counters that the kernel does not know (< 5.9) are 0. 0 or -errno.
int xsk_socket_statistics(const struct xsk_socket *s, struct xsk_statistics *out);

// Tops the fill ring up. `frames_from` is where free frames come from: see xsk_rx.c. PMD thread.
void xsk_rx_refill(struct xsk_socket *s);
// Appends up to RS_BATCH_MAX packets to the empty batch. PMD thread.
void xsk_rx(struct xsk_socket *s, struct port *port, struct dp_packet_batch *batch);

// Puts the first packets of n on the TX ring; returns how many. Each must lie in s->umem. PMD
// thread.
unsigned xsk_tx_put(struct xsk_socket *s, struct dp_packet *const *packets, unsigned n);
// False if the device was down at the last kick and still is. PMD thread.
bool xsk_tx_is_up(struct xsk_socket *s);
// Kicks the kernel if it needs it and takes completed frames back. True if flush should be called
// again soon although nothing new is sent. PMD thread.
bool xsk_tx_flush(struct xsk_socket *s);
// Before close: kicks until the kernel has taken and completed all, at most this long. Control
// thread.
void xsk_tx_linger(struct xsk_socket *s, unsigned ms);

#endif
