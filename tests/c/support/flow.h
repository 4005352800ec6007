// Extraction and the compressed key, opened for tests only.

#ifndef RINGSIDE_TESTS_FLOW_H
#define RINGSIDE_TESTS_FLOW_H

#include "datapath/flow/flow_extract.h"
#include "datapath/flow/flow_hash.h"

struct flow_offsets {
    uint16_t l2_5_ofs, l3_ofs, l4_ofs;
    uint8_t l4_proto;
};

// What a packet brings along beside its bytes. `tunnel` counts if flags say so.
struct flow_metadata {
    uint32_t in_port, recirc_id, dp_hash, pkt_mark, skb_priority;
    uint8_t flags; // enum dp_packet_flags.
    uint8_t ct_state, ct_nw_proto;
    uint16_t ct_zone;
    uint32_t ct_mark;
    uint16_t ct_tp_src, ct_tp_dst; // be16.
    uint8_t ct_label[16];
    uint32_t packet_type; // be32.
    struct flow_tnl tunnel;
};

// Extracts from a copy that ends where its memory does, so that AddressSanitizer sees a read too far. *key is
// filled with ones before.
unsigned flow_test_extract(const uint8_t *frame, size_t len, const struct flow_metadata *md,
                           struct dp_key *key, struct flow_offsets *offsets);
unsigned flow_test_extract_full(const uint8_t *frame, size_t len, const struct flow_metadata *md,
                                struct flow *flow);

void flow_test_expand(const struct dp_key *key, struct flow *flow);
// *key from *flow as miniflow_from_flow() makes it, hash 0.
void flow_test_compress(const struct flow *flow, struct dp_key *key);
bool flow_test_equal(const struct dp_key *a, const struct dp_key *b);
void flow_test_or(struct flow *wc, const struct dp_key *mask);
uint64_t flow_test_get(const struct dp_key *key, unsigned word);
bool flow_test_is_subset(const struct dp_key *a, const struct dp_key *b); // Their maps.
// Numbers of the words that FLOWMAP_FOR_EACH() names; returns how many.
unsigned flow_test_words(const struct dp_key *key, uint8_t words[FLOW_WORDS]);
uint32_t flow_test_hash(const struct dp_key *key, const uint64_t secret[KEY_SECRET_WORDS]);

#endif
