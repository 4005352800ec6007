// What the revalidator does with each megaflow.
//
//     counters ─▶ credits ─▶ idle? ─▶ over the limit? ─▶ true to what has changed since? ─▶ next
//                              └ kill    └ kill             └ translate: same / other actions / kill

#include "datapath/base/cycles.h"
#include "ofproto/revalidator_private.h"

static void push_statistics(struct revalidator *r, const struct megaflow *m,
                            struct upcall_owner *owner) {
    uint64_t packets = counter_get(&m->packets), bytes = counter_get(&m->bytes);
    if (packets == owner->packets) {
        return;
    }
    uint16_t tcp_flags = atomic_load_explicit(&m->tcp_flags, memory_order_relaxed);
    credits_push(&owner->credits, packets - owner->packets, bytes - owner->bytes, tcp_flags,
                 counter_get(&m->used_ms), r->bridge);
    owner->packets = packets;
    owner->bytes = bytes;
}

// Does the mask leave out a bit that decides now?
static bool is_too_wide(const struct megaflow *m, const struct flow *wc) {
    const uint64_t *decides = flow_words_const(wc);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        if (decides[i] && decides[i] & ~miniflow_get(m->mask, i)) {
            return true;
        }
    }
    return false;
}

static bool has_actions(const struct megaflow *m, const struct odp_list *actions) {
    const struct odp_blob *blob = rcu_get(m->actions);
    return blob->len == actions->len && memcmp(blob->bytes, actions->data, actions->len) == 0;
}

// Translates it again, and gives it what is other now. False: it cannot be kept.
static bool revalidate(struct reval_walk *w, struct megaflow *m, struct upcall_owner *owner) {
    struct revalidator *r = w->r;
    struct flow flow, wc;
    miniflow_expand(&m->key, &flow);
    if (flow.in_port >= OFP_MAX_PORTS || !r->bridge->ports[flow.in_port].exists) {
        return false;
    }
    odp_list_clear(&r->actions);
    struct xlate_in in = {
        .bridge = r->bridge,
        .flow = &flow,
        .now_ms = w->now_ms,
        .tcp_flags = atomic_load_explicit(&m->tcp_flags, memory_order_relaxed),
    };
    struct xlate_out out = {.actions = &r->actions, .wc = &wc, .credits = &r->credits};
    xlate_run(&in, &out);
    counter_add(&r->revalidated, 1);
    bool same = has_actions(m, &r->actions);
    if (out.slow || is_too_wide(m, &wc) || (!same && megaflow_set_actions(m, &r->actions) < 0)) {
        credits_clear(&r->credits);
        return false;
    }
    counter_add(&r->refitted, !same);
    struct credits old = owner->credits;
    owner->credits = r->credits;
    r->credits = old; // Its list has room for the next one.
    owner->seq = r->view.seq;
    upcall_owner_index(owner);
    credits_clear(
        &r->credits); // After the new ones hold what both have: ids of frozen states stay.
    return true;
}

static bool is_stale(struct reval_walk *w, struct megaflow *m, struct upcall_owner *owner) {
    const struct reval_view *view = &w->r->view;
    if (owner->seq >= view->seq) {
        return false;
    }
    if (!reval_view_concerns(view, m, &w->r->bridge->names)) {
        owner->seq = view->seq;
        return false;
    }
    if (time_ns() > w->deadline_ns) {
        return true; // No time left to ask; its next packet will.
    }
    return !revalidate(w, m, owner);
}

static bool visit(struct megaflow *m, void *arg) {
    struct reval_walk *w = arg;
    struct revalidator *r = w->r;
    struct upcall_owner *owner = m->owner;
    w->n_seen++;
    push_statistics(r, m, owner);
    uint64_t used_ms = counter_get(&m->used_ms);
    used_ms = used_ms > m->created_ms ? used_ms : m->created_ms;
    rs_counter *killed = NULL;
    if (w->now_ms > used_ms && w->now_ms - used_ms >= w->max_idle_ms) {
        killed = w->max_idle_ms < atomic_load_explicit(&r->max_idle_ms, memory_order_relaxed)
                     ? &r->killed_limit
                     : &r->killed_idle;
    } else if (w->kill_all) {
        killed = &r->killed_limit;
    } else if (is_stale(w, m, owner)) {
        killed = &r->killed_changed;
    }
    if (killed) {
        megaflow_kill(m);
        counter_add(killed, 1);
    }
    return true;
}

void reval_walk(struct reval_walk *w) {
    struct revalidator *r = w->r;
    for (unsigned i = 0; i < r->n_tables; i++) {
        uint32_t slot = 0;
        do {
            reval_begin_slice(r);
            slot = megaflow_slice(r->tables[i], slot, REVAL_SLICE, visit, w);
            reval_end_slice(r);
        } while (slot != 0);
    }
}
