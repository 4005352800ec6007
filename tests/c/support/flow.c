#include "flow.h"

#include <errno.h>
#include <stdlib.h>

static const struct port_names names = {.name = {[1] = "h1", [2] = "h2", [3] = "s1"}, .local = 3};

unsigned flow_test_extract(const uint8_t *frame, size_t len, uint32_t in_port, struct flow *flow,
                           struct flow_offsets *offsets) {
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, frame, len);
    struct dp_packet p = {.data = copy, .len = (uint16_t)len, .in_port = in_port};
    unsigned reason = flow_extract(&p, flow);
    *offsets =
        (struct flow_offsets){.l3_ofs = p.l3_ofs, .l4_ofs = p.l4_ofs, .l4_proto = p.l4_proto};
    free(copy);
    return reason;
}

uint32_t flow_test_hash(const struct flow *flow, uint64_t seed) {
    return flow_hash(flow, seed);
}

int match_test_parse(const char *text, struct match *match, uint32_t *priority,
                     struct ofp_error *err) {
    struct match_text extra;
    int error = match_parse(text, &names, match, &extra, err);
    *priority = extra.priority;
    return error;
}

int match_test_format(const struct match *match, uint32_t priority, char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    match_format(match, priority, &t);
    return t.cut ? -ENOSPC : (int)t.len;
}

bool match_test_covers_flow(const struct match *match, const struct flow *flow) {
    return match_covers_flow(match, flow);
}

struct emc *emc_test_new(void) {
    struct emc *emc = malloc(sizeof *emc);
    if (emc && emc_init(emc) < 0) {
        free(emc);
        emc = NULL;
    }
    return emc;
}

void emc_test_free(struct emc *emc) {
    emc_destroy(emc);
    free(emc);
}

void emc_test_insert(struct emc *emc, const struct flow *key, uint32_t hash, uint64_t generation,
                     uint64_t now_ms, uint32_t port, unsigned n) {
    struct odp_actions actions;
    odp_actions_init(&actions);
    for (unsigned i = 0; i < n; i++) {
        odp_actions_add(&actions, ODP_OUTPUT, port);
    }
    emc_insert(emc, key, hash, (struct emc_epoch){generation, now_ms}, &actions);
}

uint32_t emc_test_lookup(const struct emc *emc, const struct flow *key, uint32_t hash,
                         uint64_t generation, uint64_t now_ms) {
    const struct emc_entry *e = emc_lookup(emc, key, hash, (struct emc_epoch){generation, now_ms});
    return e ? e->actions[0].arg : 0;
}

uint32_t emc_test_count(const struct emc *emc, uint64_t generation, uint64_t now_ms) {
    return emc_count(emc, (struct emc_epoch){generation, now_ms}, 0, EMC_SLOTS);
}

struct mac_table *mac_test_new(uint32_t cap, uint64_t ageing_ms) {
    struct mac_table *t = malloc(sizeof *t);
    if (t && mac_table_init(t, cap, ageing_ms) < 0) {
        free(t);
        t = NULL;
    }
    return t;
}

void mac_test_free(struct mac_table *t) {
    mac_table_destroy(t);
    free(t);
}

struct table_test {
    struct oftable *table;
};

struct table_test *table_test_new(void) {
    struct table_test *t = malloc(sizeof *t);
    t->table = oftable_empty();
    return t;
}

void table_test_free(struct table_test *t) {
    oftable_retire(t->table, &(struct oftable){0});
    free(t);
}

int table_test_add(struct table_test *t, const char *text) {
    struct rule *rule;
    int error = rule_parse(text, &names, 0, &rule, NULL);
    if (error == 0) {
        struct oftable *old = t->table;
        t->table = oftable_with(old, rule);
        oftable_retire(old, t->table);
    }
    return error;
}

int table_test_lookup(const struct table_test *t, const struct flow *flow) {
    const struct rule *rule = oftable_lookup(t->table, flow);
    for (uint32_t i = 0; i < t->table->n; i++) {
        if (t->table->rules[i] == rule) {
            return (int)i;
        }
    }
    return -1;
}

int table_test_text(const struct table_test *t, uint32_t i, char *out, size_t cap) {
    struct text text;
    text_init(&text, out, cap);
    rule_format(t->table->rules[i], &text);
    return text.cut ? -ENOSPC : (int)text.len;
}
