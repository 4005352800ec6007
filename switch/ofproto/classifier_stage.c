// Stages: the hashes of the rules' values under one mask up to the end of one level, shared by the
// subtables whose masks agree so far.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/classifier_private.h"

static struct stage_key *keys_place(uintptr_t a, uint64_t hash) { // Its key or a free one.
    struct stage_key *keys = array_entries(a);
    for (uint32_t mask = array_mask(a), i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        uint64_t h = atomic_load_explicit(&keys[i].hash, memory_order_relaxed);
        if (h == hash || h == 0) {
            return &keys[i];
        }
    }
}

static struct stage_count *count_place(struct cls_stage *s, uint64_t hash, uint32_t member) {
    for (uint32_t i = ((uint32_t)hash + member * 0x9e3779b9u) & s->counts_mask;;
         i = (i + 1) & s->counts_mask) {
        struct stage_count *c = &s->counts[i];
        if (c->hash == 0 || (c->hash == hash && c->member == member)) {
            return c;
        }
    }
}

// Room for one more in both tables; rebuilt without what is gone.
static int keys_reserve(struct cls_stage *s) {
    uintptr_t old = rcu_get(s->keys);
    struct stage_key *keys = array_entries(old);
    uint64_t length = (uint64_t)array_mask(old) + 1;
    if (((uint64_t)s->keys_used + 1) * 4 <= length * 3) {
        return 0;
    }
    uint32_t live = 0;
    for (uint64_t i = 0; i < length; i++) {
        live += keys[i].members != 0;
    }
    uintptr_t new = array_create(live + 1);
    if (!new) {
        return -ENOMEM;
    }
    for (uint64_t i = 0; i < length; i++) {
        if (keys[i].members != 0) {
            struct stage_key *to = keys_place(new, keys[i].hash);
            atomic_init(&to->hash, keys[i].hash);
            atomic_init(&to->members, keys[i].members);
        }
    }
    s->keys_used = live;
    array_publish(&s->keys, new);
    return 0;
}

static int counts_reserve(struct cls_stage *s) {
    uint32_t size = s->counts ? s->counts_mask + 1 : 0;
    if ((s->counts_used + 1) * 4 <= size * 3) {
        return 0;
    }
    uint32_t live = 0;
    for (uint32_t i = 0; i < size; i++) {
        live += s->counts[i].n != 0;
    }
    uint32_t n = CLS_ARRAY_MIN;
    while (n < (live + 1) * 2) {
        n *= 2;
    }
    struct stage_count *old = s->counts;
    struct stage_count *counts = calloc(n, sizeof *counts);
    if (!counts) {
        return -ENOMEM;
    }
    s->counts = counts;
    s->counts_mask = n - 1;
    s->counts_used = live;
    for (uint32_t i = 0; i < size; i++) {
        if (old[i].n != 0) {
            *count_place(s, old[i].hash, old[i].member) = old[i];
        }
    }
    free(old);
    return 0;
}

int stage_add(struct cls_stage *s, uint64_t hash, uint8_t bit) {
    if (keys_reserve(s) || counts_reserve(s)) {
        return -ENOMEM;
    }
    struct stage_count *c = count_place(s, hash, bit);
    s->counts_used += c->hash == 0;
    *c = (struct stage_count){.hash = hash, .member = bit, .n = c->n + 1};
    struct stage_key *key = keys_place(rcu_get(s->keys), hash);
    s->keys_used += key->hash == 0;
    atomic_fetch_or_explicit(&key->members, UINT64_C(1) << bit, memory_order_relaxed);
    atomic_store_explicit(&key->hash, hash, memory_order_release);
    return 0;
}

void stage_remove(struct cls_stage *s, uint64_t hash, uint8_t bit) {
    struct stage_count *c = count_place(s, hash, bit);
    assert(c->n > 0);
    if (--c->n == 0) {
        struct stage_key *key = keys_place(rcu_get(s->keys), hash);
        atomic_fetch_and_explicit(&key->members, ~(UINT64_C(1) << bit), memory_order_relaxed);
    }
}

// -- making and finding --

// The lowest index that is free; UINT32_MAX without memory or when all 65535 are taken.
static uint32_t index_take(struct classifier *cls) {
    for (uint32_t i = 0; i < cls->stage_indexes_words; i++) {
        if (cls->stage_indexes[i] != UINT64_MAX) {
            unsigned bit = (unsigned)__builtin_ctzll(~cls->stage_indexes[i]);
            uint32_t index = i * 64 + bit;
            if (index >= CLS_NO_STAGE) {
                return UINT32_MAX;
            }
            cls->stage_indexes[i] |= UINT64_C(1) << bit;
            return index;
        }
    }
    uint32_t n = cls->stage_indexes_words;
    uint64_t *more = realloc(cls->stage_indexes, (n * 2 + 1) * sizeof *more);
    if (!more) {
        return UINT32_MAX;
    }
    memset(more + n, 0, (n + 1) * sizeof *more);
    cls->stage_indexes = more;
    cls->stage_indexes_words = n * 2 + 1;
    return index_take(cls);
}

static void index_give(struct classifier *cls, uint32_t index) {
    cls->stage_indexes[index / 64] &= ~(UINT64_C(1) << index % 64);
}

static struct cls_stage *stage_create(struct classifier *cls, struct cls_stage *parent,
                                      unsigned level, const struct cls_words *words) {
    struct cls_stage *s = lines_alloc(sizeof *s + words->n * (sizeof(uint64_t) + 1u));
    uintptr_t keys = array_create(1);
    uint32_t index = s && keys ? index_take(cls) : UINT32_MAX;
    if (index == UINT32_MAX) {
        free(s);
        free(array_entries(keys));
        return NULL;
    }
    s->index = (uint16_t)index;
    s->level = (uint8_t)level;
    s->n_words = words->n;
    memcpy(s->masks, words->mask, words->n * sizeof s->masks[0]);
    memcpy(s->masks + words->n, words->word, words->n);
    atomic_init(&s->keys, keys);
    struct cls_stage **list = parent ? &parent->children : &cls->stages;
    s->parent = parent;
    s->sibling = *list;
    *list = s;
    return s;
}

int stage_acquire(struct classifier *cls, struct cls_stage *parent, unsigned level,
                  const struct cls_words *words, struct cls_stage **out, uint8_t *bit) {
    struct cls_stage *s = parent ? parent->children : cls->stages;
    while (s && (s->level != level || s->n_words != words->n || s->members == UINT64_MAX ||
                 memcmp(stage_words(s), words->word, words->n) != 0 ||
                 memcmp(s->masks, words->mask, words->n * sizeof s->masks[0]) != 0)) {
        s = s->sibling;
    }
    if (!s) {
        s = stage_create(cls, parent, level, words);
        if (!s) {
            return -ENOMEM;
        }
    }
    *out = s;
    *bit = (uint8_t)__builtin_ctzll(~s->members);
    s->members |= UINT64_C(1) << *bit;
    return 0;
}

static void stage_free(void *arg) {
    struct cls_stage *s = arg;
    free(array_entries(rcu_get(s->keys)));
    free(s->counts);
    free(s);
}

void stage_release(struct classifier *cls, struct cls_stage *s, uint8_t bit) {
    s->members &= ~(UINT64_C(1) << bit);
    if (s->members != 0) {
        return;
    }
    assert(!s->children); // Whoever is in a child is here too, and leaves there first.
    struct cls_stage **at = s->parent ? &s->parent->children : &cls->stages;
    while (*at != s) {
        at = &(*at)->sibling;
    }
    *at = s->sibling;
    index_give(cls, s->index);
    rcu_postpone(stage_free, s);
}
