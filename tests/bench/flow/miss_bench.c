// What a miss costs: translation through the whole pipeline, with the megaflow installed and the packet sent.
//
//     miss_bench RULES TLV_MAP FRAMES KEPT
//
// The switch is the real one, its ports are dummies, its PMD is polled by hand. First each frame alone: those
// that miss, and whose megaflow is installed, are kept (their indices go to the file KEPT, a line each). Then
// "ready" is printed, and for each line of standard input there is a round: all megaflows are taken back, the kept frames come in, and the CPU time of the polls is counted:
// rx, extraction, lookups in vain, upcall, installation, actions, tx. One JSON line a
// round.

#include <stdio.h>
#include <stdlib.h>

#include "pipeline.h"

enum { CHUNK = 512 }; // Frames in front of the switch at a time: no dummy port overflows.

// All megaflows are gone, and freed.
static void forget(const struct pipeline *p) {
    if (rs_megaflow_flush(p->sw) < 0) {
        die("flush");
    }
    struct megaflow_table *t = p->sw->pmd->lookup.table;
    for (unsigned i = 0; i < 1000 && atomic_load(&t->n_allocated) > 0; i++) {
        rs_switch_poll(p->sw);
        rcu_reap();
    }
    if (atomic_load(&t->n_allocated) > 0) {
        die("megaflows remain");
    }
}

static void poll_all(const struct pipeline *p) {
    while (rs_switch_poll(p->sw) > 0) {
    }
}

// Frames that make a megaflow each, in this order.
static void choose(struct pipeline *p, const char *path) {
    FILE *file = fopen(path, "w");
    unsigned kept = 0;
    if (!file) {
        die(path);
    }
    for (unsigned i = 0; i < p->n_frames; i++) {
        uint32_t before = megaflow_count(p->sw->pmd->lookup.table), port;
        pipeline_inject(p, &p->frames[i]);
        poll_all(p);
        pipeline_take_all(p, &port);
        if (megaflow_count(p->sw->pmd->lookup.table) > before) {
            p->frames[kept++] = p->frames[i];
            fprintf(file, "%u\n", i);
        }
    }
    p->n_frames = kept;
    fclose(file);
}

struct counts {
    uint64_t upcalls, once, megaflows, searched;
};

static struct counts counts_of(const struct pipeline *p) {
    struct pmd_stats s;
    pmd_stats_read(p->sw->pmd, &s);
    return (struct counts){s.upcalls, s.executed_once, megaflow_count(p->sw->pmd->lookup.table),
                           s.subtables_searched};
}

static void run_round(const struct pipeline *p) {
    struct pmd *pmd = p->sw->pmd;
    uint64_t ns = 0, sent = 0;
    uint32_t port;
    struct counts before = counts_of(p);
    for (unsigned first = 0; first < p->n_frames; first += CHUNK) {
        for (unsigned i = first; i < first + CHUNK && i < p->n_frames; i++) {
            pipeline_inject(p, &p->frames[i]);
        }
        api_enter();
        uint64_t begin = thread_cpu_ns();
        while (pmd_poll(pmd) > 0) {
        }
        ns += thread_cpu_ns() - begin;
        api_leave();
        sent += pipeline_take_all(p, &port);
    }
    struct counts after = counts_of(p);
    printf(
        "{\"ns\": %.1f, \"packets\": %u, \"upcalls\": %llu, \"megaflows\": %llu, \"once\": %llu, "
        "\"sent\": %llu, \"subtables\": %.2f}\n",
        (double)ns / p->n_frames, p->n_frames, (unsigned long long)(after.upcalls - before.upcalls),
        (unsigned long long)(after.megaflows - before.megaflows),
        (unsigned long long)(after.once - before.once), (unsigned long long)sent,
        (double)(after.searched - before.searched) / p->n_frames);
    fflush(stdout);
}

int main(int argc, char **argv) {
    static struct pipeline p;
    char line[16];
    if (argc != 5) {
        fprintf(stderr, "usage: %s RULES TLV_MAP FRAMES KEPT\n", argv[0]);
        return 2;
    }
    struct rs_switch_config config = {.name = "br0", .cpu = -1};
    pipeline_open(&p, &config, argv[1], argv[2]);
    pipeline_read_frames(&p, argv[3]);
    choose(&p, argv[4]);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        forget(&p);
        run_round(&p);
    }
    pipeline_close(&p);
    return 0;
}
