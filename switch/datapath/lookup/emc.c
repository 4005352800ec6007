#include "datapath/lookup/emc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(FLOW_TNL_WORDS <= 48 && FLOW_WORDS - FLOW_TNL_WORDS <= 48,
              "there is room for 16 bits of hash above each half of the map");

int emc_init(struct emc *emc) {
    size_t bytes = EMC_SLOTS * sizeof *emc->slots;
    *emc = (struct emc){0};
    int error = hugemem_reserve(bytes, &emc->mem);
    if (error < 0) {
        return error;
    }
    emc->slots = emc->mem.base;
    memset(emc->slots, 0, bytes); // No page fault of a PMD later.
    return 0;
}

static void count(struct emc *emc, int by) {
    uint32_t n = atomic_load_explicit(&emc->n, memory_order_relaxed) + (uint32_t)by;
    atomic_store_explicit(&emc->n, n, memory_order_relaxed);
}

static void clear(struct emc *emc, struct emc_entry *e) {
    megaflow_emc_unref(e->flow);
    e->flow = NULL;
    count(emc, -1);
}

void emc_clear(struct emc *emc) {
    for (uint32_t i = 0; i < EMC_SLOTS; i++) {
        if (emc->slots[i].flow) {
            clear(emc, &emc->slots[i]);
        }
    }
}

void emc_destroy(struct emc *emc) {
    if (emc->slots) {
        emc_clear(emc);
        hugemem_unmap(&emc->mem);
        emc->slots = NULL;
    }
}

void emc_sweep(struct emc *emc, uint32_t n) {
    for (; n > 0; n--) {
        struct emc_entry *e = &emc->slots[emc->sweep++ % EMC_SLOTS];
        if (e->flow && megaflow_is_dead(e->flow)) {
            clear(emc, e);
        }
    }
}

// Where a key goes: over itself, else into a free or dead place, else over one of the two, by a bit of the
// hash that does not say which places they are.
static struct emc_entry *choose(const struct emc *emc, const struct dp_key *key,
                                const uint64_t head[2]) {
    struct emc_entry *first = emc_slot(emc, key->hash, 0);
    struct emc_entry *second = emc_slot(emc, key->hash, 1);
    if (first->flow && emc_entry_is(first, key, head)) {
        return first;
    }
    if (second->flow && emc_entry_is(second, key, head)) {
        return second;
    }
    if (!first->flow || megaflow_is_dead(first->flow)) {
        return first;
    }
    if (!second->flow || megaflow_is_dead(second->flow)) {
        return second;
    }
    return key->hash >> (2 * EMC_WAY_BITS) & 1 ? second : first;
}

void emc_insert(struct emc *emc, const struct dp_key *key, struct megaflow *m) {
    uint64_t head[2];
    assert(emc_takes(key));
    emc_head(key, head);
    struct emc_entry *e = choose(emc, key, head);
    megaflow_emc_ref(m); // First: it may be the one that is replaced.
    if (e->flow) {
        clear(emc, e);
    }
    e->head[0] = head[0];
    e->head[1] = head[1];
    e->flow = m;
    memcpy(e->values, key->values, key->words * sizeof key->values[0]);
    count(emc, 1);
}
