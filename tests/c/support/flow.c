#include "flow.h"

#include <stdlib.h>

// A packet over a copy of the frame, to be freed with free(p.data).
static struct dp_packet packet_of(const uint8_t *frame, size_t len,
                                  const struct flow_metadata *md) {
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, frame, len);
    struct dp_packet p = {.data = copy,
                          .len = (uint16_t)len,
                          .flags = md->flags,
                          .in_port = md->in_port,
                          .recirc_id = md->recirc_id,
                          .dp_hash = md->dp_hash,
                          .pkt_mark = md->pkt_mark,
                          .skb_priority = md->skb_priority,
                          .tunnel = (struct flow_tnl *)(uintptr_t)&md->tunnel,
                          .ct_state = md->ct_state,
                          .ct_nw_proto = md->ct_nw_proto,
                          .ct_zone = md->ct_zone,
                          .ct_mark = md->ct_mark,
                          .ct_tp_src = md->ct_tp_src,
                          .ct_tp_dst = md->ct_tp_dst,
                          .packet_type = md->packet_type};
    memcpy(p.ct_label, md->ct_label, sizeof p.ct_label);
    return p;
}

unsigned flow_test_extract(const uint8_t *frame, size_t len, const struct flow_metadata *md,
                           struct dp_key *key, struct flow_offsets *offsets) {
    struct dp_packet p = packet_of(frame, len, md);
    memset(key, 0xff, sizeof *key);
    unsigned reason = flow_extract(&p, key);
    *offsets = (struct flow_offsets){p.l2_5_ofs, p.l3_ofs, p.l4_ofs, p.l4_proto};
    free(p.data);
    return reason;
}

unsigned flow_test_extract_full(const uint8_t *frame, size_t len, const struct flow_metadata *md,
                                struct flow *flow) {
    struct dp_packet p = packet_of(frame, len, md);
    memset(flow, 0xff, sizeof *flow);
    unsigned reason = flow_extract_full(&p, flow);
    free(p.data);
    return reason;
}

void flow_test_expand(const struct dp_key *key, struct flow *flow) {
    memset(flow, 0xff, sizeof *flow);
    miniflow_expand(dp_key_miniflow(key), flow);
}

void flow_test_compress(const struct flow *flow, struct dp_key *key) {
    // The exact room that it asks for, so that a write too far is seen.
    struct miniflow *mf = malloc(miniflow_bytes(flow_map(flow)));
    miniflow_from_flow(flow, mf);
    memset(key, 0, sizeof *key);
    key->words = flowmap_count(mf->map);
    key->map = mf->map;
    memcpy(key->values, mf->values, key->words * sizeof key->values[0]);
    free(mf);
}

bool flow_test_equal(const struct dp_key *a, const struct dp_key *b) {
    return miniflow_equal(dp_key_miniflow(a), dp_key_miniflow(b));
}

void flow_test_or(struct flow *wc, const struct dp_key *mask) {
    flow_or_miniflow(wc, dp_key_miniflow(mask));
}

uint64_t flow_test_get(const struct dp_key *key, unsigned word) {
    return miniflow_get(dp_key_miniflow(key), word);
}

bool flow_test_is_subset(const struct dp_key *a, const struct dp_key *b) {
    return flowmap_is_subset(a->map, b->map);
}

unsigned flow_test_words(const struct dp_key *key, uint8_t words[FLOW_WORDS]) {
    unsigned n = 0;
    FLOWMAP_FOR_EACH(word, key->map) {
        words[n++] = (uint8_t)word;
    }
    return n;
}

uint32_t flow_test_hash(const struct dp_key *key, const uint64_t secret[KEY_SECRET_WORDS]) {
    return dp_key_hash(key, secret);
}
