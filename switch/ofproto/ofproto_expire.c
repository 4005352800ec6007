// Timeouts and eviction. Each rule with a timeout stands in a heap with a time before which it cannot expire;
// use moves the true time on without telling, so a rule whose turn comes is looked at again.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

static uint64_t hard_end_ms(const struct rule *r) {
    return r->hard_timeout ? r->modified_ms + r->hard_timeout * UINT64_C(1000) : UINT64_MAX;
}

static uint64_t rule_end_ms(const struct rule *r) { // UINT64_MAX = never.
    uint64_t hard = hard_end_ms(r);
    uint64_t idle = r->idle_timeout ? r->used_ms + r->idle_timeout * UINT64_C(1000) : UINT64_MAX;
    return idle < hard ? idle : hard;
}

// The least important first, then what expires soonest (ovs-vswitchd.conf.db(5), Eviction Policy).
static uint64_t eviction_key(const struct rule *r) {
    return (uint64_t)r->importance << 48 | (rule_end_ms(r) & (UINT64_MAX >> 16));
}

int timers_reserve(struct ofproto *p, const struct rule *r) {
    struct rule_heap *eviction = internal(p)->eviction[r->table];
    if (rule_end_ms(r) == UINT64_MAX) {
        return 0;
    }
    return heap_reserve(&internal(p)->expiry) || (eviction && heap_reserve(eviction)) ? -ENOMEM : 0;
}

void timers_add(struct ofproto *p, struct rule *r) {
    struct rule_heap *eviction = internal(p)->eviction[r->table];
    uint64_t end = rule_end_ms(r);
    if (end == UINT64_MAX) {
        return;
    }
    heap_add(&internal(p)->expiry, r, end);
    if (eviction) {
        heap_add(eviction, r, eviction_key(r));
    }
}

void timers_remove(struct ofproto *p, struct rule *r) {
    heap_remove(&internal(p)->expiry, r);
    if (internal(p)->eviction[r->table]) {
        heap_remove(internal(p)->eviction[r->table], r);
    }
}

// -- eviction --

struct building {
    struct rule_heap *heap;
    bool failed;
};

static bool eviction_take(struct cls_rule *cr, void *arg) {
    struct building *b = arg;
    struct rule *r = rule_of(cr);
    if (r->expiry_at != HEAP_NOWHERE) { // Permanent flows stay.
        b->failed = heap_reserve(b->heap);
        if (!b->failed) {
            heap_add(b->heap, r, eviction_key(r));
        }
    }
    return !b->failed;
}

static void eviction_build(struct ofproto *p, uint8_t table) {
    struct building b = {.heap = calloc(1, sizeof *b.heap)};
    if (!b.heap) {
        return;
    }
    b.heap->eviction = true;
    classifier_for_each(p->tables[table].cls, next_version(p), NULL, eviction_take, &b);
    while (b.failed && b.heap->n > 0) {
        heap_remove(b.heap, b.heap->entries[b.heap->n - 1].rule);
    }
    if (b.failed) {
        free(b.heap->entries);
        free(b.heap);
        return;
    }
    internal(p)->eviction[table] = b.heap;
}

struct rule *eviction_choose(struct ofproto *p, uint8_t table) {
    if (!internal(p)->eviction[table]) { // Kept from the first need on.
        eviction_build(p, table);
    }
    struct rule_heap *h = internal(p)->eviction[table];
    while (h && h->n > 0) {
        struct rule *r = h->entries[0].rule;
        uint64_t key = eviction_key(r);
        if (key == h->entries[0].key) {
            return r;
        }
        heap_change(h, r, key);
    }
    return NULL;
}

// -- expiry --

void ofproto_expire(struct ofproto *p, uint64_t now_ms) {
    struct rule_heap *h = &internal(p)->expiry;
    if (pthread_mutex_trylock(&p->lock) != 0) {
        return; // A bundle, perhaps: megaflows are not to wait for it.
    }
    retired_collect(p);
    while (h->n > 0 && h->entries[0].key < now_ms) {
        struct rule *r = h->entries[0].rule;
        uint64_t end = rule_end_ms(r);
        if (end >= now_ms) {
            heap_change(h, r, end);
            continue;
        }
        uint8_t reason = hard_end_ms(r) < now_ms ? REMOVED_HARD : REMOVED_IDLE;
        if (rule_prepare_delete(p, r, reason, NULL)) {
            break; // The rest in the next round.
        }
    }
    changes_publish(p);
    ofproto_unlock(p);
}

// -- fin_timeout --

static bool timeout_lower(_Atomic uint16_t *timeout, uint16_t max) {
    uint16_t now = atomic_load_explicit(timeout, memory_order_relaxed);
    while (max != 0 && (now == 0 || now > max)) {
        if (atomic_compare_exchange_weak_explicit(timeout, &now, max, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void timers_renew(struct ofproto *p, struct rule *r) {
    bool is_there = r->cookie_link != NULL;
    if (!is_there || rule_end_ms(r) == UINT64_MAX) {
        return;
    }
    if (r->expiry_at == HEAP_NOWHERE) {
        if (timers_reserve(p, r) == 0) {
            timers_add(p, r);
        }
        return;
    }
    heap_change(&internal(p)->expiry, r, rule_end_ms(r));
    if (internal(p)->eviction[r->table]) {
        heap_change(internal(p)->eviction[r->table], r, eviction_key(r));
    }
}

void ofproto_fin_timeout(struct ofproto *p, const struct rule *rule, uint16_t idle, uint16_t hard) {
    struct rule *r = (struct rule *)(uintptr_t)rule, *next;
    while ((next = atomic_load_explicit(&r->successor, memory_order_acquire))) {
        r = next;
    }
    bool lower_idle = timeout_lower(&r->idle_timeout, idle);
    bool lower_hard = timeout_lower(&r->hard_timeout, hard);
    if (!lower_idle && !lower_hard) {
        return;
    }
    if (pthread_mutex_trylock(&p->lock) == 0) {
        timers_renew(p, r);
        ofproto_unlock(p);
    } else {
        defer_timers(p, r);
    }
}
