#include "datapath/lookup/megaflow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/base/rcu.h"

static atomic_uint tables_made; // Makes ids of different tables differ.

int megaflow_table_create(const struct upcall_ops *ops, void (*wake)(void *aux), void *wake_aux,
                          struct megaflow_table **out) {
    struct megaflow_table *t = aligned_alloc(RS_CACHE_LINE, sizeof *t);
    if (!t) {
        return -ENOMEM;
    }
    memset(t, 0, sizeof *t);
    t->ops = ops;
    t->wake = wake;
    t->wake_aux = wake_aux;
    t->next_id = (uint64_t)atomic_fetch_add(&tables_made, 1) << 40 | 1;
    atomic_init(&t->limit, MEGAFLOW_LIMIT_DEFAULT);
    *out = t;
    return 0;
}

void megaflow_table_destroy(struct megaflow_table *t) {
    uint32_t n = atomic_load(&t->n_slots);
    for (uint32_t i = 0; i < n; i++) {
        struct megaflow *m = t->chunks[i / MEGAFLOW_CHUNK]->slots[i % MEGAFLOW_CHUNK];
        if (m) {
            megaflow_retire(m);
        }
    }
    assert(t->n_lingering == 0); // The exact match cache went before.
    rcu_synchronize();
    assert(atomic_load(&t->n_allocated) == 0 || rcu_lost() > 0);
    for (uint32_t i = 0; i < RS_ARRAY_SIZE(t->chunks); i++) {
        free(t->chunks[i]);
    }
    free(t);
}

static inline struct megaflow *_Atomic *slot_of(const struct megaflow_table *t, uint32_t slot) {
    struct megaflow_chunk *chunk = rcu_get(t->chunks[slot / MEGAFLOW_CHUNK]);
    return &chunk->slots[slot % MEGAFLOW_CHUNK];
}

static inline uint32_t *next_free(const struct megaflow_table *t, uint32_t slot) {
    return &t->chunks[slot / MEGAFLOW_CHUNK]->next_free[slot % MEGAFLOW_CHUNK];
}

static int slot_take(struct megaflow_table *t, uint32_t *slot) {
    if (t->free_slots) {
        *slot = t->free_slots - 1;
        t->free_slots = *next_free(t, *slot);
        return 0;
    }
    uint32_t n = atomic_load_explicit(&t->n_slots, memory_order_relaxed);
    if (n == MEGAFLOW_LIMIT_MAX) { // Killed ones hold the rest.
        return -ENOSPC;
    }
    if (!t->chunks[n / MEGAFLOW_CHUNK]) {
        struct megaflow_chunk *chunk = calloc(1, sizeof *chunk);
        if (!chunk) {
            return -ENOMEM;
        }
        rcu_set(t->chunks[n / MEGAFLOW_CHUNK], chunk);
    }
    *slot = n;
    atomic_store_explicit(&t->n_slots, n + 1, memory_order_release);
    return 0;
}

static void slot_give(struct megaflow_table *t, uint32_t slot) {
    *next_free(t, slot) = t->free_slots;
    t->free_slots = slot + 1;
}

int megaflow_create(struct megaflow_table *t, const struct flow *flow,
                    const struct upcall_answer *answer, uint64_t now_ms, struct megaflow **out) {
    uint32_t slot;
    if (megaflow_count(t) >= atomic_load_explicit(&t->limit, memory_order_relaxed)) {
        return -ENOSPC;
    }
    int error = slot_take(t, &slot);
    if (error < 0) {
        return error;
    }
    struct megaflow *m = megaflow_alloc(flow, answer);
    if (!m) {
        slot_give(t, slot);
        return -ENOMEM;
    }
    m->table = t;
    m->slot = slot;
    m->id = t->next_id++;
    m->created_ms = now_ms;
    *out = m;
    return 0;
}

void megaflow_discard(struct megaflow *m) {
    slot_give(m->table, m->slot);
    megaflow_free(m);
}

void megaflow_publish(struct megaflow *m) {
    struct megaflow_table *t = m->table;
    atomic_fetch_add_explicit(&t->n_live, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->n_allocated, 1, memory_order_relaxed);
    rcu_set(*slot_of(t, m->slot), m);
}

struct megaflow *megaflow_next_killed(struct megaflow_table *t) {
    if (!t->condemned) {
        t->condemned = atomic_exchange(&t->killed, NULL);
    }
    struct megaflow *m = t->condemned;
    if (m) {
        t->condemned = m->next_killed;
    }
    return m;
}

static void release(void *arg) {
    struct megaflow *m = arg;
    struct megaflow_table *t = m->table;
    t->ops->release(t->ops->aux, m->owner, counter_get(&m->packets), counter_get(&m->bytes),
                    atomic_load_explicit(&m->tcp_flags, memory_order_relaxed),
                    counter_get(&m->used_ms));
    megaflow_free(m);
    atomic_fetch_sub(&t->n_allocated, 1); // The table may be gone from here on.
}

void megaflow_retire(struct megaflow *m) {
    struct megaflow_table *t = m->table;
    assert(!m->retired);
    m->retired = true;
    rcu_set(*slot_of(t, m->slot), NULL);
    slot_give(t, m->slot);
    if (m->emc_refs == 0) {
        rcu_postpone(release, m);
    } else {
        t->n_lingering++;
    }
}

void megaflow_emc_unref(struct megaflow *m) {
    assert(m->emc_refs > 0);
    if (--m->emc_refs == 0 && m->retired) {
        m->table->n_lingering--;
        rcu_postpone(release, m);
    }
}

bool megaflow_table_going_to_sleep(struct megaflow_table *t) {
    atomic_store(&t->asleep, true);
    if (t->n_lingering > 0 || t->condemned || atomic_load(&t->killed)) {
        megaflow_table_woke(t);
        return false;
    }
    return true;
}

void megaflow_table_woke(struct megaflow_table *t) {
    atomic_store_explicit(&t->asleep, false, memory_order_relaxed);
}

uint32_t megaflow_slice(const struct megaflow_table *t, uint32_t first, uint32_t n,
                        bool (*fn)(struct megaflow *m, void *arg), void *arg) {
    uint32_t end = atomic_load_explicit(&t->n_slots, memory_order_acquire);
    uint32_t last = n < end && first < end - n ? first + n : end;
    for (uint32_t i = first; i < last; i++) {
        struct megaflow *m = rcu_get(*slot_of(t, i));
        if (m && !megaflow_is_dead(m) && !fn(m, arg)) {
            return 0;
        }
    }
    return last < end ? last : 0;
}

void megaflow_for_each(const struct megaflow_table *t, bool (*fn)(struct megaflow *m, void *arg),
                       void *arg) {
    megaflow_slice(t, 0, UINT32_MAX, fn, arg);
}

uint32_t megaflow_count(const struct megaflow_table *t) {
    return atomic_load_explicit(&t->n_live, memory_order_relaxed);
}

void megaflow_set_limit(struct megaflow_table *t, uint32_t limit) {
    atomic_store_explicit(&t->limit, limit < MEGAFLOW_LIMIT_MAX ? limit : MEGAFLOW_LIMIT_MAX,
                          memory_order_relaxed);
}

uint32_t megaflow_limit(const struct megaflow_table *t) {
    return atomic_load_explicit(&t->limit, memory_order_relaxed);
}
