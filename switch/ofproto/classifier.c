#include "ofproto/classifier.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/classifier_private.h"

int classifier_create(struct classifier **out) {
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

static void stages_free(struct cls_stage *s) {
    while (s) {
        struct cls_stage *next = s->sibling;
        stages_free(s->children);
        free(array_entries(rcu_get(s->keys)));
        free(s->counts);
        free(s);
        s = next;
    }
}

static void subtable_free(struct cls_subtable *s) {
    uintptr_t a = rcu_get(s->slots);
    struct cls_slot *slots = array_entries(a);
    for (uint64_t i = 0; i <= array_mask(a); i++) {
        struct cls_rule *first = rcu_get(slots[i].first);
        if (first) {
            free(rcu_get(first->soft));
        }
        for (struct cls_rule *r = first; r; r = rule_next(r)) {
            r->subtable = NULL;
        }
    }
    free(slots);
    trie_destroy(&s->ports);
    free(s);
}

void classifier_destroy(struct classifier *cls) {
    if (!cls) {
        return;
    }
    for (uint32_t i = 0; cls->by_mask && i <= cls->by_mask_mask; i++) {
        for (struct cls_subtable *s = cls->by_mask[i], *next; s; s = next) {
            next = s->mask_next;
            subtable_free(s);
        }
    }
    stages_free(cls->stages);
    for (unsigned i = 0; i < CLS_N_TRIES; i++) {
        trie_destroy(&cls->tries[i]);
    }
    free(rcu_get(cls->order));
    free(cls->by_mask);
    free(cls->stage_indexes);
    free(cls);
}

uint32_t classifier_count(const struct classifier *cls) {
    return cls->n_rules;
}

// -- what a list of rules has beside its slot: keys in stages, prefixes in tries --

// The value of trie i's field, or of the ports (i = CLS_N_TRIES), in a match.
static struct trie_key match_key(const struct cls_subtable *s, const struct minimatch *match,
                                 unsigned i) {
    static const uint8_t first[] = {FLOW_WORD(nw_dst), FLOW_WORD(nw_src), FLOW_WORD(ipv6_dst),
                                    FLOW_WORD(ipv6_src), FLOW_WORD(tp_src)};
    uint64_t w[2] = {0, 0};
    for (unsigned k = 0; k < 2; k++) {
        if (flowmap_has(s->map, first[i] + k)) {
            w[k] = be64toh(match->words[flowmap_index(s->map, first[i] + k)]);
        }
    }
    switch (i) {
    case CLS_NW_DST: return (struct trie_key){w[0] << 32, 0};
    case CLS_NW_SRC:
    case CLS_N_TRIES: return (struct trie_key){w[0] & UINT64_C(0xffffffff00000000), 0};
    default: return (struct trie_key){w[0], w[1]};
    }
}

static void list_forget(struct classifier *cls, struct cls_subtable *s, const struct cls_rule *r,
                        unsigned n_stages, unsigned n_tries) {
    uint64_t hashes[CLS_L4];
    subtable_hash(s, r->match, hashes);
    for (unsigned i = 0; i < n_stages; i++) {
        stage_remove(s->stage[i], hashes[i], s->bit[i]);
    }
    for (unsigned i = 0; i < n_tries && i < CLS_N_TRIES; i++) {
        if (s->tries >> i & 1) {
            trie_remove(&cls->tries[i], match_key(s, r->match, i), s->prefix_len[i]);
        }
    }
    if (n_tries > CLS_N_TRIES && s->ports_len) {
        trie_remove(&s->ports, match_key(s, r->match, CLS_N_TRIES), s->ports_len);
    }
}

static int list_announce(struct classifier *cls, struct cls_subtable *s, const struct cls_rule *r) {
    uint64_t hashes[CLS_L4];
    subtable_hash(s, r->match, hashes);
    unsigned n_stages = 0, n_tries = 0;
    int rc = 0;
    while (rc == 0 && n_tries < CLS_N_TRIES) {
        unsigned i = n_tries;
        rc = s->tries >> i & 1
                 ? trie_insert(&cls->tries[i], match_key(s, r->match, i), s->prefix_len[i])
                 : 0;
        n_tries += rc == 0;
    }
    if (rc == 0 && s->ports_len) {
        rc = trie_insert(&s->ports, match_key(s, r->match, CLS_N_TRIES), s->ports_len);
    }
    n_tries += rc == 0;
    while (rc == 0 && n_stages < s->n_stages) {
        rc = stage_add(s->stage[n_stages], hashes[n_stages], s->bit[n_stages]);
        n_stages += rc == 0;
    }
    if (rc) {
        list_forget(cls, s, r, n_stages, n_tries);
    }
    return rc;
}

// -- priorities: each list counts with its first rule --

static int top_add(struct classifier *cls, struct cls_subtable *s, uint16_t priority) {
    if (s->n_lists == 0 || priority > s->max_priority) {
        if (subtable_order(cls, s, priority)) {
            return -ENOMEM;
        }
        s->max_priority = priority;
        s->n_top = 0;
    }
    s->n_top += priority == s->max_priority;
    return 0;
}

// After the change: what was the highest may have gone.
static void top_remove(struct classifier *cls, struct cls_subtable *s, uint16_t priority) {
    if (priority != s->max_priority || --s->n_top > 0) {
        return;
    }
    uintptr_t a = rcu_get(s->slots);
    struct cls_slot *slots = array_entries(a);
    uint16_t max = 0;
    for (uint64_t i = 0; i <= array_mask(a); i++) {
        struct cls_rule *first = rcu_get(slots[i].first);
        if (first && first->priority >= max) {
            s->n_top = first->priority > max ? 1 : s->n_top + 1;
            max = first->priority;
        }
    }
    if (max != s->max_priority && subtable_order(cls, s, max) == 0) {
        s->max_priority = max; // Without memory it stays too high, which only costs time …
    } else if (max != s->max_priority) {
        s->n_top = UINT32_MAX; // … and for good.
    }
}

// -- changes --

static int insert_list(struct classifier *cls, struct cls_subtable *s, struct cls_rule *rule) {
    struct cls_soft *soft;
    if (soft_build(NULL, rule, NULL, &soft)) {
        return -ENOMEM;
    }
    if (slots_reserve(s) || list_announce(cls, s, rule)) {
        free(soft);
        return -ENOMEM;
    }
    if (top_add(cls, s, rule->priority)) {
        list_forget(cls, s, rule, s->n_stages, CLS_N_TRIES + 1);
        free(soft);
        return -ENOMEM;
    }
    atomic_init(&rule->next, NULL);
    atomic_init(&rule->soft, soft);
    slots_fill(s, slots_find(s, rule->match, rule->hash), rule);
    s->n_lists++;
    return 0;
}

static int insert_into_list(struct classifier *cls, struct cls_subtable *s, struct cls_slot *slot,
                            struct cls_rule *first, struct cls_rule *rule) {
    struct cls_rule *before = NULL, *after = first;
    while (after && after->priority > rule->priority) { // A newer one goes in front of its equals.
        before = after;
        after = rule_next(after);
    }
    struct cls_soft *soft, *old = rcu_get(first->soft);
    if (soft_build(first, rule, NULL, &soft)) {
        return -ENOMEM;
    }
    if (!before && top_add(cls, s, rule->priority)) {
        free(soft);
        return -ENOMEM;
    }
    atomic_init(&rule->next, after);
    if (before) {
        rcu_set(before->next, rule);
        rcu_set(first->soft, soft);
    } else {
        atomic_init(&rule->soft, soft);
        rcu_set(slot->first, rule);
        top_remove(cls, s, first->priority);
    }
    if (old) {
        rcu_postpone(free, old);
    }
    return 0;
}

int classifier_insert(struct classifier *cls, struct cls_rule *rule, uint64_t version) {
    assert(!rule->subtable);
    struct cls_subtable *s = subtable_find(cls, rule->match);
    if (!s) {
        s = subtable_create(cls, rule->match);
        if (!s) {
            return -ENOMEM;
        }
    }
    atomic_init(&rule->add_version, version);
    atomic_init(&rule->remove_version, CLS_NOT_REMOVED);
    rule->hash = subtable_hash(s, rule->match, NULL);
    struct cls_slot *slot = slots_find(s, rule->match, rule->hash);
    struct cls_rule *first = rcu_get(slot->first);
    int rc = first ? insert_into_list(cls, s, slot, first, rule) : insert_list(cls, s, rule);
    if (rc) {
        if (!s->ordered) {
            subtable_destroy(cls, s);
        }
        return rc;
    }
    rule->subtable = s;
    s->n_rules++;
    cls->n_rules++;
    return 0;
}

void classifier_hide(struct classifier *cls, struct cls_rule *rule, uint64_t version) {
    (void)cls;
    atomic_store_explicit(&rule->remove_version, version, memory_order_relaxed);
    soft_note_hidden(rcu_get(slots_find(rule->subtable, rule->match, rule->hash)->first));
}

static void list_gone(struct classifier *cls, struct cls_subtable *s, struct cls_rule *rule) {
    list_forget(cls, s, rule, s->n_stages, CLS_N_TRIES + 1);
    if (--s->n_lists == 0 && subtable_order(cls, s, -1) == 0) {
        subtable_destroy(cls, s);
    } else {
        top_remove(cls, s, rule->priority);
    }
}

int classifier_remove(struct classifier *cls, struct cls_rule *rule) {
    struct cls_subtable *s = rule->subtable;
    struct cls_slot *slot = slots_find(s, rule->match, rule->hash);
    struct cls_rule *first = rcu_get(slot->first), *before = NULL, *next = rule_next(rule);
    struct cls_soft *soft, *old = rcu_get(first->soft);
    if (soft_build(first, NULL, rule, &soft)) {
        return -ENOMEM;
    }
    for (struct cls_rule *r = first; r != rule; r = rule_next(r)) {
        before = r;
    }
    s->n_rules--;
    cls->n_rules--;
    if (before) {
        rcu_set(before->next, next);
        rcu_set(first->soft, soft);
    } else if (next) {
        atomic_store_explicit(&next->soft, soft, memory_order_release);
        uint16_t now = next->priority;
        rcu_set(slot->first, next);
        s->n_top += now == s->max_priority;
        top_remove(cls, s, rule->priority);
    } else {
        rcu_set(slot->first, NULL);
        list_gone(cls, s, rule);
    }
    if (old) {
        rcu_postpone(free, old);
    }
    rule->subtable = NULL;
    return 0;
}

void classifier_stats(const struct classifier *cls, struct classifier_stats *out) {
    *out = (struct classifier_stats){.n_rules = cls->n_rules, .n_subtables = cls->n_subtables};
    for (unsigned i = 0; i < CLS_N_TRIES; i++) {
        size_t bytes = trie_bytes(&cls->tries[i]);
        out->n_tries += bytes != 0;
        out->bytes += bytes;
    }
    out->bytes += classifier_bytes(cls);
}
