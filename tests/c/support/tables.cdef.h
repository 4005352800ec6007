struct classifier_stats {
    uint32_t n_rules, n_subtables, n_tries;
    size_t bytes;
};
struct cls_box;
struct cls_box *cls_box_new(void);
void cls_box_free(struct cls_box *b);
int cls_box_insert(struct cls_box *b, uint32_t id, const uint64_t *flow, const uint64_t *mask,
                   uint16_t priority, uint64_t version, const uint32_t *conj, uint32_t n_conj);
void cls_box_hide(struct cls_box *b, uint32_t id, uint64_t version);
int cls_box_remove(struct cls_box *b, uint32_t id);
uint32_t cls_box_lookup(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                        uint64_t *wc, uint32_t *conj_id);
uint32_t cls_box_find(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                      const uint64_t *mask, uint16_t priority);
bool cls_box_overlaps(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                      const uint64_t *mask, uint16_t priority);
uint32_t cls_box_covered(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                         const uint64_t *mask, uint32_t *ids, uint32_t cap);
uint32_t cls_box_flip(const struct cls_box *b, uint64_t version, const uint64_t *flow, uint32_t n,
                      uint64_t seed, uint64_t *other);
void cls_box_stats(const struct cls_box *b, struct classifier_stats *out);
uint64_t cls_box_churn(uint32_t n, uint64_t seed, uint64_t *lookups);
