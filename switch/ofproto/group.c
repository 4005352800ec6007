// Groups: by their ids, each with its versions.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

// -- a group: one block for the struct, its buckets, hash fields, actions and hash map --

static size_t group_bytes(const struct group_mod *gm) {
    size_t bytes = sizeof(struct group) + gm->n_buckets * sizeof(struct group_bucket) +
                   gm->n_hash_fields * sizeof(struct group_hash_field) + group_hash_bytes(gm);
    for (uint32_t i = 0; i < gm->n_buckets; i++) {
        bytes += gm->buckets[i].actions_len;
    }
    return bytes;
}

static uint8_t *fill_buckets(struct group *g, const struct group_mod *gm, uint8_t *room) {
    for (uint32_t i = 0; i < gm->n_buckets; i++) {
        const struct group_bucket *from = &gm->buckets[i];
        g->buckets[i] = (struct group_bucket){
            .id = from->id,
            .weight = from->weight,
            .watch_port = from->watch_port,
            .watch_group = from->watch_group,
            .actions_len = from->actions_len,
            .actions = room,
            .packets = from->packets,
            .bytes = from->bytes,
        };
        if (from->actions_len) {
            memcpy(room, from->actions, from->actions_len);
        }
        room += from->actions_len;
    }
    return room;
}

struct group *group_create(const struct group_mod *gm, const struct group *old, uint64_t now_ms) {
    struct group *g = malloc(group_bytes(gm));
    if (!g) {
        return NULL;
    }
    struct group_hash_field *fields = (void *)&g->buckets[gm->n_buckets];
    *g = (struct group){
        .id = gm->group_id,
        .type = gm->type,
        .method = gm->method,
        .selection_param = gm->selection_param,
        .n_hash_fields = gm->n_hash_fields,
        .hash_fields = fields,
        .refs = 1,
        .created_ms = old ? old->created_ms : now_ms,
        .n_buckets = gm->n_buckets,
    };
    if (gm->n_hash_fields) {
        memcpy(fields, gm->hash_fields, gm->n_hash_fields * sizeof *fields);
    }
    uint8_t *end = fill_buckets(g, gm, (uint8_t *)(fields + gm->n_hash_fields));
    group_hash_fill(g, (uint16_t *)(void *)end);
    return g;
}

static void group_free(void *arg) {
    free(arg);
}

void group_unref(const struct group *group) {
    struct group *g = (struct group *)(uintptr_t)group;
    if (g && atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) == 1) {
        rcu_postpone(group_free, g);
    }
}

void group_credit(const struct group *group, uint32_t bucket, uint64_t packets, uint64_t bytes) {
    struct group *g = (struct group *)(uintptr_t)group;
    if (bucket == UINT32_MAX) {
        atomic_fetch_add_explicit(&g->packets, packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&g->bytes, bytes, memory_order_relaxed);
    } else if (bucket < g->n_buckets) {
        atomic_fetch_add_explicit(&g->buckets[bucket].packets, packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&g->buckets[bucket].bytes, bytes, memory_order_relaxed);
    }
}

// -- by id --

static inline bool group_visible(const struct group *group, uint64_t version) {
    struct group *g = (struct group *)(uintptr_t)group;
    return atomic_load_explicit(&g->add_version, memory_order_relaxed) <= version &&
           version < atomic_load_explicit(&g->remove_version, memory_order_relaxed);
}

static uint32_t id_hash(uint32_t id) {
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static struct group_slot *slot_find(struct group_slots *s, uint32_t id) { // Or a free one.
    for (uint32_t i = id_hash(id) & s->mask;; i = (i + 1) & s->mask) {
        uint32_t has = atomic_load_explicit(&s->slots[i].id, memory_order_acquire);
        if (has == id || has == OFPG_ANY) {
            return &s->slots[i];
        }
    }
}

struct group *group_find(const struct ofproto *p, uint64_t version, uint32_t id) {
    struct group_slots *s = rcu_get(internal(p)->groups);
    struct group *g = s && id != OFPG_ANY ? rcu_get(slot_find(s, id)->first) : NULL;
    while (g && !group_visible(g, version)) {
        g = rcu_get(g->chain);
    }
    return g;
}

const struct group *ofproto_group(const struct ofproto *p, uint64_t version, uint32_t id) {
    return group_find(p, version, id);
}

struct group *group_next(const struct ofproto *p, uint64_t version, uint32_t *at) {
    struct group_slots *s = rcu_get(internal(p)->groups);
    while (s && *at <= s->mask) {
        struct group *g = rcu_get(s->slots[(*at)++].first);
        while (g && !group_visible(g, version)) {
            g = rcu_get(g->chain);
        }
        if (g) {
            return g;
        }
    }
    return NULL;
}

static int slots_reserve(struct ofproto *p) { // Room for one more id.
    struct group_slots *old = rcu_get(internal(p)->groups);
    if (old && (old->used + 1) * 2 <= old->mask + 1) {
        return 0;
    }
    uint32_t live = 0, n = 16;
    for (uint32_t i = 0; old && i <= old->mask; i++) {
        live += rcu_get(old->slots[i].first) || old->slots[i].n_users;
    }
    while (n < (live + 1) * 4) {
        n *= 2;
    }
    struct group_slots *s = calloc(1, sizeof *s + n * sizeof s->slots[0]);
    if (!s) {
        return -ENOMEM;
    }
    s->mask = n - 1;
    s->used = live;
    for (uint32_t i = 0; i < n; i++) {
        atomic_init(&s->slots[i].id, OFPG_ANY);
    }
    for (uint32_t i = 0; old && i <= old->mask; i++) {
        struct group_slot *from = &old->slots[i];
        if (rcu_get(from->first) || from->n_users) {
            struct group_slot *to = slot_find(s, from->id);
            atomic_init(&to->first, rcu_get(from->first));
            atomic_init(&to->id, from->id);
            to->n_users = from->n_users;
        }
    }
    rcu_set(internal(p)->groups, s);
    if (old) {
        rcu_postpone(free, old);
    }
    return 0;
}

int group_link(struct ofproto *p, struct group *g, uint64_t version) {
    if (slots_reserve(p)) {
        return -ENOMEM;
    }
    struct group_slots *s = rcu_get(internal(p)->groups);
    struct group_slot *slot = slot_find(s, g->id);
    s->used += slot->id == OFPG_ANY;
    atomic_init(&g->add_version, version);
    atomic_init(&g->remove_version, CLS_NOT_REMOVED);
    atomic_init(&g->chain, rcu_get(slot->first));
    rcu_set(slot->first, g);
    atomic_store_explicit(&slot->id, g->id, memory_order_release);
    return 0;
}

void group_unlink(struct ofproto *p, struct group *g) {
    struct group *_Atomic *at = &slot_find(rcu_get(internal(p)->groups), g->id)->first;
    while (rcu_get(*at) != g) {
        at = &rcu_get(*at)->chain;
    }
    rcu_set(*at, rcu_get(g->chain));
}

void group_hide(struct group *g, uint64_t version) {
    atomic_store_explicit(&g->remove_version, version, memory_order_relaxed);
}

void groups_count_users(struct ofproto *p, const void *actions, size_t len, int change) {
    struct group_slots *s = rcu_get(internal(p)->groups);
    OFPACT_FOR_EACH(a, actions, len) {
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        if (s && a->type == OFPACT_GROUP) { // It is there: check_references().
            slot_find(s, ((const struct ofpact_u32 *)(const void *)a)->value)->n_users +=
                (uint32_t)change;
        }
        groups_count_users(p, nested, nested_len, change);
    }
}

bool group_has_users(const struct ofproto *p, uint32_t id) {
    return slot_find(rcu_get(internal(p)->groups), id)->n_users != 0;
}

void groups_destroy(struct ofproto *p) {
    struct group_slots *s = rcu_get(internal(p)->groups);
    for (uint32_t i = 0; s && i <= s->mask; i++) {
        for (struct group *g = rcu_get(s->slots[i].first), *next; g; g = next) {
            next = rcu_get(g->chain);
            group_unref(g);
        }
    }
    free(s);
}

// -- reading --

static int by_id(const void *a, const void *b) {
    const struct group *x = *(const struct group *const *)a, *y = *(const struct group *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

int ofproto_for_each_group(const struct ofproto *p, bool (*fn)(const struct group *g, void *arg),
                           void *arg) {
    struct group_slots *s = rcu_get(internal(p)->groups);
    if (!s) {
        return 0;
    }
    const struct group **list = malloc((s->mask + 1) * sizeof(struct group *));
    if (!list) {
        return -ENOMEM;
    }
    uint32_t n = 0, at = 0;
    for (const struct group *g; n <= s->mask && (g = group_next(p, next_version(p) - 1, &at));) {
        list[n++] = g;
    }
    qsort(list, n, sizeof(struct group *), by_id);
    for (uint32_t i = 0; i < n && fn(list[i], arg); i++) {
    }
    free(list);
    return 0;
}
