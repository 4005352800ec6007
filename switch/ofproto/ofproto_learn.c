// Learned flows; and what threads that must not wait leave to whoever holds the lock.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

// -- learning --

static bool is_same(const struct rule *r, const struct flow_mod *fm) {
    return r->idle_timeout == fm->idle_timeout && r->hard_timeout == fm->hard_timeout &&
           r->flags == fm->flags && r->cookie == fm->new_cookie &&
           ofpacts_equal(r->actions, r->actions_len, fm->ofpacts.data, fm->ofpacts.len);
}

static int learn(struct ofproto *p, const struct flow_mod *fm, uint32_t limit, bool *limited) {
    struct classifier *cls = p->tables[fm->table].cls;
    struct cls_rule *cr =
        cls ? classifier_find_exact(cls, &fm->match, fm->priority, next_version(p)) : NULL;
    if (cr && is_same(rule_of(cr), fm)) {
        atomic_store_explicit(&rule_of(cr)->modified_ms, p->now_ms(p->now_aux),
                              memory_order_relaxed);
        return 0;
    }
    *limited = limit != 0 && cookies_count(p, fm->table, fm->new_cookie) >= limit;
    if (*limited) {
        return 0;
    }
    uint32_t n;
    int error = flow_mod_prepare(p, fm, &n, NULL);
    if (error) {
        changes_undo(p);
    } else {
        changes_publish(p);
    }
    return error;
}

// -- deferring --

static int defer(struct ofproto *p, struct deferred *d) {
    struct ofproto_internal *in = internal(p);
    d->next = atomic_load_explicit(&in->deferred, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&in->deferred, &d->next, d, memory_order_release,
                                                  memory_order_relaxed)) {
    }
    // The holder may have looked before, and be gone by now.
    if (pthread_mutex_trylock(&p->lock) == 0) {
        ofproto_unlock(p);
    }
    return -EAGAIN;
}

static struct deferred *deferred_create(struct ofproto *p) {
    struct ofproto_internal *in = internal(p);
    if (atomic_fetch_add_explicit(&in->n_deferred, 1, memory_order_relaxed) < DEFERRED_MAX) {
        struct deferred *d = calloc(1, sizeof *d);
        if (d) {
            return d;
        }
    }
    atomic_fetch_sub_explicit(&in->n_deferred, 1, memory_order_relaxed);
    return NULL;
}

static void deferred_free(struct ofproto *p, struct deferred *d) {
    atomic_fetch_sub_explicit(&internal(p)->n_deferred, 1, memory_order_relaxed);
    ofpacts_destroy(&d->fm.ofpacts);
    rule_unref(d->rule);
    free(d);
}

void defer_timers(struct ofproto *p, struct rule *r) {
    struct deferred *d = deferred_create(p);
    if (!d) {
        return;
    }
    if (!rule_try_ref(r)) {
        deferred_free(p, d);
        return;
    }
    d->rule = r;
    defer(p, d);
}

static int defer_learn(struct ofproto *p, const struct flow_mod *fm, uint32_t limit) {
    struct deferred *d = deferred_create(p);
    if (!d) {
        return -ENOMEM;
    }
    d->fm = *fm;
    d->fm.ofpacts = (struct ofpacts){.len = 0};
    d->limit = limit;
    if (ofpacts_append(&d->fm.ofpacts, fm->ofpacts.data, fm->ofpacts.len)) {
        deferred_free(p, d);
        return -ENOMEM;
    }
    return defer(p, d);
}

void deferred_run(struct ofproto *p) {
    struct deferred *d, *in_order = NULL;
    while ((d = atomic_exchange_explicit(&internal(p)->deferred, NULL, memory_order_acquire))) {
        for (struct deferred *next; d; d = next) { // Newest first: turn them round.
            next = d->next;
            d->next = in_order;
            in_order = d;
        }
        for (struct deferred *next; in_order; in_order = next) {
            next = in_order->next;
            bool limited;
            if (in_order->rule) {
                timers_renew(p, in_order->rule);
            } else {
                learn(p, &in_order->fm, in_order->limit, &limited);
            }
            deferred_free(p, in_order);
        }
    }
}

void deferred_destroy(struct ofproto *p) {
    struct deferred *d = atomic_exchange(&internal(p)->deferred, NULL);
    for (struct deferred *next; d; d = next) {
        next = d->next;
        deferred_free(p, d);
    }
}

int ofproto_learn(struct ofproto *p, const struct flow_mod *fm, uint32_t limit, bool *limited) {
    *limited = false;
    if (pthread_mutex_trylock(&p->lock) != 0) {
        return defer_learn(p, fm, limit);
    }
    int error = learn(p, fm, limit, limited);
    ofproto_unlock(p);
    return error;
}
