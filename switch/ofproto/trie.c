#include "ofproto/trie.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/base/rcu.h"

#define TRIE_MAX_DEPTH 129 // Each node but the root has a bit of its own.

static inline struct trie_key key_shift(struct trie_key k, unsigned n) { // n: 0 … 32.
    if (n != 0) {
        k.hi = k.hi << n | k.lo >> (64 - n);
        k.lo <<= n;
    }
    return k;
}

static inline uint32_t key_top(struct trie_key k) {
    return (uint32_t)(k.hi >> 32);
}

static inline uint32_t top_bits(uint32_t v, unsigned n) {
    return n == 0 ? 0 : v & (uint32_t)(UINT64_C(0xffffffff) << (32 - n));
}

// Bits in which a and b agree from the front, n at most.
static inline unsigned equal_bits(uint32_t a, uint32_t b, unsigned n) {
    uint32_t diff = a ^ b;
    unsigned equal = diff == 0 ? 32 : (unsigned)__builtin_clz(diff);
    return equal < n ? equal : n;
}

static inline struct trie_node *edge_get(const struct trie_node *n, unsigned bit) {
    return rcu_get(((struct trie_node *)(uintptr_t)n)->edge[bit]);
}

static struct trie_node *node_create(uint32_t bits, unsigned n_bits, uint32_t n_rules) {
    struct trie_node *n = calloc(1, sizeof *n);
    if (n) {
        n->bits = top_bits(bits, n_bits);
        n->n_bits = (uint8_t)n_bits;
        atomic_init(&n->n_rules, n_rules);
    }
    return n;
}

static void branch_free(struct trie_node *n) {
    while (n) {
        struct trie_node *next = edge_get(n, 0) ? edge_get(n, 0) : edge_get(n, 1);
        free(n);
        n = next;
    }
}

// A row of nodes for the first n bits of the key, the last of which has a rule.
static struct trie_node *branch_create(struct trie_key key, unsigned n) {
    struct trie_node *first = NULL;
    struct trie_node *_Atomic *at = NULL;
    do {
        unsigned here = n < 32 ? n : 32;
        struct trie_node *node = node_create(key_top(key), here, n == here);
        if (!node) {
            branch_free(first);
            return NULL;
        }
        if (at) {
            atomic_init(at, node);
        } else {
            first = node;
        }
        key = key_shift(key, here);
        n -= here;
        at = &node->edge[key.hi >> 63];
    } while (n != 0);
    return first;
}

// The node's bits from `from` on, with its count and edges.
static struct trie_node *node_tail(const struct trie_node *n, unsigned from) {
    struct trie_node *tail = node_create(n->bits << from, n->n_bits - from, n->n_rules);
    if (tail) {
        atomic_init(&tail->edge[0], edge_get(n, 0));
        atomic_init(&tail->edge[1], edge_get(n, 1));
    }
    return tail;
}

// Puts a fork behind the first `equal` bits of *at; key is what is left of the new prefix from *at on.
static int node_split(struct trie_node *_Atomic *at, unsigned equal, struct trie_key key,
                      unsigned n_bits) {
    struct trie_node *old = rcu_get(*at);
    struct trie_node *fork = node_create(old->bits, equal, n_bits == equal);
    struct trie_node *tail = node_tail(old, equal);
    struct trie_key rest = key_shift(key, equal);
    struct trie_node *branch = n_bits == equal ? NULL : branch_create(rest, n_bits - equal);
    if (!fork || !tail || (n_bits != equal && !branch)) {
        free(fork);
        free(tail);
        branch_free(branch);
        return -ENOMEM;
    }
    unsigned bit = tail->bits >> 31;
    atomic_init(&fork->edge[bit], tail);
    atomic_init(&fork->edge[!bit], branch);
    rcu_set(*at, fork);
    rcu_postpone(free, old);
    return 0;
}

int trie_insert(struct trie *t, struct trie_key key, unsigned n_bits) {
    struct trie_node *_Atomic *at = &t->root;
    for (;;) {
        struct trie_node *n = rcu_get(*at);
        if (!n) {
            n = branch_create(key, n_bits);
            rcu_set(*at, n);
            return n ? 0 : -ENOMEM;
        }
        unsigned equal = equal_bits(key_top(key), n->bits, n->n_bits < n_bits ? n->n_bits : n_bits);
        if (equal < n->n_bits) {
            return node_split(at, equal, key, n_bits);
        }
        key = key_shift(key, equal);
        n_bits -= equal;
        if (n_bits == 0) {
            atomic_fetch_add_explicit(&n->n_rules, 1, memory_order_relaxed);
            return 0;
        }
        at = &n->edge[key.hi >> 63];
    }
}

// *at has no rule any more: takes it out, or joins it with its only child. True: its parent has lost a child.
static bool node_prune(struct trie_node *_Atomic *at) {
    struct trie_node *n = rcu_get(*at);
    struct trie_node *left = edge_get(n, 0), *right = edge_get(n, 1);
    if (n->n_rules != 0 || (left && right)) {
        return false;
    }
    struct trie_node *only = left ? left : right;
    if (!only) {
        rcu_set(*at, NULL);
        rcu_postpone(free, n);
        return true;
    }
    if (n->n_bits + only->n_bits > 32) {
        return false;
    }
    uint32_t bits = n->n_bits == 32 ? n->bits : n->bits | only->bits >> n->n_bits;
    struct trie_node *joined = node_create(bits, n->n_bits + only->n_bits, only->n_rules);
    if (joined) { // Without memory the longer way stays; it is as right.
        atomic_init(&joined->edge[0], edge_get(only, 0));
        atomic_init(&joined->edge[1], edge_get(only, 1));
        rcu_set(*at, joined);
        rcu_postpone(free, n);
        rcu_postpone(free, only);
    }
    return false;
}

void trie_remove(struct trie *t, struct trie_key key, unsigned n_bits) {
    struct trie_node *_Atomic *path[TRIE_MAX_DEPTH + 1];
    unsigned depth = 0;
    path[0] = &t->root;
    for (;;) {
        struct trie_node *n = rcu_get(*path[depth]);
        assert(n && n->n_bits <= n_bits && top_bits(key_top(key), n->n_bits) == n->bits);
        key = key_shift(key, n->n_bits);
        n_bits -= n->n_bits;
        if (n_bits == 0) {
            assert(n->n_rules > 0);
            atomic_fetch_sub_explicit(&n->n_rules, 1, memory_order_relaxed);
            break;
        }
        path[++depth] = &n->edge[key.hi >> 63];
    }
    while (node_prune(path[depth]) && depth > 0) {
        depth--;
    }
}

void trie_lookup(const struct trie *t, struct trie_key key, unsigned n_bits,
                 struct trie_result *out) {
    const struct trie_node *n = rcu_get(((struct trie *)(uintptr_t)t)->root);
    unsigned seen = 0;
    bool fork = false; // The node before has edges, so that its missing one had to be looked at.
    out->lengths[0] = out->lengths[1] = 0;
    while (n) {
        unsigned equal = equal_bits(key_top(key), n->bits, n->n_bits);
        seen += equal;
        if (equal < n->n_bits) {
            out->looked_at = seen + 1;
            return;
        }
        if (atomic_load_explicit(&((struct trie_node *)(uintptr_t)n)->n_rules,
                                 memory_order_relaxed) != 0) {
            out->lengths[(seen - 1) / 64] |= UINT64_C(1) << (seen - 1) % 64;
        }
        if (seen >= n_bits) {
            out->looked_at = n_bits;
            return;
        }
        key = key_shift(key, equal);
        const struct trie_node *next = edge_get(n, key.hi >> 63);
        fork = next || edge_get(n, !(key.hi >> 63));
        n = next;
    }
    out->looked_at = fork ? seen + 1 : seen;
}

static void node_destroy(struct trie_node *n) { // As deep as the key is long.
    if (n) {
        node_destroy(edge_get(n, 0));
        node_destroy(edge_get(n, 1));
        free(n);
    }
}

void trie_destroy(struct trie *t) {
    node_destroy(rcu_get(t->root));
    atomic_init(&t->root, NULL);
}

static size_t node_bytes(const struct trie_node *n) {
    return n ? sizeof *n + node_bytes(edge_get(n, 0)) + node_bytes(edge_get(n, 1)) : 0;
}

size_t trie_bytes(const struct trie *t) {
    return node_bytes(rcu_get(((struct trie *)(uintptr_t)t)->root));
}
