// Receive: up to 32 descriptors → packets, and as many fresh frames into the fill ring in the same
// visit.
//
// Ways out of a descriptor: a packet in the batch; RUNT; BAD_DESC (the frame is ours, the data
// reaches outside it); bad_frames (the address is not of a frame that the kernel held to receive
// into: the descriptor is forgotten, for whoever holds that frame now goes on using it).
//
// rx_held counts the frames that the kernel has to receive into or has filled. Each visit tops it
// up to the ring's size; when the pool is empty the ring runs lower, the kernel drops
// (rx_fill_ring_empty_descs), and later visits catch up.

#include <poll.h>

#include "datapath/port/xsk_socket.h"

#define ETHERNET_HEADER 14u

void xsk_rx_refill(struct xsk_socket *s) {
    struct umem *umem = s->umem;
    uint32_t frames[RS_BATCH_MAX];
    uint32_t want = s->config.ring_size - s->rx_held;

    if (want > RS_BATCH_MAX) {
        want = RS_BATCH_MAX;
    }
    uint32_t room = ring_prod_free(&s->fill, want);
    unsigned n = umem_cache_get_many(umem->pmd_cache, frames, want < room ? want : room);
    for (unsigned i = 0; i < n; i++) {
        assert(umem->owner[frames[i]] == UMEM_OWNER_NONE);
        umem->owner[frames[i]] = s->config.tag;
        *ring_fill_entry(&s->fill, i) = (uint64_t)frames[i] << umem->frame_shift;
    }
    ring_prod_submit(&s->fill, n);
    s->rx_held += n;
    // Copy mode looks at the fill ring with each packet; a driver in zero-copy mode may be waiting.
    // A poll() and not a recvfrom(), which wakes the driver only since 5.11.
    if (s->zero_copy && s->need_wakeup && ring_needs_wakeup(&s->fill)) {
        struct pollfd fd = {.fd = s->fd, .events = POLLIN};
        (void)poll(&fd, 1, 0);
    }
}

// The packet behind a descriptor, NULL if there is none to go on with.
static inline struct dp_packet *rx_packet(struct xsk_socket *s, struct port *port,
                                          const struct xdp_desc *desc, uint64_t *bytes,
                                          unsigned *received) {
    struct umem *umem = s->umem;
    uint32_t frame = umem_frame_of(umem, desc->addr);

    if (unlikely(!umem_has_addr(umem, desc->addr) || umem->owner[frame] != s->config.tag)) {
        counter_add(&port->counters.bad_frames, 1);
        return NULL;
    }
    umem->owner[frame] = UMEM_OWNER_NONE;
    s->rx_held--;
    *received += 1;
    *bytes += desc->len;

    size_t headroom = desc->addr & (umem->frame_size - 1);
    enum drop_reason reason = DROP_RUNT;
    if (unlikely(desc->len > umem->frame_size - headroom)) {
        reason = DROP_BAD_DESC;
    } else if (likely(desc->len >= ETHERNET_HEADER)) {
        struct dp_packet *p = &umem->meta[frame];
        dp_packet_reset(p, headroom, desc->len);
        p->in_port = port->id;
        if (port->config.csum == CSUM_SOFTWARE) {
            p->flags = PKT_CSUM_MAYBE_PARTIAL;
        }
        return p;
    }
    counter_add(&port->counters.drops[reason], 1);
    umem_cache_put(umem->pmd_cache, frame);
    return NULL;
}

void xsk_rx(struct xsk_socket *s, struct port *port, struct dp_packet_batch *batch) {
    uint32_t n = ring_cons_peek(&s->rx, RS_BATCH_MAX);
    if (n == 0) {
        if (unlikely(s->rx_held < s->config.ring_size)) {
            xsk_rx_refill(s); // The pool was empty at an earlier visit.
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct xdp_desc *desc = ring_rx_entry(&s->rx, i);
        if (likely(umem_has_addr(s->umem, desc->addr))) {
            __builtin_prefetch(s->umem->base + desc->addr);
            __builtin_prefetch(&s->umem->meta[umem_frame_of(s->umem, desc->addr)], 1);
        }
    }
    uint64_t bytes = 0;
    unsigned received = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct dp_packet *p = rx_packet(s, port, ring_rx_entry(&s->rx, i), &bytes, &received);
        if (likely(p)) {
            batch_add(batch, p);
        }
    }
    ring_cons_release(&s->rx, n);
    counter_add(&port->counters.received, received);
    counter_add(&port->counters.received_bytes, bytes);
    xsk_rx_refill(s);
}
