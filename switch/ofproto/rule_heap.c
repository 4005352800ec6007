// Rules by a key, the smallest first: a binary heap.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

static void entry_place(struct rule_heap *h, uint32_t at, struct heap_entry e) {
    h->entries[at] = e;
    *(h->eviction ? &e.rule->eviction_at : &e.rule->expiry_at) = at;
}

static uint32_t entry_at(const struct rule_heap *h, const struct rule *r) {
    return h->eviction ? r->eviction_at : r->expiry_at;
}

static void sift_up(struct rule_heap *h, uint32_t at, struct heap_entry e) {
    while (at > 0 && h->entries[(at - 1) / 2].key > e.key) {
        entry_place(h, at, h->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    entry_place(h, at, e);
}

static void sift_down(struct rule_heap *h, uint32_t at, struct heap_entry e) {
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= h->n) {
            break;
        }
        if (child + 1 < h->n && h->entries[child + 1].key < h->entries[child].key) {
            child++;
        }
        if (h->entries[child].key >= e.key) {
            break;
        }
        entry_place(h, at, h->entries[child]);
        at = child;
    }
    entry_place(h, at, e);
}

int heap_reserve(struct rule_heap *h) {
    if (h->n < h->cap) {
        return 0;
    }
    uint32_t cap = h->cap ? h->cap * 2 : 16;
    struct heap_entry *entries = realloc(h->entries, cap * sizeof *entries);
    if (!entries) {
        return -ENOMEM;
    }
    h->entries = entries;
    h->cap = cap;
    return 0;
}

void heap_add(struct rule_heap *h, struct rule *r, uint64_t key) {
    assert(h->n < h->cap && entry_at(h, r) == HEAP_NOWHERE);
    h->n++;
    sift_up(h, h->n - 1, (struct heap_entry){key, r});
}

static void heap_put(struct rule_heap *h, uint32_t at, struct heap_entry e) {
    if (at > 0 && h->entries[(at - 1) / 2].key > e.key) {
        sift_up(h, at, e);
    } else {
        sift_down(h, at, e);
    }
}

void heap_remove(struct rule_heap *h, struct rule *r) {
    uint32_t at = entry_at(h, r);
    if (at == HEAP_NOWHERE) {
        return;
    }
    *(h->eviction ? &r->eviction_at : &r->expiry_at) = HEAP_NOWHERE;
    h->n--;
    if (at < h->n) {
        heap_put(h, at, h->entries[h->n]);
    }
}

void heap_change(struct rule_heap *h, struct rule *r, uint64_t key) {
    heap_put(h, entry_at(h, r), (struct heap_entry){key, r});
}
