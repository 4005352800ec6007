// A rule: one block of memory for the struct, its conjunctions, its match and its actions.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

static void count_uses(struct rule *r, const void *actions, size_t len, uint16_t *n_conj) {
    OFPACT_FOR_EACH(a, actions, len) {
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        switch (a->type) {
        case OFPACT_GROUP: r->uses |= RULE_USES_GROUP; break;
        case OFPACT_METER: r->uses |= RULE_USES_METER; break;
        case OFPACT_LEARN: r->uses |= RULE_USES_LEARN; break;
        case OFPACT_CONJUNCTION: ++*n_conj; break;
        default: count_uses(r, nested, nested_len, n_conj); break;
        }
    }
}

static void fill_conjunctions(struct cls_conjunction *conj, const void *actions, size_t len) {
    OFPACT_FOR_EACH(a, actions, len) {
        if (a->type == OFPACT_CONJUNCTION) {
            const struct ofpact_conjunction *c = (const void *)a;
            *conj++ = (struct cls_conjunction){c->id, c->clause, c->n_clauses};
        }
    }
}

static struct rule *rule_make(const struct rule_params *params, size_t match_bytes,
                              const void *actions, uint32_t actions_len, uint64_t now_ms) {
    struct rule uses = {.uses = 0};
    uint16_t n_conj = 0;
    count_uses(&uses, actions, actions_len, &n_conj);
    size_t conj_bytes = n_conj * sizeof(struct cls_conjunction);
    struct rule *r = malloc(sizeof *r + match_bytes + actions_len + conj_bytes);
    if (!r) {
        return NULL;
    }
    uint8_t *match = (uint8_t *)(r + 1), *list = match + match_bytes;
    struct cls_conjunction *conj = (void *)(list + actions_len);
    *r = (struct rule){
        .cr = {.priority = params->priority,
               .n_conj = n_conj,
               .conj = n_conj ? conj : NULL,
               .match = (struct minimatch *)(void *)match},
        .table = params->table,
        .uses = uses.uses,
        .flags = params->flags,
        .importance = params->importance,
        .idle_timeout = params->idle_timeout,
        .hard_timeout = params->hard_timeout,
        .actions_len = actions_len,
        .actions = list,
        .cookie = params->cookie,
        .created_ms = now_ms,
        .modified_ms = now_ms,
        .used_ms = now_ms,
        .refs = 1,
        .expiry_at = HEAP_NOWHERE,
        .eviction_at = HEAP_NOWHERE,
    };
    if (actions_len) {
        memcpy(list, actions, actions_len);
    }
    fill_conjunctions(conj, actions, actions_len);
    return r;
}

struct rule *rule_create(const struct rule_params *params, const struct match *match,
                         const void *actions, uint32_t actions_len, uint64_t now_ms) {
    struct rule *r = rule_make(params, minimatch_bytes(match), actions, actions_len, now_ms);
    if (r) {
        minimatch_from(match, r->cr.match);
    }
    return r;
}

struct rule *rule_clone(const struct rule *old, const struct rule_params *params,
                        const void *actions, uint32_t actions_len, uint64_t now_ms) {
    const struct minimatch *match = old->cr.match;
    size_t bytes = sizeof *match + 2 * flowmap_count(match->map) * sizeof(uint64_t);
    struct rule *r = rule_make(params, bytes, actions, actions_len, now_ms);
    if (r) {
        memcpy(r->cr.match, match, bytes);
    }
    return r;
}

void rule_free(struct rule *r) {
    struct rule *successor = atomic_load_explicit(&r->successor, memory_order_acquire);
    if (successor) { // What came in while the counters were handed on.
        if (!r->drops_late_counts) {
            rule_credit(successor, r->packets, r->bytes, 0);
        }
        rule_unref(successor);
    }
    free(r);
}

static void rule_free_later(void *arg) {
    rule_free(arg);
}

void rule_unref(const struct rule *rule) {
    struct rule *r = (struct rule *)(uintptr_t)rule;
    if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1) {
        rcu_postpone(rule_free_later, r);
    }
}

void rule_credit(const struct rule *rule, uint64_t packets, uint64_t bytes, uint64_t used_ms) {
    struct rule *r = (struct rule *)(uintptr_t)rule, *next;
    bool counts = true;
    while ((next = atomic_load_explicit(&r->successor, memory_order_acquire))) {
        counts = counts && !r->drops_late_counts;
        r = next;
    }
    if (counts) {
        atomic_fetch_add_explicit(&r->packets, packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&r->bytes, bytes, memory_order_relaxed);
    }
    uint64_t used = atomic_load_explicit(&r->used_ms, memory_order_relaxed);
    while (used < used_ms &&
           !atomic_compare_exchange_weak_explicit(&r->used_ms, &used, used_ms, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

bool rule_has_out_port(const struct rule *r, uint16_t port) {
    return port == OFPP_ANY || ofpacts_output_to_port(r->actions, r->actions_len, port);
}

bool rule_has_out_group(const struct rule *r, uint32_t group) {
    return group == OFPG_ANY || ((r->uses & RULE_USES_GROUP) &&
                                 ofpacts_output_to_group(r->actions, r->actions_len, group));
}

static void put_settings(const struct rule *r, struct text *out) {
    if (r->idle_timeout) {
        text_put(out, "idle_timeout=%u, ", r->idle_timeout);
    }
    if (r->hard_timeout) {
        text_put(out, "hard_timeout=%u, ", r->hard_timeout);
    }
    static const struct {
        uint16_t flag;
        const char *name;
    } flags[] = {
        {FLOW_SEND_FLOW_REM, "send_flow_rem "},  {FLOW_CHECK_OVERLAP, "check_overlap "},
        {FLOW_RESET_COUNTS, "reset_counts "},    {FLOW_NO_PKT_COUNTS, "no_packet_counts "},
        {FLOW_NO_BYT_COUNTS, "no_byte_counts "},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(flags); i++) {
        if (r->flags & flags[i].flag) {
            text_put(out, "%s", flags[i].name);
        }
    }
    if (r->importance) {
        text_put(out, "importance=%u, ", r->importance);
    }
}

void rule_format(const struct rule *r, const struct port_names *names, bool show_table,
                 struct text *out) {
    struct match match;
    minimatch_expand(r->cr.match, &match);
    text_put(out, " ");
    if (show_table) {
        text_put(out, "table=%u, ", r->table);
    }
    put_settings(r, out);
    match_format(&match, r->cr.priority, OFP_DEFAULT_PRIORITY, names, out);
    if (out->len > 0 && out->buf[out->len - 1] != ' ') {
        text_put(out, " ");
    }
    text_put(out, "actions=");
    ofpacts_format(r->actions, r->actions_len, names, out);
}
