// Loads a rule set from decoded form and looks packets up in it; one line for each figure, "name value unit".
//
//     classifier_bench RULES [PACKETS [TLV_MAP [ROUNDS]]]
//
// RULES: a flow's text a line. PACKETS: a packet's fields a line, as ofproto/trace takes them; each is translated
// through the whole pipeline (the cost of a miss without its upcall), and the lookups that this takes are
// repeated table by table. ROUNDS: instead, only translate them so many times (for perf).
//
// Linked with --wrap=ofproto_lookup, so that the lookups of the translations can be recorded.

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ofproto/xlate.h"

#define MAX_RULES   400000u
#define MAX_PACKETS 10000u
#define MAX_LOOKUPS 400000u
#define ROUNDS      5u

struct lookup { // One lookup of some translation.
    struct flow flow;
    uint8_t table;
};

static struct bridge bridge;
static struct flow_mod mods[MAX_RULES];
static struct flow packets[MAX_PACKETS];
static struct lookup *lookups;
static unsigned n_mods, n_packets, n_lookups;
static bool recording;

const struct rule *__real_ofproto_lookup(const struct ofproto *p, uint64_t version, uint8_t table,
                                         const struct flow *flow, struct flow *wc,
                                         uint32_t *matched_conj_id);
const struct rule *__wrap_ofproto_lookup(const struct ofproto *p, uint64_t version, uint8_t table,
                                         const struct flow *flow, struct flow *wc,
                                         uint32_t *matched_conj_id);
const struct rule *__wrap_ofproto_lookup(const struct ofproto *p, uint64_t version, uint8_t table,
                                         const struct flow *flow, struct flow *wc,
                                         uint32_t *matched_conj_id) {
    if (recording && n_lookups < MAX_LOOKUPS) {
        lookups[n_lookups++] = (struct lookup){*flow, table};
    }
    return __real_ofproto_lookup(p, version, table, flow, wc, matched_conj_id);
}

static uint64_t now_of(void *aux) {
    (void)aux;
    return 1000000;
}

static void fail(const char *what, const struct ofp_error *err) {
    fprintf(stderr, "%s: %s: %s (%s)\n", what, err->field, err->message, err->hint);
    exit(1);
}

static uint64_t cpu_ns(void) { // Of this thread: what others take of the processor does not count.
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Calls fn for each line of the file.
static void each_line(const char *path, void (*fn)(const char *line)) {
    static char line[OFP_TEXT_MAX];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0]) {
            fn(line);
        }
    }
    fclose(file);
}

static void take_rule(const char *line) {
    struct ofp_error err = {.code = 0};
    if (n_mods == MAX_RULES ||
        flow_mod_parse(line, FLOW_ADD, &bridge.names, &mods[n_mods], &err) < 0) {
        fail(line, &err);
    }
    n_mods++;
}

static void take_packet(const char *line) {
    struct match match;
    struct flow_text extra;
    struct ofp_error err;
    if (n_packets == MAX_PACKETS) {
        return;
    }
    if (match_parse(line, &bridge.names, &match, &extra, &err) < 0) {
        fail(line, &err);
    }
    packets[n_packets++] = match.flow;
}

static size_t resident(void) { // Bytes.
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*u %lu", &pages) != 1) {
        perror("/proc/self/statm");
        exit(1);
    }
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void load(void) {
    struct ofp_error err;
    size_t rss = resident();
    size_t heap = mallinfo2().uordblks;
    uint64_t start = cpu_ns();
    for (unsigned i = 0; i < n_mods; i++) {
        if (ofproto_flow_mod(&bridge.ofproto, &mods[i], NULL, &err) < 0) {
            fail("flow_mod", &err);
        }
        if (i % 1024 == 0) {
            rcu_quiesce();
            rcu_reap();
        }
    }
    uint64_t ns = cpu_ns() - start;
    rcu_quiesce();
    rcu_reap();
    printf("load_rules %u rules\nload_time %.3f s\nload_rate %.0f rules/s\nheap %.1f MB\n",
           ofproto_count(&bridge.ofproto), (double)ns / 1e9, n_mods * 1e9 / (double)ns,
           (double)(mallinfo2().uordblks - heap) / 1e6);
    printf("resident %.1f MB\n", (double)(resident() - rss) / 1e6);
    size_t bytes = 0;
    for (unsigned t = 0; t < OFP_N_TABLES; t++) {
        struct classifier_stats s = {.bytes = 0};
        if (bridge.ofproto.tables[t].cls) {
            classifier_stats(bridge.ofproto.tables[t].cls, &s);
        }
        bytes += s.bytes;
    }
    printf("heap_classifiers %.1f MB\n", (double)bytes / 1e6);
}

static void translate(void) {
    struct flow wc;
    struct odp_list actions = {.len = 0};
    for (unsigned i = 0; i < n_packets; i++) {
        struct credits credits = {.n = 0};
        struct xlate_in in = {.bridge = &bridge, .flow = &packets[i], .now_ms = 1000000};
        struct xlate_out out = {.actions = &actions, .wc = &wc, .credits = &credits};
        odp_list_clear(&actions);
        xlate_run(&in, &out);
        credits_destroy(&credits);
    }
    odp_list_destroy(&actions);
    rcu_quiesce();
}

static double best(void (*fn)(void)) { // Nanoseconds.
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = cpu_ns();
        fn();
        uint64_t ns = cpu_ns() - start;
        least = ns < least ? ns : least;
    }
    return (double)least;
}

static int wanted_table = -1;

static void replay(void) {
    struct flow wc;
    memset(&wc, 0, sizeof wc);
    for (unsigned i = 0; i < n_lookups; i++) {
        if (wanted_table < 0 || wanted_table == lookups[i].table) {
            uint32_t conj;
            __real_ofproto_lookup(&bridge.ofproto, bridge.ofproto.version, lookups[i].table,
                                  &lookups[i].flow, &wc, &conj);
        }
    }
}

static int by_table(const void *a, const void *b) {
    return ((const struct lookup *)a)->table - ((const struct lookup *)b)->table;
}

static void look(void) {
    recording = true;
    translate();
    recording = false;
    double ns = best(translate);
    printf("packets %u packets\nlookups %.1f a packet\ntranslation %.0f ns\nmisses %.0f /s\n",
           n_packets, (double)n_lookups / n_packets, ns / n_packets, n_packets * 1e9 / ns);
    ns = best(replay);
    printf("lookup %.0f ns\nlookups_of_a_packet %.0f ns\n", ns / n_lookups, ns / n_packets);
    qsort(lookups, n_lookups, sizeof *lookups, by_table);
    for (unsigned t = 0; t < OFP_N_TABLES; t++) {
        struct classifier_stats s;
        unsigned n = 0;
        for (unsigned i = 0; i < n_lookups; i++) {
            n += lookups[i].table == t;
        }
        if (n == 0 || !bridge.ofproto.tables[t].cls) {
            continue;
        }
        classifier_stats(bridge.ofproto.tables[t].cls, &s);
        struct lookup *all = lookups;
        unsigned all_n = n_lookups;
        while (lookups->table != t) {
            lookups++;
        }
        n_lookups = n;
        ns = best(replay);
        lookups = all;
        n_lookups = all_n;
        printf("table_%u %.0f ns (%u lookups, %u rules, %u subtables)\n", t, ns / n, n, s.n_rules,
               s.n_subtables);
    }
}

int main(int argc, char **argv) {
    static struct tun_map map;
    struct ofp_error err;
    if (argc < 2) {
        fprintf(stderr, "usage: %s RULES [PACKETS [TLV_MAP [ROUNDS]]]\n", argv[0]);
        return 2;
    }
    rcu_register();
    if (bridge_init(&bridge, "br0", 1024, 300000, now_of, NULL) < 0) {
        return 1;
    }
    static const struct vlan_config vlan;
    for (uint32_t id = 1; id < OFP_MAX_PORTS; id++) {
        char name[16];
        snprintf(name, sizeof name, "h%u", id);
        bridge_name_port(&bridge, id, name, false);
        bridge_add_port(&bridge, id, &vlan);
    }
    if (argc > 3) {
        if (tun_map_parse(argv[3], &map, &err) < 0) {
            fail("TLV map", &err);
        }
        atomic_store(&mf_tun_map, &map);
    }
    lookups = malloc(MAX_LOOKUPS * sizeof *lookups);
    each_line(argv[1], take_rule);
    load();
    if (argc > 2) {
        each_line(argv[2], take_packet);
        for (int i = 0; argc > 4 && i < atoi(argv[4]); i++) {
            translate();
        }
        if (argc <= 4) {
            look();
        }
    }
    return 0;
}
