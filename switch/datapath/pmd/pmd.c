#define _GNU_SOURCE // CPU_SET, pthread_setname_np

#include "datapath/pmd/pmd.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "datapath/base/cycles.h"
#include "datapath/base/rcu.h"
#include "datapath/pmd/pmd_private.h"

// Megaflows unlinked, and places of the EMC swept, in an iteration: at half a microsecond each, far less
// than a batch takes, and still millions a second.
enum { CHORES = 16 };

static void run_mail(struct pmd *pmd) {
    struct pmd_mail *mail = atomic_load_explicit(&pmd->mail, memory_order_acquire);
    if (likely(!mail)) {
        return;
    }
    mail->fn(mail->arg);
    pthread_mutex_lock(&pmd->mail_lock);
    atomic_store_explicit(&pmd->mail, NULL, memory_order_relaxed);
    mail->done = true;
    pthread_cond_broadcast(&pmd->mail_done);
    pthread_mutex_unlock(&pmd->mail_lock);
}

void pmd_run(struct pmd *pmd, void (*fn)(void *arg), void *arg) {
    if (!pmd->config.threaded) {
        fn(arg);
        return;
    }
    struct pmd_mail mail = {.fn = fn, .arg = arg};
    pthread_mutex_lock(&pmd->mail_lock);
    while (atomic_load_explicit(&pmd->mail, memory_order_relaxed)) { // Another caller's.
        pthread_cond_wait(&pmd->mail_done, &pmd->mail_lock);
    }
    atomic_store_explicit(&pmd->mail, &mail, memory_order_release);
    pmd_wake(pmd);
    while (!mail.done) {
        pthread_cond_wait(&pmd->mail_done, &pmd->mail_lock);
    }
    pthread_mutex_unlock(&pmd->mail_lock);
}

// Ports that sent, or that could not send everything before.
static void flush_ports(struct pmd *pmd) {
    unsigned kept = 0;
    for (unsigned i = 0; i < pmd->n_unflushed; i++) {
        struct port *port = pmd->unflushed[i];
        if (port->class->flush) {
            port->class->flush(port);
        }
        if (port->tx_pending) {
            pmd->unflushed[kept++] = port;
        } else {
            pmd->is_unflushed[port->id] = false;
        }
    }
    pmd->n_unflushed = kept;
}

void pmd_tick(struct pmd *pmd) {
    uint64_t warp_ms = atomic_load_explicit(&pmd->warp_ms, memory_order_relaxed);
    pmd->now_ns = time_ns();
    pmd->now_ms = pmd->now_ns / 1000000u + warp_ms;
    pmd->env.now_ns = pmd->now_ns + warp_ms * 1000000u;
}

static unsigned iterate(struct pmd *pmd) {
    uint64_t start = cycles_now();
    pmd_tick(pmd);
    run_mail(pmd);
    lookup_chores(&pmd->lookup, pmd->now_ms, pmd->config.threaded ? CHORES : UINT32_MAX);
    unsigned received = pmd_poll_rxqs(pmd);
    flush_ports(pmd);
    rcu_quiesce();
    counter_add(&pmd->iterations, 1);
    uint64_t cycles = cycles_now() - start;
    if (received > 0) {
        pmd->last_packet_ns = pmd->now_ns;
        counter_add(&pmd->busy_iterations, 1);
        counter_add(&pmd->cycles_busy, cycles);
    } else {
        counter_add(&pmd->cycles_idle, cycles);
    }
    return received;
}

// Where the revalidator kills a megaflow meanwhile, it wakes us to bury it.
static void sleep_offline(struct pmd *pmd) {
    if (megaflow_table_going_to_sleep(pmd->lookup.table)) {
        rcu_offline();
        pmd_sleep(pmd);
        rcu_online();
        megaflow_table_woke(pmd->lookup.table);
    }
}

static void *pmd_main(void *arg) {
    struct pmd *pmd = arg;
    uint64_t spin_ns = (uint64_t)pmd->config.spin_us * 1000u;
    rcu_register();
    while (!pmd->stop) {
        unsigned received = iterate(pmd);
        if (received == 0 && !pmd->config.busy && pmd->now_ns - pmd->last_packet_ns >= spin_ns &&
            !pmd->stop) {
            sleep_offline(pmd);
        }
    }
    rcu_unregister();
    return NULL;
}

static int start_thread(struct pmd *pmd) {
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    if (pmd->config.cpu >= 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET((unsigned)pmd->config.cpu, &cpus);
        pthread_attr_setaffinity_np(&attr, sizeof cpus, &cpus);
    }
    sigfillset(&all); // Signals are the control side's business.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&pmd->thread, &attr, pmd_main, pmd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (error == 0) {
        pthread_setname_np(pmd->thread, "rs-pmd");
    }
    return -error;
}

static uint64_t random_seed(const struct pmd *pmd) {
    uint64_t seed;
    return getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed
               ? seed
               : time_ns() ^ (uint64_t)(uintptr_t)pmd;
}

static void wake(void *pmd) {
    pmd_wake(pmd);
}

static int pmd_init(struct pmd *pmd) {
    pthread_mutex_init(&pmd->mail_lock, NULL);
    pthread_cond_init(&pmd->mail_done, NULL);
    pmd->wake_fd = -1;
    int error = lookup_init(&pmd->lookup, &pmd->config.upcall, wake, pmd, random_seed(pmd));
    if (error == 0) {
        error = pmd_env_init(pmd);
    }
    pmd->rxqs = pmd_rxqs_create(0);
    if (error < 0 || !pmd->rxqs) {
        return error < 0 ? error : -ENOMEM;
    }
    error = pmd_sleep_init(pmd);
    if (error < 0) {
        return error;
    }
    pmd_sleep_watch(pmd, pmd->rxqs);
    return pmd->config.threaded ? start_thread(pmd) : 0;
}

static void pmd_free(struct pmd *pmd) {
    lookup_destroy(&pmd->lookup);
    pmd_env_destroy(pmd);
    pmd_sleep_destroy(pmd);
    pmd_rxqs_destroy(pmd->rxqs);
    pthread_cond_destroy(&pmd->mail_done);
    pthread_mutex_destroy(&pmd->mail_lock);
    free(pmd);
}

int pmd_create(const struct pmd_config *config, struct pmd **out) {
    if (config->cpu >= CPU_SETSIZE) {
        return -EINVAL;
    }
    struct pmd *pmd = aligned_alloc(RS_CACHE_LINE, (sizeof *pmd + RS_CACHE_LINE - 1) &
                                                       ~(size_t)(RS_CACHE_LINE - 1));
    if (!pmd) {
        return -ENOMEM;
    }
    memset(pmd, 0, sizeof *pmd);
    pmd->config = *config;
    port_drop_hook = capture_drop;
    int error = pmd_init(pmd);
    if (error < 0) {
        pmd_free(pmd);
        return error;
    }
    *out = pmd;
    return 0;
}

static void stop_in_pmd(void *arg) {
    struct pmd *pmd = arg;
    pmd->stop = true;
}

void pmd_destroy(struct pmd *pmd) {
    if (pmd->config.threaded) {
        pmd_run(pmd, stop_in_pmd, pmd);
        pthread_join(pmd->thread, NULL);
    }
    pmd_free(pmd);
}

unsigned pmd_poll(struct pmd *pmd) {
    assert(!pmd->config.threaded);
    return iterate(pmd);
}

void pmd_warp(struct pmd *pmd, uint64_t ms) {
    atomic_fetch_add_explicit(&pmd->warp_ms, ms, memory_order_relaxed);
}

uint64_t pmd_now_ms(const struct pmd *pmd) {
    return time_ns() / 1000000u + atomic_load_explicit(&pmd->warp_ms, memory_order_relaxed);
}

void pmd_stats_read(const struct pmd *pmd, struct pmd_stats *out) {
    *out = (struct pmd_stats){
        .iterations = counter_get(&pmd->iterations),
        .busy_iterations = counter_get(&pmd->busy_iterations),
        .sleeps = counter_get(&pmd->sleeps),
        .packets = counter_get(&pmd->packets),
        .recirculated = counter_get(&pmd->recirculated),
        .emc_hits = counter_get(&pmd->lookup.emc_hits),
        .smc_hits = counter_get(&pmd->lookup.smc_hits),
        .megaflow_hits = counter_get(&pmd->lookup.megaflow_hits),
        .subtables_searched = counter_get(&pmd->lookup.dpcls.searched),
        .upcalls = counter_get(&pmd->upcalls),
        .executed_once = counter_get(&pmd->executed_once),
        .cycles_busy = counter_get(&pmd->cycles_busy),
        .cycles_idle = counter_get(&pmd->cycles_idle),
    };
    out->cache_hits = out->emc_hits + out->smc_hits + out->megaflow_hits;
}

struct megaflow_table *pmd_megaflows(struct pmd *pmd) {
    return pmd->lookup.table;
}

uint32_t pmd_cache_entries(const struct pmd *pmd) {
    return atomic_load_explicit(&pmd->lookup.emc.n, memory_order_relaxed);
}

const struct port_counters *pmd_control_counters(const struct pmd *pmd) {
    return &pmd->control;
}

struct config_job {
    struct pmd *pmd;
    const struct lookup_config *config;
    int error;
};

static void configure_in_pmd(void *arg) {
    struct config_job *job = arg;
    job->error = lookup_configure(&job->pmd->lookup, job->config);
}

int pmd_set_lookup(struct pmd *pmd, const struct lookup_config *config) {
    struct config_job job = {.pmd = pmd, .config = config};
    pmd_run(pmd, configure_in_pmd, &job);
    return job.error;
}

void pmd_set_capture(struct pmd *pmd, struct capture_ring *ring) {
    pmd->capture = ring;
}
