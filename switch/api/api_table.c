// The flow table and the MAC table. A change is prepared here, published in the PMD, and cleaned up
// here.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api_private.h"

enum { RULES_MAX = 1 << 20 };

struct publish_job {
    struct bridge *bridge;
    struct oftable *table; // New in, old out.
};

static void publish_in_pmd(void *arg) {
    struct publish_job *job = arg;
    job->table = bridge_set_table(job->bridge, job->table);
}

static void publish(rs_switch *sw, struct oftable *table) {
    struct publish_job job = {.bridge = &sw->bridge, .table = table};
    pmd_run(sw->pmd, publish_in_pmd, &job);
    oftable_retire(job.table, table);
}

static int no_memory(struct rs_error *err) {
    return api_error(err, ENOMEM, "flow", NULL, "no memory for the table");
}

static int parse_rule(rs_switch *sw, const char *text, struct rule **rule, struct rs_error *err) {
    struct ofp_error why;
    int error = rule_parse(text, &sw->bridge.names, pmd_now_ms(sw->pmd), rule, &why);
    return error < 0 ? api_error_from(err, &why) : 0;
}

int rs_flow_add(rs_switch *sw, const char *text, struct rs_error *err) {
    struct rule *rule;
    if (!sw || !text) {
        return api_error(err, EINVAL, "flow", NULL, "no switch or no rule");
    }
    if (sw->bridge.table->n >= RULES_MAX) {
        return api_error(err, ENOSPC, "flow", "delete some", "the table has %u rules", RULES_MAX);
    }
    int error = parse_rule(sw, text, &rule, err);
    if (error < 0) {
        return error;
    }
    struct oftable *table = oftable_with(sw->bridge.table, rule);
    if (!table) {
        rule_destroy(rule);
        return no_memory(err);
    }
    publish(sw, table);
    return 0;
}

int rs_flow_del(rs_switch *sw, const char *text, bool strict, struct rs_error *err) {
    struct oftable_selection which = {.strict = strict};
    struct match_text extra;
    struct ofp_error why;
    if (!sw || !text) {
        return api_error(err, EINVAL, "flow", NULL, "no switch or no match");
    }
    if (match_parse(text, &sw->bridge.names, &which.match, &extra, &why) < 0) {
        return api_error_from(err, &why);
    }
    if (extra.has_priority && !strict) {
        return api_error(err, EINVAL, "priority", "leave it out, or delete strictly",
                         "only a strict deletion looks at the priority");
    }
    which.priority = extra.priority;
    struct oftable *table = oftable_without(sw->bridge.table, &which);
    if (!table) {
        return no_memory(err);
    }
    int gone = (int)(sw->bridge.table->n - table->n);
    if (gone == 0) {
        free(table); // Nothing changes: cached answers stay good.
        return 0;
    }
    publish(sw, table);
    return gone;
}

// Puts "flows[3]." before the name of the field.
static int error_in_rule(uint32_t i, struct rs_error *err) {
    if (err) {
        struct rs_error copy = *err;
        snprintf(err->field, sizeof err->field, "flows[%u].%.40s", i, copy.field);
    }
    return -EINVAL;
}

static void destroy_rules(struct rule **rules, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        rule_destroy(rules[i]);
    }
}

// Frees the rules that the table did not take: replaced by later ones, or had already by the old
// table.
static void destroy_unused(struct rule **rules, uint32_t n, const struct oftable *table) {
    for (uint32_t i = 0; i < n; i++) {
        rules[i]->kept = false;
    }
    for (uint32_t i = 0; i < table->n; i++) {
        table->rules[i]->kept = true;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!rules[i]->kept) {
            rule_destroy(rules[i]);
        }
    }
}

int rs_flow_replace(rs_switch *sw, const char *const *texts, uint32_t n, struct rs_error *err) {
    if (!sw || (n > 0 && !texts) || n > RULES_MAX) {
        return api_error(err, EINVAL, "flows", NULL, "no switch, no rules, or too many");
    }
    struct rule **rules = calloc((size_t)n + 1, sizeof *rules);
    if (!rules) {
        return no_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        int error = texts[i] ? parse_rule(sw, texts[i], &rules[i], err)
                             : api_error(err, EINVAL, "text", NULL, "no rule");
        if (error < 0) {
            destroy_rules(rules, i);
            free(rules);
            return error_in_rule(i, err);
        }
    }
    struct oftable *table = oftable_from(sw->bridge.table, rules, n);
    if (!table) {
        destroy_rules(rules, n);
        free(rules);
        return no_memory(err);
    }
    destroy_unused(rules, n, table);
    free(rules);
    publish(sw, table);
    return 0;
}

uint32_t rs_flow_count(rs_switch *sw) {
    return sw ? sw->bridge.table->n : 0;
}

int rs_flow_get(rs_switch *sw, uint32_t i, char *text, size_t cap, struct rs_flow_stats *stats) {
    if (!sw || i >= sw->bridge.table->n) {
        return sw ? -ENOENT : -EINVAL;
    }
    const struct rule *rule = sw->bridge.table->rules[i];
    if (text && cap > 0) {
        struct text t;
        text_init(&t, text, cap);
        rule_format(rule, &t);
        if (t.cut) {
            return -ENOSPC;
        }
    }
    if (stats) {
        uint64_t age_ms = pmd_now_ms(sw->pmd) - rule->created_ms;
        *stats = (struct rs_flow_stats){.packets = counter_get(&rule->packets),
                                        .bytes = counter_get(&rule->bytes),
                                        .priority = rule->priority,
                                        .age_s = (double)age_ms / 1000.0};
    }
    return 0;
}

struct fdb_job {
    rs_switch *sw;
    struct rs_fdb_entry *entries;
    uint32_t cap, n;
};

static void list_in_pmd(void *arg) {
    struct fdb_job *job = arg;
    struct mac_table *t = &job->sw->bridge.macs;
    uint64_t now_ms = pmd_now_ms(job->sw->pmd);
    mac_expire(t, now_ms);
    for (uint32_t i = t->newest; i != MAC_NONE; i = t->entries[i].older) {
        const struct mac_entry *e = &t->entries[i];
        if (job->n < job->cap) {
            struct rs_fdb_entry *out = &job->entries[job->n];
            *out = (struct rs_fdb_entry){
                .ofport = e->port, .vlan = e->vlan, .age_ms = (uint32_t)(now_ms - e->seen_ms)};
            memcpy(out->mac, e->mac, sizeof out->mac);
        }
        job->n++;
    }
}

uint32_t rs_fdb_list(rs_switch *sw, struct rs_fdb_entry *entries, uint32_t cap) {
    if (!sw) {
        return 0;
    }
    struct fdb_job job = {.sw = sw, .entries = entries, .cap = entries ? cap : 0};
    pmd_run(sw->pmd, list_in_pmd, &job);
    return job.n;
}

static void flush_in_pmd(void *arg) {
    struct fdb_job *job = arg;
    mac_expire(&job->sw->bridge.macs, pmd_now_ms(job->sw->pmd));
    job->n = mac_flush(&job->sw->bridge.macs, 0);
    bridge_changed(&job->sw->bridge);
}

uint32_t rs_fdb_flush(rs_switch *sw) {
    if (!sw) {
        return 0;
    }
    struct fdb_job job = {.sw = sw};
    pmd_run(sw->pmd, flush_in_pmd, &job);
    return job.n;
}
