#include "ofproto/ofproto.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

int ofproto_init(struct ofproto *p, const struct port_names *names, uint64_t (*now_ms)(void *),
                 void *now_aux) {
    memset(p, 0, sizeof *p);
    struct ofproto_internal *in = calloc(1, sizeof *in);
    if (!in) {
        return -ENOMEM;
    }
    in->retired_end = &in->retired;
    pthread_mutex_init(&p->lock, NULL);
    spin_init(&p->log.lock);
    atomic_init(&p->version, CLS_MIN_VERSION);
    for (unsigned i = 0; i < OFP_N_TABLES; i++) {
        p->tables[i].max_flows = UINT32_MAX;
    }
    p->names = names;
    p->now_ms = now_ms;
    p->now_aux = now_aux;
    p->internal = in;
    return 0;
}

static bool take_rule(struct cls_rule *cr, void *arg) {
    struct rule **list = arg;
    rule_of(cr)->cookie_next = *list;
    *list = rule_of(cr);
    return true;
}

// Nobody reads any more; references from elsewhere may last.
static void table_destroy(struct oftable *t) {
    if (!t->cls) {
        return;
    }
    struct rule *rules = NULL;
    classifier_for_all(t->cls, take_rule, &rules);
    classifier_destroy(t->cls);
    for (struct rule *r = rules, *next; r; r = next) {
        next = r->cookie_next;
        rule_unref(r);
    }
}

void ofproto_destroy(struct ofproto *p) {
    struct ofproto_internal *in = internal(p);
    if (!in) {
        return;
    }
    deferred_destroy(p);
    retired_destroy(p);
    for (unsigned i = 0; i < OFP_N_TABLES; i++) {
        table_destroy(&p->tables[i]);
        if (in->eviction[i]) {
            free(in->eviction[i]->entries);
            free(in->eviction[i]);
        }
    }
    groups_destroy(p);
    for (unsigned i = 0; i <= OFP_MAX_METERS; i++) {
        free(rcu_get(in->meters[i]));
    }
    learned_destroy(p);
    free(in->changes.list);
    free(in->expiry.entries);
    free(in->by_cookie);
    free(in);
    pthread_mutex_destroy(&p->lock);
    memset(p, 0, sizeof *p);
}

void ofproto_lock(struct ofproto *p) {
    pthread_mutex_lock(&p->lock);
    retired_collect(p);
}

void ofproto_unlock(struct ofproto *p) {
    do {
        deferred_run(p);
        pthread_mutex_unlock(&p->lock);
        // What came in between is ours again, unless another holds the lock by now: then it is his.
    } while (atomic_load_explicit(&internal(p)->deferred, memory_order_acquire) &&
             pthread_mutex_trylock(&p->lock) == 0);
}

// -- reading --

const struct rule *ofproto_lookup(const struct ofproto *p, uint64_t version, uint8_t table,
                                  const struct flow *flow, struct flow *wc,
                                  uint32_t *matched_conj_id) {
    const struct classifier *cls =
        table < OFP_N_TABLES ? rcu_get(((struct ofproto *)(uintptr_t)p)->tables[table].cls) : NULL;
    const struct cls_rule *found =
        cls ? classifier_lookup(cls, version, flow, wc, matched_conj_id) : NULL;
    if (!cls && matched_conj_id) {
        *matched_conj_id = 0;
    }
    return found ? rule_of(found) : NULL;
}

uint32_t ofproto_count(const struct ofproto *p) {
    return internal(p)->n_rules;
}

struct listing {
    const struct flow_filter *filter;
    const struct rule **list;
    uint32_t n, cap;
    bool failed;
};

static bool list_take(struct cls_rule *cr, void *arg) {
    struct listing *l = arg;
    const struct rule *r = rule_of(cr);
    const struct flow_filter *f = l->filter;
    if (f && (((r->cookie ^ f->cookie) & f->cookie_mask) || !rule_has_out_port(r, f->out_port) ||
              !rule_has_out_group(r, f->out_group))) {
        return true;
    }
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 64;
        const struct rule **list = realloc(l->list, cap * sizeof(struct rule *));
        if (!list) {
            l->failed = true;
            return false;
        }
        l->list = list;
        l->cap = cap;
    }
    l->list[l->n++] = r;
    return true;
}

static int by_priority(const void *a, const void *b) {
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    return (x->cr.priority < y->cr.priority) - (x->cr.priority > y->cr.priority);
}

int ofproto_for_each(const struct ofproto *p, const struct flow_filter *filter,
                     bool (*fn)(const struct rule *rule, void *arg), void *arg) {
    struct listing l = {.filter = filter};
    uint64_t version =
        atomic_load_explicit(&((struct ofproto *)(uintptr_t)p)->version, memory_order_acquire);
    bool go_on = true;
    for (unsigned i = 0; i < OFP_N_TABLES && go_on && !l.failed; i++) {
        const struct classifier *cls = rcu_get(((struct ofproto *)(uintptr_t)p)->tables[i].cls);
        if (!cls || (filter && filter->table != 255 && filter->table != i)) {
            continue;
        }
        l.n = 0;
        classifier_for_each(cls, version, filter ? &filter->match : NULL, list_take, &l);
        if (l.n > 1) {
            qsort(l.list, l.n, sizeof(struct rule *), by_priority);
        }
        for (uint32_t k = 0; k < l.n && go_on && !l.failed; k++) {
            go_on = fn(l.list[k], arg);
        }
    }
    free(l.list);
    return l.failed ? -ENOMEM : 0;
}
