#include "ofproto/mac_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SLICE = 256 }; // Entries that are looked at while the lock is held.

int mac_table_init(struct mac_table *t, uint32_t cap, uint64_t ageing_ms) {
    memset(t, 0, sizeof *t);
    if (cap == 0 || cap > 1u << 24) {
        return -EINVAL;
    }
    spin_init(&t->lock);
    t->cap = cap;
    t->ageing_ms = ageing_ms;
    t->n_heads = 1;
    while (t->n_heads < cap) {
        t->n_heads *= 2;
    }
    if (getrandom(&t->seed, sizeof t->seed, GRND_NONBLOCK) != sizeof t->seed) {
        t->seed = (uint64_t)(uintptr_t)t;
    }
    t->entries = calloc(cap, sizeof *t->entries);
    t->heads = malloc(t->n_heads * sizeof *t->heads);
    if (!t->entries || !t->heads) {
        mac_table_destroy(t);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < t->n_heads; i++) {
        t->heads[i] = MAC_NONE;
    }
    for (uint32_t i = 0; i < cap; i++) {
        t->entries[i].chain = i + 1 < cap ? i + 1 : MAC_NONE;
    }
    t->oldest = t->newest = MAC_NONE;
    return 0;
}

void mac_table_destroy(struct mac_table *t) {
    free(t->entries);
    free(t->heads);
    memset(t, 0, sizeof *t);
}

static uint32_t hash_of(const struct mac_table *t, const uint8_t mac[6], uint16_t vlan) {
    uint64_t key = vlan;
    for (unsigned i = 0; i < 6; i++) {
        key = key << 8 | mac[i];
    }
    unsigned __int128 product = (unsigned __int128)(key ^ t->seed) * 0x9e3779b97f4a7c15u;
    return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & (t->n_heads - 1);
}

static uint32_t find(const struct mac_table *t, const uint8_t mac[6], uint16_t vlan) {
    uint32_t i = t->heads[hash_of(t, mac, vlan)];
    while (i != MAC_NONE &&
           (t->entries[i].vlan != vlan || memcmp(t->entries[i].mac, mac, 6) != 0)) {
        i = t->entries[i].chain;
    }
    return i;
}

static bool holds(const struct mac_table *t, const struct mac_entry *e, uint64_t now_ms) {
    return now_ms - e->seen_ms < t->ageing_ms;
}

static void unlink_age(struct mac_table *t, struct mac_entry *e) {
    *(e->older == MAC_NONE ? &t->oldest : &t->entries[e->older].newer) = e->newer;
    *(e->newer == MAC_NONE ? &t->newest : &t->entries[e->newer].older) = e->older;
}

static void link_newest(struct mac_table *t, struct mac_entry *e) {
    uint32_t i = (uint32_t)(e - t->entries);
    e->older = t->newest;
    e->newer = MAC_NONE;
    *(t->newest == MAC_NONE ? &t->oldest : &t->entries[t->newest].newer) = i;
    t->newest = i;
}

static void forget(struct mac_table *t, uint32_t i) {
    struct mac_entry *e = &t->entries[i];
    uint32_t *link = &t->heads[hash_of(t, e->mac, e->vlan)];
    while (*link != i) {
        link = &t->entries[*link].chain;
    }
    *link = e->chain;
    unlink_age(t, e);
    e->port = 0;
    e->chain = t->free_head;
    t->free_head = i;
    t->n--;
}

static struct mac_entry *create(struct mac_table *t, const uint8_t mac[6], uint16_t vlan) {
    if (t->n == t->cap) {
        forget(t, t->oldest);
    }
    uint32_t i = t->free_head;
    struct mac_entry *e = &t->entries[i];
    uint32_t *head = &t->heads[hash_of(t, mac, vlan)];
    t->free_head = e->chain;
    memcpy(e->mac, mac, 6);
    e->vlan = vlan;
    e->chain = *head;
    *head = i;
    link_newest(t, e);
    t->n++;
    return e;
}

bool mac_learn(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint32_t port,
               uint64_t now_ms) {
    assert(port != 0);
    if (mac_is_group(mac)) {
        return false;
    }
    spin_lock(&t->lock);
    uint32_t i = find(t, mac, vlan);
    struct mac_entry *e = i == MAC_NONE ? create(t, mac, vlan) : &t->entries[i];
    bool changed = i == MAC_NONE || e->port != port || !holds(t, e, now_ms);
    if (i != MAC_NONE) {
        unlink_age(t, e);
        link_newest(t, e);
    }
    e->port = port;
    e->seen_ms = now_ms;
    spin_unlock(&t->lock);
    return changed;
}

uint32_t mac_lookup(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint64_t now_ms) {
    spin_lock(&t->lock);
    uint32_t i = find(t, mac, vlan);
    uint32_t port = i != MAC_NONE && holds(t, &t->entries[i], now_ms) ? t->entries[i].port : 0;
    spin_unlock(&t->lock);
    return port;
}

uint32_t mac_expire(struct mac_table *t, uint64_t now_ms) {
    uint32_t n, total = 0;
    do {
        n = 0;
        spin_lock(&t->lock);
        while (n < SLICE && t->oldest != MAC_NONE && !holds(t, &t->entries[t->oldest], now_ms)) {
            forget(t, t->oldest);
            n++;
        }
        spin_unlock(&t->lock);
        total += n;
    } while (n == SLICE);
    return total;
}

uint32_t mac_flush(struct mac_table *t, uint32_t port) {
    uint32_t n = 0;
    for (uint32_t first = 0; first < t->cap; first += SLICE) {
        spin_lock(&t->lock);
        for (uint32_t i = first; i < t->cap && i < first + SLICE; i++) {
            if (t->entries[i].port != 0 && (port == 0 || t->entries[i].port == port)) {
                forget(t, i);
                n++;
            }
        }
        spin_unlock(&t->lock);
    }
    return n;
}

uint32_t mac_list(struct mac_table *t, uint64_t now_ms, struct mac_entry *out, uint32_t cap) {
    uint32_t n = 0;
    for (uint32_t first = 0; first < t->cap; first += SLICE) {
        spin_lock(&t->lock);
        for (uint32_t i = first; i < t->cap && i < first + SLICE; i++) {
            const struct mac_entry *e = &t->entries[i];
            if (e->port != 0 && holds(t, e, now_ms)) {
                if (n < cap) {
                    out[n] = *e;
                }
                n++;
            }
        }
        spin_unlock(&t->lock);
    }
    return n;
}
