// Why it is right. Call U the unlinking of x, E the epoch at which x is due.
//
// 1. U comes before the push onto `incoming` (release), that before the collecting exchange
//    (acquire), that before the epoch moves to E (release). A reader that stores seen >= E loaded
//    the epoch (acquire) before, so everything it reads later comes after U: it cannot find x. What
//    it read earlier comes before its store of `seen` (release), which the reaper loads (acquire)
//    before it frees.
// 2. A reader that is offline (seen 0) may come back with an old epoch while the reaper looks. It
//    then has a full fence between its store of `seen` and its first read; the reaper has one between
//    collecting and looking at `seen`. One of the two sees the other: the reaper sees a reader that
//    it must wait for, or the reader sees U.
// 3. What was found complete stays complete: `completed` only grows. So a reader that comes back
//    with an old epoch later on delays nothing that was decided before.

#include "datapath/base/rcu.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RESERVE 1024u // Deferred calls that need no memory.

struct rcu_thread {
    RS_CACHE_ALIGNED atomic_uint_least64_t seen; // Epoch, 0 = offline. Writer: its thread.
    bool registered;                             // Its thread only.
    bool reaping;                                // Its thread only: inside rcu_reap().
    struct rcu_thread *prev, *next;              // Under threads_lock.
};

struct rcu_call {
    struct rcu_call *next;
    void (*fn)(void *arg);
    void *arg;
    uint64_t due;     // Epoch at which it may run. Under reap_lock.
    atomic_bool used; // Of the reserve's: taken. Writer: who takes it, who has run it.
    bool reserved;    // It lies in the reserve. Constant once it is waiting.
};

static _Thread_local struct rcu_thread self;

static RS_CACHE_ALIGNED atomic_uint_least64_t epoch = 1;   // Writer: under reap_lock. Readers: any.
static RS_CACHE_ALIGNED struct rcu_call *_Atomic incoming; // Newest first. Writers: any.
static atomic_uint_least64_t lost;                         // Writers: any.
static struct rcu_call reserve[RESERVE];
static atomic_uint reserve_next; // Where the next search begins: a hint.

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rcu_thread *threads; // Under threads_lock.

// Held while deferred calls run: whoever gets it after them knows that they have.
static pthread_mutex_t reap_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rcu_call *waiting, **waiting_end = &waiting; // Oldest first. Under reap_lock.
static unsigned n_waiting;                                 // Under reap_lock.
static uint64_t completed;                                 // Under reap_lock.

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; // Its destructor sees threads off that did not unregister.
static bool key_made;

static void thread_unlink(struct rcu_thread *t) {
    atomic_store_explicit(&t->seen, 0, memory_order_release);
    pthread_mutex_lock(&threads_lock);
    *(t->prev ? &t->prev->next : &threads) = t->next;
    if (t->next) {
        t->next->prev = t->prev;
    }
    pthread_mutex_unlock(&threads_lock);
    t->registered = false;
}

static void thread_ended(void *t) {
    thread_unlink(t);
}

static void key_make(void) {
    key_made = pthread_key_create(&key, thread_ended) == 0;
}

static void note_end(void *value) {
    pthread_once(&key_once, key_make);
    if (key_made) {
        pthread_setspecific(key, value);
    }
}

void rcu_register(void) {
    if (self.registered) {
        return;
    }
    self.registered = true;
    pthread_mutex_lock(&threads_lock);
    self.prev = NULL;
    self.next = threads;
    if (threads) {
        threads->prev = &self;
    }
    threads = &self;
    pthread_mutex_unlock(&threads_lock);
    note_end(&self);
    rcu_online();
}

void rcu_unregister(void) {
    if (self.registered) {
        note_end(NULL);
        thread_unlink(&self);
    }
}

void rcu_quiesce(void) {
    uint64_t seen = atomic_load_explicit(&self.seen, memory_order_relaxed);
    uint64_t now = atomic_load_explicit(&epoch, memory_order_acquire);
    if (seen != now && seen != 0) { // The same again tells nobody anything.
        atomic_store_explicit(&self.seen, now, memory_order_release);
    }
}

void rcu_offline(void) {
    atomic_store_explicit(&self.seen, 0, memory_order_release);
}

void rcu_online(void) {
    if (self.registered) {
        uint64_t now = atomic_load_explicit(&epoch, memory_order_acquire);
        atomic_store_explicit(&self.seen, now, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst); // Before the first read: point 2 above.
    }
}

// NULL if all are taken.
static struct rcu_call *reserve_take(void) {
    unsigned first = atomic_fetch_add_explicit(&reserve_next, 1, memory_order_relaxed);
    for (unsigned i = 0; i < RESERVE; i++) {
        struct rcu_call *c = &reserve[(first + i) % RESERVE];
        if (!atomic_load_explicit(&c->used, memory_order_relaxed) &&
            !atomic_exchange_explicit(&c->used, true, memory_order_acquire)) {
            c->reserved = true;
            return c;
        }
    }
    return NULL;
}

static void call_free(struct rcu_call *c) {
    if (c->reserved) {
        atomic_store_explicit(&c->used, false, memory_order_release);
    } else {
        free(c);
    }
}

void rcu_postpone(void (*fn)(void *arg), void *arg) {
    struct rcu_call *c = malloc(sizeof *c);
    if (c) {
        c->reserved = false;
    } else if (!(c = reserve_take())) {
        atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
        return;
    }
    c->fn = fn;
    c->arg = arg;
    c->next = atomic_load_explicit(&incoming, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&incoming, &c->next, c, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

uint64_t rcu_lost(void) {
    return atomic_load_explicit(&lost, memory_order_relaxed);
}

// Moves what came in to the end of `waiting` and returns the epoch at which all of it is due. Under
// reap_lock.
static uint64_t collect(void) {
    uint64_t due = atomic_load_explicit(&epoch, memory_order_relaxed) + 1;
    struct rcu_call *c = atomic_exchange_explicit(&incoming, NULL, memory_order_acquire);
    struct rcu_call *oldest = NULL, *newest = c;
    while (c) { // Turns the order round.
        struct rcu_call *older = c->next;
        c->due = due;
        c->next = oldest;
        oldest = c;
        c = older;
        n_waiting++;
    }
    if (oldest) {
        *waiting_end = oldest;
        waiting_end = &newest->next;
    }
    atomic_store_explicit(&epoch, due, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst); // Before looking at readers: point 2 above.
    return due;
}

// The newest epoch that every reader has seen, `now` if none is online.
static uint64_t seen_by_all(uint64_t now) {
    pthread_mutex_lock(&threads_lock);
    for (const struct rcu_thread *t = threads; t; t = t->next) {
        uint64_t seen = atomic_load_explicit(&t->seen, memory_order_acquire);
        if (seen != 0 && seen < now) {
            now = seen;
        }
    }
    pthread_mutex_unlock(&threads_lock);
    return now;
}

static void run_completed(void) {
    self.reaping = true;
    while (waiting && waiting->due <= completed) {
        struct rcu_call *c = waiting;
        waiting = c->next;
        if (!waiting) {
            waiting_end = &waiting;
        }
        n_waiting--;
        c->fn(c->arg);
        call_free(c);
    }
    self.reaping = false;
}

unsigned rcu_reap(void) {
    if (self.reaping) {
        return 0;
    }
    pthread_mutex_lock(&reap_lock);
    if (waiting || atomic_load_explicit(&incoming, memory_order_relaxed)) {
        uint64_t now = atomic_load_explicit(&epoch, memory_order_relaxed);
        if (atomic_load_explicit(&incoming, memory_order_relaxed)) {
            now = collect();
        } else {
            atomic_thread_fence(memory_order_seq_cst);
        }
        uint64_t all = seen_by_all(now);
        completed = all > completed ? all : completed;
        run_completed();
    }
    unsigned left = n_waiting;
    pthread_mutex_unlock(&reap_lock);
    return left;
}

void rcu_synchronize(void) {
    assert(!self.reaping);
    bool online = atomic_load_explicit(&self.seen, memory_order_relaxed) != 0;
    rcu_offline(); // Two threads that synchronise must not wait for each other.
    pthread_mutex_lock(&reap_lock);
    uint64_t due = collect();
    pthread_mutex_unlock(&reap_lock);

    struct timespec pause = {.tv_nsec = 10000};
    while (seen_by_all(due) < due) {
        nanosleep(&pause, NULL);
        pause.tv_nsec = pause.tv_nsec < 500000 ? pause.tv_nsec * 2 : 1000000;
    }

    pthread_mutex_lock(&reap_lock);
    completed = due > completed ? due : completed;
    run_completed();
    pthread_mutex_unlock(&reap_lock);
    if (online) {
        rcu_online();
    }
}
