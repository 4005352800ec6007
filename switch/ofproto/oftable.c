#include "ofproto/oftable.h"

#include <stdlib.h>

static struct oftable *table_alloc(uint32_t n) {
    struct oftable *t = malloc(sizeof *t + n * sizeof t->rules[0]);
    if (t) {
        t->n = 0;
    }
    return t;
}

static bool is_same(const struct rule *a, const struct rule *b) {
    return a->priority == b->priority && match_equal(&a->match, &b->match);
}

struct oftable *oftable_empty(void) {
    return table_alloc(0);
}

struct oftable *oftable_with(const struct oftable *table, struct rule *rule) {
    struct oftable *t = table_alloc(table->n + 1);
    bool placed = false;
    if (!t) {
        return NULL;
    }
    for (uint32_t i = 0; i < table->n; i++) {
        struct rule *r = table->rules[i];
        if (!placed && r->priority < rule->priority) {
            t->rules[t->n++] = rule;
            placed = true;
        }
        if (!is_same(r, rule)) {
            t->rules[t->n++] = r;
        }
    }
    if (!placed) {
        t->rules[t->n++] = rule;
    }
    return t;
}

// A rule and its place in the list that it came in, for a sort that keeps that order among equals.
struct placed_rule {
    struct rule *rule;
    uint32_t place;
};

// By falling priority, then by match, then the latest first: so that duplicates are neighbours.
static int compare_to_merge(const void *a, const void *b) {
    const struct placed_rule *x = a, *y = b;
    if (x->rule->priority != y->rule->priority) {
        return x->rule->priority > y->rule->priority ? -1 : 1;
    }
    int c = memcmp(&x->rule->match, &y->rule->match, sizeof x->rule->match);
    return c ? c : x->place > y->place ? -1 : 1;
}

// By falling priority, then the earliest first: the order of the table.
static int compare_to_publish(const void *a, const void *b) {
    const struct placed_rule *x = a, *y = b;
    if (x->rule->priority != y->rule->priority) {
        return x->rule->priority > y->rule->priority ? -1 : 1;
    }
    return x->place < y->place ? -1 : 1;
}

// The same rule, actions too, in the old table; else `rule`.
static struct rule *old_or_new(const struct oftable *old, struct rule *rule) {
    uint32_t low = 0, high = old->n;
    while (low < high) { // The first of this priority.
        uint32_t middle = low + (high - low) / 2;
        if (old->rules[middle]->priority > rule->priority) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (uint32_t i = low; i < old->n && old->rules[i]->priority == rule->priority; i++) {
        if (is_same(old->rules[i], rule)) {
            bool equal = ofp_actions_equal(&old->rules[i]->actions, &rule->actions);
            return equal ? old->rules[i] : rule;
        }
    }
    return rule;
}

struct oftable *oftable_from(const struct oftable *old, struct rule *const *rules, uint32_t n) {
    struct oftable *t = table_alloc(n);
    struct placed_rule *sorted = malloc((n + !n) * sizeof *sorted);
    if (!t || !sorted) {
        free(t);
        free(sorted);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        sorted[i] = (struct placed_rule){.rule = rules[i], .place = i};
    }
    qsort(sorted, n, sizeof *sorted, compare_to_merge);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || !is_same(sorted[i].rule, sorted[i - 1].rule)) {
            sorted[kept++] = sorted[i];
        }
    }
    qsort(sorted, kept, sizeof *sorted, compare_to_publish);
    for (uint32_t i = 0; i < kept; i++) {
        t->rules[t->n++] = old_or_new(old, sorted[i].rule);
    }
    free(sorted);
    return t;
}

static bool is_selected(const struct rule *rule, const struct oftable_selection *which) {
    if (which->strict) {
        return rule->priority == which->priority && match_equal(&rule->match, &which->match);
    }
    return match_covers(&which->match, &rule->match);
}

struct oftable *oftable_without(const struct oftable *table,
                                const struct oftable_selection *which) {
    struct oftable *t = table_alloc(table->n);
    if (!t) {
        return NULL;
    }
    for (uint32_t i = 0; i < table->n; i++) {
        if (!is_selected(table->rules[i], which)) {
            t->rules[t->n++] = table->rules[i];
        }
    }
    return t;
}

void oftable_retire(struct oftable *old, const struct oftable *now) {
    for (uint32_t i = 0; i < old->n; i++) {
        old->rules[i]->kept = false;
    }
    for (uint32_t i = 0; i < now->n; i++) {
        now->rules[i]->kept = true;
    }
    for (uint32_t i = 0; i < old->n; i++) {
        if (!old->rules[i]->kept) {
            rule_destroy(old->rules[i]);
        }
    }
    free(old);
}

struct rule *oftable_lookup(const struct oftable *table, const struct flow *flow) {
    for (uint32_t i = 0; i < table->n; i++) {
        if (match_covers_flow(&table->rules[i]->match, flow)) {
            return table->rules[i];
        }
    }
    return NULL;
}
