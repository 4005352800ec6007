// What a list of rules with the same match says about conjunctions, as one sorted array; and which
// conjunctions the arrays that a packet met complete.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/classifier_private.h"

// -- building --

struct soft_pair {
    uint64_t key;
    const struct cls_rule *rule;
};

static int pair_compare(const void *a, const void *b) {
    const struct soft_pair *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static void soft_take(struct cls_soft *s, struct cls_rule *r, struct soft_pair *pairs,
                      uint32_t *n) {
    uint64_t added = r->add_version, removed = r->remove_version, until = s->until;
    s->since = added > s->since ? added : s->since;
    atomic_init(&s->until, removed < until ? removed : until);
    if (r->n_conj == 0 && (!s->hard || r->priority > s->hard->priority)) {
        s->hard = r;
    }
    for (unsigned c = 0; c < r->n_conj; c++) {
        pairs[(*n)++] = (struct soft_pair){soft_key(r->priority, &r->conj[c]), r};
        if (r->conj[c].n_clauses < s->min_clauses) {
            s->min_clauses = r->conj[c].n_clauses;
        }
    }
}

static void soft_fill(struct cls_soft *s, struct cls_rule *first, struct cls_rule *with,
                      const struct cls_rule *without, struct soft_pair *pairs) {
    const struct cls_rule **rules = (const struct cls_rule **)(void *)(s->keys + s->n);
    uint32_t n = 0;
    s->min_clauses = UINT8_MAX;
    atomic_init(&s->until, CLS_NOT_REMOVED);
    for (struct cls_rule *r = first; r; r = rule_next(r)) {
        if (r != without) {
            soft_take(s, r, pairs, &n);
        }
    }
    if (with) {
        soft_take(s, with, pairs, &n);
    }
    qsort(pairs, n, sizeof *pairs, pair_compare);
    for (uint32_t i = 0; i < n; i++) {
        s->keys[i] = pairs[i].key;
        rules[i] = pairs[i].rule;
        s->repeats |= i > 0 && pairs[i].key >> 16 == pairs[i - 1].key >> 16;
    }
}

int soft_build(struct cls_rule *first, struct cls_rule *with, const struct cls_rule *without,
               struct cls_soft **out) {
    uint32_t n = with ? with->n_conj : 0, n_rules = with != NULL;
    for (struct cls_rule *r = first; r; r = rule_next(r)) {
        n += r == without ? 0 : r->n_conj;
        n_rules += r != without;
    }
    *out = NULL;
    if (n == 0 || (n == 1 && n_rules == 1)) { // The usual one needs no array.
        return 0;
    }
    struct cls_soft *s = calloc(1, sizeof *s + n * (sizeof s->keys[0] + sizeof(void *)));
    struct soft_pair few[64];
    struct soft_pair *pairs = n <= RS_ARRAY_SIZE(few) ? few : malloc(n * sizeof *pairs);
    if (s && pairs) {
        s->n = n;
        soft_fill(s, first, with, without, pairs);
        *out = s;
    } else {
        free(s);
    }
    if (pairs != few) {
        free(pairs);
    }
    return *out ? 0 : -ENOMEM;
}

void soft_note_hidden(struct cls_rule *first) {
    struct cls_soft *s = rcu_get(first->soft);
    if (!s) {
        return;
    }
    uint64_t until = CLS_NOT_REMOVED;
    for (struct cls_rule *r = first; r; r = rule_next(r)) {
        uint64_t removed = r->remove_version;
        until = removed < until ? removed : until;
    }
    atomic_store_explicit(&s->until, until, memory_order_relaxed);
}

// -- joining --

// Entries whose priority is above `priority` (-1: all).
static uint32_t entries_above(const struct cls_soft *s, int priority) {
    if (priority < 0) {
        return s->n;
    }
    uint64_t bound = (uint64_t)(uint16_t)~priority << 48;
    uint32_t low = 0, high = s->n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (s->keys[mid] < bound) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void join_put(struct conj_join *j, const struct join_list *l, uint32_t n) {
    unsigned i = j->n++;
    for (; i > 0 && j->lists[i - 1].n > n; i--) {
        j->lists[i] = j->lists[i - 1];
    }
    j->lists[i] = *l;
    j->lists[i].n = n;
}

// The only rule of its list, with one conjunction: what an array would say.
static void join_add_one(struct conj_join *j, const struct cls_rule *top, int above) {
    if (top->priority > above) {
        struct join_list l = {.own = soft_key(top->priority, top->conj)};
        join_put(j, &l, 1);
        j->min_clauses =
            top->conj->n_clauses < j->min_clauses ? top->conj->n_clauses : j->min_clauses;
    }
}

void join_add(struct conj_join *j, const struct cls_rule *first, const struct cls_rule *top,
              int above) {
    struct cls_soft *s = rcu_get(((struct cls_rule *)(uintptr_t)first)->soft);
    if (!s) {
        join_add_one(j, top, above);
        return;
    }
    uint32_t n = entries_above(s, above);
    if (n == 0) {
        return;
    }
    bool stable = s->since <= j->version &&
                  j->version < atomic_load_explicit(&s->until, memory_order_relaxed);
    struct join_list l = {.keys = s->keys, .soft = stable ? NULL : s};
    join_put(j, &l, n);
    j->repeats |= s->repeats;
    j->min_clauses = s->min_clauses < j->min_clauses ? s->min_clauses : j->min_clauses;
}

void join_begin(struct conj_join *j) {
    for (unsigned i = 0; i < j->n; i++) {
        struct join_list *l = &j->lists[i];
        l->keys = l->keys ? l->keys : &l->own;
        l->at = l->keys;
        l->end = l->keys + l->n;
    }
}

static inline bool entry_visible(const struct join_list *l, const uint64_t *at, uint64_t version) {
    return !l->soft || rule_visible(soft_rules(l->soft)[at - l->keys], version);
}

// Moves l->at to the first key whose priority and id are not below `wanted`: in growing steps, then by halves.
static inline void list_seek(struct join_list *l, uint64_t wanted) {
    const uint64_t *low = l->at;
    if (low == l->end || *low >> 16 >= wanted) {
        return;
    }
    ptrdiff_t step = 1;
    while (step < l->end - low && low[step] >> 16 < wanted) { // *low is below.
        low += step;
        step *= 2;
    }
    const uint64_t *high = step < l->end - low ? low + step : l->end;
    while (high - low > 1) {
        const uint64_t *mid = low + (high - low) / 2;
        if (*mid >> 16 < wanted) {
            low = mid;
        } else {
            high = mid;
        }
    }
    l->at = high;
}

// Lists with a rule of this priority. Open vSwitch takes a conjunction for complete only if there are as
// many of them as it has clauses, even where one rule stands for two.
static unsigned lists_at(const struct conj_join *j, uint16_t inverse_priority) {
    unsigned n = 0;
    for (unsigned i = 0; i < j->n; i++) {
        const struct join_list *l = &j->lists[i];
        bool has = false;
        for (const uint64_t *k = l->keys; k < l->end && !has; k++) {
            has = *k >> 48 == inverse_priority && entry_visible(l, k, j->version);
        }
        n += has;
    }
    return n;
}

static bool is_complete(struct conj_join *j, uint64_t wanted) {
    uint64_t clauses = 0;
    unsigned n_clauses = 0, hits = 0;
    for (unsigned i = 0; i < j->n; i++) {
        struct join_list *l = &j->lists[i];
        list_seek(l, wanted);
        bool hit = false;
        for (; l->at < l->end && *l->at >> 16 == wanted; l->at++) {
            if (entry_visible(l, l->at, j->version)) {
                clauses |= UINT64_C(1) << (*l->at >> 8 & 63);
                n_clauses = n_clauses ? n_clauses : *l->at & 0xff;
                hit = true;
            }
        }
        hits += hit;
    }
    if (n_clauses == 0 ||
        clauses != (n_clauses >= 64 ? UINT64_MAX : (UINT64_C(1) << n_clauses) - 1)) {
        return false;
    }
    return hits >= n_clauses || lists_at(j, (uint16_t)(wanted >> 32)) >= n_clauses;
}

bool join_next(struct conj_join *j, uint32_t *id) {
    // Each clause is another list's (but see lists_at): what is missing in this many lists is incomplete.
    unsigned least = j->repeats || j->min_clauses < 2 ? 1 : j->min_clauses;
    if (j->n < least) {
        return false;
    }
    unsigned n_leads = j->n - least + 1;
    for (;;) {
        uint64_t wanted = UINT64_MAX;
        for (unsigned i = 0; i < n_leads; i++) {
            const struct join_list *l = &j->lists[i];
            if (l->at < l->end && *l->at >> 16 < wanted) {
                wanted = *l->at >> 16;
            }
        }
        if (wanted == UINT64_MAX) {
            return false;
        }
        if (is_complete(j, wanted)) {
            *id = (uint32_t)wanted;
            return true;
        }
    }
}
