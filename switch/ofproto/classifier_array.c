// Arrays of hash tables, and blocks that begin at a cache line.

#include <stdlib.h>

#include "ofproto/classifier_private.h"

static_assert(sizeof(struct stage_key) == 16 && sizeof(struct cls_slot) == 16,
              "an entry lies in one cache line");

void *lines_alloc(size_t bytes) {
    size_t whole = (bytes + RS_CACHE_LINE - 1) & ~(size_t)(RS_CACHE_LINE - 1);
    void *p = aligned_alloc(RS_CACHE_LINE, whole);
    if (p) {
        memset(p, 0, whole);
    }
    return p;
}

uintptr_t array_create(uint32_t n) {
    unsigned log2 = 2;
    while ((UINT64_C(1) << log2) < (uint64_t)n * 2 || (UINT64_C(1) << log2) < CLS_ARRAY_MIN) {
        log2++;
    }
    uintptr_t entries = (uintptr_t)lines_alloc(16u << log2);
    return entries ? entries | log2 : 0;
}

void array_publish(cls_array *a, uintptr_t new) {
    uintptr_t old = rcu_get(*a);
    rcu_set(*a, new);
    if (old) {
        rcu_postpone(free, array_entries(old));
    }
}
