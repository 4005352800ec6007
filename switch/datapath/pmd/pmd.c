#define _GNU_SOURCE // CPU_SET, pthread_setname_np

#include "datapath/pmd/pmd.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "datapath/base/cycles.h"
#include "datapath/pmd/pmd_private.h"

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
        }
    }
    pmd->n_unflushed = kept;
}

static unsigned iterate(struct pmd *pmd) {
    uint64_t start = cycles_now();
    run_mail(pmd);
    pmd->now_ns = time_ns();
    pmd->now_ms =
        pmd->now_ns / 1000000u + atomic_load_explicit(&pmd->warp_ms, memory_order_relaxed);
    unsigned received = pmd_poll_rxqs(pmd);
    flush_ports(pmd);
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

static void *pmd_main(void *arg) {
    struct pmd *pmd = arg;
    uint64_t spin_ns = (uint64_t)pmd->config.spin_us * 1000u;
    while (!pmd->stop) {
        unsigned received = iterate(pmd);
        if (received == 0 && !pmd->config.busy && pmd->now_ns - pmd->last_packet_ns >= spin_ns &&
            !pmd->stop) {
            pmd_sleep(pmd);
        }
    }
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

static int pmd_init(struct pmd *pmd) {
    if (getrandom(&pmd->seed, sizeof pmd->seed, GRND_NONBLOCK) != sizeof pmd->seed) {
        pmd->seed = time_ns() ^ (uint64_t)(uintptr_t)pmd;
    }
    pthread_mutex_init(&pmd->mail_lock, NULL);
    pthread_cond_init(&pmd->mail_done, NULL);
    pmd->wake_fd = -1;
    pmd->rxqs = pmd_rxqs_create(0);
    if (!pmd->rxqs) {
        return -ENOMEM;
    }
    odp_env_init(&pmd->env, pmd->ports, pmd_send);
    int error = emc_init(&pmd->emc);
    if (error == 0) {
        error = pmd_sleep_init(pmd);
    }
    pmd_sleep_watch(pmd, pmd->rxqs);
    return error == 0 && pmd->config.threaded ? start_thread(pmd) : error;
}

static void pmd_free(struct pmd *pmd) {
    pmd_sleep_destroy(pmd);
    emc_destroy(&pmd->emc);
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
        .cache_hits = counter_get(&pmd->cache_hits),
        .upcalls = counter_get(&pmd->upcalls),
        .cycles_busy = counter_get(&pmd->cycles_busy),
        .cycles_idle = counter_get(&pmd->cycles_idle),
    };
}

struct count_job {
    const struct pmd *pmd;
    uint32_t first, n, entries;
};

static void count_in_pmd(void *arg) {
    struct count_job *job = arg;
    struct emc_epoch epoch = {
        .generation =
            atomic_load_explicit(job->pmd->config.upcall.generation, memory_order_relaxed),
        .now_ms = job->pmd->now_ms,
    };
    job->entries += emc_count(&job->pmd->emc, epoch, job->first, job->n);
}

uint32_t pmd_cache_entries(struct pmd *pmd) {
    struct count_job job = {.pmd = pmd, .n = EMC_SLOTS / 8};
    for (job.first = 0; job.first < EMC_SLOTS; job.first += job.n) {
        pmd_run(pmd, count_in_pmd, &job);
    }
    return job.entries;
}

void pmd_set_capture(struct pmd *pmd, struct capture_ring *ring) {
    pmd->capture = ring;
}
