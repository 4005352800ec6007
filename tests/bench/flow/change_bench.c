// Forwarding while rules change: the production rule set, megaflows by the thousand, a paced stream, one rule
// at a time that comes and goes.
//
//     change_bench RULES TLV_MAP FRAMES MEGAFLOWS WINDOWS CHANGES RATE RULE...
//
//     core A: prober (SCHED_FIFO): inject ─▶ wait ─▶ take ─▶ sleep to the next due time
//             main: rs_flow_add(RULE) / rs_flow_del(RULE);  the revalidator's thread
//     core B: PMD, busy
//
// Windows without and with CHANGES (an even number of) changes take turns, WINDOWS of each for every RULE. A latency is counted from the moment a packet was due, not
// from when it was sent, so that whoever holds up the stream is seen in all packets that wait behind. One JSON
// line a window, one a change, one at the end.

#define _GNU_SOURCE // sched_setaffinity, gettid

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/base/cycles.h"
#include "pipeline.h"

enum {
    WINDOW_NS = 500000000,
    SPIN_NS = 20000,
    LOST_NS = 2000000000, // A packet that has not come by then will not come.
    MAX_SAMPLES = 1 << 20,
};

struct prober {
    struct pipeline *p;
    const struct frame **probes; // Frames that leave once.
    unsigned n_probes;
    uint64_t pace_ns;
    atomic_bool stop, running;
    pthread_t thread;
    int pmd_schedstat; // fd
    uint64_t pmd_waited_ns;
    uint32_t *latency; // [MAX_SAMPLES] ns. Of the window under way.
    unsigned n, lost, disturbed;
    uint64_t own_ns; // Time that the prober itself came late to a packet, at worst.
};

static void pin(int cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)cpu, &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
}

// ---- threads of this process, by name -----------------------------------------------------------

static bool reads(const char *path, char *buffer, size_t cap) {
    FILE *file = fopen(path, "r");
    bool ok = file && fgets(buffer, (int)cap, file);
    if (file) {
        fclose(file);
    }
    return ok;
}

static int thread_named(const char *name) { // Its tid, 0 if there is none.
    DIR *dir = opendir("/proc/self/task");
    int found = 0;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        char path[300], comm[32];
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", d->d_name);
        if (reads(path, comm, sizeof comm) && strncmp(comm, name, strlen(name)) == 0) {
            found = atoi(d->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

// Time that a thread was on a core, and time that it waited for one.
static void schedule_of(int tid, uint64_t *ran_ns, uint64_t *waited_ns) {
    char path[64], text[100];
    snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", tid);
    unsigned long long ran, waited;
    if (!reads(path, text, sizeof text) || sscanf(text, "%llu %llu", &ran, &waited) != 2) {
        die("schedstat");
    }
    *ran_ns = ran;
    *waited_ns = waited;
}

// ---- megaflows, and which packets come out ------------------------------------------------------

static void nothing(void *arg) {
    (void)arg;
}

// Each frame once, until there are enough megaflows. Notes where it leaves, if it leaves once.
static void make_megaflows(struct pipeline *p, unsigned wanted) {
    const struct megaflow_table *t = p->sw->pmd->lookup.table;
    unsigned i = 0;
    for (; i < p->n_frames && megaflow_count(t) < wanted; i++) {
        struct frame *f = &p->frames[i];
        uint32_t port = 0;
        pipeline_inject(p, f);
        for (unsigned k = 0; k < 2; k++) { // The iteration under way, and one that has seen it.
            pmd_run(p->sw->pmd, nothing, NULL);
        }
        f->out_port = pipeline_take_all(p, &port) == 1 ? port : 0;
    }
    if (megaflow_count(t) < wanted) {
        die("there are not enough different frames");
    }
    p->n_frames = i;
}

// ---- the prober's thread ------------------------------------------------------------------------

static void sleep_until(uint64_t ns) {
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}

// How long the PMD has waited for its core so far. If this moves while a packet is under way, somebody else ran
// there, and the packet says nothing of the switch.
static uint64_t pmd_waited(const struct prober *b) {
    char text[100];
    unsigned long long ran, waited;
    ssize_t n = pread(b->pmd_schedstat, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%llu %llu", &ran, &waited) != 2) {
        die("schedstat");
    }
    return waited;
}

// False: whatever it says is of others.
static bool probe(struct prober *b, const struct frame *f, uint64_t from_ns) {
    uint8_t buffer[TAKE_MAX];
    pipeline_inject(b->p, f);
    uint64_t sent_ns = time_ns(), now_ns = sent_ns;
    bool arrived = false;
    while (!arrived && now_ns - sent_ns < LOST_NS) {
        arrived = rs_dummy_take(b->p->sw, f->out_port, buffer, sizeof buffer) >= 0;
        now_ns = time_ns();
        if (!arrived && now_ns - sent_ns > SPIN_NS) {
            sleep_until(now_ns + SPIN_NS); // The revalidator wants this core, too.
        }
    }
    uint64_t waited_ns = pmd_waited(b);
    bool disturbed = waited_ns != b->pmd_waited_ns;
    b->pmd_waited_ns = waited_ns;
    if (!arrived) {
        b->lost++;
    } else if (disturbed) {
        b->disturbed++;
    } else if (b->n < MAX_SAMPLES) {
        b->latency[b->n++] = (uint32_t)(now_ns - from_ns);
    }
    return !disturbed;
}

static void *prober_main(void *arg) {
    struct prober *b = arg;
    struct sched_param priority = {.sched_priority = 10};
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority); // Else: what else runs is seen.
    uint64_t due_ns = time_ns() + b->pace_ns;
    for (unsigned i = 0; !atomic_load(&b->stop); i++, due_ns += b->pace_ns) {
        uint64_t from_ns = due_ns;
        if (time_ns() < due_ns) { // The packets before do not hold it up: only its own waking may.
            sleep_until(due_ns);
            from_ns = time_ns();
            b->own_ns = from_ns - due_ns > b->own_ns ? from_ns - due_ns : b->own_ns;
        }
        if (!probe(b, b->probes[i % b->n_probes], from_ns)) {
            due_ns = time_ns(); // Those behind it are not to blame either.
        }
    }
    return NULL;
}

// ---- windows ------------------------------------------------------------------------------------

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(const struct prober *b, double percent) { // µs
    return b->n ? b->latency[(unsigned)(percent / 100 * (b->n - 1))] / 1e3 : NAN;
}

struct rule_change {
    rs_switch *sw;
    const char *rule;
    unsigned number; // Of the rule.
    bool there;
    int pmd_tid, reval_tid;
};

static void change(struct rule_change *c) {
    struct rs_error err;
    struct rs_revalidator_stats before, after;
    uint64_t ran, waited, ran_after, waited_after;
    rs_revalidator_stats(c->sw, &before);
    schedule_of(c->reval_tid, &ran, &waited);
    uint64_t start_ns = time_ns();
    check(c->there ? rs_flow_del(c->sw, c->rule, true, &err) : rs_flow_add(c->sw, c->rule, &err),
          c->rule, &err);
    c->there = !c->there;
    uint64_t mod_ns = time_ns() - start_ns;
    do { // What has a thread for itself is not to be waited for with a spinning one on its core.
        sleep_until(time_ns() + 1000000);
        rs_revalidator_stats(c->sw, &after);
    } while (after.rounds == before.rounds || after.last_change_us == before.last_change_us);
    schedule_of(c->reval_tid, &ran_after, &waited_after);
    printf("{\"kind\": \"change\", \"rule\": %u, \"cpu_us\": %.1f, \"waited_us\": %.1f, "
           "\"round_us\": %llu, "
           "\"true_after_us\": %llu, \"mod_us\": %.1f, \"revalidated\": %llu, \"killed\": %llu}\n",
           c->number, (double)(ran_after - ran) / 1e3, (double)(waited_after - waited) / 1e3,
           (unsigned long long)after.last_round_us, (unsigned long long)after.last_change_us,
           (double)mod_ns / 1e3, (unsigned long long)(after.revalidated - before.revalidated),
           (unsigned long long)(after.killed_changed - before.killed_changed));
}

static void run_window(struct prober *b, struct rule_change *c, unsigned changes) {
    uint64_t ran, waited, ran_after, waited_after;
    b->n = b->lost = b->disturbed = 0;
    b->own_ns = 0;
    atomic_store(&b->stop, false);
    schedule_of(c->pmd_tid, &ran, &waited);
    if (pthread_create(&b->thread, NULL, prober_main, b) != 0) {
        die("thread");
    }
    uint64_t begin_ns = time_ns();
    for (unsigned i = 0; i < changes; i++) {
        sleep_until(begin_ns + i * (uint64_t)WINDOW_NS / changes);
        change(c);
    }
    sleep_until(begin_ns + WINDOW_NS);
    atomic_store(&b->stop, true);
    pthread_join(b->thread, NULL);
    schedule_of(c->pmd_tid, &ran_after, &waited_after);
    qsort(b->latency, b->n, sizeof *b->latency, by_size);
    printf("{\"kind\": \"window\", \"rule\": %u, \"changes\": %u, \"packets\": %u, \"disturbed\": "
           "%u, \"lost\": "
           "%u, \"p50_us\": %.2f, "
           "\"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f, \"prober_late_us\": %.1f, "
           "\"pmd_waited_us\": %.1f}\n",
           c->number, changes, b->n, b->disturbed, b->lost, percentile(b, 50), percentile(b, 99),
           percentile(b, 99.9), percentile(b, 100), (double)b->own_ns / 1e3,
           (double)(waited_after - waited) / 1e3);
    fflush(stdout);
}

static uint64_t drops(const struct pipeline *p) {
    static struct rs_port_stats ports[PIPELINE_PORTS];
    struct rs_pmd_stats pmd;
    uint64_t sum = 0;
    uint32_t n = rs_stats(p->sw, ports, PIPELINE_PORTS, &pmd);
    for (uint32_t i = 0; i < n && i < PIPELINE_PORTS; i++) {
        for (unsigned d = 0; d < RS_N_DROPS; d++) {
            sum += ports[i].drops[d];
        }
    }
    return sum;
}

static void choose_probes(struct prober *b) {
    b->probes = calloc(b->p->n_frames, sizeof(void *));
    b->latency = calloc(MAX_SAMPLES, sizeof *b->latency);
    for (unsigned i = 0; i < b->p->n_frames; i++) {
        if (b->p->frames[i].out_port != 0) {
            b->probes[b->n_probes++] = &b->p->frames[i];
        }
    }
    if (b->n_probes == 0) {
        die("no frame comes out exactly once");
    }
}

int main(int argc, char **argv) {
    static struct pipeline p;
    if (argc < 9 || atoi(argv[6]) % 2 != 0) {
        fprintf(stderr, "usage: %s RULES TLV_MAP FRAMES MEGAFLOWS WINDOWS CHANGES RATE RULE...\n",
                argv[0]);
        return 2;
    }
    int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    pin(0);
    struct rs_switch_config config = {
        .name = "br0", .threaded = true, .busy = true, .cpu = cpus > 1 ? 1 : 0};
    pipeline_open(&p, &config, argv[1], argv[2]);
    pipeline_read_frames(&p, argv[3]);
    make_megaflows(&p, (unsigned)atoi(argv[4]));
    struct prober b = {.p = &p, .pace_ns = (uint64_t)(1e9 / atof(argv[7]))};
    choose_probes(&b);
    struct rule_change c = {.sw = p.sw};
    c.pmd_tid = thread_named("rs-pmd");
    c.reval_tid = thread_named("rs-reval");
    if (c.pmd_tid == 0 || c.reval_tid == 0) {
        die("the switch's threads are not there by their names");
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", c.pmd_tid);
    b.pmd_schedstat = open(path, O_RDONLY);
    uint64_t dropped = drops(&p);
    for (int i = 0; i < atoi(argv[5]) * (argc - 8); i++) {
        c.number = (unsigned)(i % (argc - 8));
        c.rule = argv[8 + c.number];
        run_window(&b, &c, 0);
        run_window(&b, &c, (unsigned)atoi(argv[6]));
    }
    printf(
        "{\"kind\": \"end\", \"drops\": %llu, \"megaflows\": %u, \"rules\": %u, \"probes\": %u}\n",
        (unsigned long long)(drops(&p) - dropped), megaflow_count(p.sw->pmd->lookup.table),
        rs_flow_count(p.sw), b.n_probes);
    pipeline_close(&p);
    free(b.probes);
    free(b.latency);
    return 0;
}
