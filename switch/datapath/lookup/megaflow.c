// One megaflow: made, changed, killed, freed. The table that lists them: megaflow_table.c.

#include "datapath/lookup/megaflow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/base/rcu.h"
#include "datapath/lookup/megaflow_table.h"

const void *megaflow_actions_of(const struct odp_list *list, uint32_t *len) {
    static const struct odp_action too_many = {
        .type = ODP_DROP, .len = sizeof too_many, .arg = DROP_TOO_MANY_ACTIONS};
    *len = list->overflow ? (uint32_t)sizeof too_many : list->len;
    return list->overflow ? (const void *)&too_many : list->data;
}

static struct odp_blob *blob_create(const struct odp_list *list) {
    uint32_t len;
    const void *bytes = megaflow_actions_of(list, &len);
    struct odp_blob *blob = malloc(sizeof *blob + len);
    if (blob) {
        blob->len = len;
        blob->flags = odp_blob_flags(bytes, len);
        if (len > 0) {
            memcpy(blob->bytes, bytes, len);
        }
    }
    return blob;
}

static void fill_key(struct megaflow *m, const struct flow *flow, const struct flow *wc) {
    struct flowmap map = flow_map(wc);
    const uint64_t *values = flow_words_const(flow);
    const uint64_t *bits = flow_words_const(wc);
    unsigned n = 0;
    m->mask = (struct miniflow *)(void *)((uint8_t *)&m->key + miniflow_bytes(map));
    m->key.map = m->mask->map = map;
    FLOWMAP_FOR_EACH(word, map) {
        m->key.values[n] = values[word] & bits[word];
        m->mask->values[n++] = bits[word];
    }
}

struct megaflow *megaflow_alloc(const struct flow *flow, const struct upcall_answer *answer) {
    size_t bytes = sizeof(struct megaflow) + 2 * miniflow_bytes(flow_map(&answer->wc));
    struct odp_blob *blob = blob_create(&answer->actions);
    struct megaflow *m =
        aligned_alloc(RS_CACHE_LINE, (bytes + RS_CACHE_LINE - 1) & ~(size_t)(RS_CACHE_LINE - 1));
    if (!blob || !m) {
        free(blob);
        free(m);
        return NULL;
    }
    memset(m, 0, sizeof *m);
    atomic_init(&m->actions, blob);
    m->owner = answer->owner;
    fill_key(m, flow, &answer->wc);
    return m;
}

void megaflow_free(struct megaflow *m) {
    free(atomic_load_explicit(&m->actions, memory_order_relaxed));
    free(m);
}

void megaflow_kill(struct megaflow *m) {
    struct megaflow_table *t = m->table;
    if (atomic_exchange(&m->dead, true)) {
        return; // Somebody else's; the PMD may be done with it already.
    }
    atomic_fetch_sub_explicit(&t->n_live, 1, memory_order_relaxed);
    struct megaflow *head = atomic_load_explicit(&t->killed, memory_order_relaxed);
    do {
        m->next_killed = head;
    } while (!atomic_compare_exchange_weak(&t->killed, &head, m));
    if (!head && atomic_load(&t->asleep) && t->wake) {
        t->wake(t->wake_aux);
    }
}

int megaflow_set_actions(struct megaflow *m, const struct odp_list *actions) {
    struct odp_blob *blob = blob_create(actions);
    if (!blob) {
        return -ENOMEM;
    }
    rcu_postpone(free, atomic_exchange_explicit(&m->actions, blob, memory_order_acq_rel));
    return 0;
}
