// What the pmd_*.c files share. Everything without a comment on threads belongs to the PMD thread.

#ifndef RINGSIDE_PMD_PMD_PRIVATE_H
#define RINGSIDE_PMD_PMD_PRIVATE_H

#include <poll.h>
#include <pthread.h>

#include "datapath/action/odp_execute.h"
#include "datapath/lookup/lookup.h"
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

// Packets of the batch that share a megaflow.
struct pmd_group {
    struct megaflow *flow;
    uint64_t bytes;
    uint16_t tcp_flags;
    struct dp_packet_batch batch;
};

// What processing a batch needs, once for each time that a packet may come around.
struct pmd_level {
    struct dp_packet_batch waiting; // Recirculated packets that are to be processed here.
    struct dp_key keys[RS_BATCH_MAX];
    struct megaflow *found[RS_BATCH_MAX];
    struct pmd_group groups[RS_BATCH_MAX];
    struct flow flow; // Of the packet that is asked about.
    struct upcall_answer answer;
    uint64_t actions[256]; // Where the answer's actions begin to grow.
};

struct pmd_mail { // A function to be run. Guarded by mail_lock.
    void (*fn)(void *arg);
    void *arg;
    bool done;
};

struct pmd {
    struct pmd_config config; // Constant.

    struct port *ports[RS_MAX_PORTS];
    struct pmd_rxqs *rxqs; // Never NULL.
    struct lookup lookup;
    struct capture_ring *capture; // NULL = never asked for.
    uint64_t now_ns;              // Of the present iteration, not warped.
    uint64_t now_ms;              // Of the present iteration, warped.
    uint64_t last_packet_ns;

    unsigned n_unflushed; // Ports to flush at the end of the iteration.
    struct port *unflushed[RS_MAX_PORTS];
    bool is_unflushed[RS_MAX_PORTS]; // Is the port of this id among them?

    rs_counter iterations, busy_iterations, sleeps, packets, recirculated, upcalls, executed_once,
        cycles_busy, cycles_idle;
    struct port_counters control; // Of packets from pmd_execute().

    int wake_fd; // eventfd. Written by the control thread.
    bool stop;

    atomic_uint_least64_t warp_ms; // Writer: control, not threaded. Readers: any.
    pthread_t thread;              // Control thread.
    pthread_mutex_t mail_lock;
    pthread_cond_t mail_done;
    struct pmd_mail *_Atomic mail; // Writer: control sets, PMD clears.

    unsigned depth;              // Level that is being processed.
    struct pmd_level *levels;    // [PMD_MAX_RECIRC + 1]
    struct dp_packet_batch *out; // [RS_MAX_PORTS] env.out.
    struct odp_env env;
};

// pmd.c: what time it is, for this iteration.
void pmd_tick(struct pmd *pmd);

// pmd_process.c: consumes the batch that came in on `port`.
void pmd_process(struct pmd *pmd, struct port *port, struct dp_packet_batch *batch);
// Processes what waits at a level until nothing waits there or below.
void pmd_process_waiting(struct pmd *pmd, unsigned depth);
// End of what came in on env.from: sends what has been collected, shows it to the capture.
void pmd_finish(struct pmd *pmd);

// pmd_env.c: what the executor asks of us.
int pmd_env_init(struct pmd *pmd); // 0 or -ENOMEM.
void pmd_env_destroy(struct pmd *pmd);

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
