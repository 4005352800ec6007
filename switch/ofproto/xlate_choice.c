// multipath and bundle: one of many links, by a hash over the packet or by who is alive.

#include "ofproto/xlate_private.h"

enum { MODULO_N, HASH_THRESHOLD, HRW, ITER_HASH }; // ofpact_multipath.algorithm
enum { ACTIVE_BACKUP = 0, HRW_MAX_LINKS = 64 };

// -- multipath --

static uint16_t link_hrw(uint32_t hash, uint32_t n) { // The link whose draw is the highest.
    uint16_t best = 0;
    uint32_t best_weight = xlate_hash_2words(hash, 0);
    for (uint32_t i = 1; i < n; i++) {
        uint32_t weight = xlate_hash_2words(hash, i);
        if (weight > best_weight) {
            best_weight = weight;
            best = (uint16_t)i;
        }
    }
    return best;
}

static uint32_t power_of_two(uint32_t n) { // The least that is not below n.
    uint32_t p = 1;
    while (p < n) {
        p *= 2;
    }
    return p;
}

static uint16_t link_iter(uint32_t hash, uint32_t n,
                          uint32_t modulo) { // Draws until one is a link.
    if (modulo < n || modulo / 2 > n) {
        modulo = power_of_two(n);
    }
    uint32_t i = 0, link;
    do {
        link = xlate_hash_2words(hash, i++) % modulo;
    } while (link >= n);
    return (uint16_t)link;
}

static uint16_t link_of(const struct ofpact_multipath *m, uint32_t hash) {
    uint32_t n = (uint32_t)m->max_link + 1;
    switch (m->algorithm) {
    case MODULO_N: return (uint16_t)(hash % n);
    case HASH_THRESHOLD: return n == 1 ? 0 : (uint16_t)(hash / (UINT32_MAX / n + 1));
    case HRW: return n <= HRW_MAX_LINKS ? link_hrw(hash, n) : link_iter(hash, n, 0);
    default: return link_iter(hash, n, m->arg);
    }
}

enum xstep xlate_do_multipath(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_multipath *m = (const struct ofpact_multipath *)(const void *)a;
    (void)at;
    uint16_t link = link_of(m, xlate_hash_fields(x->flow, m->fields, m->basis));
    xlate_mask_hash_fields(x->flow, x->wc, m->fields);
    xlate_load(x, &m->dst, link);
    return XSTEP_NEXT;
}

// -- bundle --

static bool member_is_alive(const struct xlate *x, uint16_t port) {
    switch (port) {
    case OFPP_IN_PORT:
    case OFPP_TABLE:
    case OFPP_NORMAL:
    case OFPP_FLOOD:
    case OFPP_ALL:
    case OFPP_NONE: return true;
    case OFPP_CONTROLLER: return false;
    default: return xlate_port_alive(x, port);
    }
}

static uint16_t first_alive(const struct xlate *x, const struct ofpact_bundle *b) {
    for (unsigned i = 0; i < b->n_members; i++) {
        if (member_is_alive(x, b->members[i])) {
            return b->members[i];
        }
    }
    return OFPP_NONE;
}

static uint16_t highest_draw(struct xlate *x, const struct ofpact_bundle *b) {
    uint32_t hash = xlate_hash_fields(x->flow, b->fields, b->basis), best_draw = 0;
    int best = -1;
    if (b->n_members > 1) {
        xlate_mask_hash_fields(x->flow, x->wc, b->fields);
    }
    for (unsigned i = 0; i < b->n_members; i++) {
        uint32_t draw = xlate_hash_2words(i, hash);
        if (member_is_alive(x, b->members[i]) && (best < 0 || draw > best_draw)) {
            best = (int)i;
            best_draw = draw;
        }
    }
    return best < 0 ? (uint16_t)OFPP_NONE : b->members[best];
}

enum xstep xlate_do_bundle(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_bundle *b = (const struct ofpact_bundle *)(const void *)a;
    uint16_t port = b->algorithm == ACTIVE_BACKUP ? first_alive(x, b) : highest_draw(x, b);
    if (b->dst.field) {
        xlate_load(x, &b->dst, port);
    } else {
        xlate_output_to(x, port, 0, false, at);
    }
    return XSTEP_NEXT;
}
