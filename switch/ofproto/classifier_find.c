// Finding rules by what they are, not by a packet: for writers and for listing.

#include "ofproto/classifier_private.h"

struct cls_rule *classifier_find(const struct classifier *cls, const struct minimatch *match,
                                 uint16_t priority, uint64_t version) {
    const struct cls_subtable *s = subtable_find(cls, match);
    if (!s) {
        return NULL;
    }
    struct cls_rule *r = rcu_get(slots_find(s, match, subtable_hash(s, match, NULL))->first);
    while (r &&
           (r->priority > priority || (r->priority == priority && !rule_visible(r, version)))) {
        r = rule_next(r);
    }
    return r && r->priority == priority ? r : NULL;
}

struct cls_rule *classifier_find_exact(const struct classifier *cls, const struct match *match,
                                       uint16_t priority, uint64_t version) {
    _Alignas(struct minimatch)
        uint8_t room[sizeof(struct minimatch) + 2 * FLOW_WORDS * sizeof(uint64_t)];
    struct minimatch *mm = (struct minimatch *)(void *)room;
    minimatch_from(match, mm);
    return classifier_find(cls, mm, priority, version);
}

// -- rows of rules --

// What is asked of a match: that `target` covers it, or that a packet could match both.
struct wanted {
    const uint64_t *flow, *mask; // Words of the target; NULL = all.
    struct flowmap map;          // Of the mask.
    bool overlap;
};

static struct wanted wanted_of(const struct match *target, bool overlap) {
    struct wanted w = {.overlap = overlap};
    if (target) {
        w.flow = flow_words_const(&target->flow);
        w.mask = flow_words_const(&target->mask);
        w.map = flow_map(&target->mask);
    }
    return w;
}

// Can any rule with this subtable's mask be wanted?
static bool subtable_wanted(const struct wanted *w, const struct cls_subtable *s) {
    if (!w->mask || w->overlap) {
        return true;
    }
    if (!flowmap_is_subset(w->map, s->map)) {
        return false;
    }
    FLOWMAP_FOR_EACH(word, w->map) {
        if (w->mask[word] & ~s->masks[flowmap_index(s->map, word)]) {
            return false;
        }
    }
    return true;
}

static bool rule_wanted(const struct wanted *w, const struct cls_subtable *s,
                        const struct cls_rule *r) {
    if (!w->mask) {
        return true;
    }
    const uint8_t *words = subtable_words(s);
    for (unsigned i = 0; i < s->n_words; i++) {
        unsigned word = words[i];
        uint64_t both = w->mask[word] & s->masks[i];
        if ((w->flow[word] ^ r->match->words[i]) & both) {
            return false;
        }
    }
    return true;
}

bool cls_rule_covered(const struct cls_rule *rule, const struct match *target) {
    const struct minimatch *m = rule->match;
    struct flowmap map = flow_map(&target->mask);
    unsigned n = flowmap_count(m->map);
    if (!flowmap_is_subset(map, m->map)) {
        return false;
    }
    FLOWMAP_FOR_EACH(word, map) {
        unsigned i = flowmap_index(m->map, word);
        uint64_t mask = flow_words_const(&target->mask)[word];
        if ((mask & ~m->words[n + i]) ||
            ((flow_words_const(&target->flow)[word] ^ m->words[i]) & mask)) {
            return false;
        }
    }
    return true;
}

typedef bool rule_fn(struct cls_rule *rule, void *arg);

static bool subtable_walk(const struct cls_subtable *s, const struct wanted *w, uint64_t version,
                          rule_fn *fn, void *arg) {
    uintptr_t a = rcu_get(((struct cls_subtable *)(uintptr_t)s)->slots);
    struct cls_slot *slots = array_entries(a);
    for (uint64_t i = 0; i <= array_mask(a); i++) {
        struct cls_rule *r = rcu_get(slots[i].first);
        if (!r || !rule_wanted(w, s, r)) {
            continue;
        }
        for (; r; r = rule_next(r)) {
            if (rule_visible(r, version) && !fn(r, arg)) {
                return false;
            }
        }
    }
    return true;
}

static void walk(const struct classifier *cls, const struct wanted *w, uint64_t version,
                 rule_fn *fn, void *arg) {
    const struct cls_order *o = rcu_get(((struct classifier *)(uintptr_t)cls)->order);
    for (uint32_t i = 0; o && i < o->n; i++) {
        const struct cls_subtable *s = o->entries[i].subtable;
        if (subtable_wanted(w, s) && !subtable_walk(s, w, version, fn, arg)) {
            return;
        }
    }
}

void classifier_for_each(const struct classifier *cls, uint64_t version, const struct match *target,
                         bool (*fn)(struct cls_rule *rule, void *arg), void *arg) {
    struct wanted w = wanted_of(target, false);
    walk(cls, &w, version, fn, arg);
}

void classifier_for_all(const struct classifier *cls, bool (*fn)(struct cls_rule *rule, void *arg),
                        void *arg) {
    for (uint32_t i = 0; cls->by_mask && i <= cls->by_mask_mask; i++) {
        for (const struct cls_subtable *s = cls->by_mask[i]; s; s = s->mask_next) {
            uintptr_t a = rcu_get(((struct cls_subtable *)(uintptr_t)s)->slots);
            struct cls_slot *slots = array_entries(a);
            for (uint64_t k = 0; k <= array_mask(a); k++) {
                for (struct cls_rule *r = rcu_get(slots[k].first), *next; r; r = next) {
                    next = rule_next(r);
                    if (!fn(r, arg)) {
                        return;
                    }
                }
            }
        }
    }
}

struct overlap {
    uint16_t priority;
    bool found;
};

static bool note_overlap(struct cls_rule *rule, void *arg) {
    struct overlap *o = arg;
    o->found = rule->priority == o->priority;
    return !o->found;
}

bool classifier_overlaps(const struct classifier *cls, const struct match *match, uint16_t priority,
                         uint64_t version) {
    struct wanted w = wanted_of(match, true);
    struct overlap o = {.priority = priority};
    walk(cls, &w, version, note_overlap, &o);
    return o.found;
}

// -- figures --

static size_t stages_bytes(const struct cls_stage *s) {
    size_t bytes = 0;
    for (; s; s = s->sibling) {
        uintptr_t keys = rcu_get(((struct cls_stage *)(uintptr_t)s)->keys);
        bytes += sizeof *s + s->n_words * (sizeof(uint64_t) + 1u) +
                 (array_mask(keys) + UINT64_C(1)) * sizeof(struct stage_key) +
                 (s->counts ? (s->counts_mask + UINT64_C(1)) * sizeof *s->counts : 0) +
                 stages_bytes(s->children);
    }
    return bytes;
}

size_t classifier_bytes(const struct classifier *cls) {
    const struct cls_order *o = rcu_get(((struct classifier *)(uintptr_t)cls)->order);
    size_t bytes = sizeof *cls + stages_bytes(cls->stages) +
                   (cls->by_mask ? (cls->by_mask_mask + UINT64_C(1)) * sizeof(void *) : 0);
    for (uint32_t i = 0; o && i < o->n; i++) {
        const struct cls_subtable *s = o->entries[i].subtable;
        uintptr_t a = rcu_get(((struct cls_subtable *)(uintptr_t)s)->slots);
        struct cls_slot *slots = array_entries(a);
        bytes += sizeof o->entries[0] + sizeof *s + s->n_words * (sizeof(uint64_t) + 1u) +
                 (array_mask(a) + UINT64_C(1)) * sizeof *slots + trie_bytes(&s->ports);
        for (uint64_t k = 0; k <= array_mask(a); k++) {
            struct cls_rule *first = rcu_get(slots[k].first);
            const struct cls_soft *soft = first ? rcu_get(first->soft) : NULL;
            bytes += soft ? sizeof *soft + soft->n * 2 * sizeof(uint64_t) : 0;
        }
    }
    return bytes;
}
