// One of a socket's four rings, shared with the kernel: single producer, single consumer, no lock.
// Documentation/networking/af_xdp.rst, "Rings"; the memory ordering is that of the kernel's
// net/xdp/xsk_queue.h, whose letters (A)–(D) stand beside the steps here.
//
//     producer                          consumer
//     load consumer      (A: control)   load.acquire producer   (B) ← sees the entries behind it
//     write entries                     read entries
//     store.release producer (B)        store.release consumer  (D) ← entries may be overwritten
//
// (A) is a load.acquire here: the entries that we overwrite must have been read before, and C has
// no control dependency.
//
// The indices run freely over 32 bits; entry i lies at i & mask. Each side works on its own index
// and on a copy of the other's (cached_*), so that it touches the other's cache line only when the
// copy shows too little. fill, tx: we produce, entries are uint64_t addresses (fill) or struct
// xdp_desc (tx). rx, comp: we consume.

#ifndef RINGSIDE_PORT_XSK_RING_H
#define RINGSIDE_PORT_XSK_RING_H

#include "datapath/base/compiler.h"
#include "datapath/port/if_xdp_compat.h"

struct xsk_ring {  // The PMD's while its port is published, else the control thread's.
    uint32_t mask; // Size - 1; the size is a power of two.
    uint32_t cached_prod;
    uint32_t cached_cons;
    _Atomic uint32_t *producer;    // Writer: we (fill, tx) or the kernel (rx, comp).
    _Atomic uint32_t *consumer;    // Writer: the other one.
    const _Atomic uint32_t *flags; // Writer: the kernel. NULL before 5.4.
    void *entries;
    void *map; // What mmap() returned, NULL = not mapped.
    size_t map_bytes;
};

static inline uint32_t ring_size(const struct xsk_ring *r) {
    return r->mask + 1;
}

// Does the kernel want to be woken up for this ring (fill, tx)? "XDP_USE_NEED_WAKEUP bind flag".
static inline bool ring_needs_wakeup(const struct xsk_ring *r) {
    return !r->flags ||
           (atomic_load_explicit(r->flags, memory_order_relaxed) & XDP_RING_NEED_WAKEUP) != 0;
}

// ---- producing ---------------------------------------------------------------------------------

// Entries that can be written now, looking at the kernel's index only if fewer than `want` are
// known to be.
static inline uint32_t ring_prod_free(struct xsk_ring *r, uint32_t want) {
    uint32_t n = ring_size(r) - (r->cached_prod - r->cached_cons);
    if (n < want) {
        r->cached_cons = atomic_load_explicit(r->consumer, memory_order_acquire); // (A)
        n = ring_size(r) - (r->cached_prod - r->cached_cons);
    }
    return n;
}

// Entry i of those that will be published next (0 = the first).
static inline uint64_t *ring_fill_entry(const struct xsk_ring *r, uint32_t i) {
    return &((uint64_t *)r->entries)[(r->cached_prod + i) & r->mask];
}

static inline struct xdp_desc *ring_tx_entry(const struct xsk_ring *r, uint32_t i) {
    return &((struct xdp_desc *)r->entries)[(r->cached_prod + i) & r->mask];
}

// Publishes the first n entries.
static inline void ring_prod_submit(struct xsk_ring *r, uint32_t n) {
    assert(r->cached_prod - r->cached_cons + n <= ring_size(r));
    r->cached_prod += n;
    atomic_store_explicit(r->producer, r->cached_prod, memory_order_release); // (B)
}

// Entries published that the other side has not consumed yet.
static inline uint32_t ring_prod_pending(struct xsk_ring *r) {
    r->cached_cons = atomic_load_explicit(r->consumer, memory_order_acquire);
    return r->cached_prod - r->cached_cons;
}

// ---- consuming ---------------------------------------------------------------------------------

// Entries that can be read now, at most `max`; looks at the kernel's index only if fewer are known
// of.
static inline uint32_t ring_cons_peek(struct xsk_ring *r, uint32_t max) {
    uint32_t n = r->cached_prod - r->cached_cons;
    if (n < max) {
        r->cached_prod = atomic_load_explicit(r->producer, memory_order_acquire); // (B)
        n = r->cached_prod - r->cached_cons;
    }
    return n < max ? n : max;
}

// Entry i of those that ring_cons_peek() told of.
static inline const struct xdp_desc *ring_rx_entry(const struct xsk_ring *r, uint32_t i) {
    return &((const struct xdp_desc *)r->entries)[(r->cached_cons + i) & r->mask];
}

static inline uint64_t ring_comp_entry(const struct xsk_ring *r, uint32_t i) {
    return ((const uint64_t *)r->entries)[(r->cached_cons + i) & r->mask];
}

// Gives the first n entries back to the producer.
static inline void ring_cons_release(struct xsk_ring *r, uint32_t n) {
    assert(n <= r->cached_prod - r->cached_cons);
    r->cached_cons += n;
    atomic_store_explicit(r->consumer, r->cached_cons, memory_order_release); // (D)
}

#endif
