// Pins by id and by content (packet_in.h).

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/base/rcu.h"
#include "ofproto/packet_in_private.h"

static uint64_t mix(uint64_t hash, uint64_t word) {
    return ((hash << 5 | hash >> 59) ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t hash_of(const struct pin *pin) {
    const uint64_t *words = flow_words_const(&pin->metadata);
    uint64_t hash = mix(pin->cookie, (uint64_t)pin->reason << 56 | (uint64_t)pin->table << 48 |
                                         (uint64_t)pin->max_len << 32 | pin->controller_id);
    hash = mix(hash, (uint64_t)pin->meter_id << 32 | pin->userdata_len);
    hash = mix(hash, (uint64_t)pin->pause << 32 | pin->frozen_id);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        hash = mix(hash, words[i]);
    }
    for (uint32_t i = 0; i < pin->userdata_len; i++) {
        hash = mix(hash, pin->userdata[i]);
    }
    return (uint32_t)(hash >> 32);
}

static bool is_same(const struct pin *a, const struct pin *b) {
    return a->reason == b->reason && a->table == b->table && a->max_len == b->max_len &&
           a->controller_id == b->controller_id && a->cookie == b->cookie &&
           a->meter_id == b->meter_id && a->pause == b->pause && a->frozen_id == b->frozen_id &&
           a->userdata_len == b->userdata_len && flow_equal(&a->metadata, &b->metadata) &&
           (a->userdata_len == 0 || memcmp(a->userdata, b->userdata, a->userdata_len) == 0);
}

// One reference more, unless pin_expire() has come before.
bool pin_entry_ref(struct pin_entry *e) {
    uint32_t n = atomic_load_explicit(&e->refs, memory_order_relaxed);
    while (n != PIN_DEAD) {
        if (atomic_compare_exchange_weak_explicit(&e->refs, &n, n + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void pin_entry_unref(struct pin_entry *e) {
    atomic_fetch_sub_explicit(&e->refs, 1, memory_order_release);
}

struct pin_entry *pin_entry_find(struct packet_ins *p, uint32_t id) {
    if (id >= PIN_MAX) {
        return NULL;
    }
    pin_slot *page = rcu_get(p->pages[id / PIN_PAGE]);
    return page ? rcu_get(page[id % PIN_PAGE]) : NULL;
}

static uint32_t find_and_ref(struct packet_ins *p, const struct pin *pin, uint32_t hash) {
    struct pin_entry *e = p->buckets[hash % PIN_BUCKETS];
    while (e && (e->hash != hash || !is_same(&e->pin, pin))) {
        e = e->next;
    }
    return e && pin_entry_ref(e) ? e->id : 0;
}

static struct pin_entry *entry_create(const struct pin *pin, uint32_t hash) {
    struct pin_entry *e = malloc(sizeof *e + pin->userdata_len);
    if (!e) {
        return NULL;
    }
    *e = (struct pin_entry){.pin = *pin, .hash = hash};
    atomic_init(&e->refs, 1);
    if (pin->userdata_len > 0) {
        memcpy(e->userdata, pin->userdata, pin->userdata_len);
    }
    e->pin.userdata = e->userdata;
    return e;
}

// A free id, 0 if none was found within one page's worth of tries. Under the lock.
static uint32_t choose_id(struct packet_ins *p, pin_slot **spare) {
    for (unsigned tries = 0; tries < PIN_PAGE; tries++) {
        uint32_t id = p->next_id;
        p->next_id = id + 1 < PIN_MAX ? id + 1 : 1;
        pin_slot *page = rcu_get(p->pages[id / PIN_PAGE]);
        if (!page) {
            if (!*spare) {
                return 0;
            }
            rcu_set(p->pages[id / PIN_PAGE], *spare);
            *spare = NULL;
            return id;
        }
        if (!rcu_get(page[id % PIN_PAGE])) {
            return id;
        }
    }
    return 0;
}

static uint32_t insert(struct packet_ins *p, struct pin_entry *e, pin_slot **spare) {
    uint32_t id = find_and_ref(p, &e->pin, e->hash); // Another thread may have been faster.
    if (id != 0) {
        return id;
    }
    id = choose_id(p, spare);
    if (id == 0) {
        return 0;
    }
    struct pin_entry **bucket = &p->buckets[e->hash % PIN_BUCKETS];
    e->id = id;
    e->next = *bucket;
    *bucket = e;
    p->n_pins++;
    pin_slot *page = rcu_get(p->pages[id / PIN_PAGE]);
    rcu_set(page[id % PIN_PAGE], e);
    return id;
}

uint32_t pin_get_id(struct packet_ins *p, const struct pin *pin) {
    uint32_t hash = hash_of(pin);
    spin_lock(&p->lock);
    uint32_t id = find_and_ref(p, pin, hash);
    spin_unlock(&p->lock);
    if (id != 0) {
        return id;
    }
    struct pin_entry *e = entry_create(pin, hash); // Not under a spinlock.
    pin_slot *spare = calloc(PIN_PAGE, sizeof *spare);
    if (e && spare) {
        spin_lock(&p->lock);
        id = insert(p, e, &spare);
        bool taken = id != 0 && e->id == id;
        spin_unlock(&p->lock);
        if (taken) {
            if (pin->pause) {
                frozen_ref(p->frozen, pin->frozen_id);
            }
            e = NULL;
        }
    }
    free(e);
    free(spare);
    return id;
}

void pin_ref(struct packet_ins *p, uint32_t id) {
    struct pin_entry *e = pin_entry_find(p, id);
    if (e) {
        atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed); // The caller holds one.
    }
}

void pin_unref(struct packet_ins *p, uint32_t id) {
    struct pin_entry *e = pin_entry_find(p, id);
    if (e) {
        pin_entry_unref(e);
    }
}

const struct pin *pin_find(struct packet_ins *p, uint32_t id) {
    const struct pin_entry *e = pin_entry_find(p, id);
    return e ? &e->pin : NULL;
}

void pin_format(struct packet_ins *p, uint32_t id, bool dont_send, struct text *out) {
    const struct pin *pin = pin_find(p, id);
    if (!pin) {
        text_put(out, "controller(pin=%u)", id);
        return;
    }
    text_put(out,
             "controller(reason=%u,dont_send=%d,continuation=%d,recirc_id=%u,rule_cookie=%s%llx,"
             "controller_id=%u,max_len=%u)",
             pin->reason, dont_send, pin->pause, id, pin->cookie ? "0x" : "",
             (unsigned long long)pin->cookie, pin->controller_id, pin->max_len);
}

uint32_t pin_count(const struct packet_ins *p) {
    return atomic_load_explicit(&p->n_pins, memory_order_relaxed);
}

void pin_entry_free(struct packet_ins *p, struct pin_entry *e) {
    if (e->pin.pause) {
        frozen_unref(p->frozen, e->pin.frozen_id);
    }
    free(e);
}

// Takes what is due out of one bucket; returns it as a list. Under the lock.
static struct pin_entry *take_unused(struct packet_ins *p, uint32_t bucket, uint64_t now_ms) {
    struct pin_entry *gone = NULL;
    for (struct pin_entry **link = &p->buckets[bucket], *e; (e = *link);) {
        uint32_t none = 0;
        if (atomic_load_explicit(&e->refs, memory_order_acquire) != 0) {
            e->unused_ms = 0;
        } else if (e->unused_ms == 0) {
            e->unused_ms = now_ms;
        } else if (now_ms - e->unused_ms >= PIN_LINGER_MS &&
                   atomic_compare_exchange_strong(&e->refs, &none, PIN_DEAD)) {
            *link = e->next;
            e->next = gone;
            gone = e;
            pin_slot *page = rcu_get(p->pages[e->id / PIN_PAGE]);
            rcu_set(page[e->id % PIN_PAGE], NULL);
            p->n_pins--;
            continue;
        }
        link = &e->next;
    }
    return gone;
}

void pin_expire(struct packet_ins *p, uint64_t now_ms) {
    for (uint32_t i = 0; i < PIN_BUCKETS && pin_count(p) > 0; i++) {
        spin_lock(&p->lock);
        struct pin_entry *gone = take_unused(p, i, now_ms);
        spin_unlock(&p->lock);
        while (gone) {
            struct pin_entry *e = gone;
            gone = e->next;
            if (e->pin.pause) {
                frozen_unref(p->frozen, e->pin.frozen_id);
            }
            rcu_postpone(free, e);
        }
    }
}
