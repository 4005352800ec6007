// The OpenFlow classifier: which rule of a table matches a packet, and which bits had to be looked at.
//
// Tuple space search: rules with the same mask share a subtable, a hash table over the masked key.
// Subtables are tried by falling highest priority, and the search ends when none left can beat what was
// found. Each subtable is looked up in stages (metadata, Ethernet, network, transport): a stage
// that has no rule ends the lookup with only its own bits un-wildcarded. Prefix tries over nw_src,
// nw_dst, ipv6_src, ipv6_dst (and tp_src, tp_dst) skip subtables that cannot match and un-wildcard no longer a
// prefix than it takes to know. Together they yield wide megaflows.
//
// Versions. A rule is visible to lookups at version v when add_version <= v < remove_version; so a
// change of many rules shows at once when the version that lookups use is moved on.
//
// Conjunctions (ovs-fields(7), conj_id): rules whose actions are conjunction(id, k/n) are soft matches; when
// all n clauses of an id match, the lookup is repeated with conj_id = id. conj_id's megaflow bits are
// ofproto-internal, those of the clauses count.
//
// Threads: lookups by any thread registered with RCU, without locks or shared writes. Writers: one
// at a time, under the ofproto's lock.

#ifndef RINGSIDE_OFPROTO_CLASSIFIER_H
#define RINGSIDE_OFPROTO_CLASSIFIER_H

#include "ofproto/match.h"

#define CLS_MIN_VERSION UINT64_C(1)
#define CLS_NOT_REMOVED UINT64_MAX

struct cls_conjunction { // One conjunction(id, clause/n_clauses) action of a rule.
    uint32_t id;
    uint8_t clause, n_clauses;
};

struct cls_subtable; // classifier_private.h
struct cls_soft;

struct cls_rule { // A cache line.
    // Writer: under the lock. Readers: any.
    _Atomic uint64_t add_version, remove_version;
    struct cls_rule *_Atomic next;      // Same match: by falling priority, then newer first.
    struct cls_soft *_Atomic soft;      // Of the first one: the conjunctions of all of them.
    struct minimatch *match;            // Owned by whoever owns the rule; constant.
    const struct cls_conjunction *conj; // [n_conj]; NULL unless a soft match. The owner's.
    struct cls_subtable *subtable;      // Writers only. NULL = not in a classifier.
    uint32_t hash;                      // Of its values in its subtable.
    uint16_t priority;
    uint16_t n_conj;
};

struct classifier; // classifier.c

int classifier_create(struct classifier **out);
void classifier_destroy(struct classifier *cls);         // The rules are the caller's.
uint32_t classifier_count(const struct classifier *cls); // Rules, visible or not.

// rule->match, priority, conj filled by the caller. 0 or -ENOMEM. It becomes visible at `version`.
int classifier_insert(struct classifier *cls, struct cls_rule *rule, uint64_t version);
// It is invisible from `version` on; CLS_NOT_REMOVED takes that back.
void classifier_hide(struct classifier *cls, struct cls_rule *rule, uint64_t version);
// Unlinks; readers may still look at it until a grace period has passed. A reader of a version that the rule
// is visible at must not find it missing: hide it first, and wait a grace period. 0, or -ENOMEM: it is still
// there.
int classifier_remove(struct classifier *cls, struct cls_rule *rule);

// The rule of highest priority that matches `flow` at `version`, NULL if none does. wc (may be NULL)
// collects the bits that decided. *matched_conj_id (may be NULL) is the conjunction through which the rule was
// found, 0 = directly. Among rules of equal priority that match the same packet any may win.
const struct cls_rule *classifier_lookup(const struct classifier *cls, uint64_t version,
                                         const struct flow *flow, struct flow *wc,
                                         uint32_t *matched_conj_id);
// The rule with exactly this match and priority at `version`, NULL if none. Writers.
struct cls_rule *classifier_find(const struct classifier *cls, const struct minimatch *match,
                                 uint16_t priority, uint64_t version);
struct cls_rule *classifier_find_exact(const struct classifier *cls, const struct match *match,
                                       uint16_t priority, uint64_t version);
bool cls_rule_covered(const struct cls_rule *rule, const struct match *target); // Rule in target?
// Calls fn for each rule that is visible at `version` and (target not NULL) that target covers.
// Writers, or under RCU. fn returns false to stop.
void classifier_for_each(const struct classifier *cls, uint64_t version, const struct match *target,
                         bool (*fn)(struct cls_rule *rule, void *arg), void *arg);
// The same for all rules, visible or not, in no order. Writers.
void classifier_for_all(const struct classifier *cls, bool (*fn)(struct cls_rule *rule, void *arg),
                        void *arg);
bool classifier_overlaps(
    const struct classifier *cls, const struct match *match, uint16_t priority,
    uint64_t version); // Is there one of the same priority that a packet could match too?

struct classifier_stats {
    uint32_t n_rules, n_subtables, n_tries;
    size_t bytes; // Of memory, without the rules.
};
void classifier_stats(const struct classifier *cls, struct classifier_stats *out);

#endif
