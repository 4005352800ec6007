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
