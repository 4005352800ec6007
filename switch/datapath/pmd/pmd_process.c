// One batch, from the rx queue to the tx batches.
//
//     extract ─▶ hash ─▶ EMC ─▶ dpcls ─┬─ hits, by megaflow ─▶ odp_execute() ─┬─▶ tx batches
//        ▲                             └─ misses ─▶ upcall ─▶ megaflow ─▶ …   ├─▶ named drops
//        └──────────── waiting, one level down ◀── recirculation ─────────────┘
//
// Hits go first, in groups that share a megaflow; then the misses one by one, each looked up again
// because the miss before it may have been of the same flow. A flow's packets are all in one of the
// two parts, and in the order of their arrival in each, so they keep their order.
//
// Ways out of a packet: odp_execute(), or DROP_RUNT (no Ethernet header: no key).

#include "datapath/base/rcu.h"
#include "datapath/flow/flow_extract.h"
#include "datapath/pmd/pmd_private.h"
#include "datapath/port/port_drop.h"

enum { AHEAD = 3 }; // Packets whose bytes are on their way while one is being looked at.

// Keys and hashes of the batch; packets without a key are dropped, the others close ranks.
static void extract_batch(struct pmd *pmd, struct pmd_level *level, struct dp_packet_batch *batch) {
    struct dp_packet **kept = batch->packets;
    struct dp_key *key = level->keys;
    unsigned n = batch->count;
    for (unsigned i = 0; i < n; i++) {
        struct dp_packet *p = batch->packets[i];
        if (i + AHEAD < n) {
            __builtin_prefetch(batch->packets[i + AHEAD]->data);
        }
        enum drop_reason reason = flow_extract(p, key);
        if (unlikely(reason != DROP_NONE)) {
            port_drop(p, reason, pmd->env.from);
            continue;
        }
        lookup_hash(&pmd->lookup, p, key++);
        *kept++ = p;
    }
    batch->count = (unsigned)(kept - batch->packets);
}

static inline uint16_t tcp_flags_of(const struct dp_packet *p) {
    enum { TCP = 6, FLAGS_AT = 12 };
    return p->l4_proto == TCP && p->l4_ofs != RS_OFS_NONE
               ? ntoh16(load_be16(p->data + p->l4_ofs + FLAGS_AT)) & 0x0fff
               : 0;
}

static inline void count(const struct pmd *pmd, struct megaflow *m, uint64_t packets,
                         uint64_t bytes, uint16_t tcp_flags) {
    counter_add(&m->packets, packets);
    counter_add(&m->bytes, bytes);
    atomic_store_explicit(&m->used_ms, pmd->now_ms, memory_order_relaxed);
    uint16_t before = atomic_load_explicit(&m->tcp_flags, memory_order_relaxed);
    if (tcp_flags & ~before) {
        atomic_store_explicit(&m->tcp_flags, before | tcp_flags, memory_order_relaxed);
    }
}

static inline void execute(struct pmd *pmd, const struct megaflow *m,
                           struct dp_packet_batch *batch) {
    const struct odp_blob *actions = rcu_get(m->actions);
    odp_execute(&pmd->env, actions->bytes, actions->len, actions->flags, batch);
}

// The megaflow's group in this batch, of which there are *n so far.
static inline struct pmd_group *group_of(struct pmd_level *level, struct megaflow *m, unsigned *n) {
    struct pmd_group *g = &level->groups[m->group];
    if (m->group >= *n || g->flow != m) { // What it remembers is of another batch.
        g = &level->groups[*n];
        g->flow = m;
        g->bytes = 0;
        g->tcp_flags = 0;
        g->batch.count = 0;
        m->group = (uint8_t)(*n)++;
        __builtin_prefetch(atomic_load_explicit(&m->actions, memory_order_relaxed));
    }
    return g;
}

// Sorts the packets that hit into groups; returns how many.
static unsigned group(struct pmd_level *level, const struct dp_packet_batch *batch,
                      uint32_t missed) {
    const struct megaflow *last = NULL; // Often the next one's, too.
    struct pmd_group *g = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        if (unlikely(missed >> i & 1)) {
            continue;
        }
        struct dp_packet *p = batch->packets[i];
        if (level->found[i] != last) {
            last = level->found[i];
            g = group_of(level, level->found[i], &n);
        }
        g->bytes += p->len;
        g->tcp_flags |= tcp_flags_of(p);
        batch_add(&g->batch, p);
    }
    return n;
}

// Asks the decider. Its answer is executed from the megaflow that it becomes, or, if it becomes none, from
// the level's buffer, which must not change while packets of it wait in the next level.
static void upcall(struct pmd *pmd, struct pmd_level *level, const struct dp_key *key,
                   struct dp_packet_batch *one) {
    const struct upcall_ops *ops = &pmd->config.upcall;
    const struct dp_packet *p = one->packets[0];
    struct upcall_answer *answer = &level->answer;
    uint16_t tcp_flags = tcp_flags_of(p);
    uint64_t bytes = p->len;
    miniflow_expand(dp_key_miniflow(key), &level->flow);
    odp_list_clear(&answer->actions);
    answer->install = false;
    answer->owner = NULL;
    memset(&answer->wc, 0, sizeof answer->wc);
    ops->translate(ops->aux, p, &level->flow, pmd->now_ms, answer);
    counter_add(&pmd->upcalls, 1);
    struct megaflow *m = NULL;
    if (likely(answer->install)) {
        m = lookup_install(&pmd->lookup, key, &level->flow, answer, pmd->now_ms);
    }
    if (likely(m)) {
        count(pmd, m, 1, bytes, tcp_flags);
        execute(pmd, m, one);
        return;
    }
    uint32_t len;
    const void *actions = megaflow_actions_of(&answer->actions, &len);
    counter_add(&pmd->executed_once, 1);
    odp_execute(&pmd->env, actions, len, 0, one);
    pmd_process_waiting(pmd, pmd->depth + 1);
    ops->executed_once(ops->aux, answer->owner, 1, bytes, tcp_flags, pmd->now_ms);
}

// `installed`: megaflows have been made since the batch was looked up.
static void process_miss(struct pmd *pmd, struct pmd_level *level, unsigned i, struct dp_packet *p,
                         bool installed) {
    struct dp_packet_batch one = {.count = 1, .packets = {p}};
    if (!installed || lookup_batch(&pmd->lookup, &level->keys[i], 1, &level->found[i]) != 0) {
        upcall(pmd, level, &level->keys[i], &one);
        return;
    }
    count(pmd, level->found[i], 1, p->len, tcp_flags_of(p)); // Learned from a packet just before.
    execute(pmd, level->found[i], &one);
}

static void process_level(struct pmd *pmd, unsigned depth, struct dp_packet_batch *batch) {
    struct pmd_level *level = &pmd->levels[depth];
    pmd->depth = depth;
    extract_batch(pmd, level, batch);
    uint64_t newest = megaflow_newest(pmd->lookup.table);
    uint32_t missed = lookup_batch(&pmd->lookup, level->keys, batch->count, level->found);
    unsigned n_groups = group(level, batch, missed);
    for (unsigned i = 0; i < n_groups; i++) {
        struct pmd_group *g = &level->groups[i];
        count(pmd, g->flow, g->batch.count, g->bytes, g->tcp_flags);
        execute(pmd, g->flow, &g->batch);
    }
    for (; unlikely(missed); missed &= missed - 1) {
        unsigned i = (unsigned)__builtin_ctz(missed);
        bool installed = megaflow_newest(pmd->lookup.table) != newest;
        process_miss(pmd, level, i, batch->packets[i], installed);
    }
    batch->count = 0;
}

void pmd_process_waiting(struct pmd *pmd, unsigned depth) {
    unsigned before = pmd->depth;
    for (; depth <= PMD_MAX_RECIRC && pmd->levels[depth].waiting.count > 0; depth++) {
        counter_add(&pmd->recirculated, pmd->levels[depth].waiting.count);
        process_level(pmd, depth, &pmd->levels[depth].waiting);
    }
    pmd->depth = before;
}

void pmd_finish(struct pmd *pmd) {
    odp_flush(&pmd->env);
    if (unlikely(pmd->capture && pmd->capture->open)) {
        capture_publish(pmd->capture);
    }
}

void pmd_process(struct pmd *pmd, struct port *port, struct dp_packet_batch *batch) {
    pmd->env.from = &port->counters;
    counter_add(&pmd->packets, batch->count);
    if (unlikely(atomic_load_explicit(&port->capture, memory_order_relaxed))) {
        capture_batch(pmd->capture, port->id, false, batch);
    }
    process_level(pmd, 0, batch);
    pmd_process_waiting(pmd, 1);
    pmd_finish(pmd);
}
