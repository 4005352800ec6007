// The queue of packets for controllers (packet_in.h).

#include "ofproto/packet_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ofproto/packet_in_private.h"

int packet_ins_create(struct frozen_table *frozen, struct packet_ins **out) {
    struct packet_ins *p = calloc(1, sizeof *p);
    if (!p) {
        return -ENOMEM;
    }
    p->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->fd < 0) {
        int error = -errno;
        free(p);
        return error;
    }
    p->frozen = frozen;
    p->next_id = 1;
    spin_init(&p->lock);
    atomic_init(&p->waiting, true);
    for (uint32_t i = 0; i < PACKET_INS_CAP; i++) {
        atomic_init(&p->ring[i].turn, i);
    }
    for (uint32_t i = 0; i < PIN_REASONS; i++) {
        spin_init(&p->tokens[i].lock);
    }
    *out = p;
    return 0;
}

void packet_ins_destroy(struct packet_ins *p) {
    if (!p) {
        return;
    }
    for (uint32_t i = 0; i < PIN_BUCKETS; i++) {
        for (struct pin_entry *e = p->buckets[i], *next; e; e = next) {
            next = e->next;
            pin_entry_free(p, e);
        }
    }
    for (uint32_t i = 0; i < PIN_MAX / PIN_PAGE; i++) {
        free(atomic_load_explicit(&p->pages[i], memory_order_relaxed));
    }
    close(p->fd);
    free(p);
}

void packet_ins_set_rate(struct packet_ins *p, uint32_t rate, uint32_t burst) {
    atomic_store_explicit(&p->burst, burst > 0 ? burst : rate, memory_order_relaxed);
    atomic_store_explicit(&p->rate, rate, memory_order_relaxed);
}

static bool may_pass(struct packet_ins *p, uint8_t reason, uint64_t now_ms) {
    uint64_t rate = atomic_load_explicit(&p->rate, memory_order_relaxed);
    if (likely(rate == 0)) {
        return true;
    }
    uint64_t full = 1000u * (uint64_t)atomic_load_explicit(&p->burst, memory_order_relaxed);
    struct pin_bucket *b = &p->tokens[reason % PIN_REASONS];
    spin_lock(&b->lock);
    // A bucket that has never been used, or not for long, is full; and the product does not overflow.
    uint64_t elapsed = now_ms - b->filled_ms;
    uint64_t gained = b->filled_ms == 0 || elapsed > 1u << 20 ? full : elapsed * rate;
    b->tokens = b->tokens + gained < full ? b->tokens + gained : full;
    b->filled_ms = now_ms;
    bool ok = b->tokens >= 1000;
    b->tokens -= ok ? 1000 : 0;
    spin_unlock(&b->lock);
    return ok;
}

// A free place of the ring, NULL if the consumer is that far behind. *number: to publish it with.
static struct pin_slot_data *reserve(struct packet_ins *p, uint64_t *number) {
    uint64_t head = atomic_load_explicit(&p->head, memory_order_relaxed);
    for (;;) {
        struct pin_slot_data *slot = &p->ring[head % PACKET_INS_CAP];
        uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        if (turn < head) {
            return NULL;
        }
        if (turn > head) { // Another producer has taken it.
            head = atomic_load_explicit(&p->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       &p->head, &head, head + 1, memory_order_relaxed, memory_order_relaxed)) {
            *number = head;
            return slot;
        }
    }
}

static void count(_Atomic uint64_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void packet_ins_put(struct packet_ins *p, uint32_t pin_id, const struct dp_packet *packet,
                    uint64_t now_ms) {
    struct pin_entry *e = pin_entry_find(p, pin_id);
    if (!e || !may_pass(p, e->pin.reason, now_ms)) {
        count(e ? &p->rate_limited : &p->no_room);
        return;
    }
    uint64_t number;
    bool held = pin_entry_ref(e);
    struct pin_slot_data *slot = held ? reserve(p, &number) : NULL;
    if (!slot) {
        count(&p->no_room);
        if (held) {
            pin_entry_unref(e);
        }
        return;
    }
    uint32_t len = packet->len < PIN_DATA_MAX ? packet->len : PIN_DATA_MAX;
    if (!e->pin.pause && len > e->pin.max_len) { // What is to go on later is needed whole.
        len = e->pin.max_len;
    }
    slot->pin = e;
    slot->len = len;
    slot->total_len = packet->len;
    memcpy(slot->data, packet->data, len);
    // Sequentially consistent, as what packet_ins_take() does: either it sees the packet, or we see it waiting.
    atomic_store(&slot->turn, number + 1);
    count(&p->queued);
    if (atomic_load(&p->waiting) && atomic_exchange(&p->waiting, false)) {
        eventfd_write(p->fd, 1);
    }
}

static struct pin_slot_data *oldest(struct packet_ins *p) {
    struct pin_slot_data *slot = &p->ring[p->tail % PACKET_INS_CAP];
    return atomic_load(&slot->turn) == p->tail + 1 ? slot : NULL;
}

int packet_ins_take(struct packet_ins *p, struct pin *pin, uint8_t *data, size_t cap, uint32_t *len,
                    uint32_t *total_len) {
    if (p->taken) {
        pin_entry_unref(p->taken);
        p->taken = NULL;
    }
    struct pin_slot_data *slot = oldest(p);
    if (!slot) {
        eventfd_t ignored;
        eventfd_read(p->fd, &ignored);
        atomic_store(&p->waiting, true);
        slot = oldest(p);
    }
    if (!slot) {
        return 0;
    }
    p->taken = slot->pin;
    *pin = slot->pin->pin;
    *len = slot->len < cap ? slot->len : (uint32_t)cap;
    *total_len = slot->total_len;
    memcpy(data, slot->data, *len);
    atomic_store_explicit(&slot->turn, p->tail + PACKET_INS_CAP, memory_order_release);
    p->tail++;
    return 1;
}

int packet_ins_fd(const struct packet_ins *p) {
    return p->fd;
}

void packet_ins_counts(const struct packet_ins *p, struct packet_ins_counts *out) {
    *out = (struct packet_ins_counts){
        .queued = atomic_load_explicit(&p->queued, memory_order_relaxed),
        .no_room = atomic_load_explicit(&p->no_room, memory_order_relaxed),
        .rate_limited = atomic_load_explicit(&p->rate_limited, memory_order_relaxed),
    };
}
