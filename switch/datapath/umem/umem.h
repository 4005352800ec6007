// A umem: one region of equal frames that packets live in, and that AF_XDP sockets may share.
//
// The region outlives its registration with the kernel. Registration is a property of sockets: the
// first AF_XDP socket on the region registers it (XDP_UMEM_REG), the next ones bind with
// XDP_SHARED_UMEM and any socket that is still bound as reference (kernel >= 5.10; the first of
// `sockets`). So ports come and go in any order. Where the kernel cannot share across devices, each
// port has a umem of its own, and a packet that leaves by another port is copied once.
//
//     base ─┬─ frame 0 ─┬─ frame 1 ─┬ … ┬─ frame n-1 ─┐      meta[i]: struct dp_packet of frame i
//           └───────────┴───────────┴───┴─────────────┘      owner[i]: who holds frame i now
//
// Frames move:  stock ⇄ thread cache → fill ring → (kernel) → rx ring → packet → tx ring → (kernel)
//               → completion ring → thread cache.
//
// `owner` says which socket the kernel holds a frame for. Its uses: every address that the kernel
// gives back is checked against it (a frame published twice, or of somebody else, is counted and
// never used), and on close all frames still in the kernel's hands return to the stock without
// guessing at ring contents.
//
// Threads: `owner`, `meta` are written by the PMD that holds the frame, or by the control thread
// for frames of a socket that no PMD sees (yet, or any more); the stock is guarded by its spinlock;
// the rest is written by the control thread only, while no PMD uses the umem.

#ifndef RINGSIDE_UMEM_UMEM_H
#define RINGSIDE_UMEM_UMEM_H

#include "datapath/base/compiler.h"
#include "datapath/base/hugemem.h"
#include "datapath/base/spinlock.h"

struct dp_packet;
struct xsk_socket;

#define RS_FRAME_SIZE 4096u
// Room before the data of packets that we make ourselves. The kernel leaves XDP_PACKET_HEADROOM
// (256) too.
#define RS_PACKET_HEADROOM 256u

// Who holds a frame: we (stock, cache, or a packet), or the kernel for the socket with this tag,
// which is to receive into it or to send it. Only rx may give back the former, only completion the
// latter.
#define UMEM_OWNER_NONE 0u
#define UMEM_OWNER_TX   0x8000u // Flag beside the tag.
#define UMEM_TAG_MAX    0x7fffu

struct umem {
    uint8_t *base;        // Page aligned, n_frames * frame_size bytes.
    uint32_t frame_size;  // Bytes, a power of two.
    uint32_t frame_shift; // log2 of it.
    uint32_t n_frames;
    struct hugemem mem;     // What backs base.
    struct dp_packet *meta; // [n_frames]
    uint16_t *owner;        // [n_frames] UMEM_OWNER_NONE or a socket's tag (struct xsk_socket).
    int numa_node;          // -1 = not bound to one.
    bool zero_copy;         // Sockets on it are bound in zero-copy mode.
    struct spinlock stock_lock;
    uint32_t *stock;              // [n_frames] LIFO of free frames. Guarded by stock_lock.
    uint32_t n_stock;             // Guarded by stock_lock.
    unsigned n_sockets;           // Bound sockets. Control thread only.
    struct xsk_socket *sockets;   // Those, linked by `next`. Control thread only.
    struct umem_cache *pmd_cache; // The PMD's cache of free frames. Owned by the PMD thread.
};

// The free frames that one thread keeps at hand: get and put without a lock (the paper's O2, O3:
// the stock's spinlock is taken once for UMEM_CACHE_BURST frames).
#define UMEM_CACHE_SIZE  256u
#define UMEM_CACHE_BURST 128u

struct RS_CACHE_ALIGNED umem_cache { // Owned by one thread.
    struct umem *umem;
    uint32_t count;
    uint32_t frames[UMEM_CACHE_SIZE];
};

// Allocates a region (not yet registered with the kernel). 0, -EINVAL (frame size not a power of
// two in 2048..4096, n_frames 0), -ENOMEM.
int umem_create(uint32_t n_frames, uint32_t frame_size, int numa_node, struct umem **out);
// Frees the region. No socket may be bound to it and no packet of it be in use.
void umem_destroy(struct umem *umem);

// Free frames of `umem`, the PMD cache's included. Exact in the PMD thread, or while that does not
// run; from another thread off by at most the size of a cache.
uint32_t umem_free_frames(struct umem *umem);

// Takes up to n frames from the stock / gives n back, past the PMD's cache: for the control thread.
unsigned umem_stock_take(struct umem *umem, uint32_t *frames, unsigned n);
void umem_stock_give(struct umem *umem, const uint32_t *frames, unsigned n);

// Takes / gives back one frame. get returns false when the stock is empty.
bool umem_cache_get(struct umem_cache *cache, uint32_t *frame);
void umem_cache_put(struct umem_cache *cache, uint32_t frame);
// Takes up to n frames; returns how many.
unsigned umem_cache_get_many(struct umem_cache *cache, uint32_t *frames, unsigned n);
// Returns everything to the stock.
void umem_cache_flush(struct umem_cache *cache);

// After the socket with `tag` has been closed: takes back every frame that the kernel held for it.
// Returns how many. Caller: control thread, with the socket's fd closed and its port unpublished.
uint32_t umem_reclaim(struct umem *umem, uint16_t tag);

static inline uint32_t umem_frame_of(const struct umem *umem, uint64_t addr) {
    return (uint32_t)(addr >> umem->frame_shift);
}

// Is `addr`, which came from outside, in the region?
static inline bool umem_has_addr(const struct umem *umem, uint64_t addr) {
    return (addr >> umem->frame_shift) < umem->n_frames;
}

#endif
