// Whom a translation counts for, and doing again what its use does: rules and buckets count, learned flows
// and addresses stay, FIN shortens timeouts.
//
// Each credit holds a reference. A rule or group whose last one has gone while we looked is no longer
// there: the answer stands for this packet and must not be kept.

#include "ofproto/xlate_private.h"

#include <stdlib.h>

enum { FIRST_ROOM = 24, TCP_FIN_OR_RST = 0x05 };

void credits_add(struct xlate *x, const struct credit *credit) {
    struct credits *c = x->credits;
    if (unlikely(c->n == c->cap)) {
        uint32_t cap = c->cap ? 2 * c->cap : FIRST_ROOM;
        struct credit *list = realloc(c->list, cap * sizeof *list);
        if (!list) {
            // Uncounted packets are worse than slow ones.
            x->out->slow = true;
            credit_release(c->bridge, credit);
            return;
        }
        c->list = list;
        c->cap = cap;
    }
    c->list[c->n++] = *credit;
}

void credits_lookup(struct xlate *x, struct credit *lookup, const struct rule *rule) {
    lookup->type = rule ? CREDIT_RULE : CREDIT_TABLE_MISS;
    lookup->rule = rule;
    if (unlikely(rule && !rule_try_ref(rule))) {
        x->out->slow = true;
        return;
    }
    credits_add(x, lookup);
}

void credits_group(struct xlate *x, const struct group *g, uint32_t bucket) {
    if (!x->credits) {
        return;
    }
    if (unlikely(!group_try_ref(g))) {
        x->out->slow = true;
        return;
    }
    credits_add(x, &(struct credit){.type = CREDIT_GROUP, .arg = bucket, .group = g});
}

static void count_lookup(struct bridge *b, uint8_t table, uint64_t packets, bool matched) {
    struct oftable *t = &b->ofproto.tables[table];
    atomic_fetch_add_explicit(&t->n_lookup, packets, memory_order_relaxed);
    if (matched) {
        atomic_fetch_add_explicit(&t->n_matched, packets, memory_order_relaxed);
    }
}

struct use { // Of the packets that are being counted.
    uint64_t packets, bytes, used_ms;
    uint16_t tcp_flags;
};

// The group, and the bucket that was chosen or all of them.
static void count_group(const struct group *g, uint32_t bucket, const struct use *u) {
    group_credit(g, UINT32_MAX, u->packets, u->bytes);
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        if (bucket == i || bucket == UINT32_MAX) {
            group_credit(g, i, u->packets, u->bytes);
        }
    }
}

static void push(const struct credit *c, const struct use *u, struct bridge *b) {
    bool limited;
    switch ((enum credit_type)c->type) {
    case CREDIT_RULE:
        rule_credit(c->rule, u->packets, u->bytes, u->used_ms);
        count_lookup(b, c->table, u->packets, true);
        break;
    case CREDIT_GROUP: count_group(c->group, c->arg, u); break;
    case CREDIT_TABLE_MISS: count_lookup(b, c->table, u->packets, false); break;
    case CREDIT_LEARN: ofproto_learn(&b->ofproto, c->learn, c->arg, &limited); break;
    case CREDIT_NORMAL:
        if (mac_learn(&b->macs, c->mac, c->vlan, c->arg, u->used_ms)) {
            bridge_mac_changed(b, c->mac, c->vlan);
        }
        break;
    case CREDIT_FIN_TIMEOUT:
        if (u->tcp_flags & TCP_FIN_OR_RST) {
            ofproto_fin_timeout(&b->ofproto, c->fin.rule, c->fin.idle, c->fin.hard);
        }
        break;
    case CREDIT_ASKED_MAC:
    case CREDIT_LEARN_FULL:
    case CREDIT_FROZEN:
    case CREDIT_PIN: break;
    }
}

void credits_push(struct credits *c, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                  uint64_t used_ms, struct bridge *bridge) {
    struct use u = {.packets = packets, .bytes = bytes, .used_ms = used_ms, .tcp_flags = tcp_flags};
    if (packets == 0) {
        return; // Nothing was used, so nothing is kept alive.
    }
    for (uint32_t i = 0; i < c->n; i++) {
        push(&c->list[i], &u, bridge);
    }
}

void credit_release(struct bridge *b, const struct credit *c) {
    switch ((enum credit_type)c->type) {
    case CREDIT_RULE: rule_unref(c->rule); break;
    case CREDIT_FIN_TIMEOUT: rule_unref(c->fin.rule); break;
    case CREDIT_GROUP: group_unref(c->group); break;
    case CREDIT_LEARN:
        ofpacts_destroy(&c->learn->ofpacts);
        free(c->learn);
        break;
    case CREDIT_FROZEN: frozen_unref(b->frozen, c->arg); break;
    case CREDIT_PIN: pin_unref(b->pins, c->arg); break;
    case CREDIT_TABLE_MISS:
    case CREDIT_ASKED_MAC:
    case CREDIT_LEARN_FULL:
    case CREDIT_NORMAL: break;
    }
}

void credits_clear(struct credits *c) {
    for (uint32_t i = 0; i < c->n; i++) {
        credit_release(c->bridge, &c->list[i]);
    }
    c->n = 0;
}

void credits_destroy(struct credits *c) {
    credits_clear(c);
    free(c->list);
    *c = (struct credits){0};
}
