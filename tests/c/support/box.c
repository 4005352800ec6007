// A PMD with a decider that goes by a list of rules.

#include <stdlib.h>
#include <string.h>

#include "datapath/base/rcu.h"
#include "look.h"

struct box {
    struct pmd *pmd;
    struct box_rule *rules; // [BOX_RULES]
    unsigned n_rules;
    atomic_uint_least64_t translated, made, ended, packets, pins;
    atomic_uint last_pin;
};

static bool rule_fits(const struct box_rule *r, const uint64_t *flow, uint64_t *wc) {
    uint64_t differs = 0;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        wc[i] |= r->mask[i];
        differs |= (flow[i] ^ r->value[i]) & r->mask[i];
    }
    return !differs;
}

static void translate(void *aux, const struct dp_packet *packet, const struct flow *flow,
                      uint64_t now_ms, struct upcall_answer *answer) {
    struct box *b = aux;
    (void)packet;
    (void)now_ms;
    atomic_fetch_add(&b->translated, 1);
    answer->install = true;
    answer->owner =
        malloc(1); // Leaks, or is freed twice, where the datapath forgets or repeats itself.
    atomic_fetch_add(&b->made, 1);
    for (unsigned i = 0; i < b->n_rules; i++) {
        const struct box_rule *r = &b->rules[i];
        if (rule_fits(r, flow_words_const(flow), flow_words(&answer->wc))) {
            const void *end = r->actions + r->len;
            for (const struct odp_action *a = (const void *)r->actions; (const void *)a < end;
                 a = odp_next(a)) {
                void *payload = odp_put(&answer->actions, a->type, a->arg, a->len - sizeof *a);
                memcpy(payload, a + 1, a->len - sizeof *a);
            }
            answer->install = r->install;
            answer->actions.overflow = r->overflow;
            return;
        }
    }
}

static void end(struct box *b, void *owner, uint64_t packets) {
    free(owner);
    atomic_fetch_add(&b->packets, packets);
    atomic_fetch_add(&b->ended, 1);
}

static void executed_once(void *aux, void *owner, uint64_t packets, uint64_t bytes,
                          uint16_t tcp_flags, uint64_t now_ms) {
    (void)bytes;
    (void)tcp_flags;
    (void)now_ms;
    end(aux, owner, packets);
}

static void release(void *aux, void *owner, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                    uint64_t used_ms) {
    (void)bytes;
    (void)tcp_flags;
    (void)used_ms;
    end(aux, owner, packets);
}

static void packet_in(void *aux, uint32_t pin_id, const struct dp_packet *packet, uint64_t now_ms) {
    struct box *b = aux;
    (void)packet;
    (void)now_ms;
    atomic_store(&b->last_pin, pin_id);
    atomic_fetch_add(&b->pins, 1);
}

int box_new(bool threaded, struct box **out) {
    struct box *b = calloc(1, sizeof *b);
    struct pmd_config config = {
        .threaded = threaded,
        .spin_us = 50,
        .cpu = -1,
        .upcall = {.aux = b,
                   .translate = translate,
                   .executed_once = executed_once,
                   .release = release,
                   .packet_in = packet_in},
    };
    b->rules = calloc(BOX_RULES, sizeof *b->rules);
    *out = b;
    return pmd_create(&config, &b->pmd);
}

void box_free(struct box *b) {
    pmd_destroy(b->pmd);
    assert(atomic_load(&b->made) == atomic_load(&b->ended));
    free(b->rules);
    free(b);
}

struct pmd *box_pmd(struct box *b) {
    return b->pmd;
}

struct box_rule *box_add_rule(struct box *b) {
    assert(b->n_rules < BOX_RULES);
    struct box_rule *r = &b->rules[b->n_rules++];
    *r = (struct box_rule){.install = true};
    return r;
}

void box_clear_rules(struct box *b) {
    b->n_rules = 0;
}

uint64_t box_translated(const struct box *b) {
    return atomic_load(&b->translated);
}

uint64_t box_owners_made(const struct box *b) {
    return atomic_load(&b->made);
}

uint64_t box_owners_ended(const struct box *b) {
    return atomic_load(&b->ended);
}

uint64_t box_packets_ended(const struct box *b) {
    return atomic_load(&b->packets);
}

uint64_t box_pins(const struct box *b) {
    return atomic_load(&b->pins);
}

uint32_t box_last_pin(const struct box *b) {
    return atomic_load(&b->last_pin);
}

struct box_job {
    struct box *b;
    struct pmd_stats *stats;
    struct io_counts *control;
};

static void read_in_pmd(void *arg) {
    const struct box_job *job = arg;
    if (job->stats) {
        pmd_stats_read(job->b->pmd, job->stats);
    }
    if (job->control) {
        io_counters(pmd_control_counters(job->b->pmd), job->control);
    }
}

void box_pmd_stats(struct box *b, struct pmd_stats *out) {
    struct box_job job = {.b = b, .stats = out};
    pmd_run(b->pmd, read_in_pmd, &job);
}

void box_control_counts(struct box *b, struct io_counts *out) {
    struct box_job job = {.b = b, .control = out};
    pmd_run(b->pmd, read_in_pmd, &job);
}

unsigned box_reap(void) {
    return rcu_reap();
}
