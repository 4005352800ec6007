// A packet in the datapath: metadata for one umem frame.
//
// Metadata is pre-allocated: every umem carries an array with one `struct dp_packet` for each frame
// (the paper's O4), so that frame number <-> metadata is arithmetic and a packet never leaves its
// frame.
//
//     frame  |<-- headroom -->|<-------- data, len -------->|<-- tailroom -->|
//            ^ dp_packet_frame                                               ^ + frame_size
//
// Ownership rule: who holds a packet frees it (dp_packet_free) or passes it on. A packet belongs to
// one thread, that of the PMD which took it from its rx queue, until its frame is given to the
// kernel.

#ifndef RINGSIDE_PACKET_DP_PACKET_H
#define RINGSIDE_PACKET_DP_PACKET_H

#include "datapath/base/byteorder.h"
#include "datapath/base/compiler.h"
#include "datapath/drop_reason.h"
#include "datapath/umem/umem.h"

struct capture_record;

// Offsets are from `data`; RS_OFS_NONE where the packet has no such header.
#define RS_OFS_NONE UINT16_MAX

enum dp_packet_flags {
    // The L4 checksum field may hold only the pseudo-header sum (a veth peer with tx offload on).
    PKT_CSUM_MAYBE_PARTIAL = 1 << 0,
    PKT_HAS_CT = 1 << 1,     // ct_* below mean something.
    PKT_HAS_TUNNEL = 1 << 2, // tunnel below does.
    PKT_NOT_ETHERNET =
        1 << 4, // The packet has no Ethernet header: packet_type below says what it is.
    PKT_HASH_VALID = 1 << 3, // rx_hash is the device's hash of the packet's flow.
};

struct flow_tnl;

struct RS_CACHE_ALIGNED dp_packet {
    uint8_t *data;     // First byte of the Ethernet header.
    struct umem *umem; // The region that the frame belongs to. Constant.
    uint32_t frame;    // Frame number in that region. Constant.
    uint16_t len;      // Bytes from `data`.
    uint16_t l2_5_ofs; // MPLS label stack. Set by flow_extract().
    uint16_t l3_ofs;   // Set by flow_extract().
    uint16_t l4_ofs;   // Set by flow_extract().
    uint8_t flags;     // enum dp_packet_flags.
    uint8_t l4_proto;  // IP protocol behind extension headers, 0 if none. Set by flow_extract().
    uint16_t cut;      // Bytes at the end that the next output leaves out. Of the executor.
    // In the order of struct flow: flow_extract() takes them two at a time.
    uint32_t skb_priority;
    uint32_t pkt_mark;
    uint32_t dp_hash;
    uint32_t in_port; // Port id (struct port).
    uint32_t recirc_id;
    uint32_t hash;                  // Of the flow key; 0 = not computed.
    struct capture_record *capture; // Record of this packet's arrival while the port is captured.
    // -- second cache line: read only where flags say so --
    // In the PMD's scratch, or in the list of actions that set it; valid for one batch.
    RS_CACHE_ALIGNED const struct flow_tnl *tunnel;
    uint32_t rx_hash;
    uint8_t ct_state, ct_nw_proto;
    uint16_t ct_zone;
    uint32_t ct_mark;
    be16 ct_tp_src, ct_tp_dst;
    uint8_t ct_label[16];
    uint32_t packet_type; // be32; with PKT_NOT_ETHERNET.
    uint32_t ct_orig;     // Index of the original tuple; conntrack's issue.
};

static_assert(sizeof(struct dp_packet) == 2 * RS_CACHE_LINE,
              "two cache lines a packet, one of them hot");

static inline uint8_t *dp_packet_frame(const struct dp_packet *p) {
    return p->umem->base + (size_t)p->frame * p->umem->frame_size;
}

static inline size_t dp_packet_headroom(const struct dp_packet *p) {
    return (size_t)(p->data - dp_packet_frame(p));
}

static inline size_t dp_packet_tailroom(const struct dp_packet *p) {
    return p->umem->frame_size - dp_packet_headroom(p) - p->len;
}

// Umem address (byte offset in the region) of the packet's first byte.
static inline uint64_t dp_packet_addr(const struct dp_packet *p) {
    return (uint64_t)(p->data - p->umem->base);
}

// Sets the packet to `len` bytes that start `headroom` bytes into its frame; clears the rest.
static inline void dp_packet_reset(struct dp_packet *p, size_t headroom, size_t len) {
    assert(headroom + len <= p->umem->frame_size);
    p->data = dp_packet_frame(p) + headroom;
    p->len = (uint16_t)len;
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = RS_OFS_NONE;
    p->flags = 0;
    p->l4_proto = 0;
    p->cut = 0;
    p->hash = 0;
    p->recirc_id = 0;
    p->dp_hash = 0;
    p->pkt_mark = 0;
    p->skb_priority = 0;
    p->capture = NULL;
}

// A fresh packet out of the pool, with RS_PACKET_HEADROOM before its (empty) data. NULL if there is
// none. Caller: the thread that owns `cache`.
struct dp_packet *dp_packet_alloc(struct umem *umem, struct umem_cache *cache);

// Copy of `p`, with its metadata but for `capture`, in a frame of `umem` (which may differ from p's). NULL
// without a free frame or if it does not fit.
struct dp_packet *dp_packet_clone(const struct dp_packet *p, struct umem *umem,
                                  struct umem_cache *cache);

// Gives the frame back to its pool. `cache` must belong to the calling thread and to p->umem.
void dp_packet_free(struct dp_packet *p);

#endif
