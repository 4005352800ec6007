// Frozen states by id, and by what they are.
//
//     chunks   two levels of 1024: readers under RCU go from an id to its state without a lock
//     heads    chains by hash of the state: the same state has the same id
//
// A state that nobody references stays for FROZEN_LINGER_MS, since packets may be on their way round, and comes
// back to life when it is asked for meanwhile. Writers hold a spinlock for a few instructions; memory is
// allocated before and freed after a grace period.

#include "ofproto/frozen.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/base/spinlock.h"

#ifndef FROZEN_CHUNKS // A test wants to see it full.
#define FROZEN_CHUNKS 1024
#endif
enum { CHUNK = 1024, N_CHUNKS = FROZEN_CHUNKS, N_HEADS = 1 << 14 };
#define GONE UINT32_MAX // Value of `refs` of a state that is being taken out.

struct node {
    struct frozen_state state;
    uint32_t id, hash;
    _Atomic uint32_t refs;
    atomic_bool touched; // Asked for since frozen_expire() came by.
    bool idle;           // frozen_expire() alone: without references since idle_ms.
    uint64_t idle_ms;
    struct node *_Atomic chain;
    uint64_t bytes[]; // Stack, actions, action set, each padded to words.
};

struct chunk {
    struct node *_Atomic nodes[CHUNK];
};

struct frozen_table {
    struct spinlock lock;
    _Atomic uint32_t n;
    _Atomic uint32_t next_id; // Writers: under the lock. Where to look for a free one.
    struct chunk *_Atomic chunks[N_CHUNKS];
    struct node *_Atomic heads[N_HEADS];
};

int frozen_table_create(struct frozen_table **out) {
    struct frozen_table *t = calloc(1, sizeof *t);
    if (!t) {
        return -ENOMEM;
    }
    spin_init(&t->lock);
    atomic_init(&t->next_id, 1);
    *out = t;
    return 0;
}

void frozen_table_destroy(struct frozen_table *t) {
    if (!t) {
        return;
    }
    for (unsigned i = 0; i < N_CHUNKS; i++) {
        struct chunk *c = rcu_get(t->chunks[i]);
        for (unsigned j = 0; c && j < CHUNK; j++) {
            free(rcu_get(c->nodes[j]));
        }
        free(c);
    }
    free(t);
}

// -- hash and equality --

static uint64_t mix(uint64_t h, uint64_t word) {
    unsigned __int128 p = (unsigned __int128)(h ^ word) * 0x9e3779b97f4a7c15u;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t mix_bytes(uint64_t h, const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    uint64_t word;
    h = mix(h, n);
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        h = mix(h, word);
    }
    if (n > 0) {
        word = 0;
        memcpy(&word, p, n);
        h = mix(h, word);
    }
    return h;
}

static uint32_t hash_of(const struct frozen_state *s) {
    uint64_t h =
        mix(0x243f6a8885a308d3u, (uint64_t)s->table | (uint64_t)s->conntracked << 8 |
                                     (uint64_t)s->was_mpls << 16 | (uint64_t)s->mirrors << 32);
    h = mix(h, s->metadata);
    h = mix(h, s->in_port);
    h = mix_bytes(h, s->regs, sizeof s->regs);
    h = mix_bytes(h, &s->tunnel, sizeof s->tunnel);
    h = mix_bytes(h, s->stack, s->stack_len);
    h = mix_bytes(h, s->ofpacts, s->ofpacts_len);
    h = mix_bytes(h, s->action_set, s->action_set_len);
    return (uint32_t)(h ^ h >> 32);
}

static bool bytes_equal(const void *a, uint32_t a_len, const void *b, uint32_t b_len) {
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool state_equal(const struct frozen_state *a, const struct frozen_state *b) {
    return a->table == b->table && a->conntracked == b->conntracked && a->was_mpls == b->was_mpls &&
           a->mirrors == b->mirrors && a->metadata == b->metadata && a->in_port == b->in_port &&
           memcmp(a->regs, b->regs, sizeof a->regs) == 0 &&
           memcmp(&a->tunnel, &b->tunnel, sizeof a->tunnel) == 0 &&
           bytes_equal(a->stack, a->stack_len, b->stack, b->stack_len) &&
           bytes_equal(a->ofpacts, a->ofpacts_len, b->ofpacts, b->ofpacts_len) &&
           bytes_equal(a->action_set, a->action_set_len, b->action_set, b->action_set_len);
}

// -- references --

static bool try_ref(struct node *n) {
    uint32_t refs = atomic_load_explicit(&n->refs, memory_order_relaxed);
    while (refs != GONE) {
        if (atomic_compare_exchange_weak_explicit(&n->refs, &refs, refs + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            atomic_store_explicit(&n->touched, true, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

static struct node *node_of(struct frozen_table *t, uint32_t id) {
    struct chunk *c = id / CHUNK < N_CHUNKS ? rcu_get(t->chunks[id / CHUNK]) : NULL;
    return c ? rcu_get(c->nodes[id % CHUNK]) : NULL;
}

void frozen_ref(struct frozen_table *t, uint32_t id) {
    struct node *n = node_of(t, id);
    assert(n && "the caller holds a reference already");
    atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
}

void frozen_unref(struct frozen_table *t, uint32_t id) {
    struct node *n = node_of(t, id);
    assert(n);
    uint32_t before = atomic_fetch_sub_explicit(&n->refs, 1, memory_order_release);
    assert(before != 0 && before != GONE);
    (void)before;
}

const struct frozen_state *frozen_find(struct frozen_table *t, uint32_t id) {
    const struct node *n = node_of(t, id);
    return n ? &n->state : NULL;
}

uint32_t frozen_count(const struct frozen_table *t) {
    return atomic_load_explicit(&t->n, memory_order_relaxed);
}

// -- making one --

static struct node *find_and_ref(struct frozen_table *t, const struct frozen_state *s,
                                 uint32_t hash) {
    for (struct node *n = rcu_get(t->heads[hash % N_HEADS]); n; n = rcu_get(n->chain)) {
        if (n->hash == hash && state_equal(&n->state, s) && try_ref(n)) {
            return n;
        }
    }
    return NULL;
}

static uint32_t padded(uint32_t n) {
    return (n + 7) & ~UINT32_C(7);
}

static const void *keep(uint8_t **at, const void *bytes, uint32_t n) {
    uint8_t *copy = *at;
    if (n == 0) {
        return NULL;
    }
    memcpy(copy, bytes, n);
    *at += padded(n);
    return copy;
}

static struct node *node_create(const struct frozen_state *s, uint32_t hash) {
    size_t room = (size_t)padded(s->stack_len) + padded(s->ofpacts_len) + padded(s->action_set_len);
    struct node *n = calloc(1, sizeof *n + room);
    if (n) {
        uint8_t *at = (uint8_t *)n->bytes;
        n->state = *s;
        n->state.stack = keep(&at, s->stack, s->stack_len);
        n->state.ofpacts = keep(&at, s->ofpacts, s->ofpacts_len);
        n->state.action_set = keep(&at, s->action_set, s->action_set_len);
        n->hash = hash;
        atomic_init(&n->refs, 1);
    }
    return n;
}

// A free id and its chunk, under the lock; 0 if there is none. *spare is a chunk to use if one is missing.
static uint32_t take_id(struct frozen_table *t, struct chunk **spare) {
    for (uint32_t tried = 0; tried < CHUNK * N_CHUNKS; tried++) {
        uint32_t id = atomic_load_explicit(&t->next_id, memory_order_relaxed);
        atomic_store_explicit(&t->next_id, id + 1 < CHUNK * N_CHUNKS ? id + 1 : 1,
                              memory_order_relaxed);
        struct chunk *c = rcu_get(t->chunks[id / CHUNK]);
        if (!c) {
            if (!*spare) {
                return 0;
            }
            rcu_set(t->chunks[id / CHUNK], *spare);
            *spare = NULL;
            return id;
        }
        if (!rcu_get(c->nodes[id % CHUNK])) {
            return id;
        }
    }
    return 0;
}

static uint32_t insert(struct frozen_table *t, struct node *n, struct chunk **spare) {
    struct node *_Atomic *head = &t->heads[n->hash % N_HEADS];
    if (frozen_count(t) >= CHUNK * N_CHUNKS - 1) {
        return 0;
    }
    uint32_t id = take_id(t, spare);
    if (id == 0) {
        return 0;
    }
    n->id = id;
    atomic_store_explicit(&n->chain, rcu_get(*head), memory_order_relaxed);
    rcu_set(rcu_get(t->chunks[id / CHUNK])->nodes[id % CHUNK], n);
    rcu_set(*head, n);
    atomic_fetch_add_explicit(&t->n, 1, memory_order_relaxed);
    return id;
}

static struct chunk *chunk_if_needed(struct frozen_table *t) {
    uint32_t next = atomic_load_explicit(&t->next_id, memory_order_relaxed);
    return rcu_get(t->chunks[next / CHUNK]) ? NULL : calloc(1, sizeof(struct chunk));
}

uint32_t frozen_get_id(struct frozen_table *t, const struct frozen_state *state) {
    uint32_t hash = hash_of(state);
    struct node *n = find_and_ref(t, state, hash);
    if (likely(n)) {
        return n->id;
    }
    struct node *made = node_create(state, hash);
    struct chunk *spare = chunk_if_needed(t);
    uint32_t id = 0;
    if (made) {
        spin_lock(&t->lock);
        n = find_and_ref(t, state, hash); // Somebody else may have been faster.
        id = n ? n->id : insert(t, made, &spare);
        spin_unlock(&t->lock);
    }
    if (n || id == 0) {
        free(made);
    }
    free(spare);
    return id;
}

// -- the end of one --

static void unlink_node(struct frozen_table *t, struct node *n) {
    struct node *_Atomic *link = &t->heads[n->hash % N_HEADS];
    while (rcu_get(*link) != n) {
        link = &rcu_get(*link)->chain;
    }
    rcu_set(*link, rcu_get(n->chain));
    rcu_set(rcu_get(t->chunks[n->id / CHUNK])->nodes[n->id % CHUNK], NULL);
    atomic_fetch_sub_explicit(&t->n, 1, memory_order_relaxed);
}

static void look_after(struct frozen_table *t, struct node *n, uint64_t now_ms) {
    uint32_t none = 0;
    bool touched = atomic_exchange_explicit(&n->touched, false, memory_order_relaxed);
    if (atomic_load_explicit(&n->refs, memory_order_acquire) != 0) {
        n->idle = false;
    } else if (touched || !n->idle) {
        n->idle = true;
        n->idle_ms = now_ms;
    } else if (now_ms - n->idle_ms >= FROZEN_LINGER_MS &&
               atomic_compare_exchange_strong(&n->refs, &none, GONE)) {
        spin_lock(&t->lock);
        unlink_node(t, n);
        spin_unlock(&t->lock);
        rcu_postpone(free, n);
    }
}

void frozen_expire(struct frozen_table *t, uint64_t now_ms) {
    for (unsigned i = 0; i < N_CHUNKS; i++) {
        struct chunk *c = rcu_get(t->chunks[i]);
        for (unsigned j = 0; c && j < CHUNK; j++) {
            struct node *n = rcu_get(c->nodes[j]);
            if (n) {
                look_after(t, n, now_ms);
            }
        }
    }
}
