// Packets out of the pool and back: the frame number is all that moves, the metadata is already
// there.

#include <string.h>

#include "datapath/packet/dp_packet.h"

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
    copy->len = p->len;
    copy->l3_ofs = p->l3_ofs;
    copy->l4_ofs = p->l4_ofs;
    copy->flags = p->flags;
    copy->l4_proto = p->l4_proto;
    copy->in_port = p->in_port;
    copy->hash = p->hash;
    return copy; // `capture` stays NULL: it stands for the arrival, which happened once.
}

void dp_packet_free(struct dp_packet *p) {
    assert(p->umem->owner[p->frame] == UMEM_OWNER_NONE);
    umem_cache_put(p->umem->pmd_cache, p->frame);
}
