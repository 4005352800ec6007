// The revalidator's rounds and its thread; what one does with each megaflow is in revalidator_walk.c.

#define _GNU_SOURCE // ppoll, pthread_setname_np

#include "ofproto/revalidator.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/base/cycles.h"
#include "ofproto/packet_in.h"
#include "ofproto/revalidator_private.h"

enum {
    REGULAR_MS = 500, // Between two rounds when nothing changes.
    FLOW_LIMIT = 200000,
    FLOW_LIMIT_MIN = 1000,
    MAX_IDLE_MS = 10000,
    MAX_IDLE_FULL_MS = 100, // When there are as many megaflows as the limit allows.
    TRANSLATE_MS = 350,     // After a change; then what is left is killed.
    LATE_MS =
        50, // After a change: for megaflows that were being made meanwhile from what was before.
    PAUSE_MIN_US = 1000, // Between two rounds for changes.
    PAUSE_MAX_US = 50000,
    ROUNDS_MAX = 4, // In a row, because timeouts changed something again.
};

int revalidator_create(struct bridge *bridge, bool threaded, struct revalidator **out) {
    struct revalidator *r = calloc(1, sizeof *r);
    if (!r) {
        return -ENOMEM;
    }
    r->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (r->fd < 0) {
        int error = -errno;
        free(r);
        return error;
    }
    r->bridge = bridge;
    r->threaded = threaded;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->moved, NULL);
    r->actions = odp_list_on(NULL, 0);
    atomic_init(&r->max_limit, FLOW_LIMIT);
    atomic_init(&r->flow_limit, FLOW_LIMIT);
    atomic_init(&r->max_idle_ms, MAX_IDLE_MS);
    *out = r;
    return 0;
}

void revalidator_add_table(struct revalidator *r, struct megaflow_table *t) {
    assert(!r->started && r->n_tables < REVAL_MAX_TABLES);
    r->tables[r->n_tables++] = t;
    megaflow_set_limit(t, atomic_load_explicit(&r->flow_limit, memory_order_relaxed));
}

// -- ports and tables stand still --

void revalidator_hold(struct revalidator *r) {
    pthread_mutex_lock(&r->lock);
    r->held++;
    while (r->slicing) {
        pthread_cond_wait(&r->moved, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

void revalidator_let_go(struct revalidator *r) {
    pthread_mutex_lock(&r->lock);
    r->held--;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
}

void reval_begin_slice(struct revalidator *r) {
    rcu_quiesce();
    pthread_mutex_lock(&r->lock);
    while (r->held > 0) {
        rcu_offline(); // Who holds us may wait for readers.
        pthread_cond_wait(&r->moved, &r->lock);
        rcu_online();
    }
    r->slicing = true;
    pthread_mutex_unlock(&r->lock);
}

void reval_end_slice(struct revalidator *r) {
    pthread_mutex_lock(&r->lock);
    r->slicing = false;
    if (r->held > 0) {
        pthread_cond_broadcast(&r->moved);
    }
    pthread_mutex_unlock(&r->lock);
}

// -- rounds --

static void keep_largest(rs_counter *c, uint64_t value) {
    if (value > counter_get(c)) {
        atomic_store_explicit(c, value, memory_order_relaxed);
    }
}

// As Open vSwitch: what cannot be walked in time must be less; what is walked quickly may be more.
static uint32_t adapted_limit(uint32_t limit, uint32_t max, uint64_t n_flows, uint64_t ms) {
    ms = ms > 0 ? ms : 1;
    if (ms > 2000) {
        limit /= (uint32_t)(ms / 1000);
    } else if (ms > 1300) {
        limit = limit / 4 * 3;
    } else if (ms < 1000 && limit < n_flows * 1000 / ms) {
        limit += 1000;
    }
    limit = limit < FLOW_LIMIT_MIN ? FLOW_LIMIT_MIN : limit;
    return limit < max ? limit : max;
}

static void set_limit(struct revalidator *r, uint32_t limit) {
    atomic_store_explicit(&r->flow_limit, limit, memory_order_relaxed);
    for (unsigned i = 0; i < r->n_tables; i++) {
        megaflow_set_limit(r->tables[i], limit);
    }
}

static uint64_t count_flows(const struct revalidator *r) {
    uint64_t n = 0;
    for (unsigned i = 0; i < r->n_tables; i++) {
        n += megaflow_count(r->tables[i]);
    }
    return n;
}

// Rules and addresses whose time has come; what nobody refers to any more.
static void expire(struct revalidator *r, uint64_t now_ms, bool regular) {
    struct bridge *b = r->bridge;
    ofproto_expire(&b->ofproto, now_ms);
    if (mac_expire(&b->macs, now_ms) > 0) {
        bridge_changed(b);
    }
    if (regular) {
        frozen_expire(b->frozen, now_ms);
        pin_expire(b->pins, now_ms);
    }
    rcu_quiesce();
}

static uint64_t thread_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void count_round(struct revalidator *r, uint64_t started_ns, uint64_t changed_ns) {
    uint64_t now_ns = time_ns();
    r->last_round_ns = now_ns - started_ns;
    counter_add(&r->rounds, 1);
    atomic_store_explicit(&r->round_us, r->last_round_ns / 1000, memory_order_relaxed);
    keep_largest(&r->longest_round_us, r->last_round_ns / 1000);
    if (changed_ns != 0) {
        atomic_store_explicit(&r->change_us, (now_ns - changed_ns) / 1000, memory_order_relaxed);
        keep_largest(&r->longest_change_us, (now_ns - changed_ns) / 1000);
    }
}

static void run_round(struct revalidator *r, uint64_t now_ms) {
    struct ofproto *p = &r->bridge->ofproto;
    uint64_t started_ns = time_ns();
    uint32_t limit = atomic_load_explicit(&r->flow_limit, memory_order_relaxed);
    uint32_t max_limit = atomic_load_explicit(&r->max_limit, memory_order_relaxed);
    uint64_t n = count_flows(r);
    uint64_t changed_ns = atomic_exchange(&p->changed_ns, 0);
    struct reval_walk w = {.r = r, .now_ms = now_ms, .kill_all = n > 2 * (uint64_t)limit};
    w.max_idle_ms = atomic_load_explicit(&r->max_idle_ms, memory_order_relaxed);
    if (n >= limit && w.max_idle_ms > MAX_IDLE_FULL_MS) {
        w.max_idle_ms = MAX_IDLE_FULL_MS;
    }
    bool flush = atomic_exchange(&r->flush, false);
    w.kill_all |= flush;
    reval_view_init(&r->view, &p->log);
    bool changed = r->view.seq != atomic_load_explicit(&r->done_seq, memory_order_relaxed);
    if (!changed || changed_ns == 0 || changed_ns > started_ns) {
        changed_ns =
            started_ns; // The change came while the round before was under way, or there was none.
    }
    w.deadline_ns = changed_ns + TRANSLATE_MS * UINT64_C(1000000);
    uint64_t cpu_ns = thread_cpu_ns();
    reval_walk(&w);
    if (changed) {
        atomic_store_explicit(&r->change_cpu_us, (thread_cpu_ns() - cpu_ns) / 1000,
                              memory_order_relaxed);
    }
    r->late = changed;
    if (flush) {
        atomic_store(&r->n_flushed, (uint32_t)w.n_seen);
    }
    atomic_store_explicit(&r->done_seq, r->view.seq, memory_order_release);
    count_round(r, started_ns, changed ? changed_ns : 0);
    uint32_t next = adapted_limit(limit, max_limit, w.n_seen, r->last_round_ns / 1000000);
    if (next != limit) {
        set_limit(r, next);
    }
}

static bool has_changed(const struct revalidator *r) {
    return change_log_seq(&r->bridge->ofproto.log) !=
           atomic_load_explicit(&r->done_seq, memory_order_relaxed);
}

// A round and what it brings about.
static void run_rounds(struct revalidator *r, uint64_t now_ms) {
    bool regular = now_ms - r->last_regular_ms >= REGULAR_MS;
    r->last_regular_ms = regular ? now_ms : r->last_regular_ms;
    for (unsigned i = 0; i < ROUNDS_MAX && (i == 0 || has_changed(r)); i++) {
        run_round(r, now_ms);
        expire(r, now_ms, regular && i == 0);
    }
    rcu_reap();
}

void revalidator_run(struct revalidator *r, uint64_t now_ms) {
    assert(!r->threaded);
    if (has_changed(r) || now_ms - r->last_regular_ms >= REGULAR_MS) {
        run_rounds(r, now_ms);
    }
}

// -- the thread --

static uint64_t now_ms(const struct revalidator *r) {
    return r->bridge->ofproto.now_ms(r->bridge->ofproto.now_aux);
}

static void take_turn(struct revalidator *r, uint64_t *ticket, bool *stop) {
    pthread_mutex_lock(&r->lock);
    *ticket = r->requested;
    *stop = r->stop;
    pthread_mutex_unlock(&r->lock);
}

static void end_turn(struct revalidator *r, uint64_t ticket) {
    pthread_mutex_lock(&r->lock);
    r->completed = ticket;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
}

static void wait_for(struct revalidator *r, uint64_t us) {
    struct pollfd fd = {.fd = r->fd, .events = POLLIN};
    struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000 * 1000)};
    eventfd_t ignored;
    if (ppoll(&fd, 1, &t, NULL) > 0) {
        eventfd_read(r->fd, &ignored);
    }
}

// Sleeps until the next round is due: a regular one, one for a change, or one that somebody waits for.
static void sleep_until_due(struct revalidator *r) {
    uint64_t pause_us = r->last_round_ns / 1000; // Half a core at most goes into changes.
    pause_us = pause_us < PAUSE_MIN_US ? PAUSE_MIN_US : pause_us;
    rcu_offline();
    // Requests end this too; changes wait, so that a row of them costs one round.
    wait_for(r, pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US);
    _Atomic int *waker = &r->bridge->ofproto.waker;
    atomic_store(waker, r->fd + 1);
    uint64_t ticket;
    bool stop;
    take_turn(r, &ticket, &stop);
    if (!stop && ticket == r->completed && !has_changed(r)) {
        uint64_t since_ms = now_ms(r) - r->last_regular_ms;
        uint64_t wait_ms = since_ms < REGULAR_MS ? REGULAR_MS - since_ms : 0;
        wait_for(r, (r->late && wait_ms > LATE_MS ? (uint64_t)LATE_MS : wait_ms) * 1000);
    }
    atomic_store(waker, 0);
    rcu_online();
}

static void *revalidator_main(void *arg) {
    struct revalidator *r = arg;
    uint64_t ticket;
    bool stop;
    rcu_register();
    for (;;) {
        take_turn(r, &ticket, &stop);
        if (stop) {
            break;
        }
        run_rounds(r, now_ms(r));
        end_turn(r, ticket);
        sleep_until_due(r);
    }
    rcu_unregister();
    return NULL;
}

int revalidator_start(struct revalidator *r) {
    r->started = true;
    if (!r->threaded) {
        return 0;
    }
    sigset_t all, before;
    sigfillset(&all); // Signals are the control side's business.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&r->thread, NULL, revalidator_main, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    r->started = error == 0;
    if (r->started) {
        pthread_setname_np(r->thread, "rs-revalidator");
    }
    return -error;
}

void revalidator_sync(struct revalidator *r) {
    if (!r->threaded || !r->started) {
        run_rounds(r, now_ms(r));
        return;
    }
    pthread_mutex_lock(&r->lock);
    uint64_t ticket = ++r->requested;
    eventfd_write(r->fd, 1);
    while (r->completed < ticket) {
        pthread_cond_wait(&r->moved, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

void revalidator_stop(struct revalidator *r) {
    if (!r->threaded || !r->started) {
        return;
    }
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_mutex_unlock(&r->lock);
    eventfd_write(r->fd, 1);
    pthread_join(r->thread, NULL);
    r->started = false;
    r->n_tables = 0;
}

void revalidator_destroy(struct revalidator *r) {
    if (r) {
        revalidator_stop(r);
        odp_list_destroy(&r->actions);
        credits_destroy(&r->credits);
        pthread_cond_destroy(&r->moved);
        pthread_mutex_destroy(&r->lock);
        close(r->fd);
        free(r);
    }
}

// -- settings and figures --

uint32_t revalidator_flush(struct revalidator *r) {
    // By a round, not here: what they have carried is to be counted first.
    atomic_store(&r->flush, true);
    revalidator_sync(r);
    return atomic_load(&r->n_flushed);
}

void revalidator_set(struct revalidator *r, uint32_t limit, uint32_t max_idle_ms) {
    atomic_store_explicit(&r->max_limit, limit, memory_order_relaxed);
    atomic_store_explicit(&r->max_idle_ms, max_idle_ms, memory_order_relaxed);
    set_limit(r, limit);
}

void revalidator_stats(const struct revalidator *r, struct revalidator_stats *out) {
    *out = (struct revalidator_stats){
        .rounds = counter_get(&r->rounds),
        .revalidated = counter_get(&r->revalidated),
        .killed_changed = counter_get(&r->killed_changed),
        .killed_idle = counter_get(&r->killed_idle),
        .killed_limit = counter_get(&r->killed_limit),
        .refitted = counter_get(&r->refitted),
        .last_round_us = counter_get(&r->round_us),
        .longest_round_us = counter_get(&r->longest_round_us),
        .last_change_us = counter_get(&r->change_us),
        .longest_change_us = counter_get(&r->longest_change_us),
        .last_change_cpu_us = counter_get(&r->change_cpu_us),
        .flow_limit = atomic_load_explicit(&r->flow_limit, memory_order_relaxed),
        .n_megaflows = (uint32_t)count_flows(r),
    };
}
