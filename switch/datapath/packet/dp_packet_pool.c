// Packets out of the pool and back: the frame number is all that moves, the metadata is already
// there.

#include <string.h>

#include "datapath/packet/dp_packet.h"

// Of these the second cache line says more.
#define SECOND_LINE (PKT_HAS_CT | PKT_HAS_TUNNEL | PKT_NOT_ETHERNET | PKT_HASH_VALID)

static_assert(offsetof(struct dp_packet, umem) < offsetof(struct dp_packet, len) &&
                  offsetof(struct dp_packet, frame) < offsetof(struct dp_packet, len) &&
                  offsetof(struct dp_packet, capture) < offsetof(struct dp_packet, tunnel),
              "between len and capture lies what a copy has in common with its original");

struct dp_packet *dp_packet_alloc(struct umem *umem, struct umem_cache *cache) {
    assert(cache->umem == umem);
    uint32_t frame;

    if (unlikely(!umem_cache_get(cache, &frame))) {
        return NULL;
    }
    struct dp_packet *p = &umem->meta[frame];
    dp_packet_reset(p, RS_PACKET_HEADROOM, 0);
    p->in_port = 0;
    return p;
}

// All but where the packet lies, and `capture`.
static void copy_metadata(struct dp_packet *copy, const struct dp_packet *p) {
    const size_t first = offsetof(struct dp_packet, len), end = offsetof(struct dp_packet, capture);
    memcpy((uint8_t *)copy + first, (const uint8_t *)p + first, end - first);
    if (unlikely(p->flags & SECOND_LINE)) {
        const size_t second = offsetof(struct dp_packet, tunnel);
        memcpy((uint8_t *)copy + second, (const uint8_t *)p + second, sizeof *p - second);
    }
}

struct dp_packet *dp_packet_clone(const struct dp_packet *p, struct umem *umem,
                                  struct umem_cache *cache) {
    if (unlikely(p->len > umem->frame_size - RS_PACKET_HEADROOM)) {
        return NULL;
    }
    struct dp_packet *copy = dp_packet_alloc(umem, cache);
    if (unlikely(!copy)) {
        return NULL;
    }
    memcpy(copy->data, p->data, p->len);
    copy_metadata(copy, p);
    return copy; // `capture` stays NULL: it stands for the arrival, which happened once.
}

void dp_packet_free(struct dp_packet *p) {
    assert(p->umem->owner[p->frame] == UMEM_OWNER_NONE);
    umem_cache_put(p->umem->pmd_cache, p->frame);
}
