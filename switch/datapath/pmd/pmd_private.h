// What the pmd_*.c files share. Everything without a comment on threads belongs to the PMD thread.

#ifndef RINGSIDE_PMD_PMD_PRIVATE_H
#define RINGSIDE_PMD_PMD_PRIVATE_H

#include <poll.h>
#include <pthread.h>

#include "datapath/action/odp_execute.h"
#include "datapath/lookup/emc.h"
#include "datapath/pmd/capture.h"
#include "datapath/pmd/pmd.h"

// An rx queue in the polling order.
struct pmd_rxq {
    struct port *port;
    uint16_t queue;
    uint8_t skip;      // Iterations to leave out before the next poll.
    uint8_t skip_next; // How many that will be if the next poll finds nothing.
};

struct pmd_rxqs { // Made by the control thread, then handed over whole.
    unsigned n;
    bool fdless;        // Some rx queue has no fd to wait for.
    struct pollfd *fds; // [n + 1] Of the rx queues, then the eventfd of the control side.
    struct pmd_rxq rxqs[];
};

// Packets of the batch that share a decision.
struct pmd_group {
    const struct emc_entry *entry;
    struct dp_packet_batch batch;
};

struct pmd_mail { // A function to be run. Guarded by mail_lock.
    void (*fn)(void *arg);
    void *arg;
    bool done;
};

struct pmd {
    struct pmd_config config; // Constant.
    uint64_t seed;            // Of the flow hash. Constant.

    struct port *ports[RS_MAX_PORTS];
    struct pmd_rxqs *rxqs; // Never NULL.
    struct emc emc;
    struct capture_ring *capture; // NULL = never asked for.
    uint64_t now_ns;              // Of the present iteration, not warped.
    uint64_t now_ms;              // Of the present iteration, warped.
    uint64_t last_packet_ns;
    uint32_t batch_number;

    unsigned n_unflushed; // Ports to flush at the end of the iteration.
    struct port *unflushed[RS_MAX_PORTS];

    rs_counter iterations, busy_iterations, sleeps, packets, cache_hits, upcalls, cycles_busy,
        cycles_idle;

    int wake_fd; // eventfd. Written by the control thread.
    bool stop;

    atomic_uint_least64_t warp_ms; // Writer: control, not threaded. Readers: any.
    pthread_t thread;              // Control thread.
    pthread_mutex_t mail_lock;
    pthread_cond_t mail_done;
    struct pmd_mail *_Atomic mail; // Writer: control sets, PMD clears.

    // Scratch of pmd_process().
    struct flow keys[RS_BATCH_MAX];
    struct pmd_group groups[RS_BATCH_MAX];
    struct odp_actions answer;
    struct odp_env env;
};

// pmd_process.c: consumes the batch that came in on `port`.
void pmd_process(struct pmd *pmd, struct port *port, struct dp_packet_batch *batch);
void pmd_send(struct odp_env *env, struct port *port, struct dp_packet_batch *batch);

// pmd_rxq.c
struct pmd_rxqs *pmd_rxqs_create(
    unsigned cap); // Empty, with room for cap queues. NULL without memory.
void pmd_rxqs_destroy(struct pmd_rxqs *rxqs); // NULL is fine.
unsigned pmd_poll_rxqs(struct pmd *pmd);

// pmd_sleep.c
int pmd_sleep_init(struct pmd *pmd);
void pmd_sleep_destroy(struct pmd *pmd);
// Notes what pmd_sleep() will wait for once `rxqs` are the PMD's. Control thread.
void pmd_sleep_watch(const struct pmd *pmd, struct pmd_rxqs *rxqs);
void pmd_sleep(struct pmd *pmd);
void pmd_wake(struct pmd *pmd); // Any thread.

#endif
