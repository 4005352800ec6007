// The classifier, the OpenFlow state, groups and meters, opened for tests only.

#ifndef RINGSIDE_TESTS_TABLES_H
#define RINGSIDE_TESTS_TABLES_H

#include "ofproto/ofproto.h"

// -- a classifier of numbered rules. Flows and masks are FLOW_WORDS words --

struct cls_box;
struct cls_box *cls_box_new(void);
void cls_box_free(struct cls_box *b);
// 0 or a negative errno. ids from 1.
int cls_box_insert(struct cls_box *b, uint32_t id, const uint64_t *flow, const uint64_t *mask,
                   uint16_t priority, uint64_t version, const uint32_t *conj, uint32_t n_conj);
void cls_box_hide(struct cls_box *b, uint32_t id, uint64_t version);
int cls_box_remove(struct cls_box *b, uint32_t id);
// The rule's id, 0 = none. wc may be NULL.
uint32_t cls_box_lookup(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                        uint64_t *wc, uint32_t *conj_id);
uint32_t cls_box_find(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                      const uint64_t *mask, uint16_t priority);
bool cls_box_overlaps(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                      const uint64_t *mask, uint16_t priority);
// Ids of the rules that the target (NULL = all) covers; how many there are.
uint32_t cls_box_covered(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                         const uint64_t *mask, uint32_t *ids, uint32_t cap);
// Changes bits that the lookup of `flow` left wildcarded, at random, n times, and looks up again. The number of
// times that the answer was another one; the first such flow in *other.
uint32_t cls_box_flip(const struct cls_box *b, uint64_t version, const uint64_t *flow, uint32_t n,
                      uint64_t seed, uint64_t *other);
void cls_box_stats(const struct cls_box *b, struct classifier_stats *out);
// A thread looks up until `n` changes have been made by this one: rules of the box are replaced by new versions
// of themselves, one by one. How many lookups gave an answer that no moment could give.
uint64_t cls_box_churn(uint32_t n, uint64_t seed, uint64_t *lookups);

#endif
