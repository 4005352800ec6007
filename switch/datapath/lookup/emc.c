#include "datapath/lookup/emc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int emc_init(struct emc *emc) {
    size_t bytes = EMC_SLOTS * sizeof *emc->slots;
    emc->slots = aligned_alloc(RS_CACHE_LINE, bytes);
    if (!emc->slots) {
        return -ENOMEM;
    }
    memset(emc->slots, 0, bytes);
    return 0;
}

void emc_destroy(struct emc *emc) {
    free(emc->slots);
    emc->slots = NULL;
}

// Where a new answer goes: over the key's earlier answer, else over one that no longer holds, else
// over the older one.
static struct emc_entry *choose_slot(const struct emc *emc, const struct flow *key, uint32_t hash,
                                     struct emc_epoch epoch) {
    struct emc_entry *first = emc_slot(emc, hash, 0);
    struct emc_entry *second = emc_slot(emc, hash, 1);
    if (second->hash == hash && flow_equal(&second->key, key)) {
        return second;
    }
    if ((first->hash == hash && flow_equal(&first->key, key)) || !emc_entry_holds(first, epoch)) {
        return first;
    }
    if (!emc_entry_holds(second, epoch)) {
        return second;
    }
    return second->made_ms < first->made_ms ? second : first;
}

void emc_insert(struct emc *emc, const struct flow *key, uint32_t hash, struct emc_epoch epoch,
                const struct odp_actions *actions) {
    if (actions->count > EMC_ACTIONS) {
        return;
    }
    struct emc_entry *e = choose_slot(emc, key, hash, epoch);
    e->generation = epoch.generation;
    e->hash = hash;
    e->key = *key;
    e->made_ms = epoch.now_ms;
    e->credit = actions->credit;
    e->batch = 0;
    e->n_actions = (uint8_t)actions->count;
    memcpy(e->actions, actions->actions, actions->count * sizeof e->actions[0]);
}

uint32_t emc_count(const struct emc *emc, struct emc_epoch epoch, uint32_t first, uint32_t n) {
    uint32_t held = 0;
    assert(first <= EMC_SLOTS && n <= EMC_SLOTS - first);
    for (uint32_t i = first; i < first + n; i++) {
        held += emc->slots[i].hash != 0 && emc_entry_holds(&emc->slots[i], epoch);
    }
    return held;
}
