// Which rules a request is about; and rules by their cookie.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

int rule_set_add(struct rule_set *set, struct rule *r) {
    if (set->n == set->cap) {
        uint32_t cap = set->cap ? set->cap * 2 : 16;
        struct rule **list = realloc(set->list, cap * sizeof(struct rule *));
        if (!list) {
            return -ENOMEM;
        }
        set->list = list;
        set->cap = cap;
    }
    set->list[set->n++] = r;
    return 0;
}

// -- by cookie --

static uint32_t cookie_hash(uint64_t cookie) {
    return (uint32_t)((cookie * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static void cookie_chain_add(struct rule **link, struct rule *r) {
    r->cookie_next = *link;
    r->cookie_link = link;
    if (*link) {
        (*link)->cookie_link = &r->cookie_next;
    }
    *link = r;
}

int cookies_reserve(struct ofproto *p) {
    struct ofproto_internal *in = internal(p);
    uint32_t size = in->by_cookie ? in->by_cookie_mask + 1 : 0;
    if (in->n_rules < size) {
        return 0;
    }
    uint32_t n = size ? size * 2 : 64;
    struct rule **table = calloc(n, sizeof(struct rule *));
    if (!table) {
        return size ? 0 : -ENOMEM; // Longer chains do, too.
    }
    for (uint32_t i = 0; i < size; i++) {
        for (struct rule *r = in->by_cookie[i], *next; r; r = next) {
            next = r->cookie_next;
            cookie_chain_add(&table[cookie_hash(r->cookie) & (n - 1)], r);
        }
    }
    free(in->by_cookie);
    in->by_cookie = table;
    in->by_cookie_mask = n - 1;
    return 0;
}

void cookies_add(struct ofproto *p, struct rule *r) {
    struct ofproto_internal *in = internal(p);
    cookie_chain_add(&in->by_cookie[cookie_hash(r->cookie) & in->by_cookie_mask], r);
}

void cookies_remove(struct rule *r) {
    *r->cookie_link = r->cookie_next;
    if (r->cookie_next) {
        r->cookie_next->cookie_link = r->cookie_link;
    }
    r->cookie_next = NULL;
    r->cookie_link = NULL;
}

static struct rule *cookie_chain(const struct ofproto *p, uint64_t cookie) {
    struct ofproto_internal *in = internal(p);
    return in->by_cookie ? in->by_cookie[cookie_hash(cookie) & in->by_cookie_mask] : NULL;
}

uint32_t cookies_count(const struct ofproto *p, uint8_t table, uint64_t cookie) {
    uint32_t n = 0;
    for (const struct rule *r = cookie_chain(p, cookie); r; r = r->cookie_next) {
        n += r->cookie == cookie && r->table == table;
    }
    return n;
}

// -- by criteria --

struct collecting {
    const struct criteria *criteria;
    struct rule_set *out;
    int error;
};

static bool meets(const struct criteria *c, const struct rule *r) {
    return (c->table == 255 || c->table == r->table) &&
           ((r->cookie ^ c->cookie) & c->cookie_mask) == 0 && rule_has_out_port(r, c->out_port) &&
           rule_has_out_group(r, c->out_group);
}

static bool collect_one(struct cls_rule *cr, void *arg) {
    struct collecting *c = arg;
    struct rule *r = rule_of(cr);
    if (meets(c->criteria, r)) {
        c->error = rule_set_add(c->out, r);
    }
    return c->error == 0;
}

int collect_loose(const struct ofproto *p, const struct criteria *c, struct rule_set *out) {
    if (c->cookie_mask == UINT64_MAX) {
        int error = 0;
        for (struct rule *r = cookie_chain(p, c->cookie); r && error == 0; r = r->cookie_next) {
            if (meets(c, r) && cls_rule_covered(&r->cr, c->match)) {
                error = rule_set_add(out, r);
            }
        }
        return error;
    }
    struct collecting collecting = {c, out, 0};
    for (unsigned i = 0; i < OFP_N_TABLES && collecting.error == 0; i++) {
        if ((c->table == 255 || c->table == i) && p->tables[i].n_flows > 0) {
            classifier_for_each(p->tables[i].cls, next_version(p), c->match, collect_one,
                                &collecting);
        }
    }
    return collecting.error;
}

int collect_strict(const struct ofproto *p, const struct criteria *c, uint16_t priority,
                   struct rule_set *out) {
    for (unsigned i = 0; i < OFP_N_TABLES; i++) {
        if ((c->table != 255 && c->table != i) || p->tables[i].n_flows == 0) {
            continue;
        }
        struct cls_rule *cr =
            classifier_find_exact(p->tables[i].cls, c->match, priority, next_version(p));
        if (cr && meets(c, rule_of(cr)) && rule_set_add(out, rule_of(cr))) {
            return -ENOMEM;
        }
    }
    return 0;
}
