// Send: descriptors onto the TX ring, a kick where the kernel needs one, completed frames back to
// the pool.
//
// In copy mode the kernel moves only when it is kicked: sendto() copies the frames into skbs and
// runs the device's transmit in our thread. One call stops after its budget (32 descriptors, or
// what XDP_MAX_TX_SKB_BUDGET allows) or when the device is busy, says EAGAIN, and forgets about the
// rest. So whatever is left on the ring makes xsk_tx_flush() ask to be called again: a packet never
// waits for the next one to push it.

#include <errno.h>
#include <time.h>

#include "datapath/base/cycles.h"
#include "datapath/port/xsk_socket.h"

// Bounds what one flush may spend in the kernel: 64 calls of at least one, mostly 32 or more
// packets.
#define KICKS_MAX 64
#define RETRY_NS  ((uint64_t)PORT_TX_RETRY_MS * 1000000u)

// Takes all completed frames back.
static void tx_drain(struct xsk_socket *s) {
    struct umem *umem = s->umem;
    uint32_t n;

    while ((n = ring_cons_peek(&s->comp, RS_BATCH_MAX)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            uint64_t addr = ring_comp_entry(&s->comp, i);
            uint32_t frame = umem_frame_of(umem, addr);
            if (unlikely(!umem_has_addr(umem, addr) ||
                         umem->owner[frame] != (s->config.tag | UMEM_OWNER_TX))) {
                counter_add(&s->config.counters->bad_frames, 1);
                continue;
            }
            umem->owner[frame] = UMEM_OWNER_NONE;
            s->tx_held--;
            umem_cache_put(umem->pmd_cache, frame);
        }
        ring_cons_release(&s->comp, n);
    }
}

enum kick { KICK_DONE, KICK_AGAIN, KICK_STUCK, KICK_DOWN };

// One sendto(). AGAIN: it stopped half-way and another call may go on at once. STUCK: it made no
// progress.
static enum kick kick_once(struct xsk_socket *s) {
    uint32_t before = ring_prod_pending(&s->tx);

    if (sendto(s->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0) {
        return KICK_DONE;
    }
    switch (errno) {
    case EBUSY: // The device dropped one, which is off the ring.
    case EINTR: return KICK_AGAIN;
    case EAGAIN: // Budget spent, completion ring full or device busy.
    case ENOBUFS:
    case ENOMEM: return ring_prod_pending(&s->tx) < before ? KICK_AGAIN : KICK_STUCK;
    case ENETDOWN:
    case ENXIO:
    case ENODEV: return KICK_DOWN;
    default: return KICK_STUCK; // Undocumented; the next flush tries again.
    }
}

static bool kick_is_needed(const struct xsk_socket *s) {
    // Copy mode always: the flag says so since 5.4, and before that there is no flag.
    return !s->zero_copy || !s->need_wakeup || ring_needs_wakeup(&s->tx);
}

static void tx_kick(struct xsk_socket *s) {
    if (!kick_is_needed(s)) {
        return;
    }
    for (unsigned i = 0; i < KICKS_MAX; i++) {
        enum kick r = kick_once(s);
        s->net_down = r == KICK_DOWN;
        if (unlikely(s->net_down)) {
            s->retry_ns = time_ns() + RETRY_NS;
        }
        if (r != KICK_AGAIN || ring_prod_pending(&s->tx) == 0) {
            return;
        }
        tx_drain(s); // A full completion ring is one reason to stop.
    }
}

bool xsk_tx_is_up(struct xsk_socket *s) {
    if (likely(!s->net_down)) {
        return true;
    }
    if (time_ns() >= s->retry_ns) {
        tx_kick(s); // Answers for an empty ring too.
    }
    return !s->net_down;
}

unsigned xsk_tx_put(struct xsk_socket *s, struct dp_packet *const *packets, unsigned n) {
    uint32_t room = ring_prod_free(&s->tx, n);
    if (unlikely(room < n)) {
        tx_drain(s);
        tx_kick(s);
        room = ring_prod_free(&s->tx, n);
    }
    if (n > room) {
        n = room;
    }
    for (unsigned i = 0; i < n; i++) {
        struct dp_packet *p = packets[i];
        assert(p->umem == s->umem && s->umem->owner[p->frame] == UMEM_OWNER_NONE);
        assert(dp_packet_headroom(p) + p->len <= s->umem->frame_size);
        *ring_tx_entry(&s->tx, i) = (struct xdp_desc){.addr = dp_packet_addr(p), .len = p->len};
        s->umem->owner[p->frame] = (uint16_t)(s->config.tag | UMEM_OWNER_TX);
    }
    ring_prod_submit(&s->tx, n);
    s->tx_held += n;
    return n;
}

bool xsk_tx_flush(struct xsk_socket *s) {
    if (ring_prod_pending(&s->tx) > 0 && (!s->net_down || time_ns() >= s->retry_ns)) {
        tx_kick(s);
    }
    tx_drain(s);
    // Also while many frames wait for completion, so that an idle port does not keep them from the
    // others.
    return ring_prod_pending(&s->tx) > 0 || s->tx_held > s->config.ring_size / 2;
}

void xsk_tx_linger(struct xsk_socket *s, unsigned ms) {
    uint64_t deadline = time_ns() + (uint64_t)ms * 1000000u;
    const struct timespec pause = {.tv_nsec = 100000};

    while (s->tx_held > 0) {
        if (ring_prod_pending(&s->tx) > 0 && kick_is_needed(s)) {
            enum kick r = kick_once(s);
            if (r == KICK_DOWN) {
                return; // It will not be sent; the frames are reclaimed.
            }
        }
        // Completed frames stay marked as the kernel's, for umem_reclaim(): the cache belongs to
        // the PMD.
        uint32_t done = ring_cons_peek(&s->comp, ring_size(&s->comp));
        ring_cons_release(&s->comp, done);
        s->tx_held -= done < s->tx_held ? done : s->tx_held;
        if (s->tx_held == 0 || time_ns() >= deadline) {
            return;
        }
        nanosleep(&pause, NULL);
    }
}
