#include "datapath/lookup/lookup.h"

#include <errno.h>

enum { RANK_MS = 1000 };

static void set_config(struct lookup *l, const struct lookup_config *config) {
    l->config = *config;
    l->insert_below = config->emc_insert_every ? UINT32_MAX / config->emc_insert_every : 0;
}

int lookup_init(struct lookup *l, const struct upcall_ops *ops, void (*wake)(void *aux),
                void *wake_aux, uint64_t seed) {
    *l = (struct lookup){.random = (uint32_t)(seed >> 32) | 1};
    set_config(l, &LOOKUP_CONFIG_DEFAULT);
    dpcls_init(&l->dpcls, seed);
    int error = emc_init(&l->emc);
    return error < 0 ? error : megaflow_table_create(ops, wake, wake_aux, &l->table);
}

void lookup_destroy(struct lookup *l) {
    emc_destroy(&l->emc);
    smc_destroy(&l->smc);
    dpcls_destroy(&l->dpcls);
    if (l->table) {
        megaflow_table_destroy(l->table);
        l->table = NULL;
    }
}

int lookup_configure(struct lookup *l, const struct lookup_config *config) {
    if (config->smc && !l->smc.buckets && smc_init(&l->smc) < 0) {
        return -ENOMEM;
    }
    if (!config->smc) {
        smc_destroy(&l->smc);
    }
    if (!config->emc) {
        emc_clear(&l->emc);
    }
    set_config(l, config);
    return 0;
}

static inline uint32_t next_random(struct lookup *l) { // xorshift32
    l->random ^= l->random << 13;
    l->random ^= l->random >> 17;
    l->random ^= l->random << 5;
    return l->random;
}

static inline void learn(struct lookup *l, const struct dp_key *key, struct megaflow *m) {
    if (l->config.emc && emc_takes(key) && next_random(l) <= l->insert_below &&
        l->insert_below > 0) {
        emc_insert(&l->emc, key, m);
    }
}

static inline void learn_found(struct lookup *l, const struct dp_key *key, struct megaflow *m) {
    if (l->config.smc) {
        smc_insert(&l->smc, key->hash, m);
    }
    learn(l, key, m);
}

// Returns a bit for each key that missed.
static uint32_t lookup_emc(struct lookup *l, const struct dp_key *keys, unsigned n,
                           struct megaflow **found) {
    uint32_t missed = 0;
    unsigned hits = 0;
    for (unsigned i = 0; i < n; i++) {
        struct megaflow *m = emc_takes(&keys[i]) ? emc_lookup(&l->emc, &keys[i]) : NULL;
        found[i] = m;
        missed |= (uint32_t)!m << i;
        hits += m != NULL;
    }
    counter_add(&l->emc_hits, hits);
    return missed;
}

// Looks up the keys whose bit is in `want`; returns those that missed.
static uint32_t lookup_smc(struct lookup *l, const struct dp_key *keys, uint32_t want,
                           struct megaflow **found) {
    uint32_t missed = want;
    unsigned hits = 0;
    for (uint32_t rest = want; rest; rest &= rest - 1) {
        __builtin_prefetch(smc_bucket(&l->smc, keys[__builtin_ctz(rest)].hash));
    }
    for (uint32_t rest = want; rest; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);
        const struct smc_bucket *b = smc_bucket(&l->smc, keys[i].hash);
        for (unsigned way = 0; way < SMC_WAYS; way++) {
            if (b->signatures[way] != keys[i].hash >> 16 || b->slots[way] == 0) {
                continue;
            }
            struct megaflow *m = megaflow_in_slot(l->table, b->slots[way] - 1);
            if (m && !megaflow_is_dead(m) && dpcls_covers(&l->dpcls, m, &keys[i])) {
                found[i] = m;
                missed &= ~(UINT32_C(1) << i);
                hits++;
                learn(l, &keys[i], m);
                break;
            }
        }
    }
    counter_add(&l->smc_hits, hits);
    return missed;
}

uint32_t lookup_batch(struct lookup *l, const struct dp_key *keys, unsigned n,
                      struct megaflow **found) {
    uint32_t want = n < 32 ? (UINT32_C(1) << n) - 1 : UINT32_MAX;
    if (likely(l->config.emc)) {
        want = lookup_emc(l, keys, n, found);
    }
    if (unlikely(l->config.smc) && want) {
        want = lookup_smc(l, keys, want, found);
    }
    if (likely(!want)) {
        return 0;
    }
    uint32_t missed = dpcls_lookup(&l->dpcls, keys, want, found);
    counter_add(&l->megaflow_hits, (unsigned)__builtin_popcount(want & ~missed));
    for (uint32_t hits = want & ~missed; hits; hits &= hits - 1) {
        unsigned i = (unsigned)__builtin_ctz(hits);
        learn_found(l, &keys[i], found[i]);
    }
    return missed;
}

struct megaflow *lookup_install(struct lookup *l, const struct dp_key *key, const struct flow *flow,
                                const struct upcall_answer *answer, uint64_t now_ms) {
    struct megaflow *m;
    if (megaflow_create(l->table, flow, answer, now_ms, &m) < 0) {
        return NULL;
    }
    if (dpcls_insert(&l->dpcls, m) < 0) {
        megaflow_discard(m);
        return NULL;
    }
    megaflow_publish(m);
    learn_found(l, key, m);
    return m;
}

void lookup_chores(struct lookup *l, uint64_t now_ms, uint32_t some) {
    for (uint32_t i = 0; i < some && unlikely(megaflow_has_killed(l->table)); i++) {
        struct megaflow *m = megaflow_next_killed(l->table);
        dpcls_remove(&l->dpcls, m);
        megaflow_retire(m);
    }
    if (unlikely(l->table->n_lingering > 0)) {
        emc_sweep(&l->emc, some < EMC_SLOTS ? some : EMC_SLOTS);
    }
    if (unlikely(now_ms - l->ranked_ms >= RANK_MS)) {
        l->ranked_ms = now_ms;
        dpcls_rank(&l->dpcls);
    }
}
