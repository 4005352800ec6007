#include "datapath/pmd/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int capture_create(struct capture_ring **out) {
    struct capture_ring *ring = aligned_alloc(RS_CACHE_LINE, sizeof *ring);
    if (!ring) {
        return -ENOMEM;
    }
    memset(ring, 0, sizeof *ring);
    ring->slots = calloc(CAPTURE_SLOTS, sizeof *ring->slots);
    if (!ring->slots) {
        free(ring);
        return -ENOMEM;
    }
    *out = ring;
    return 0;
}

void capture_destroy(struct capture_ring *ring) {
    if (ring) {
        free(ring->slots);
        free(ring);
    }
}

static uint64_t wall_clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct capture_record *reserve(struct capture_ring *ring) {
    if (!ring->open) {
        ring->open = true;
        ring->now_ns = wall_clock_ns();
    }
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (ring->reserved - tail >= CAPTURE_SLOTS) {
        counter_add(&ring->lost, 1);
        return NULL;
    }
    return &ring->slots[ring->reserved++ & (CAPTURE_SLOTS - 1)];
}

void capture_batch(struct capture_ring *ring, uint32_t port_id, bool outbound,
                   const struct dp_packet_batch *batch) {
    uint32_t snaplen = atomic_load_explicit(&ring->snaplen, memory_order_relaxed);
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        struct capture_record *record = reserve(ring);
        if (!record) {
            continue;
        }
        record->time_ns = ring->now_ns;
        record->port_id = port_id;
        record->len = p->len;
        record->caplen = p->len < snaplen ? p->len : (uint16_t)snaplen;
        record->outbound = outbound;
        record->drop = DROP_NONE;
        record->ring = ring;
        record->arrival = outbound ? p->capture : NULL;
        memcpy(record->data, p->data, record->caplen);
        p->capture = record;
    }
}

void capture_drop(const struct dp_packet *p, enum drop_reason reason) {
    // A packet that a port kept beyond its batch may point to a record that is no longer its own.
    if (!p->capture || !p->capture->ring || !p->capture->ring->open) {
        return;
    }
    for (struct capture_record *r = p->capture; r; r = r->arrival) {
        r->drop = (uint8_t)reason;
    }
}

void capture_publish(struct capture_ring *ring) {
    ring->open = false;
    atomic_store_explicit(&ring->head, ring->reserved, memory_order_release);
}

const struct capture_record *capture_peek(struct capture_ring *ring) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire)) {
        return NULL;
    }
    return &ring->slots[tail & (CAPTURE_SLOTS - 1)];
}

void capture_pop(struct capture_ring *ring) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}
