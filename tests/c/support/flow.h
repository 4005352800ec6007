// Internals of flow, lookup and ofproto, opened for tests only.

#ifndef RINGSIDE_TESTS_FLOW_H
#define RINGSIDE_TESTS_FLOW_H

#include "datapath/flow/flow_extract.h"
#include "datapath/flow/flow_hash.h"
#include "datapath/lookup/emc.h"
#include "ofproto/mac_table.h"
#include "ofproto/oftable.h"

struct flow_offsets {
    uint16_t l3_ofs, l4_ofs;
    uint8_t l4_proto;
};

// Extracts from a copy that ends where its memory does, so that AddressSanitizer sees a read too far.
unsigned flow_test_extract(const uint8_t *frame, size_t len, uint32_t in_port, struct flow *flow,
                           struct flow_offsets *offsets);
uint32_t flow_test_hash(const struct flow *flow, uint64_t seed);

// The port names are h1 (1), h2 (2), s1 (3, which is LOCAL).
int match_test_parse(const char *text, struct match *match, uint32_t *priority,
                     struct ofp_error *err);
int match_test_format(const struct match *match, uint32_t priority, char *out, size_t cap);
bool match_test_covers_flow(const struct match *match, const struct flow *flow);

struct emc *emc_test_new(void);
void emc_test_free(struct emc *emc);
// Keeps `n` output actions to `port`, or tries to.
void emc_test_insert(struct emc *emc, const struct flow *key, uint32_t hash, uint64_t generation,
                     uint64_t now_ms, uint32_t port, unsigned n);
// The port of the entry's first action, 0 on a miss.
uint32_t emc_test_lookup(const struct emc *emc, const struct flow *key, uint32_t hash,
                         uint64_t generation, uint64_t now_ms);
uint32_t emc_test_count(const struct emc *emc, uint64_t generation, uint64_t now_ms);

struct mac_table *mac_test_new(uint32_t cap, uint64_t ageing_ms);
void mac_test_free(struct mac_table *t);

struct table_test; // A table that grows.
struct table_test *table_test_new(void);
void table_test_free(struct table_test *t);
int table_test_add(struct table_test *t, const char *text);
// Place of the rule that matches, counted in order of falling priority; -1 if none does.
int table_test_lookup(const struct table_test *t, const struct flow *flow);
int table_test_text(const struct table_test *t, uint32_t i, char *out, size_t cap);

#endif
