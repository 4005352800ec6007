// Rules and groups that the published version does not show any more. Readers of an older version may still
// look for them, so they stay in the tables for a grace period; then they are taken out, and freed after another.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

int retired_reserve(struct ofproto *p) {
    struct ofproto_internal *in = internal(p);
    if (!in->spare) {
        in->spare = calloc(1, sizeof *in->spare);
    }
    return in->spare ? 0 : -ENOMEM;
}

static void retired_is_ready(void *arg) { // Any thread, and maybe after the ofproto's end.
    struct retired *r = arg;
    if (atomic_exchange(&r->state, RETIRED_READY) == RETIRED_ORPHAN) {
        free(r);
    }
}

void retire(struct ofproto *p) {
    struct ofproto_internal *in = internal(p);
    struct retired *r = in->spare;
    for (uint32_t i = 0; i < in->changes.n; i++) {
        struct rule *rule = in->changes.list[i].old_rule;
        struct group *group = in->changes.list[i].old_group;
        if (rule) {
            rule->cookie_next = r->rules;
            r->rules = rule;
        }
        if (group) {
            group->retired_next = r->groups;
            r->groups = group;
        }
    }
    if (r->rules || r->groups) {
        in->spare = NULL;
        *in->retired_end = r;
        in->retired_end = &r->next;
        rcu_postpone(retired_is_ready, r);
    }
}

void rule_discard(struct ofproto *p, struct rule *r) {
    struct ofproto_internal *in = internal(p);
    if (classifier_remove(p->tables[r->table].cls, &r->cr)) {
        r->cookie_next = in->stubborn;
        in->stubborn = r;
        return;
    }
    rule_unref(r);
}

static void rules_discard(struct ofproto *p, struct rule *r) {
    while (r) {
        struct rule *next = r->cookie_next;
        rule_discard(p, r);
        r = next;
    }
}

void retired_collect(struct ofproto *p) {
    struct ofproto_internal *in = internal(p);
    struct rule *stubborn = in->stubborn;
    in->stubborn = NULL;
    rules_discard(p, stubborn);
    while (in->retired &&
           atomic_load_explicit(&in->retired->state, memory_order_acquire) == RETIRED_READY) {
        struct retired *r = in->retired;
        in->retired = r->next;
        if (!in->retired) {
            in->retired_end = &in->retired;
        }
        rules_discard(p, r->rules);
        for (struct group *g = r->groups, *next; g; g = next) {
            next = g->retired_next;
            group_unlink(p, g);
            group_unref(g);
        }
        free(r);
    }
}

void ofproto_settle(struct ofproto *p) {
    ofproto_lock(p);
    bool waits = internal(p)->retired != NULL;
    ofproto_unlock(p);
    if (waits) {
        rcu_synchronize();
        ofproto_lock(p);
        ofproto_unlock(p);
    }
}

void retired_destroy(struct ofproto *p) { // Its rules are still in the classifiers.
    struct ofproto_internal *in = internal(p);
    for (struct retired *r = in->retired, *next; r; r = next) {
        next = r->next;
        if (atomic_exchange(&r->state, RETIRED_ORPHAN) == RETIRED_READY) {
            free(r);
        }
    }
    free(in->spare);
}
