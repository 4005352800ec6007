// Inside the classifier: how its tables lie in memory.
//
//     struct classifier
//       └ order ─▶ [subtable, its highest priority, its first stage and bit] …      by falling priority
//                     │
//     cls_subtable ───┤ words and masks; stages in front of the last; prefix lengths
//       ├ stage[i] ─▶ cls_stage ─▶ keys: hash of the masked words so far ─▶ bitmap of subtables
//       └ slots  ─▶ hash of all masked words ─▶ first rule ─▶ next rule of the same match …
//                                                 └ soft: the list's conjunctions, sorted
//
// What makes it fast:
// - A stage belongs to all subtables whose masks agree up to its end. It is asked once in a lookup,
//   and its answer, a bitmap, says for each of them whether to go on. Where OVN has 47 subtables in a
//   table, a dozen stages decide, and a subtable that cannot match costs a load and a bit test.
// - A subtable touches only its own few words: neither the whole key nor the whole mask is ever walked.
// - Slots hold the hash beside the pointer, so that a rule is touched only if it is almost surely the one.
// - The conjunctions of a list of rules are one sorted array; whether a conjunction is complete is a join of
//   those arrays that starts at the shortest.
//
// What that may cost: bits are un-wildcarded exactly as a lookup subtable by subtable would.
//
// Readers may be anywhere while a writer changes things. So slots and keys are only filled and emptied in
// place, one word at a time; all else is published as a new block, and old blocks live for a grace period.

#ifndef RINGSIDE_OFPROTO_CLASSIFIER_PRIVATE_H
#define RINGSIDE_OFPROTO_CLASSIFIER_PRIVATE_H

#include "datapath/base/rcu.h"
#include "ofproto/classifier.h"
#include "ofproto/trie.h"

enum { CLS_META, CLS_L2, CLS_L3, CLS_L4, CLS_N_LEVELS };
enum { CLS_NW_DST, CLS_NW_SRC, CLS_IPV6_DST, CLS_IPV6_SRC, CLS_N_TRIES };

#define CLS_MAX_MEMBERS 64u // Of a stage: bits of its bitmaps.
#define CLS_NO_STAGE    UINT16_MAX
#define CLS_HASH_SEED   UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t cls_hash_add(uint64_t hash, uint64_t word) {
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0xd6e8feb86659fd93);
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint32_t cls_hash_end(uint64_t hash) { // Never 0.
    uint32_t h = (uint32_t)(hash ^ hash >> 32);
    return h ? h : 1;
}

// conj_id, and the two ports, in their words.
#define CLS_CONJ_ID_MASK (UINT64_C(0xffffffff) << (offsetof(struct flow, conj_id) % 8 * 8))
#define CLS_PORTS_MASK   (UINT64_C(0xffffffff) << (offsetof(struct flow, tp_src) % 8 * 8))
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the masks above");

struct cls_words { // Which words of a key a step reads, and which bits of them.
    uint8_t n;
    const uint8_t *word; // Rising.
    const uint64_t *mask;
};

// The array of a hash table, published as one word: it begins at a cache line, and the low bits of its address
// hold log2 of its length, so that a reader touches nothing but the entry it wants.
typedef _Atomic uintptr_t cls_array;
#define CLS_ARRAY_MIN 4u // Entries: of 16 bytes, a cache line.
static inline void *array_entries(uintptr_t a) {
    return (void *)(a & ~(uintptr_t)(RS_CACHE_LINE - 1));
}
static inline uint32_t array_mask(uintptr_t a) { // Length - 1.
    return (uint32_t)((UINT64_C(1) << (a & (RS_CACHE_LINE - 1))) - 1);
}

struct stage_key {
    _Atomic uint64_t hash; // 0 = never used: a search ends here.
    _Atomic uint64_t members;
};
struct stage_count { // Writer only.
    uint64_t hash;   // 0 = never used.
    uint32_t member, n;
};
struct cls_stage {
    // Writer only: the first cache line.
    struct cls_stage *parent, *sibling, *children;
    uint64_t members; // Bits taken.
    struct stage_count *counts;
    uint32_t counts_mask, counts_used;
    uint32_t keys_used; // Ever.
    uint8_t level;
    // Readers.
    RS_CACHE_ALIGNED cls_array keys; // Of struct stage_key.
    uint16_t index;                  // Among the classifier's stages: where a lookup remembers it.
    uint8_t n_words;
    uint64_t masks[]; // [n_words], then uint8_t words[n_words].
};

struct cls_slot {
    _Atomic uint32_t hash;          // 0 = never used: a search ends here.
    struct cls_rule *_Atomic first; // NULL with a hash: emptied.
};

struct cls_subtable {
    // Writer only: the first cache line.
    struct cls_subtable *mask_next; // In the hash table of masks.
    struct flowmap map;
    uint32_t mask_hash;
    uint32_t n_rules, n_lists, n_top; // n_top: lists whose priority is max_priority.
    uint32_t slots_used;              // Ever.
    uint16_t max_priority;
    bool ordered; // It is in the order: lookups may meet it.
    // Readers.
    RS_CACHE_ALIGNED cls_array slots; // Of struct cls_slot.
    uint8_t n_stages;                 // In front of the last step, which is the slots themselves.
    uint8_t n_words, last_from;       // The last step's words are words[last_from …).
    uint8_t tries;                    // Bit i: prefix_len[i] bits of trie i's field are matched.
    uint8_t tries_at;                 // The step whose words hold these fields.
    uint8_t ports_len;   // tp_src, tp_dst as 32 bits: up to the last bit matched; 0 = none.
    bool conj_id;        // Matches conj_id.
    uint8_t bit[CLS_L4]; // Its bit in each stage's bitmaps.
    uint8_t prefix_len[CLS_N_TRIES];
    struct cls_stage *stage[CLS_L4];
    struct trie ports;
    uint64_t masks[]; // [n_words], then uint8_t words[n_words].
};

struct order_entry {
    struct cls_subtable *subtable;
    uint16_t max_priority;
    uint16_t stage; // Index of its first stage, CLS_NO_STAGE.
    uint8_t bit;
};
struct cls_order { // Constant.
    uint32_t n, n_conj;
    uint32_t *conj; // [n_conj] those that match conj_id.
    struct order_entry entries[];
};

// The conjunctions of a list of rules with the same match. Constant but for `until`.
struct cls_soft {
    // All rules of the list are visible to versions in [since, until).
    uint64_t since;
    _Atomic uint64_t until;
    const struct cls_rule *hard; // The first that is no soft match.
    uint32_t n;
    uint8_t min_clauses;
    bool repeats;    // Some rule has two clauses of one id.
    uint64_t keys[]; // [n] rising, then const struct cls_rule *rules[n].
};
// A key: 65535 - priority, id, clause, n_clauses in 16, 32, 8, 8 bits.
static inline uint64_t soft_key(uint16_t priority, const struct cls_conjunction *c) {
    return (uint64_t)(uint16_t)~priority << 48 | (uint64_t)c->id << 16 | (uint64_t)c->clause << 8 |
           c->n_clauses;
}

struct classifier {
    struct cls_order *_Atomic order;
    struct trie tries[CLS_N_TRIES];
    // Writer only.
    struct cls_subtable **by_mask; // Hash table of chains.
    uint32_t by_mask_mask, n_subtables, n_rules;
    struct cls_stage *stages; // Without a parent.
    uint64_t *stage_indexes;  // Bitmap of those in use.
    uint32_t stage_indexes_words;
};

static inline const uint8_t *stage_words(const struct cls_stage *s) {
    return (const uint8_t *)(s->masks + s->n_words);
}
static inline const uint8_t *subtable_words(const struct cls_subtable *s) {
    return (const uint8_t *)(s->masks + s->n_words);
}
static inline const struct cls_rule *const *soft_rules(const struct cls_soft *s) {
    return (const struct cls_rule *const *)(const void *)(s->keys + s->n);
}
static inline bool rule_visible(const struct cls_rule *r, uint64_t version) {
    struct cls_rule *rule = (struct cls_rule *)(uintptr_t)r;
    return atomic_load_explicit(&rule->add_version, memory_order_relaxed) <= version &&
           version < atomic_load_explicit(&rule->remove_version, memory_order_relaxed);
}
static inline struct cls_rule *rule_next(const struct cls_rule *r) {
    return rcu_get(((struct cls_rule *)(uintptr_t)r)->next);
}
// classifier_stage.c
int stage_acquire(struct classifier *cls, struct cls_stage *parent, unsigned level,
                  const struct cls_words *words, struct cls_stage **out, uint8_t *bit);
void stage_release(struct classifier *cls, struct cls_stage *s, uint8_t bit);
int stage_add(struct cls_stage *s, uint64_t hash, uint8_t bit); // 0 or -ENOMEM.
void stage_remove(struct cls_stage *s, uint64_t hash, uint8_t bit);
static inline uint64_t stage_find(const struct cls_stage *s, uint64_t hash) { // Members.
    uintptr_t a = rcu_get(((struct cls_stage *)(uintptr_t)s)->keys);
    struct stage_key *keys = array_entries(a);
    for (uint32_t mask = array_mask(a), i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        uint64_t h = atomic_load_explicit(&keys[i].hash, memory_order_acquire);
        if (h == hash) {
            return atomic_load_explicit(&keys[i].members, memory_order_relaxed);
        }
        if (h == 0) {
            return 0;
        }
    }
}

// classifier_array.c
void *lines_alloc(size_t bytes); // Zeroed, at a cache line; NULL without memory. free() frees it.
// An array for n entries of 16 bytes at half its length or less; 0 without memory.
uintptr_t array_create(uint32_t n);
void array_publish(cls_array *a, uintptr_t new); // The old one is freed after a grace period.

// classifier_subtable.c
struct cls_subtable *subtable_find(const struct classifier *cls, const struct minimatch *match);
struct cls_subtable *subtable_create(struct classifier *cls, const struct minimatch *match);
void subtable_destroy(struct classifier *cls, struct cls_subtable *s); // Empty.
// Hash of a match's values; also those of the stages in front (may be NULL).
uint32_t subtable_hash(const struct cls_subtable *s, const struct minimatch *match,
                       uint64_t stage_hashes[CLS_L4]);
int slots_reserve(struct cls_subtable *s); // Room for one more.
// The slot of the rules with this match, or the one to fill with their first.
struct cls_slot *slots_find(const struct cls_subtable *s, const struct minimatch *match,
                            uint32_t hash);
void slots_fill(struct cls_subtable *s, struct cls_slot *slot, struct cls_rule *first);

// classifier_find.c
size_t classifier_bytes(const struct classifier *cls); // All but the prefix tries.

// classifier_order.c
int subtable_order(struct classifier *cls, struct cls_subtable *s,
                   int priority); // Moves it; -1 = out.

// classifier_soft.c
// For the list that begins at `first`, once `with` has been added and `without` is gone (may be NULL).
// *out NULL: no conjunctions in it, or just one of one rule, which is its own array. 0 or -ENOMEM.
int soft_build(struct cls_rule *first, struct cls_rule *with, const struct cls_rule *without,
               struct cls_soft **out);
void soft_note_hidden(struct cls_rule *first); // Some rule's remove_version changed.

struct join_list {
    const uint64_t *at, *end, *keys; // keys NULL until join_begin(): `own`.
    const struct cls_soft *soft;     // NULL: all its rules are visible.
    uint64_t own;
    uint32_t n;
};
struct conj_join { // Which conjunctions are complete, by falling priority, then rising id.
    uint64_t version;
    unsigned n;
    uint8_t min_clauses; // UINT8_MAX at first.
    bool repeats;
    struct join_list *lists; // Shortest first. The caller's, with room for all.
};
// A list that a packet met, whose first visible rule is `top`; priorities above this.
void join_add(struct conj_join *j, const struct cls_rule *first, const struct cls_rule *top,
              int above);
void join_begin(struct conj_join *j); // All have been added.
bool join_next(struct conj_join *j, uint32_t *id);

#endif
