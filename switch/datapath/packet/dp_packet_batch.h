// Up to 32 packets that travel together: what one visit to an rx queue yields.

#ifndef RINGSIDE_PACKET_DP_PACKET_BATCH_H
#define RINGSIDE_PACKET_DP_PACKET_BATCH_H

#include "datapath/packet/dp_packet.h"

#define RS_BATCH_MAX 32

struct dp_packet_batch {
    unsigned count;
    struct dp_packet *packets[RS_BATCH_MAX];
};

static inline void batch_init(struct dp_packet_batch *b) {
    b->count = 0;
}

static inline bool batch_is_full(const struct dp_packet_batch *b) {
    return b->count == RS_BATCH_MAX;
}

static inline void batch_add(struct dp_packet_batch *b, struct dp_packet *p) {
    assert(b->count < RS_BATCH_MAX);
    b->packets[b->count++] = p;
}

#endif
