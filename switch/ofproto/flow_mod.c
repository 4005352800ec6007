// Flow mods: what each command does to the tables (OpenFlow 1.5.1, 6.4), prepared but not yet published.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

// -- what actions refer to must exist --

static int check_meter(const struct ofproto *p, uint32_t id, struct ofp_error *err) {
    if (ofproto_has_meter(p, id)) {
        return 0;
    }
    return ofp_error_of(err, OFPERR_OFPMMFC_INVALID_METER, "meter",
                        "add the meter before the flow that uses it", "no meter %u", id);
}

int check_references(const struct ofproto *p, const void *actions, uint32_t len,
                     struct ofp_error *err) {
    OFPACT_FOR_EACH(a, actions, len) {
        const struct ofpact_u32 *u32 = (const void *)a;
        int error = 0;
        if (a->type == OFPACT_METER) {
            error = check_meter(p, u32->value, err);
        } else if (a->type == OFPACT_GROUP && !group_find(p, next_version(p), u32->value)) {
            error =
                ofp_error_of(err, OFPERR_OFPBAC_BAD_OUT_GROUP, "group",
                             "add the group before what refers to it", "no group %u", u32->value);
        } else {
            size_t nested_len;
            const void *nested = ofpact_nested(a, &nested_len);
            error = check_references(p, nested, (uint32_t)nested_len, err);
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

// -- add --

static struct rule *new_rule(const struct ofproto *p, const struct flow_mod *fm, uint8_t table) {
    struct rule_params params = {
        .cookie = fm->new_cookie,
        .priority = fm->priority,
        .idle_timeout = fm->idle_timeout,
        .hard_timeout = fm->hard_timeout,
        .importance = fm->importance,
        .flags = fm->flags,
        .table = table,
    };
    return rule_create(&params, &fm->match, fm->ofpacts.data, fm->ofpacts.len,
                       p->now_ms(p->now_aux));
}

// Room for one more in its table.
static int table_make_room(struct ofproto *p, uint8_t table, struct ofp_error *err) {
    struct oftable *t = &p->tables[table];
    if (t->n_flows < t->max_flows) {
        return 0;
    }
    struct rule *victim = t->evict ? eviction_choose(p, table) : NULL;
    if (!victim) {
        return ofp_error_of(err, OFPERR_OFPFMFC_TABLE_FULL, "table",
                            t->evict ? "delete flows: none of them has a timeout, so none may be "
                                       "evicted"
                                     : "delete flows, raise the table's limit, or let it evict",
                            "table %u is full: it may have %u flows", table, t->max_flows);
    }
    return rule_prepare_delete(p, victim, REMOVED_EVICTION, err);
}

static int prepare_add(struct ofproto *p, const struct flow_mod *fm, uint32_t *n_affected,
                       struct ofp_error *err) {
    uint8_t table = fm->table == 255 ? 0 : fm->table;
    struct oftable *t = &p->tables[table];
    if (table == OFP_HIDDEN_TABLE) {
        return ofp_error_of(err, OFPERR_OFPBRC_EPERM, "table", "use tables 0 to 253",
                            "table %u is the switch's own", table);
    }
    if (!t->cls) {
        struct classifier *cls;
        if (classifier_create(&cls)) {
            return no_memory(err, "table");
        }
        rcu_set(t->cls, cls);
    }
    struct rule *rule = new_rule(p, fm, table);
    if (!rule) {
        return no_memory(err, "flow");
    }
    struct cls_rule *found = classifier_find(t->cls, rule->cr.match, fm->priority, next_version(p));
    struct rule *old = found ? rule_of(found) : NULL;
    int error = 0;
    if (old) {
        rule->cookie = fm->new_cookie == UINT64_MAX ? old->cookie : fm->new_cookie;
    } else if ((fm->flags & FLOW_CHECK_OVERLAP) &&
               classifier_overlaps(t->cls, &fm->match, fm->priority, next_version(p))) {
        error = ofp_error_of(err, OFPERR_OFPFMFC_OVERLAP, "flow",
                             "give it another priority, or leave check_overlap out",
                             "a flow of priority %u in table %u matches some of the same packets",
                             fm->priority, table);
    } else {
        error = table_make_room(p, table, err);
    }
    if (error) {
        rule_free(rule);
        return error;
    }
    ++*n_affected;
    return rule_prepare_add(p, rule, old, RULE_ADDED, !(fm->flags & FLOW_RESET_COUNTS), err);
}

// -- modify --

static int modify_one(struct ofproto *p, const struct flow_mod *fm, struct rule *old,
                      struct ofp_error *err) {
    bool new_cookie = fm->modify_cookie && fm->new_cookie != UINT64_MAX;
    struct rule_params params = {
        .cookie = new_cookie ? fm->new_cookie : old->cookie,
        .priority = old->cr.priority,
        .idle_timeout = old->idle_timeout,
        .hard_timeout = old->hard_timeout,
        .importance = old->importance,
        .flags = old->flags,
        .table = old->table,
    };
    struct rule *rule =
        rule_clone(old, &params, fm->ofpacts.data, fm->ofpacts.len, p->now_ms(p->now_aux));
    if (!rule) {
        return no_memory(err, "flow");
    }
    rule->created_ms = old->created_ms;
    atomic_init(&rule->used_ms, old->used_ms);
    return rule_prepare_add(p, rule, old, RULE_MODIFIED, !(fm->flags & FLOW_RESET_COUNTS), err);
}

static int prepare_modify(struct ofproto *p, const struct flow_mod *fm,
                          const struct rule_set *rules, uint32_t *n_affected,
                          struct ofp_error *err) {
    // A modify of flows by a cookie never adds one.
    if (rules->n == 0 && fm->new_cookie != UINT64_MAX && fm->cookie_mask == 0) {
        return prepare_add(p, fm, n_affected, err);
    }
    for (uint32_t i = 0; i < rules->n; i++) {
        int error = modify_one(p, fm, rules->list[i], err);
        if (error) {
            return error;
        }
    }
    *n_affected += rules->n;
    return 0;
}

// -- delete --

int rules_prepare_delete(struct ofproto *p, const struct rule_set *rules, uint8_t reason,
                         struct ofp_error *err) {
    for (uint32_t i = 0; i < rules->n; i++) {
        int error = rule_prepare_delete(p, rules->list[i], reason, err);
        if (error) {
            return error;
        }
    }
    return 0;
}

// -- the door --

static int check_flow_mod(const struct ofproto *p, const struct flow_mod *fm,
                          struct ofp_error *err) {
    if (fm->command > FLOW_DELETE_STRICT) {
        return ofp_error_of(err, OFPERR_OFPFMFC_BAD_COMMAND, "command",
                            "use 0 (add) to 4 (delete "
                            "strict)",
                            "there is no flow mod command %u", fm->command);
    }
    if (fm->flags & FLOW_EMERG) { // OpenFlow 1.0's emergency flows; it has no better name.
        return ofp_error_of(err, OFPERR_OFPFMFC_TABLE_FULL, "flags", "leave the emergency flag out",
                            "there is no table for emergency flows");
    }
    bool deletes = fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;
    return deletes ? 0 : check_references(p, fm->ofpacts.data, fm->ofpacts.len, err);
}

int flow_mod_prepare(struct ofproto *p, const struct flow_mod *fm, uint32_t *n_affected,
                     struct ofp_error *err) {
    *n_affected = 0;
    int error = check_flow_mod(p, fm, err);
    if (error) {
        return error;
    }
    if (fm->command == FLOW_ADD) {
        return prepare_add(p, fm, n_affected, err);
    }
    bool deletes = fm->command == FLOW_DELETE || fm->command == FLOW_DELETE_STRICT;
    bool strict = fm->command == FLOW_MODIFY_STRICT || fm->command == FLOW_DELETE_STRICT;
    struct criteria criteria = {
        .table = fm->table,
        .out_port = deletes ? fm->out_port : OFPP_ANY,
        .out_group = deletes ? fm->out_group : OFPG_ANY,
        .cookie = fm->cookie,
        .cookie_mask = fm->cookie_mask,
        .match = &fm->match,
    };
    struct rule_set rules = {.n = 0};
    error = strict ? collect_strict(p, &criteria, fm->priority, &rules)
                   : collect_loose(p, &criteria, &rules);
    if (error) {
        error = no_memory(err, "flow");
    } else if (deletes) {
        *n_affected = rules.n;
        error = rules_prepare_delete(p, &rules, fm->delete_reason, err);
    } else {
        error = prepare_modify(p, fm, &rules, n_affected, err);
    }
    free(rules.list);
    return error;
}
