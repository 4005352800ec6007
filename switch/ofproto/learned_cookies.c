// learn(…,delete_learned): when no rule is left whose learn action names a cookie, the flows with this
// cookie in the action's table are deleted.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

static uint32_t place_hash(uint64_t cookie, uint8_t table) {
    return (uint32_t)(((cookie ^ table) * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static struct learned_cookie *place(struct learned_cookies *c, uint64_t cookie, uint8_t table) {
    for (uint32_t i = place_hash(cookie, table) & (c->cap - 1);; i = (i + 1) & (c->cap - 1)) {
        struct learned_cookie *l = &c->list[i];
        if (!l->used || (l->cookie == cookie && l->table == table)) {
            return l;
        }
    }
}

static int reserve(struct learned_cookies *c, uint32_t more) {
    if ((c->n + more) * 2 <= c->cap) {
        return 0;
    }
    uint32_t live = 0;
    for (uint32_t i = 0; i < c->cap; i++) {
        live += c->list[i].n != 0 || c->list[i].dead;
    }
    struct learned_cookies bigger = {.n = live, .cap = 16};
    while (bigger.cap < (live + more) * 4) {
        bigger.cap *= 2;
    }
    bigger.list = calloc(bigger.cap, sizeof *bigger.list);
    if (!bigger.list) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < c->cap; i++) {
        if (c->list[i].n != 0 || c->list[i].dead) {
            *place(&bigger, c->list[i].cookie, c->list[i].table) = c->list[i];
        }
    }
    free(c->list);
    *c = bigger;
    return 0;
}

static bool deletes_learned(const struct ofpact *a) {
    return a->type == OFPACT_LEARN &&
           (((const struct ofpact_learn *)(const void *)a)->flags & LEARN_DELETE_LEARNED);
}

// Calls for each such action, also nested ones: one more rule names it, or one less.
static uint32_t count_in(struct learned_cookies *c, const void *actions, size_t len, int change) {
    uint32_t n = 0;
    OFPACT_FOR_EACH(a, actions, len) {
        const struct ofpact_learn *learn = (const void *)a;
        if (deletes_learned(a)) {
            n++;
        }
        if (change != 0 && deletes_learned(a)) {
            struct learned_cookie *l = place(c, learn->cookie, learn->table);
            c->n += !l->used;
            l->used = true;
            l->cookie = learn->cookie;
            l->table = learn->table;
            l->n += (uint32_t)change;
            l->dead = l->n == 0;
        }
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        n += nested_len ? count_in(c, nested, nested_len, change) : 0;
    }
    return n;
}

int learned_add(struct ofproto *p, const struct rule *r) {
    if (!(r->uses & RULE_USES_LEARN)) {
        return 0;
    }
    struct learned_cookies *c = &internal(p)->learned;
    uint32_t n = count_in(c, r->actions, r->actions_len, 0);
    if (n != 0 && reserve(c, n)) {
        return -ENOMEM;
    }
    count_in(c, r->actions, r->actions_len, 1);
    return 0;
}

void learned_remove(struct ofproto *p, const struct rule *r) {
    if (r->uses & RULE_USES_LEARN) {
        internal(p)->learned.any_dead |=
            count_in(&internal(p)->learned, r->actions, r->actions_len, -1) != 0;
    }
}

static int delete_by(struct ofproto *p, const struct learned_cookie *l) {
    struct match all;
    memset(&all, 0, sizeof all);
    struct criteria criteria = {.table = l->table,
                                .out_port = OFPP_ANY,
                                .out_group = OFPG_ANY,
                                .cookie = l->cookie,
                                .cookie_mask = UINT64_MAX,
                                .match = &all};
    struct rule_set rules = {.n = 0};
    int error = collect_loose(p, &criteria, &rules);
    if (error == 0) {
        error = rules_prepare_delete(p, &rules, REMOVED_DELETE, NULL);
    }
    free(rules.list);
    return error;
}

void learned_delete_dead(struct ofproto *p) {
    struct learned_cookies *c = &internal(p)->learned;
    while (c->any_dead) { // What goes may have learned in its turn.
        c->any_dead = false;
        for (uint32_t i = 0; i < c->cap; i++) {
            if (c->list[i].dead && delete_by(p, &c->list[i]) == 0) {
                c->list[i].dead = false;
            }
        }
        changes_publish_one(p);
    }
}

void learned_destroy(struct ofproto *p) {
    free(internal(p)->learned.list);
}
