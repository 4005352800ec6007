// Changes: prepared one by one, then published together or undone together.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

int no_memory(struct ofp_error *err, const char *field) {
    return ofp_error_set(err, ENOMEM, field, "free some memory and try again", "no memory left");
}

struct change *changes_push(struct ofproto *p, struct ofp_error *err) {
    struct changes *c = &internal(p)->changes;
    if (c->n == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 16;
        struct change *list = realloc(c->list, cap * sizeof *list);
        if (!list) {
            no_memory(err, "change");
            return NULL;
        }
        c->list = list;
        c->cap = cap;
    }
    if (retired_reserve(p)) {
        no_memory(err, "change");
        return NULL;
    }
    c->list[c->n] = (struct change){.rule = NULL};
    return &c->list[c->n++];
}

// -- what is kept beside the classifier: all rules that the next version shows --

static void rule_link(struct ofproto *p, struct rule *r) {
    cookies_add(p, r);
    timers_add(p, r);
    p->tables[r->table].n_flows++;
    internal(p)->n_rules++;
    if (r->uses & RULE_USES_GROUP) {
        groups_count_users(p, r->actions, r->actions_len, 1);
    }
}

static void rule_unlink(struct ofproto *p, struct rule *r) {
    cookies_remove(r);
    timers_remove(p, r);
    p->tables[r->table].n_flows--;
    internal(p)->n_rules--;
    if (r->uses & RULE_USES_GROUP) {
        groups_count_users(p, r->actions, r->actions_len, -1);
    }
}

// -- preparing --

static void hide_old(struct ofproto *p, struct rule *old) {
    classifier_hide(p->tables[old->table].cls, &old->cr, next_version(p));
    rule_unlink(p, old);
}

int rule_prepare_add(struct ofproto *p, struct rule *rule, struct rule *old, uint8_t event,
                     bool keep_counts, struct ofp_error *err) {
    struct oftable *t = &p->tables[rule->table];
    if (cookies_reserve(p) || timers_reserve(p, rule) || learned_add(p, rule)) {
        rule_free(rule);
        return no_memory(err, "flow");
    }
    struct change *c = changes_push(p, err);
    if (!c || classifier_insert(t->cls, &rule->cr, next_version(p))) {
        internal(p)->changes.n -= c != NULL;
        learned_remove(p, rule);
        rule_free(rule);
        return no_memory(err, "flow");
    }
    *c = (struct change){.rule = rule, .old_rule = old, .event = event, .keep_counts = keep_counts};
    rule_link(p, rule);
    if (old) {
        hide_old(p, old);
    }
    return 0;
}

int rule_prepare_delete(struct ofproto *p, struct rule *old, uint8_t reason,
                        struct ofp_error *err) {
    struct change *c = changes_push(p, err);
    if (!c) {
        return -ENOMEM;
    }
    *c = (struct change){.old_rule = old, .event = RULE_DELETED};
    old->removed_reason = reason;
    hide_old(p, old);
    return 0;
}

// -- undoing --

void changes_undo(struct ofproto *p) {
    struct changes *changes = &internal(p)->changes;
    while (changes->n > 0) {
        struct change *c = &changes->list[--changes->n];
        if (c->group) {
            group_unlink(p, c->group);
            group_unref(c->group);
        }
        if (c->old_group) {
            group_hide(c->old_group, CLS_NOT_REMOVED);
        }
        if (c->rule) {
            learned_remove(p, c->rule);
            rule_unlink(p, c->rule);
            classifier_hide(p->tables[c->rule->table].cls, &c->rule->cr, 0);
            rule_discard(p, c->rule);
        }
        if (c->old_rule) {
            classifier_hide(p->tables[c->old_rule->table].cls, &c->old_rule->cr, CLS_NOT_REMOVED);
            rule_link(p, c->old_rule);
        }
    }
}

// -- publishing --

// From here on the new rule gets what megaflows still credit to the old one.
static void counts_hand_on(struct rule *old, struct rule *rule, bool keep) {
    old->drops_late_counts = !keep;
    rule_ref(rule);
    atomic_store_explicit(&old->successor, rule, memory_order_release);
    if (keep) {
        rule_credit(rule, atomic_exchange(&old->packets, 0), atomic_exchange(&old->bytes, 0), 0);
    }
}

static bool modified_visibly(const struct rule *old, const struct rule *rule) {
    return old->cookie != rule->cookie ||
           !ofpacts_equal(old->actions, old->actions_len, rule->actions, rule->actions_len);
}

static void change_tell(const struct ofproto *p, const struct change *c) {
    const struct ofproto_events *e = &p->events;
    const struct rule *subject = c->rule ? c->rule : c->old_rule;
    if (!subject) {
        return;
    }
    if (e->rule_changed && (c->event != RULE_MODIFIED || modified_visibly(c->old_rule, c->rule))) {
        e->rule_changed(e->aux, subject, c->event);
    }
    if (e->flow_removed && !c->rule && (subject->flags & FLOW_SEND_FLOW_REM)) {
        e->flow_removed(e->aux, subject, subject->removed_reason);
    }
}

static struct change_note note_of(const struct change *c) {
    const struct rule *r = c->rule ? c->rule : c->old_rule;
    struct change_note note = {.kind = CHANGE_RULE, .table = r->table, .gone = c->old_rule};
    note.priority = r->cr.priority;
    // A rule in another one's place has its match and priority.
    note.flags = c->rule && !c->old_rule ? CHANGE_ADDS : 0;
    if (r->cr.n_conj > 0 || (c->old_rule && c->old_rule->cr.n_conj > 0)) {
        note.flags |= CHANGE_SOFT;
    }
    struct match match;
    minimatch_expand(r->cr.match, &match);
    if (match.mask.metadata != UINT64_MAX) {
        note.flags |= CHANGE_ANY_DOMAIN;
    }
    note.domain = change_domain(match.flow.metadata);
    note.in_port = match.flow.in_port;
    note.in_port_mask = match.mask.in_port;
    for (unsigned i = 0; i < CHANGE_WORDS; i++) {
        note.value[i] = flow_words(&match.flow)[change_words[i]];
        note.mask[i] = flow_words(&match.mask)[change_words[i]];
    }
    return note;
}

// What the change means to translations; 0: more than notes can say.
static unsigned take_notes(const struct changes *changes,
                           struct change_note notes[CHANGE_LOG_CAP]) {
    if (changes->n > CHANGE_LOG_CAP) {
        return 0;
    }
    for (uint32_t i = 0; i < changes->n; i++) {
        const struct change *c = &changes->list[i];
        if (c->group || c->old_group) {
            return 0;
        }
        notes[i] = note_of(c);
    }
    return changes->n;
}

void changes_publish_one(struct ofproto *p) {
    struct changes *changes = &internal(p)->changes;
    struct change_note notes[CHANGE_LOG_CAP];
    if (changes->n == 0) {
        return;
    }
    for (uint32_t i = 0; i < changes->n; i++) {
        struct change *c = &changes->list[i];
        if (c->rule && c->old_rule) {
            counts_hand_on(c->old_rule, c->rule, c->keep_counts);
        }
    }
    atomic_store_explicit(&p->version, next_version(p), memory_order_release);
    ofproto_changed_by(p, notes, take_notes(changes, notes));
    for (uint32_t i = 0; i < changes->n; i++) {
        struct change *c = &changes->list[i];
        change_tell(p, c);
        if (c->old_rule) {
            learned_remove(p, c->old_rule);
        }
    }
    retire(p);
    changes->n = 0;
}

void changes_publish(struct ofproto *p) {
    changes_publish_one(p);
    learned_delete_dead(p);
}
