// One batch, from the rx queue to the tx batches. Ways out of a packet:
//     odp_execute()   all that have an answer
//     rx_runt         no Ethernet header: no key, no answer
//
// Hits go first, in groups that share a decision; then the misses one by one, each looked up again
// because the miss before it may have been of the same flow. A flow's packets are all in one of the
// two parts, so they keep their order.

#include "datapath/flow/flow_extract.h"
#include "datapath/flow/flow_hash.h"
#include "datapath/pmd/pmd_private.h"
#include "datapath/port/port_drop.h"

static_assert(EMC_MAX_AGE_MS == UPCALL_MAX_AGE_MS, "the cache keeps what the decider promised");

static inline struct emc_epoch epoch_now(const struct pmd *pmd) {
    return (struct emc_epoch){
        .generation = atomic_load_explicit(pmd->config.upcall.generation, memory_order_acquire),
        .now_ms = pmd->now_ms,
    };
}

// Keys and hashes of the batch; packets without a key are dropped, the others close ranks.
static void extract_batch(struct pmd *pmd, struct dp_packet_batch *batch) {
    unsigned kept = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        struct flow *key = &pmd->keys[kept];
        enum drop_reason reason = flow_extract(p, key);
        if (unlikely(reason != DROP_NONE)) {
            port_drop(p, reason, pmd->env.from);
            continue;
        }
        p->hash = flow_hash(key, pmd->seed);
        emc_prefetch(&pmd->emc, p->hash);
        batch->packets[kept++] = p;
    }
    batch->count = kept;
}

static inline void credit(struct pmd *pmd, void *object, uint64_t packets, uint64_t bytes) {
    if (object) {
        pmd->config.upcall.credit(pmd->config.upcall.aux, object, packets, bytes, pmd->now_ms);
    }
}

static inline void add_to_group(struct pmd *pmd, struct emc_entry *e, struct dp_packet *p,
                                unsigned *n_groups) {
    if (e->batch != pmd->batch_number) {
        e->batch = pmd->batch_number;
        e->group = (uint8_t)*n_groups;
        struct pmd_group *fresh = &pmd->groups[(*n_groups)++];
        fresh->entry = e;
        fresh->batch.count = 0;
    }
    batch_add(&pmd->groups[e->group].batch, p);
}

// Sorts the packets that hit into groups. Those that missed go to the front of `batch`, their keys
// to the front of pmd->keys. Returns the number of groups.
static unsigned lookup_batch(struct pmd *pmd, struct dp_packet_batch *batch) {
    struct emc_epoch epoch = epoch_now(pmd);
    unsigned n_groups = 0;
    unsigned missed = 0;
    if (unlikely(++pmd->batch_number == 0)) {
        pmd->batch_number = 1; // 0 is an entry's that no batch has met.
    }
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        struct emc_entry *e = emc_lookup(&pmd->emc, &pmd->keys[i], p->hash, epoch);
        if (likely(e)) {
            add_to_group(pmd, e, p, &n_groups);
            continue;
        }
        if (missed != i) {
            pmd->keys[missed] = pmd->keys[i];
        }
        batch->packets[missed++] = p;
    }
    counter_add(&pmd->cache_hits, batch->count - missed);
    batch->count = missed;
    return n_groups;
}

static void execute_group(struct pmd *pmd, struct pmd_group *group) {
    const struct emc_entry *e = group->entry;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < group->batch.count; i++) {
        bytes += group->batch.packets[i]->len;
    }
    credit(pmd, e->credit, group->batch.count, bytes);
    odp_execute(&pmd->env, e->actions, e->n_actions, &group->batch);
}

// Asks the decider, and keeps the answer under the generation that was current before it was asked:
// what changes meanwhile makes the answer stale, never wrongly fresh.
static const struct odp_actions *ask(struct pmd *pmd, const struct flow *key, uint32_t hash,
                                     struct emc_epoch epoch) {
    struct odp_actions *answer = &pmd->answer;
    odp_actions_init(answer);
    pmd->config.upcall.translate(pmd->config.upcall.aux, key, pmd->now_ms, answer);
    if (unlikely(answer->overflow)) {
        answer->count = 1;
        answer->actions[0] = (struct odp_action){ODP_DROP, DROP_TOO_MANY_ACTIONS};
    }
    emc_insert(&pmd->emc, key, hash, epoch, answer);
    counter_add(&pmd->upcalls, 1);
    return answer;
}

static void process_miss(struct pmd *pmd, struct dp_packet *p, const struct flow *key) {
    struct dp_packet_batch one;
    batch_init(&one);
    batch_add(&one, p);
    struct emc_epoch epoch = epoch_now(pmd);
    const struct emc_entry *e = emc_lookup(&pmd->emc, key, p->hash, epoch);
    if (e) { // Learned from a packet just before.
        counter_add(&pmd->cache_hits, 1);
        credit(pmd, e->credit, 1, p->len);
        odp_execute(&pmd->env, e->actions, e->n_actions, &one);
        return;
    }
    const struct odp_actions *answer = ask(pmd, key, p->hash, epoch);
    credit(pmd, answer->credit, 1, p->len);
    odp_execute(&pmd->env, answer->actions, answer->count, &one);
}

void pmd_send(struct odp_env *env, struct port *port, struct dp_packet_batch *batch) {
    struct pmd *pmd = (struct pmd *)((char *)env - offsetof(struct pmd, env));
    odp_complete_checksums(env, batch);
    if (unlikely(atomic_load_explicit(&port->capture, memory_order_relaxed))) {
        capture_batch(pmd->capture, port->id, true, batch);
    }
    port->class->tx(port, batch, env->from);
    batch->count = 0;
    for (unsigned i = 0; i < pmd->n_unflushed; i++) {
        if (pmd->unflushed[i] == port) {
            return;
        }
    }
    pmd->unflushed[pmd->n_unflushed++] = port;
}

void pmd_process(struct pmd *pmd, struct port *port, struct dp_packet_batch *batch) {
    pmd->env.from = &port->counters;
    counter_add(&pmd->packets, batch->count);
    if (unlikely(atomic_load_explicit(&port->capture, memory_order_relaxed))) {
        capture_batch(pmd->capture, port->id, false, batch);
    }
    extract_batch(pmd, batch);
    unsigned n_groups = lookup_batch(pmd, batch);
    for (unsigned i = 0; i < n_groups; i++) {
        execute_group(pmd, &pmd->groups[i]);
    }
    for (unsigned i = 0; i < batch->count; i++) {
        process_miss(pmd, batch->packets[i], &pmd->keys[i]);
    }
    odp_flush(&pmd->env);
    if (unlikely(pmd->capture && pmd->capture->open)) {
        capture_publish(pmd->capture);
    }
}
