// What a packet costs in the datapath, without a kernel: packets lie in memory, ports are stubs, the PMD is
// the real one and is polled by hand.
//
//     flow_bench SAMPLES ROUNDS BENCH...       one JSON line for each bench
//     flow_bench frames BENCH                  its packets, a line each
//
//     rx stub: next 32 packets ─▶ pmd_poll(): extract ─▶ hash ─▶ EMC ─▶ dpcls ─▶ actions ─▶ tx stub: counts them
//
// A round is every packet once. Samples of the benches are taken in turns, so that a busy moment of the
// machine meets all of them; the first of each is thrown away. Under callgrind measure_rounds() is what
// counts: instructions are those between rx and tx, stubs and loop included.

#include <stdio.h>
#include <stdlib.h>

#include "datapath/base/cycles.h"
#include "datapath/flow/flow_extract.h"
#include "datapath/flow/flow_hash.h"
#include "datapath/pmd/pmd_private.h"
#include "flow_packets.h"

enum { PACKETS = 1024, FEW_PACKETS = 256, WARM_UP = 400, MAX_BENCHES = 32 };

struct bench;

struct bench_kind {
    const char *name;
    unsigned n_packets;
    unsigned n_flows;                                       // Distinct packets.
    void (*make)(uint8_t *frame, unsigned flow);            // FRAME_BYTES, zeroed.
    void (*mask)(const struct flow *flow, struct flow *wc); // What the decision looks at.
    bool emc;
    bool copied; // Packets are copied into frames of the pool, and dropped back into it.
    void (*round)(struct bench *b);
};

struct bench {
    const struct bench_kind *kind;
    struct pmd *pmd;
    struct umem *umem;
    struct port *from, *to;
    struct dp_packet **packets;
    struct dp_key *keys;
    unsigned next; // Packet that the rx stub gives next.
    uint64_t sent, sum;
    double *ns; // [samples] A packet.
};

__attribute__((noreturn)) static void die(const char *what) {
    fprintf(stderr, "flow_bench: %s\n", what);
    exit(1);
}

// ---- decisions ----------------------------------------------------------------------------------

static void translate(void *aux, const struct dp_packet *packet, const struct flow *flow,
                      uint64_t now_ms, struct upcall_answer *answer) {
    struct bench *b = aux;
    (void)packet;
    (void)now_ms;
    b->kind->mask(flow, &answer->wc);
    if (!b->kind->copied) {
        odp_put_simple(&answer->actions, ODP_OUTPUT, b->to->id);
    } // Else dropped: no actions.
    answer->install = true;
}

static void executed_once(void *aux, void *owner, uint64_t packets, uint64_t bytes,
                          uint16_t tcp_flags, uint64_t now_ms) {
    (void)aux, (void)owner, (void)packets, (void)bytes, (void)tcp_flags, (void)now_ms;
    die("a packet made no megaflow");
}

static void release(void *aux, void *owner, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                    uint64_t used_ms) {
    (void)aux, (void)owner, (void)packets, (void)bytes, (void)tcp_flags, (void)used_ms;
}

// ---- ports --------------------------------------------------------------------------------------

static void stub_rx(struct port *port, unsigned q, struct dp_packet_batch *batch) {
    struct bench *b = port->priv;
    (void)q;
    if (port != b->from) {
        return;
    }
    for (unsigned i = 0; i < RS_BATCH_MAX; i++) {
        struct dp_packet *p = b->packets[b->next + i];
        if (b->kind->copied) {
            const uint8_t *bytes = p->data;
            p = dp_packet_alloc(b->umem, b->umem->pmd_cache);
            memcpy(p->data, bytes, FRAME_BYTES);
            p->len = FRAME_BYTES;
        } else {
            dp_packet_reset(p, RS_PACKET_HEADROOM, FRAME_BYTES);
        }
        p->in_port = port->id;
        batch->packets[i] = p;
    }
    batch->count = RS_BATCH_MAX;
    b->next = (b->next + RS_BATCH_MAX) % b->kind->n_packets;
}

static void stub_tx(struct port *port, struct dp_packet_batch *batch, struct port_counters *from) {
    struct bench *b = port->priv;
    counter_add(&from->sent, batch->count);
    b->sent += batch->count;
    batch->count = 0;
}

static int stub_rx_fd(const struct port *port, unsigned q) {
    (void)port, (void)q;
    return -1;
}

static const struct port_class stub_class = {.name = "stub",
                                             .rx = stub_rx,
                                             .tx = stub_tx,
                                             .rx_fd = stub_rx_fd};

static struct port *stub_port(struct bench *b, uint32_t id) {
    struct port *port = aligned_alloc(RS_CACHE_LINE, sizeof *port);
    if (!port) {
        die("no memory");
    }
    memset(port, 0, sizeof *port);
    port->id = id;
    port->class = &stub_class;
    port->config.mtu = 1500;
    port->n_rxq = 1;
    port->priv = b;
    atomic_store(&port->up, true);
    if (pmd_add_port(b->pmd, port) < 0) {
        die("port");
    }
    return port;
}

// ---- rounds -------------------------------------------------------------------------------------

static void round_poll(struct bench *b) {
    for (unsigned i = 0; i < b->kind->n_packets; i += RS_BATCH_MAX) {
        pmd_poll(b->pmd);
    }
}

static void round_extract(struct bench *b) {
    const uint64_t *secret = b->pmd->lookup.dpcls.secret;
    for (unsigned i = 0; i < b->kind->n_packets; i++) {
        struct dp_key *key = &b->keys[i % RS_BATCH_MAX];
        flow_extract(b->packets[i], key);
        key->hash = dp_key_hash(key, secret);
        b->sum += key->hash;
    }
}

static void round_dpcls(struct bench *b) {
    struct megaflow *found[RS_BATCH_MAX];
    for (unsigned i = 0; i < b->kind->n_packets; i += RS_BATCH_MAX) {
        uint32_t missed = dpcls_lookup(&b->pmd->lookup.dpcls, &b->keys[i], UINT32_MAX, found);
        b->sum += missed + (uintptr_t)found[0];
        if (missed) {
            die("a megaflow is missing");
        }
    }
}

static const struct bench_kind kinds[] = {
    {"extract_udp", PACKETS, PACKETS, make_udp, mask_port, true, false, round_extract},
    {"extract_tcp", PACKETS, PACKETS, make_tcp, mask_port, true, false, round_extract},
    {"extract_vlan", PACKETS, PACKETS, make_vlan, mask_port, true, false, round_extract},
    {"extract_ipv6", PACKETS, PACKETS, make_ipv6, mask_port, true, false, round_extract},
    {"emc_hit_udp", PACKETS, 1, make_udp, mask_port, true, false, round_poll},
    {"emc_hit_tcp", PACKETS, 1, make_tcp, mask_port, true, false, round_poll},
    {"emc_hit_1000_flows", PACKETS, 1000, make_udp, mask_port, true, false, round_poll},
    {"emc_drop", PACKETS, 1, make_udp, mask_port, true, true, round_poll},
    {"emc_drop_1000_flows", PACKETS, 1000, make_udp, mask_port, true, true, round_poll},
    {"megaflow_hit_20", FEW_PACKETS, FEW_PACKETS, make_for_subtable, mask_subtable, false, false,
     round_poll},
    {"megaflow_drop_20", FEW_PACKETS, FEW_PACKETS, make_for_subtable, mask_subtable, false, true,
     round_poll},
    {"dpcls_20", FEW_PACKETS, FEW_PACKETS, make_for_subtable, mask_subtable, false, false,
     round_dpcls},
};

// ---- a bench's life -----------------------------------------------------------------------------

static void make_packets(struct bench *b) {
    if (umem_create(2 * PACKETS, RS_FRAME_SIZE, -1, &b->umem) < 0) {
        die("umem");
    }
    b->packets = calloc(b->kind->n_packets, sizeof *b->packets);
    b->keys = aligned_alloc(RS_CACHE_LINE, b->kind->n_packets * sizeof *b->keys);
    for (unsigned i = 0; i < b->kind->n_packets; i++) {
        struct dp_packet *p = dp_packet_alloc(b->umem, b->umem->pmd_cache);
        p->len = FRAME_BYTES;
        p->in_port = 1;
        memset(p->data, 0, FRAME_BYTES);
        b->kind->make(p->data, i % b->kind->n_flows);
        b->packets[i] = p;
        flow_extract(p, &b->keys[i]);
    }
}

// Everything is installed and, where the cache is on, learned.
static void warm_up(struct bench *b) {
    struct lookup_config config = {.emc = b->kind->emc, .smc = false, .emc_insert_every = 1};
    if (pmd_set_lookup(b->pmd, &config) < 0) {
        die("lookup");
    }
    for (unsigned i = 0; i < WARM_UP; i++) {
        round_poll(b);
    }
    struct pmd_stats before, after;
    pmd_stats_read(b->pmd, &before);
    round_poll(b);
    pmd_stats_read(b->pmd, &after);
    uint64_t hits = b->kind->emc ? after.emc_hits - before.emc_hits
                                 : after.megaflow_hits - before.megaflow_hits;
    if (hits < b->kind->n_packets - b->kind->n_packets / 50) {
        die("packets miss the stage that is to be measured");
    }
}

static const struct bench_kind *kind_named(const char *name) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    die("no such bench");
}

static void bench_open(struct bench *b, const char *name, unsigned samples) {
    *b = (struct bench){.kind = kind_named(name)};
    struct pmd_config config = {
        .cpu = -1,
        .upcall = {
            .aux = b, .translate = translate, .executed_once = executed_once, .release = release}};
    if (pmd_create(&config, &b->pmd) < 0) {
        die("pmd");
    }
    b->from = stub_port(b, 1);
    b->to = stub_port(b, 2);
    b->ns = calloc(samples, sizeof *b->ns);
    make_packets(b);
    warm_up(b);
}

__attribute__((noinline)) static void measure_rounds(struct bench *b, unsigned rounds) {
    for (unsigned i = 0; i < rounds; i++) {
        b->kind->round(b);
    }
}

static uint64_t cpu_ns(void) { // This thread's own: others may want the core too.
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_result(struct bench *b, unsigned samples, unsigned rounds) {
    struct pmd_stats stats;
    pmd_stats_read(b->pmd, &stats);
    uint64_t looked_up = stats.megaflow_hits + stats.upcalls;
    qsort(b->ns, samples, sizeof *b->ns, by_size);
    printf("{\"bench\": \"%s\", \"ns\": %.2f, \"ns_best\": %.2f, \"packets\": %llu, "
           "\"samples\": %u, \"megaflows\": %u, \"subtables_per_lookup\": %.2f}\n",
           b->kind->name, b->ns[samples / 2], b->ns[0],
           (unsigned long long)rounds * b->kind->n_packets, samples,
           megaflow_count(pmd_megaflows(b->pmd)),
           looked_up ? (double)stats.subtables_searched / (double)looked_up : 0.0);
}

// The packets of a round, in hexadecimal, a line each: for a peer that is to have the same.
static void print_frames(const struct bench_kind *kind) {
    for (unsigned i = 0; i < kind->n_packets; i++) {
        uint8_t frame[FRAME_BYTES] = {0};
        kind->make(frame, i % kind->n_flows);
        for (unsigned j = 0; j < FRAME_BYTES; j++) {
            printf("%02x", frame[j]);
        }
        printf("\n");
    }
}

static int usage(const char *name) {
    fprintf(stderr, "usage: %s SAMPLES ROUNDS BENCH...\n       %s frames BENCH\nbenches:", name,
            name);
    for (size_t i = 0; i < RS_ARRAY_SIZE(kinds); i++) {
        fprintf(stderr, " %s", kinds[i].name);
    }
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv) {
    static struct bench benches[MAX_BENCHES];
    if (argc == 3 && strcmp(argv[1], "frames") == 0) {
        print_frames(kind_named(argv[2]));
        return 0;
    }
    unsigned n = argc > 3 ? (unsigned)argc - 3 : 0;
    unsigned samples = n ? (unsigned)atoi(argv[1]) : 0, rounds = n ? (unsigned)atoi(argv[2]) : 0;
    if (samples == 0 || rounds == 0 || n > MAX_BENCHES) {
        return usage(argv[0]);
    }
    for (unsigned i = 0; i < n; i++) {
        bench_open(&benches[i], argv[3 + i], samples);
    }
    for (unsigned s = 0; s < samples; s++) {
        for (unsigned i = 0; i < n; i++) {
            uint64_t begin = cpu_ns();
            measure_rounds(&benches[i], rounds);
            benches[i].ns[s] =
                (double)(cpu_ns() - begin) / ((double)rounds * benches[i].kind->n_packets);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        print_result(&benches[i], samples, rounds);
    }
    return 0;
}
