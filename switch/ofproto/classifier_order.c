// The order in which lookups try subtables: by falling highest priority. A change makes a new one.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/classifier_private.h"

static struct cls_order *order_create(uint32_t n) {
    struct cls_order *o = calloc(1, sizeof *o + n * (sizeof o->entries[0] + sizeof(uint32_t)));
    if (o) {
        o->n = n;
        o->conj = (uint32_t *)(void *)(o->entries + n);
    }
    return o;
}

static struct order_entry entry_of(const struct cls_subtable *s, uint16_t priority) {
    return (struct order_entry){
        .subtable = (struct cls_subtable *)(uintptr_t)s,
        .max_priority = priority,
        .stage = s->n_stages ? s->stage[0]->index : CLS_NO_STAGE,
        .bit = s->n_stages ? s->bit[0] : 0,
    };
}

// Among equals a subtable keeps its place: one that rises, or is new, comes last, one that falls first.
int subtable_order(struct classifier *cls, struct cls_subtable *s, int priority) {
    struct cls_order *old = rcu_get(cls->order);
    uint32_t at = 0;
    while (old && at < old->n && old->entries[at].subtable != s) {
        at++;
    }
    uint32_t n = old ? old->n : 0;
    bool was_in = at < n, falls = was_in && priority < old->entries[at].max_priority;
    struct cls_order *o = order_create(n - was_in + (priority >= 0));
    if (!o) {
        return -ENOMEM;
    }
    uint32_t to = 0;
    bool placed = priority < 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == at) {
            continue;
        }
        int other = old->entries[i].max_priority;
        if (!placed && (other < priority || (falls && other == priority && i > at))) {
            o->entries[to++] = entry_of(s, (uint16_t)priority);
            placed = true;
        }
        o->entries[to++] = old->entries[i];
    }
    if (!placed) {
        o->entries[to++] = entry_of(s, (uint16_t)priority);
    }
    assert(to == o->n);
    for (uint32_t i = 0; i < o->n; i++) {
        if (o->entries[i].subtable->conj_id) {
            o->conj[o->n_conj++] = i;
        }
    }
    s->ordered = priority >= 0;
    rcu_set(cls->order, o);
    if (old) {
        rcu_postpone(free, old);
    }
    return 0;
}
