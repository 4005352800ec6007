// Subtables: making them, their slots, and the order in which lookups try them.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/classifier_private.h"

static const uint8_t level_end[CLS_N_LEVELS] = {FLOW_STAGE_META, FLOW_STAGE_L2, FLOW_STAGE_L3,
                                                FLOW_STAGE_L4};

// -- slots --

static struct cls_slot *free_place(uintptr_t a, uint32_t hash) {
    struct cls_slot *slots = array_entries(a);
    uint32_t mask = array_mask(a), i = hash & mask;
    while (slots[i].hash != 0) {
        i = (i + 1) & mask;
    }
    return &slots[i];
}

int slots_reserve(struct cls_subtable *t) {
    uintptr_t old = rcu_get(t->slots);
    struct cls_slot *slots = array_entries(old);
    uint64_t length = (uint64_t)array_mask(old) + 1;
    if (((uint64_t)t->slots_used + 1) * 4 <= length * 3) {
        return 0;
    }
    uintptr_t new = array_create(t->n_lists + 1);
    if (!new) {
        return -ENOMEM;
    }
    t->slots_used = 0;
    for (uint64_t i = 0; i < length; i++) {
        struct cls_rule *first = rcu_get(slots[i].first);
        if (first) {
            struct cls_slot *to = free_place(new, first->hash);
            atomic_init(&to->first, first);
            atomic_init(&to->hash, first->hash);
            t->slots_used++;
        }
    }
    array_publish(&t->slots, new);
    return 0;
}

struct cls_slot *slots_find(const struct cls_subtable *t, const struct minimatch *match,
                            uint32_t hash) {
    uintptr_t a = rcu_get(((struct cls_subtable *)(uintptr_t)t)->slots);
    struct cls_slot *slots = array_entries(a), *emptied = NULL;
    for (uint32_t mask = array_mask(a), i = hash & mask;; i = (i + 1) & mask) {
        struct cls_slot *slot = &slots[i];
        uint32_t h = atomic_load_explicit(&slot->hash, memory_order_relaxed);
        struct cls_rule *first = rcu_get(slot->first);
        if (h == 0) {
            return emptied ? emptied : slot;
        }
        if (h == hash && !first) {
            emptied = slot;
        } else if (h == hash &&
                   memcmp(first->match->words, match->words, t->n_words * sizeof(uint64_t)) == 0) {
            return slot;
        }
    }
}

void slots_fill(struct cls_subtable *t, struct cls_slot *slot, struct cls_rule *first) {
    t->slots_used += slot->hash == 0;
    rcu_set(slot->first, first);
    atomic_store_explicit(&slot->hash, first->hash, memory_order_release);
}

uint32_t subtable_hash(const struct cls_subtable *s, const struct minimatch *match,
                       uint64_t stage_hashes[CLS_L4]) {
    uint64_t hash = CLS_HASH_SEED;
    unsigned w = 0;
    for (unsigned i = 0; i < s->n_stages; i++) {
        for (unsigned end = w + s->stage[i]->n_words; w < end; w++) {
            hash = cls_hash_add(hash, match->words[w]);
        }
        if (stage_hashes) {
            stage_hashes[i] = hash;
        }
    }
    for (; w < s->n_words; w++) {
        hash = cls_hash_add(hash, match->words[w]);
    }
    return cls_hash_end(hash);
}

// -- making --

static uint32_t mask_hash(const struct minimatch *match, unsigned n) {
    uint64_t hash =
        cls_hash_add(cls_hash_add(CLS_HASH_SEED, match->map.bits[0]), match->map.bits[1]);
    for (unsigned i = 0; i < n; i++) {
        hash = cls_hash_add(hash, match->words[n + i]);
    }
    return (uint32_t)hash;
}

struct cls_subtable *subtable_find(const struct classifier *cls, const struct minimatch *match) {
    unsigned n = flowmap_count(match->map);
    uint32_t hash = mask_hash(match, n);
    struct cls_subtable *s = cls->by_mask ? cls->by_mask[hash & cls->by_mask_mask] : NULL;
    while (s && (s->mask_hash != hash || s->map.bits[0] != match->map.bits[0] ||
                 s->map.bits[1] != match->map.bits[1] ||
                 memcmp(s->masks, match->words + n, n * sizeof(uint64_t)) != 0)) {
        s = s->mask_next;
    }
    return s;
}

static int by_mask_reserve(struct classifier *cls) {
    uint32_t size = cls->by_mask ? cls->by_mask_mask + 1 : 0;
    if (cls->n_subtables < size) {
        return 0;
    }
    uint32_t n = size ? size * 2 : 8;
    struct cls_subtable **table = calloc(n, sizeof *table);
    if (!table) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < size; i++) {
        for (struct cls_subtable *s = cls->by_mask[i], *next; s; s = next) {
            next = s->mask_next;
            s->mask_next = table[s->mask_hash & (n - 1)];
            table[s->mask_hash & (n - 1)] = s;
        }
    }
    free(cls->by_mask);
    cls->by_mask = table;
    cls->by_mask_mask = n - 1;
    return 0;
}

static uint64_t mask_word(const struct cls_subtable *s, unsigned word) {
    return flowmap_has(s->map, word) ? s->masks[flowmap_index(s->map, word)] : 0;
}

// Bits of a mask from the front if it is a prefix, else 0. `words` in network byte order.
static unsigned prefix_length(const uint64_t *words, unsigned n) {
    unsigned len = 0;
    bool ended = false;
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = be64toh(words[i]);
        unsigned ones = ~v ? (unsigned)__builtin_clzll(~v) : 64;
        if ((ended && v != 0) || (ones < 64 && v << ones != 0)) {
            return 0;
        }
        ended = ended || ones < 64;
        len += ones;
    }
    return len;
}

// Which tries may decide about this subtable. Only where dl_type is matched too: a trie of IPv4 addresses
// says nothing about an ARP packet, and its word is the same.
static void find_prefixes(struct cls_subtable *s) {
    struct flow mask = {.nw_src = 0};
    const unsigned first = FLOW_WORD(dl_dst);
    for (unsigned w = first; w < FLOW_WORDS; w++) {
        flow_words(&mask)[w] = mask_word(s, w);
    }
    uint64_t src = htobe64((uint64_t)ntoh32(mask.nw_src) << 32);
    uint64_t dst = htobe64((uint64_t)ntoh32(mask.nw_dst) << 32);
    s->prefix_len[CLS_NW_SRC] = (uint8_t)prefix_length(&src, 1);
    s->prefix_len[CLS_NW_DST] = (uint8_t)prefix_length(&dst, 1);
    const uint64_t *words = flow_words(&mask);
    s->prefix_len[CLS_IPV6_SRC] = (uint8_t)prefix_length(words + FLOW_WORD(ipv6_src), 2);
    s->prefix_len[CLS_IPV6_DST] = (uint8_t)prefix_length(words + FLOW_WORD(ipv6_dst), 2);
    for (unsigned i = 0; i < CLS_N_TRIES && mask.dl_type == UINT16_MAX; i++) {
        s->tries |= (uint8_t)((s->prefix_len[i] != 0) << i);
    }
    uint32_t ports = (uint32_t)ntoh16(mask.tp_src) << 16 | ntoh16(mask.tp_dst);
    s->ports_len = ports ? (uint8_t)(32 - __builtin_ctz(ports)) : 0;
    s->conj_id = mask_word(s, FLOW_WORD(conj_id)) != 0 &&
                 (mask_word(s, FLOW_WORD(conj_id)) & CLS_CONJ_ID_MASK) != 0;
}

// The words of each level become a stage, the last level's the final step.
static int find_stages(struct classifier *cls, struct cls_subtable *s) {
    const uint8_t *words = subtable_words(s);
    s->tries_at = UINT8_MAX;
    for (unsigned level = 0, from = 0, end; level < CLS_N_LEVELS; level++, from = end) {
        for (end = from; end < s->n_words && words[end] < level_end[level]; end++) {
        }
        if (end == from) {
            continue;
        }
        if (level == CLS_L3) {
            s->tries_at = s->n_stages;
        }
        if (end == s->n_words) {
            s->last_from = (uint8_t)from;
            return 0;
        }
        const struct cls_words step = {
            .n = (uint8_t)(end - from), .word = words + from, .mask = s->masks + from};
        struct cls_stage *parent = s->n_stages ? s->stage[s->n_stages - 1] : NULL;
        if (stage_acquire(cls, parent, level, &step, &s->stage[s->n_stages],
                          &s->bit[s->n_stages])) {
            return -ENOMEM;
        }
        s->n_stages++;
    }
    return 0; // Matches everything: no words.
}

static void release_stages(struct classifier *cls, struct cls_subtable *s) {
    while (s->n_stages > 0) {
        s->n_stages--;
        stage_release(cls, s->stage[s->n_stages], s->bit[s->n_stages]);
    }
}

struct cls_subtable *subtable_create(struct classifier *cls, const struct minimatch *match) {
    unsigned n = flowmap_count(match->map);
    if (by_mask_reserve(cls)) {
        return NULL;
    }
    struct cls_subtable *s = lines_alloc(sizeof *s + n * (sizeof(uint64_t) + 1u));
    uintptr_t slots = array_create(1);
    if (!s || !slots) {
        free(s);
        free(array_entries(slots));
        return NULL;
    }
    s->n_words = (uint8_t)n;
    s->map = match->map;
    s->mask_hash = mask_hash(match, n);
    memcpy(s->masks, match->words + n, n * sizeof(uint64_t));
    uint8_t *words = (uint8_t *)(s->masks + n);
    FLOWMAP_FOR_EACH(word, match->map) {
        *words++ = (uint8_t)word;
    }
    atomic_init(&s->slots, slots);
    find_prefixes(s);
    if (find_stages(cls, s)) {
        release_stages(cls, s);
        free(array_entries(slots));
        free(s);
        return NULL;
    }
    s->mask_next = cls->by_mask[s->mask_hash & cls->by_mask_mask];
    cls->by_mask[s->mask_hash & cls->by_mask_mask] = s;
    cls->n_subtables++;
    return s;
}

static void subtable_free(void *arg) {
    struct cls_subtable *s = arg;
    trie_destroy(&s->ports);
    free(array_entries(rcu_get(s->slots)));
    free(s);
}

void subtable_destroy(struct classifier *cls, struct cls_subtable *s) {
    struct cls_subtable **at = &cls->by_mask[s->mask_hash & cls->by_mask_mask];
    while (*at != s) {
        at = &(*at)->mask_next;
    }
    *at = s->mask_next;
    cls->n_subtables--;
    unsigned n_stages = s->n_stages; // Readers may still use them.
    for (unsigned i = n_stages; i-- > 0;) {
        stage_release(cls, s->stage[i], s->bit[i]);
    }
    rcu_postpone(subtable_free, s);
}
