#include "action.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "datapath/base/rcu.h"
#include "datapath/flow/flow_extract.h"
#include "datapath/packet/checksum.h"

#define MAX_EVENTS 4096u

int exe_parse(const char *text, uint8_t *out, uint32_t cap, uint32_t *error_at, char why[128]) {
    struct odp_list list = odp_list_on(NULL, 0);
    const char *at, *reason;
    int result = odp_text_parse(text, &list, &at, &reason);
    if (result < 0) {
        *error_at = (uint32_t)(at - text);
        snprintf(why, 128, "%s", reason);
    } else if (list.len > cap) {
        result = -ENOSPC;
    } else {
        memcpy(out, list.data, list.len);
        result = (int)list.len;
    }
    odp_list_destroy(&list);
    return result;
}

static void name_port(void *aux, uint32_t port, struct text *t) {
    (void)aux;
    text_put(t, "eth%u", port);
}

static void name_pin(void *aux, uint32_t pin, struct text *t) {
    (void)aux;
    text_put(t, "controller(reason=1,number=%u)", pin);
}

static uint64_t *aligned_copy(const uint8_t *bytes, uint32_t len) {
    uint64_t *copy = malloc(len ? len : 8);
    if (copy) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

uint32_t exe_print(const uint8_t *bytes, uint32_t len, char *out, uint32_t cap, bool names) {
    static const struct odp_text_names how = {.port = name_port, .controller = name_pin};
    uint64_t *copy = aligned_copy(bytes, len);
    struct text t;
    text_init(&t, out, cap);
    odp_text_put(&t, copy, len, names ? &how : NULL);
    free(copy);
    return (uint32_t)t.len;
}

const char *exe_check(const uint8_t *bytes, uint32_t len) {
    const char *why;
    uint64_t *copy = aligned_copy(bytes, len);
    bool ok = odp_check(copy, len, &why);
    free(copy);
    return ok ? NULL : why;
}

int exe_list_grow(uint32_t cap, uint32_t n, bool *moved) {
    uint64_t *buffer = malloc(cap ? cap : 8);
    struct odp_list list = odp_list_on(buffer, cap);
    for (uint32_t i = 0; i < n; i++) {
        odp_put_simple(&list, ODP_OUTPUT, i % 1000 + 1);
    }
    *moved = list.owned;
    int len = (int)list.len;
    for (uint32_t i = 0; i < list.len / 8; i++) {
        struct odp_action a;
        memcpy(&a, list.data + 8 * i, sizeof a);
        len = a.type == ODP_OUTPUT && a.arg == i % 1000 + 1 ? len : -100000;
    }
    bool overflow = list.overflow;
    odp_list_destroy(&list);
    free(buffer);
    return overflow ? -1 - len : len;
}

uint32_t exe_commit(const struct flow *flow, struct flow *base, struct flow *wc, int encap,
                    const uint8_t *md2, uint32_t md2_len, uint8_t *out, uint32_t cap) {
    struct odp_list list = odp_list_on(NULL, 0);
    if (encap >= 0) {
        odp_commit_encap(flow, base, &list, wc, encap, md2, md2_len);
    }
    odp_commit(flow, base, &list, wc);
    odp_commit_tunnel(flow, base, &list);
    uint32_t len = list.len <= cap ? list.len : cap;
    if (len > 0) {
        memcpy(out, list.data, len);
    }
    odp_list_destroy(&list);
    return len;
}

struct exe_bench {
    struct odp_env env;
    struct umem *umem;
    struct port *ports[RS_MAX_PORTS];
    struct dp_packet_batch out[RS_MAX_PORTS];
    struct port_counters counters;
    uint32_t n_events, n_calls;
    struct exe_event *events;
};

static struct exe_bench *bench_of(struct odp_env *env) {
    return (struct exe_bench *)(void *)((char *)env - offsetof(struct exe_bench, env));
}

// What every byte of the umem is before a run.
#define CANARY 0xa5

static bool is_intact(const struct dp_packet *p) {
    const uint8_t *frame = dp_packet_frame(p);
    for (size_t i = dp_packet_headroom(p) + p->len; i < p->umem->frame_size; i++) {
        if (frame[i] != CANARY) {
            return false;
        }
    }
    return true;
}

static void record(struct exe_bench *b, enum exe_event_kind kind, uint32_t id,
                   const struct dp_packet *p) {
    if (b->n_events == MAX_EVENTS) {
        return;
    }
    struct exe_event *e = &b->events[b->n_events++];
    bool tunnel = p->flags & PKT_HAS_TUNNEL, typed = p->flags & PKT_NOT_ETHERNET;
    *e = (struct exe_event){.kind = kind,
                            .id = id,
                            .batch = b->n_calls,
                            .len = p->len,
                            .l2_5_ofs = p->l2_5_ofs,
                            .l3_ofs = p->l3_ofs,
                            .l4_ofs = p->l4_ofs,
                            .in_port = p->in_port,
                            .recirc_id = p->recirc_id,
                            .dp_hash = p->dp_hash,
                            .pkt_mark = p->pkt_mark,
                            .skb_priority = p->skb_priority,
                            .packet_type = typed ? ntoh32(p->packet_type) : 0,
                            .flags = p->flags,
                            .tunnel_dst = tunnel ? ntoh32(p->tunnel->ip_dst) : 0,
                            .intact = is_intact(p)};
    memcpy(e->data, p->data, p->len);
}

static void take(struct exe_bench *b, enum exe_event_kind kind, uint32_t id,
                 struct dp_packet_batch *batch) {
    b->n_calls++;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        record(b, kind, id, p);
        memset(dp_packet_frame(p), CANARY, p->umem->frame_size); // For the next copy in it.
        dp_packet_free(p);
    }
    batch->count = 0;
}

static void exe_send(struct odp_env *env, struct port *port, struct dp_packet_batch *batch) {
    odp_complete_checksums(env, batch);
    counter_add(&env->from->sent, batch->count);
    take(bench_of(env), EXE_SENT, port->id, batch);
}

static void exe_recirc(struct odp_env *env, uint32_t id, struct dp_packet_batch *batch) {
    counter_add(&env->from->sent, batch->count);
    take(bench_of(env), EXE_RECIRC, id, batch);
}

static void exe_packet_in(struct odp_env *env, uint32_t pin, const struct dp_packet *p) {
    record(bench_of(env), EXE_CONTROLLER, pin, p);
}

struct exe_bench *exe_new(uint32_t frames, uint32_t n_ports) {
    struct exe_bench *b = aligned_alloc(RS_CACHE_LINE, (sizeof *b + 63) & ~(size_t)63);
    assert(b && n_ports < RS_MAX_PORTS);
    memset(b, 0, sizeof *b);
    b->events = calloc(MAX_EVENTS, sizeof *b->events);
    assert(b->events && umem_create(frames, RS_FRAME_SIZE, -1, &b->umem) == 0);
    for (uint32_t i = 1; i <= n_ports; i++) {
        b->ports[i] = aligned_alloc(RS_CACHE_LINE, sizeof *b->ports[i]);
        assert(b->ports[i]);
        memset(b->ports[i], 0, sizeof *b->ports[i]);
        b->ports[i]->id = i;
    }
    odp_env_init(&b->env, b->ports, b->out);
    b->env.send = exe_send;
    b->env.recirc = exe_recirc;
    b->env.packet_in = exe_packet_in;
    b->env.from = &b->counters;
    int made = odp_meters_create(&b->env.meters);
    assert(made == 0);
    (void)made;
    return b;
}

void exe_free(struct exe_bench *b) {
    rcu_synchronize();
    odp_meters_destroy(b->env.meters);
    for (uint32_t i = 0; i < RS_MAX_PORTS; i++) {
        free(b->ports[i]);
    }
    umem_destroy(b->umem);
    free(b->events);
    free(b);
}

static struct dp_packet *make(struct exe_bench *b, const struct exe_packet *from) {
    struct dp_packet *p = dp_packet_alloc(b->umem, b->umem->pmd_cache);
    assert(p && from->headroom + from->len <= b->umem->frame_size);
    dp_packet_reset(p, from->headroom, from->len);
    memcpy(p->data, from->data, from->len);
    p->in_port = from->in_port;
    p->flags = (uint8_t)from->flags;
    p->rx_hash = from->rx_hash;
    p->packet_type = hton32(from->packet_type);
    struct dp_key key;
    flow_extract(p, &key);
    return p;
}

int exe_run(struct exe_bench *b, const uint8_t *actions, uint32_t len, bool blob,
            const struct exe_packet *packets, uint32_t n) {
    uint64_t *list = aligned_copy(actions, len);
    struct dp_packet_batch batch = {.count = 0};
    uint32_t before = umem_free_frames(b->umem);
    assert(list && n <= RS_BATCH_MAX);
    b->n_events = b->n_calls = 0;
    memset(&b->counters, 0, sizeof b->counters);
    memset(b->umem->base, CANARY, (size_t)b->umem->n_frames * b->umem->frame_size);
    for (uint32_t i = 0; i < n; i++) {
        batch_add(&batch, make(b, &packets[i]));
        counter_add(&b->counters.received, 1);
    }
    odp_execute(&b->env, list, len, blob ? odp_blob_flags(list, len) : 0, &batch);
    odp_flush(&b->env);
    free(list);
    const struct port_counters *c = &b->counters;
    uint64_t in = counter_get(&c->received) + counter_get(&c->copies);
    uint64_t gone = counter_get(&c->sent);
    for (unsigned i = 0; i < DROP_N_REASONS; i++) {
        gone += counter_get(&c->drops[i]);
    }
    bool balanced = in == gone && umem_free_frames(b->umem) == before;
    return balanced ? (int)b->n_events : -1;
}

const struct exe_event *exe_event(const struct exe_bench *b, uint32_t i) {
    return &b->events[i];
}

void exe_counts(const struct exe_bench *b, struct exe_counts *out) {
    out->copies = counter_get(&b->counters.copies);
    out->checksums_completed = counter_get(&b->counters.checksums_completed);
    for (unsigned i = 0; i < DROP_N_REASONS; i++) {
        out->drops[i] = counter_get(&b->counters.drops[i]);
    }
}

void exe_set_time(struct exe_bench *b, uint64_t now_ns) {
    b->env.now_ns = now_ns;
}

int exe_meter_set(struct exe_bench *b, uint32_t id, const struct odp_meter_config *config) {
    return odp_meter_set(b->env.meters, id, config, b->env.now_ns);
}

int exe_meter_delete(struct exe_bench *b, uint32_t id) {
    return odp_meter_delete(b->env.meters, id);
}

int exe_meter_stats(struct exe_bench *b, uint32_t id, struct odp_meter_stats *out) {
    return odp_meter_stats(b->env.meters, id, out);
}

struct meter_worker {
    struct exe_bench *bench;
    uint32_t rounds;
    uint64_t packets;
    atomic_uint *running;
};

static void *meter_work(void *arg) {
    struct meter_worker *w = arg;
    uint8_t frame[60] = {0};
    uint64_t list[2];
    struct odp_action meter = {.type = ODP_METER, .len = 8, .arg = 1};
    struct odp_action output = {.type = ODP_OUTPUT, .len = 8, .arg = 1};
    struct exe_packet packets[8];
    memcpy(&list[0], &meter, sizeof meter);
    memcpy(&list[1], &output, sizeof output);
    for (unsigned i = 0; i < 8; i++) {
        packets[i] = (struct exe_packet){.data = frame, .len = sizeof frame, .headroom = 64};
    }
    rcu_register();
    for (uint32_t i = 0; i < w->rounds; i++) {
        exe_set_time(w->bench, i * 1000000u);
        int sent = exe_run(w->bench, (const uint8_t *)list, sizeof list, false, packets, 8);
        assert(sent >= 0); // Balanced: what did not leave was dropped.
        w->packets += (uint64_t)sent + counter_get(&w->bench->counters.drops[DROP_METER]);
        rcu_quiesce();
    }
    rcu_unregister();
    atomic_fetch_sub(w->running, 1);
    return NULL;
}

uint64_t exe_meter_threads(uint32_t rounds, bool replace, uint64_t *counted) {
    struct odp_meter_config config = {.packets = true, .n_bands = 1};
    struct odp_meter_stats stats = {0};
    struct meter_worker workers[2];
    pthread_t threads[2];
    atomic_uint running = 2;
    struct odp_meters *meters;
    uint64_t packets = 0;
    config.bands[0] = (struct odp_meter_band){.type = ODP_BAND_DROP, .rate = 100, .burst = 10};
    int made = odp_meters_create(&meters);
    assert(made == 0 && odp_meter_set(meters, 1, &config, 0) == 0);
    (void)made;
    for (unsigned i = 0; i < 2; i++) {
        workers[i] = (struct meter_worker){exe_new(64, 2), rounds, 0, &running};
        odp_meters_destroy(workers[i].bench->env.meters);
        workers[i].bench->env.meters = meters;
        pthread_create(&threads[i], NULL, meter_work, &workers[i]);
    }
    while (atomic_load(&running) > 0) {
        odp_meter_stats(meters, 1, &stats);
        if (replace) {
            odp_meter_set(meters, 1, &config, 0);
            rcu_reap();
        }
        sched_yield();
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        packets += workers[i].packets;
        workers[i].bench->env.meters = NULL;
        exe_free(workers[i].bench);
    }
    odp_meter_stats(meters, 1, &stats);
    *counted = stats.packets_in;
    odp_meters_destroy(meters);
    return packets;
}
