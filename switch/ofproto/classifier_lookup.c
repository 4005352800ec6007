// Looking a packet up: the only code here that runs for packets.

#include <stdlib.h>

#include "ofproto/classifier_private.h"

#define MEMO_STAGES   128u // Whose answers a lookup remembers; those beyond are asked again.
#define SOFT_ON_STACK 512u // Subtables: each may have one soft match.

struct stage_memo {
    uint64_t hash, members;
};

struct lookup {
    const uint64_t *flow; // Words.
    uint64_t *wc;         // NULL = not wanted.
    uint64_t version;
    const struct classifier *cls;
    uint8_t tries_asked; // Bit i: trie[i] holds the answer.
    uint8_t tries_apply; // Bit i: it says something about this packet.
    struct trie_result trie[CLS_N_TRIES];
    uint64_t remembered[MEMO_STAGES / 64];
    struct stage_memo memo[MEMO_STAGES];
};

static inline const struct flow *lookup_flow(const struct lookup *l) {
    return (const struct flow *)(const void *)l->flow;
}

// -- tries --

static void trie_ask(struct lookup *l, unsigned i) {
    const struct flow *f = lookup_flow(l);
    struct trie_key key = {0, 0};
    bool v6 = i == CLS_IPV6_SRC || i == CLS_IPV6_DST;
    l->tries_asked |= (uint8_t)(1u << i);
    if (f->dl_type != (v6 ? hton16(0x86dd) : hton16(0x0800))) {
        return;
    }
    l->tries_apply |= (uint8_t)(1u << i);
    if (v6) {
        const uint64_t *w =
            l->flow + (i == CLS_IPV6_SRC ? FLOW_WORD(ipv6_src) : FLOW_WORD(ipv6_dst));
        key = (struct trie_key){be64toh(w[0]), be64toh(w[1])};
    } else {
        key.hi = (uint64_t)ntoh32(i == CLS_NW_SRC ? f->nw_src : f->nw_dst) << 32;
    }
    trie_lookup(&l->cls->tries[i], key, v6 ? 128 : 32, &l->trie[i]);
}

static inline uint64_t prefix64(unsigned n) {
    return n == 0 ? 0 : n >= 64 ? UINT64_MAX : ~(UINT64_MAX >> n);
}

static inline uint64_t *trie_wc(const struct lookup *l, unsigned i) {
    return l->wc + (i == CLS_IPV6_SRC   ? FLOW_WORD(ipv6_src)
                    : i == CLS_IPV6_DST ? FLOW_WORD(ipv6_dst)
                                        : FLOW_WORD(nw_src));
}

// The mask of the first n bits of trie i's field, as one or two words of a key.
static inline void trie_mask(unsigned i, unsigned n, uint64_t mask[2]) {
    mask[0] = htobe64(prefix64(n));
    mask[1] = htobe64(n > 64 ? prefix64(n - 64) : 0);
    if (i == CLS_NW_SRC || i == CLS_NW_DST) {
        struct flow_addresses {
            be32 src, dst;
        } a = {0, 0};
        *(i == CLS_NW_SRC ? &a.src : &a.dst) = hton32((uint32_t)(prefix64(n) >> 32));
        memcpy(mask, &a, sizeof a);
        mask[1] = 0;
    }
}
static_assert(offsetof(struct flow, nw_src) % 8 == 0 &&
                  offsetof(struct flow, nw_dst) == offsetof(struct flow, nw_src) + 4,
              "both addresses are one word");

// Do the tries rule out that this subtable has a match? What that took is un-wildcarded, but only if it is
// not more than the subtable itself would, or was looked at already.
static bool tries_exclude(struct lookup *l, const struct cls_subtable *s) {
    for (unsigned left = s->tries; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (!(l->tries_asked >> i & 1)) {
            trie_ask(l, i);
        }
        const struct trie_result *r = &l->trie[i];
        if (!(l->tries_apply >> i & 1) || trie_has_length(r, s->prefix_len[i])) {
            continue;
        }
        if (!l->wc) {
            return true;
        }
        uint64_t mask[2];
        uint64_t *wc = trie_wc(l, i);
        trie_mask(i, r->looked_at, mask);
        bool seen = (wc[0] & mask[0]) == mask[0] && (mask[1] == 0 || (wc[1] & mask[1]) == mask[1]);
        if (seen) {
            return true;
        }
        if (r->looked_at <= s->prefix_len[i]) {
            wc[0] |= mask[0];
            if (mask[1]) {
                wc[1] |= mask[1];
            }
            return true;
        }
    }
    return false;
}

// -- subtables --

// Which members of the stage to go on with; *hash is taken on.
static inline uint64_t stage_ask(struct lookup *l, const struct cls_stage *s, uint64_t *hash) {
    unsigned index = s->index;
    if (index < MEMO_STAGES && l->remembered[index / 64] >> index % 64 & 1) {
        *hash = l->memo[index].hash;
        return l->memo[index].members;
    }
    const uint8_t *words = stage_words(s);
    uint64_t h = *hash;
    for (unsigned i = 0; i < s->n_words; i++) {
        h = cls_hash_add(h, l->flow[words[i]] & s->masks[i]);
        if (l->wc) {
            l->wc[words[i]] |= s->masks[i];
        }
    }
    uint64_t members = stage_find(s, h);
    if (index < MEMO_STAGES) {
        l->remembered[index / 64] |= UINT64_C(1) << index % 64;
        l->memo[index] = (struct stage_memo){h, members};
    }
    *hash = h;
    return members;
}

static inline bool rule_matches(const struct lookup *l, const struct cls_subtable *s,
                                const struct cls_rule *r) {
    const uint8_t *words = subtable_words(s);
    const uint64_t *values = r->match->words;
    uint64_t differ = 0;
    for (unsigned i = 0; i < s->n_words; i++) {
        differ |= (l->flow[words[i]] & s->masks[i]) ^ values[i];
    }
    return differ == 0;
}

// No rule has these ports: how many of their bits does it take to know? False: one has, but something
// else was wrong with it.
static bool ports_exclude(struct lookup *l, const struct cls_subtable *s) {
    const unsigned w = FLOW_WORD(tp_src);
    uint64_t mask = s->masks[flowmap_index(s->map, w)] & CLS_PORTS_MASK;
    uint64_t value = l->flow[w] & mask;
    struct flow_ports {
        be16 src, dst;
    } p;
    memcpy(&p, &value, sizeof p);
    struct trie_key key = {(uint64_t)ntoh16(p.src) << 48 | (uint64_t)ntoh16(p.dst) << 32, 0};
    struct trie_result r;
    trie_lookup(&s->ports, key, 32, &r);
    if (trie_has_length(&r, s->ports_len)) {
        return false;
    }
    uint64_t seen = prefix64(r.looked_at);
    p = (struct flow_ports){hton16((uint16_t)(seen >> 48)), hton16((uint16_t)(seen >> 32))};
    uint64_t seen_word = 0;
    memcpy(&seen_word, &p, sizeof p);
    l->wc[w] |= mask & seen_word;
    return true;
}

static inline struct cls_rule *slots_lookup(const struct lookup *l, const struct cls_subtable *s,
                                            uint32_t hash) {
    uintptr_t a = rcu_get(((struct cls_subtable *)(uintptr_t)s)->slots);
    struct cls_slot *slots = array_entries(a);
    for (uint32_t mask = array_mask(a), i = hash & mask;; i = (i + 1) & mask) {
        uint32_t h = atomic_load_explicit(&slots[i].hash, memory_order_acquire);
        if (h == hash) {
            struct cls_rule *first = rcu_get(slots[i].first);
            __builtin_prefetch((const char *)first + 128); // Its match, mostly.
            if (first && rule_matches(l, s, first)) {
                return first;
            }
        }
        if (h == 0) {
            return NULL;
        }
    }
}

// The rules of this subtable that match the packet, the first of them.
static inline struct cls_rule *subtable_lookup(struct lookup *l, const struct order_entry *e) {
    const struct cls_subtable *s = e->subtable;
    uint64_t hash = CLS_HASH_SEED;
    unsigned step = 0;
    for (; step < s->n_stages; step++) {
        if (step == s->tries_at && s->tries && tries_exclude(l, s)) {
            return NULL;
        }
        if (!(stage_ask(l, s->stage[step], &hash) >> s->bit[step] & 1)) {
            return NULL;
        }
    }
    if (step == s->tries_at && s->tries && tries_exclude(l, s)) {
        return NULL;
    }
    const uint8_t *words = subtable_words(s);
    for (unsigned i = s->last_from; i < s->n_words; i++) {
        hash = cls_hash_add(hash, l->flow[words[i]] & s->masks[i]);
    }
    struct cls_rule *first = slots_lookup(l, s, cls_hash_end(hash));
    if (l->wc && (first || !s->ports_len || !ports_exclude(l, s))) {
        for (unsigned i = s->last_from; i < s->n_words; i++) {
            l->wc[words[i]] |= s->masks[i];
        }
    }
    return first;
}

static inline bool entry_is_out(const struct lookup *l, const struct order_entry *e) {
    unsigned index = e->stage;
    return index < MEMO_STAGES && l->remembered[index / 64] >> index % 64 & 1 &&
           !(l->memo[index].members >> e->bit & 1);
}

static inline const struct cls_rule *list_top(const struct cls_rule *first, uint64_t version) {
    while (first && !rule_visible(first, version)) {
        first = rule_next(first);
    }
    return first;
}

// -- conjunctions --

static const struct cls_rule *list_hard(const struct cls_rule *first, uint64_t version) {
    const struct cls_soft *s = rcu_get(((struct cls_rule *)(uintptr_t)first)->soft);
    if (s && s->since <= version &&
        version <
            atomic_load_explicit(&((struct cls_soft *)(uintptr_t)s)->until, memory_order_relaxed)) {
        return s->hard;
    }
    const struct cls_rule *r = list_top(first, version);
    while (r && r->n_conj) {
        r = list_top(rule_next(r), version);
    }
    return r;
}

// The lookup with conj_id = id and without soft matches. Subtables that do not look at conj_id answer as they
// did: `hard` is the best of them.
static const struct cls_rule *conj_lookup(const struct lookup *l, const struct cls_order *o,
                                          uint32_t id, const struct cls_rule *hard) {
    struct flow flow = *lookup_flow(l);
    flow.conj_id = id;
    struct lookup with_id;
    with_id.flow = flow_words(&flow);
    with_id.wc = l->wc;
    with_id.version = l->version;
    with_id.cls = l->cls;
    with_id.tries_asked = l->tries_asked;
    with_id.tries_apply = l->tries_apply;
    memcpy(with_id.trie, l->trie, sizeof with_id.trie);
    memset(with_id.remembered, 0, sizeof with_id.remembered);
    for (uint32_t i = 0; i < o->n_conj; i++) {
        const struct order_entry *e = &o->entries[o->conj[i]];
        if (hard && e->max_priority <= hard->priority) {
            break;
        }
        if (entry_is_out(&with_id, e)) {
            continue;
        }
        const struct cls_rule *top = list_top(subtable_lookup(&with_id, e), l->version);
        if (top && !top->n_conj && (!hard || top->priority > hard->priority)) {
            hard = top;
        }
    }
    return hard;
}

static const struct cls_rule *conj_resolve(const struct lookup *l, const struct cls_order *o,
                                           const struct cls_rule *hard,
                                           const struct cls_rule *const *soft, unsigned n,
                                           struct join_list *lists, uint32_t *matched) {
    const struct cls_rule *best = hard; // Also of those that stand below soft ones.
    for (unsigned i = 0; i < n; i++) {
        const struct cls_rule *h = list_hard(soft[i], l->version);
        best = h && (!best || h->priority > best->priority) ? h : best;
    }
    struct conj_join join = {.version = l->version, .min_clauses = UINT8_MAX, .lists = lists};
    for (unsigned i = 0; i < n; i++) {
        join_add(&join, soft[i], list_top(soft[i], l->version), best ? best->priority : -1);
    }
    join_begin(&join);
    uint32_t id;
    while (join_next(&join, &id)) {
        const struct cls_rule *rule = conj_lookup(l, o, id, hard);
        if (rule) {
            *matched = id;
            return rule;
        }
    }
    return best;
}

static const struct cls_rule *lookup_run(struct lookup *l, const struct cls_order *o,
                                         const struct cls_rule **soft, struct join_list *lists,
                                         uint32_t *matched) {
    const struct cls_rule *hard = NULL;
    int hard_priority = -1, soft_priority = -1;
    unsigned n_soft = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct order_entry *e = &o->entries[i];
        if (e->max_priority <= hard_priority) {
            break;
        }
        if (entry_is_out(l, e)) {
            continue;
        }
        struct cls_rule *first = subtable_lookup(l, e);
        const struct cls_rule *top = list_top(first, l->version);
        if (!top || top->priority <= hard_priority) {
            continue;
        }
        if (top->n_conj) {
            soft[n_soft++] = first;
            soft_priority = top->priority > soft_priority ? top->priority : soft_priority;
        } else {
            hard = top;
            hard_priority = top->priority;
        }
    }
    return soft_priority <= hard_priority ? hard
                                          : conj_resolve(l, o, hard, soft, n_soft, lists, matched);
}

static const struct cls_rule *lookup_small(struct lookup *l, const struct cls_order *o,
                                           uint32_t *matched) {
    const struct cls_rule *soft[SOFT_ON_STACK];
    struct join_list lists[SOFT_ON_STACK];
    return lookup_run(l, o, soft, lists, matched);
}

static const struct cls_rule *lookup_large(struct lookup *l, const struct cls_order *o,
                                           uint32_t *matched) {
    struct join_list *lists = malloc(o->n * (sizeof *lists + sizeof(void *)));
    if (!lists) { // No answer is no rule; and it is good for this packet alone.
        if (l->wc) {
            memset(l->wc, 0xff, sizeof(struct flow));
        }
        return NULL;
    }
    const struct cls_rule *rule =
        lookup_run(l, o, (const struct cls_rule **)(void *)(lists + o->n), lists, matched);
    free(lists);
    return rule;
}

const struct cls_rule *classifier_lookup(const struct classifier *cls, uint64_t version,
                                         const struct flow *flow, struct flow *wc,
                                         uint32_t *matched_conj_id) {
    const struct cls_order *o = rcu_get(((struct classifier *)(uintptr_t)cls)->order);
    uint32_t matched = 0;
    const struct cls_rule *rule = NULL;
    if (o) {
        struct lookup l; // Most of it is filled as it is used.
        l.flow = flow_words_const(flow);
        l.wc = wc ? flow_words(wc) : NULL;
        l.version = version;
        l.cls = cls;
        l.tries_asked = l.tries_apply = 0;
        memset(l.remembered, 0, sizeof l.remembered);
        rule = likely(o->n <= SOFT_ON_STACK) ? lookup_small(&l, o, &matched)
                                             : lookup_large(&l, o, &matched);
    }
    if (matched_conj_id) {
        *matched_conj_id = matched;
    }
    return rule;
}
