#include "tables.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define BOX_RULES 4096u

struct boxed { // A rule, its conjunctions and its match.
    struct cls_rule cr;
    uint32_t id;
    struct cls_conjunction conj[16];
    uint64_t match[2 + 2 * FLOW_WORDS];
};
struct cls_box {
    struct classifier *cls;
    struct boxed *rules[BOX_RULES];
};

struct cls_box *cls_box_new(void) {
    struct cls_box *b = calloc(1, sizeof *b);
    if (b && classifier_create(&b->cls)) {
        free(b);
        return NULL;
    }
    return b;
}

void cls_box_free(struct cls_box *b) {
    classifier_destroy(b->cls);
    for (unsigned i = 0; i < BOX_RULES; i++) {
        free(b->rules[i]);
    }
    rcu_synchronize();
    free(b);
}

static void match_of(const uint64_t *flow, const uint64_t *mask, struct match *out) {
    memcpy(&out->flow, flow, sizeof out->flow);
    memcpy(&out->mask, mask, sizeof out->mask);
}

static struct boxed *boxed_new(uint32_t id, const struct match *match, uint16_t priority,
                               const uint32_t *conj, uint32_t n_conj) {
    struct boxed *r = calloc(1, sizeof *r);
    minimatch_from(match, (struct minimatch *)(void *)r->match);
    r->id = id;
    for (uint32_t i = 0; i < n_conj; i++) {
        r->conj[i] = (struct cls_conjunction){conj[3 * i], (uint8_t)conj[3 * i + 1],
                                              (uint8_t)conj[3 * i + 2]};
    }
    r->cr.match = (struct minimatch *)(void *)r->match;
    r->cr.priority = priority;
    r->cr.n_conj = (uint16_t)n_conj;
    r->cr.conj = n_conj ? r->conj : NULL;
    return r;
}

int cls_box_insert(struct cls_box *b, uint32_t id, const uint64_t *flow, const uint64_t *mask,
                   uint16_t priority, uint64_t version, const uint32_t *conj, uint32_t n_conj) {
    if (id >= BOX_RULES || b->rules[id] || n_conj > RS_ARRAY_SIZE(b->rules[0]->conj)) {
        return -EINVAL;
    }
    struct match match;
    match_of(flow, mask, &match);
    b->rules[id] = boxed_new(id, &match, priority, conj, n_conj);
    return classifier_insert(b->cls, &b->rules[id]->cr, version);
}

void cls_box_hide(struct cls_box *b, uint32_t id, uint64_t version) {
    classifier_hide(b->cls, &b->rules[id]->cr, version);
}

int cls_box_remove(struct cls_box *b, uint32_t id) {
    int error = classifier_remove(b->cls, &b->rules[id]->cr);
    if (error == 0) {
        free(b->rules[id]);
        b->rules[id] = NULL;
    }
    return error;
}

static uint32_t id_of(const struct cls_rule *r) {
    return r ? ((const struct boxed *)(const void *)r)->id : 0;
}

uint32_t cls_box_lookup(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                        uint64_t *wc, uint32_t *conj_id) {
    return id_of(classifier_lookup(b->cls, version, (const struct flow *)(const void *)flow,
                                   (struct flow *)(void *)wc, conj_id));
}

uint32_t cls_box_find(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                      const uint64_t *mask, uint16_t priority) {
    struct match match;
    match_of(flow, mask, &match);
    return id_of(classifier_find_exact(b->cls, &match, priority, version));
}

bool cls_box_overlaps(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                      const uint64_t *mask, uint16_t priority) {
    struct match match;
    match_of(flow, mask, &match);
    return classifier_overlaps(b->cls, &match, priority, version);
}

struct taking {
    uint32_t *ids;
    uint32_t n, cap;
};

static bool take(struct cls_rule *r, void *arg) {
    struct taking *t = arg;
    if (t->n < t->cap) {
        t->ids[t->n] = id_of(r);
    }
    t->n++;
    return true;
}

uint32_t cls_box_covered(const struct cls_box *b, uint64_t version, const uint64_t *flow,
                         const uint64_t *mask, uint32_t *ids, uint32_t cap) {
    struct match match;
    struct taking t = {ids, 0, cap};
    if (flow) {
        match_of(flow, mask, &match);
    }
    classifier_for_each(b->cls, version, flow ? &match : NULL, take, &t);
    return t.n;
}

static uint64_t next_random(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t cls_box_flip(const struct cls_box *b, uint64_t version, const uint64_t *flow, uint32_t n,
                      uint64_t seed, uint64_t *other) {
    uint64_t wc[FLOW_WORDS] = {0}, changed[FLOW_WORDS];
    uint32_t conj, wrong = 0;
    uint32_t expected = cls_box_lookup(b, version, flow, wc, &conj);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t density = next_random(&seed) % 3; // Of the changed bits: all, a half, some.
        for (unsigned w = 0; w < FLOW_WORDS; w++) {
            uint64_t bits = next_random(&seed);
            bits = density == 0   ? UINT64_MAX
                   : density == 1 ? bits
                                  : bits & next_random(&seed) & next_random(&seed);
            changed[w] = flow[w] ^ (bits & ~wc[w]);
        }
        uint32_t conj_now;
        if (cls_box_lookup(b, version, changed, NULL, &conj_now) != expected || conj_now != conj) {
            if (wrong++ == 0) {
                memcpy(other, changed, sizeof changed);
            }
        }
    }
    return wrong;
}

void cls_box_stats(const struct cls_box *b, struct classifier_stats *out) {
    classifier_stats(b->cls, out);
}

// -- a writer and a reader at once --

#define CHURN_RULES 40u
#define CHURN_NOISE 600u

struct churn {
    struct cls_box *box;
    _Atomic uint64_t version;
    atomic_bool stop;
    _Atomic uint64_t lookups; // Writer: the reader.
    uint64_t wrong;
};

// Rule i of CHURN_RULES: the higher, the more addresses it covers; the last but one covers all. Two of them are the
// clauses of a conjunction, whose flow is the last.
static void churn_match(uint32_t i, struct match *m) {
    memset(m, 0, sizeof *m);
    m->flow.dl_type = hton16(0x0800);
    m->mask.dl_type = UINT16_MAX;
    uint32_t prefix = i < CHURN_RULES - 4 ? 32 - i % 24 : 0;
    uint32_t bits = prefix ? UINT32_MAX << (32 - prefix) : 0;
    m->mask.nw_dst = hton32(bits);
    m->flow.nw_dst = hton32((0x0a000000u + i * 0x10101u) & bits);
    if (i == CHURN_RULES - 4 || i == CHURN_RULES - 3) { // Clauses.
        *(i == CHURN_RULES - 4 ? &m->flow.tp_src : &m->flow.tp_dst) = hton16(7);
        *(i == CHURN_RULES - 4 ? &m->mask.tp_src : &m->mask.tp_dst) = UINT16_MAX;
    }
    if (i == CHURN_RULES - 1) {
        m->flow.conj_id = 9;
        m->mask.conj_id = UINT32_MAX;
    }
}

static struct boxed *churn_rule(uint32_t i) {
    struct match m;
    uint32_t conj[3] = {9, i == CHURN_RULES - 3, 2};
    bool soft = i == CHURN_RULES - 4 || i == CHURN_RULES - 3;
    churn_match(i, &m);
    uint16_t priority = (uint16_t)(soft                   ? 5000
                                   : i == CHURN_RULES - 1 ? 6000
                                   : i == CHURN_RULES - 2 ? 1
                                                          : 1000 - i);
    return boxed_new(i + 1, &m, priority, conj, soft);
}

static struct boxed *churn_noise(
    uint64_t *seed) { // Matches no packet of the reader: another EtherType …
    struct match m;
    uint64_t r = next_random(seed);
    memset(&m, 0, sizeof m);
    m.flow.dl_type = hton16(r & 1 ? 0x0801 : 0x0800);
    m.mask.dl_type = UINT16_MAX;
    m.flow.metadata = r & 1 ? 0 : 1; // … or metadata.
    m.mask.metadata = r & 1 ? r & 0x30 : UINT64_MAX;
    m.flow.metadata &= m.mask.metadata;
    m.mask.nw_dst = hton32(UINT32_MAX << (r >> 8 & 15));
    m.flow.nw_dst = (be32)(r >> 32) & m.mask.nw_dst;
    m.mask.tp_src = r & 2 ? UINT16_MAX : 0;
    m.flow.tp_src = (be16)(r >> 16) & m.mask.tp_src;
    return boxed_new(0, &m, (uint16_t)(r >> 48), NULL, 0);
}

static void *churn_read(void *arg) {
    struct churn *c = arg;
    uint64_t seed = 1;
    rcu_register();
    while (!atomic_load_explicit(&c->stop, memory_order_relaxed)) {
        uint32_t i = (uint32_t)(next_random(&seed) % (CHURN_RULES - 4));
        bool conj = next_random(&seed) % 4 == 0;
        struct flow flow = {.dl_type = hton16(0x0800)};
        flow.nw_dst = hton32(0x0a000000u + i * 0x10101u);
        flow.tp_src = conj ? hton16(7) : 0;
        flow.tp_dst = conj ? hton16(7) : hton16(8);
        uint64_t wc[FLOW_WORDS] = {0};
        uint32_t matched;
        uint64_t version = atomic_load_explicit(&c->version, memory_order_acquire);
        uint32_t id = cls_box_lookup(c->box, version, flow_words_const(&flow), wc, &matched);
        // With no rule missing, the rule of the address or one of those above it that cover it.
        c->wrong += conj ? id != CHURN_RULES || matched != 9 : id == 0 || id > i + 1;
        c->lookups++;
        rcu_quiesce();
    }
    rcu_unregister();
    return NULL;
}

// Replaces what is in *slot by `rule` at the next version, as a flow mod does.
static void churn_replace(struct churn *c, struct boxed **slot, struct boxed *rule) {
    struct boxed *old = *slot;
    uint64_t next = c->version + 1;
    if (rule && classifier_insert(c->box->cls, &rule->cr, next)) {
        abort();
    }
    if (old) {
        classifier_hide(c->box->cls, &old->cr, next);
    }
    *slot = rule;
    atomic_store_explicit(&c->version, next, memory_order_release);
    if (old) {
        rcu_synchronize();
        if (classifier_remove(c->box->cls, &old->cr)) {
            abort();
        }
        rcu_postpone(free, old);
    }
}

uint64_t cls_box_churn(uint32_t n, uint64_t seed, uint64_t *lookups) {
    static struct boxed *noise[CHURN_NOISE];
    struct churn c = {.box = cls_box_new(), .version = 1};
    pthread_t reader;
    for (uint32_t i = 0; i < CHURN_RULES; i++) {
        churn_replace(&c, &c.box->rules[i], churn_rule(i));
    }
    pthread_create(&reader, NULL, churn_read, &c);
    for (uint32_t k = 0; k < n || c.lookups < n; k++) { // On a busy machine the reader comes late.
        uint64_t r = next_random(&seed);
        struct boxed **slot = &noise[(r >> 8) % CHURN_NOISE];
        if (r & 1) {
            churn_replace(&c, &c.box->rules[(r >> 8) % CHURN_RULES],
                          churn_rule((r >> 8) % CHURN_RULES));
        } else {
            churn_replace(&c, slot, *slot ? NULL : churn_noise(&seed));
        }
    }
    c.stop = true;
    pthread_join(reader, NULL);
    for (uint32_t k = 0; k < CHURN_NOISE; k++) {
        if (noise[k]) {
            churn_replace(&c, &noise[k], NULL);
        }
    }
    *lookups = c.lookups;
    cls_box_free(c.box);
    return c.wrong;
}
