#include "look.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/base/rcu.h"

struct look {
    struct lookup lookup;
    struct upcall_ops ops;
    bool ended;
    struct look_owner owners[LOOK_OWNERS];
};

static void release(void *aux, void *owner, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                    uint64_t used_ms) {
    struct look *l = aux;
    struct look_owner *o = &l->owners[(uintptr_t)owner];
    (void)used_ms;
    o->released++;
    o->packets += packets;
    o->bytes += bytes;
    o->tcp_flags |= tcp_flags;
}

struct look *look_new(bool emc, bool smc, uint32_t every, bool weak) {
    struct look *l = aligned_alloc(RS_CACHE_LINE, (sizeof *l + 63) & ~(size_t)63);
    if (!l) {
        return NULL;
    }
    memset(l, 0, sizeof *l);
    l->ops = (struct upcall_ops){.aux = l, .release = release};
    if (lookup_init(&l->lookup, &l->ops, NULL, NULL, 1234567) < 0) {
        free(l);
        return NULL;
    }
    if (weak) {
        memset(l->lookup.dpcls.secret, 0, sizeof l->lookup.dpcls.secret);
    }
    look_configure(l, emc, smc, every);
    return l;
}

void look_end(struct look *l) {
    if (!l->ended) {
        lookup_destroy(&l->lookup);
        l->ended = true;
    }
}

void look_free(struct look *l) {
    look_end(l);
    free(l);
}

void look_configure(struct look *l, bool emc, bool smc, uint32_t every) {
    struct lookup_config config = {.emc = emc, .smc = smc, .emc_insert_every = every};
    int error = lookup_configure(&l->lookup, &config);
    assert(error == 0);
}

uint64_t look_smc_hits(const struct look *l) {
    return counter_get(&l->lookup.smc_hits);
}

struct look_owner look_owner(const struct look *l, uint32_t owner) {
    return l->owners[owner];
}

uint32_t look_owners_released(struct look *l) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < LOOK_OWNERS; i++) {
        assert(l->owners[i].released <= 1);
        n += l->owners[i].released;
    }
    return n;
}

static void flow_from(const uint64_t *words, struct flow *out) {
    memcpy(out, words, sizeof *out);
}

// In memory that ends where the key does, so that AddressSanitizer sees a read of a word too many.
static void key_from(const uint64_t *words, const uint64_t *map, uint32_t hash,
                     const uint64_t *secret, struct dp_key *key) {
    struct flow flow;
    flow_from(words, &flow);
    key->map = flow_map(&flow);
    if (map) {
        key->map.bits[0] |= map[0];
        key->map.bits[1] |= map[1];
    }
    key->words = 0;
    FLOWMAP_FOR_EACH(word, key->map) {
        key->values[key->words++] = words[word];
    }
    key->hash = hash ? hash : dp_key_hash(key, secret);
}

static struct odp_list output_to(void *buffer, size_t len, uint32_t port) {
    struct odp_list list = odp_list_on(buffer, (uint32_t)len);
    odp_put_simple(&list, ODP_OUTPUT, port);
    return list;
}

struct megaflow *look_install(struct look *l, const uint64_t *flow, const uint64_t *mask,
                              uint32_t owner, uint32_t port, uint64_t now_ms) {
    uint64_t buffer[8];
    struct upcall_answer answer = {.install = true, .owner = (void *)(uintptr_t)owner};
    struct flow full;
    struct dp_key key;
    assert(owner < LOOK_OWNERS);
    answer.actions = output_to(buffer, sizeof buffer, port);
    flow_from(mask, &answer.wc);
    flow_from(flow, &full);
    key_from(flow, NULL, 0, l->lookup.dpcls.secret, &key);
    return lookup_install(&l->lookup, &key, &full, &answer, now_ms);
}

void look_find(struct look *l, unsigned n, const uint64_t *flows, const uint64_t *maps,
               uint32_t hash, uint32_t *owners) {
    struct dp_key *keys = malloc(n * sizeof *keys);
    struct megaflow *found[RS_BATCH_MAX];
    assert(keys && n > 0 && n <= RS_BATCH_MAX);
    for (unsigned i = 0; i < n; i++) {
        key_from(flows + (size_t)i * FLOW_WORDS, maps ? maps + (size_t)2 * i : NULL, hash,
                 l->lookup.dpcls.secret, &keys[i]);
    }
    uint32_t missed = lookup_batch(&l->lookup, keys, n, found);
    for (unsigned i = 0; i < n; i++) {
        owners[i] = missed >> i & 1 ? 0 : (uint32_t)(uintptr_t)found[i]->owner;
    }
    free(keys);
}

uint32_t look_key_hash(struct look *l, const uint64_t *flow) {
    struct dp_key key;
    key_from(flow, NULL, 0, l->lookup.dpcls.secret, &key);
    return key.hash;
}

uint32_t look_device_hash(struct look *l, uint32_t rx_hash, uint32_t in_port, uint32_t recirc_id) {
    struct dp_key key = {.words = 0};
    struct dp_packet p = {
        .flags = PKT_HASH_VALID, .rx_hash = rx_hash, .in_port = in_port, .recirc_id = recirc_id};
    lookup_hash(&l->lookup, &p, &key);
    return key.hash;
}

void look_emc_put(struct look *l, const uint64_t *flow, uint32_t hash, struct megaflow *m) {
    struct dp_key key;
    key_from(flow, NULL, hash, l->lookup.dpcls.secret, &key);
    emc_insert(&l->lookup.emc, &key, m);
}

void look_chores(struct look *l, uint64_t now_ms, uint32_t some) {
    lookup_chores(&l->lookup, now_ms, some);
}

void look_count(struct megaflow *m, uint64_t packets, uint64_t bytes) {
    counter_add(&m->packets, packets);
    counter_add(&m->bytes, bytes);
}

uint32_t look_emc_entries(const struct look *l) {
    return atomic_load(&l->lookup.emc.n);
}

uint32_t look_subtables(const struct look *l) {
    return l->lookup.dpcls.n_subtables;
}

uint32_t look_subtable_words(const struct look *l, uint32_t rank) {
    return l->lookup.dpcls.subtables[rank]->n_words;
}

uint64_t look_emc_hits(const struct look *l) {
    return counter_get(&l->lookup.emc_hits);
}

uint64_t look_megaflow_hits(const struct look *l) {
    return counter_get(&l->lookup.megaflow_hits);
}

uint64_t look_searched(const struct look *l) {
    return counter_get(&l->lookup.dpcls.searched);
}

struct megaflow_table *look_table(const struct look *l) {
    return l->lookup.table;
}

struct walk {
    uint32_t *owners, cap, n;
};

static bool note_owner(struct megaflow *m, void *arg) {
    struct walk *w = arg;
    if (w->n < w->cap) {
        w->owners[w->n] = (uint32_t)(uintptr_t)m->owner;
    }
    w->n++;
    return true;
}

uint32_t look_walk(const struct megaflow_table *t, uint32_t slice, uint32_t *owners, uint32_t cap) {
    struct walk w = {.owners = owners, .cap = cap};
    uint32_t next = 0;
    do {
        next = megaflow_slice(t, next, slice, note_owner, &w);
    } while (next);
    return w.n;
}

struct search {
    void *owner;
    struct megaflow *found;
};

static bool is_owned(struct megaflow *m, void *arg) {
    struct search *s = arg;
    s->found = m->owner == s->owner ? m : s->found;
    return !s->found;
}

struct megaflow *look_megaflow(const struct megaflow_table *t, uint32_t owner) {
    struct search s = {.owner = (void *)(uintptr_t)owner};
    megaflow_for_each(t, is_owned, &s);
    return s.found;
}

static bool is_any(struct megaflow *m, void *arg) {
    *(struct megaflow **)arg = m;
    return false;
}

struct megaflow *look_any_megaflow(const struct megaflow_table *t) {
    struct megaflow *m = NULL;
    megaflow_for_each(t, is_any, (void *)&m);
    return m;
}

struct every {
    uint32_t n, at;
};

static bool kill_nth(struct megaflow *m, void *arg) {
    struct every *e = arg;
    if (++e->at % e->n == 0) {
        megaflow_kill(m);
    }
    return true;
}

void look_kill_some(const struct megaflow_table *t, uint32_t n) {
    struct every e = {.n = n};
    if (n > 0) {
        megaflow_for_each(t, kill_nth, &e);
    }
}

uint32_t look_megaflow_output(const struct megaflow *m) {
    const struct odp_blob *blob = rcu_get(m->actions);
    const struct odp_action *a = (const struct odp_action *)(const void *)blob->bytes;
    return blob->len == sizeof *a && a->type == ODP_OUTPUT ? a->arg : 0;
}

int look_set_output(struct megaflow *m, uint32_t port) {
    uint64_t buffer[8];
    struct odp_list list = output_to(buffer, sizeof buffer, port);
    return megaflow_set_actions(m, &list);
}

void look_megaflow_words(const struct megaflow *m, uint64_t *key, uint64_t *mask) {
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        key[i] = miniflow_get(&m->key, i);
        mask[i] = miniflow_get(m->mask, i);
    }
}

uint64_t look_megaflow_id(const struct megaflow *m) {
    return m->id;
}

void look_megaflow_counts(const struct megaflow *m, uint64_t *packets, uint64_t *bytes,
                          uint64_t *used_ms, uint16_t *tcp_flags) {
    *packets = counter_get(&m->packets);
    *bytes = counter_get(&m->bytes);
    *used_ms = counter_get(&m->used_ms);
    *tcp_flags = atomic_load(&m->tcp_flags);
}

struct harassment {
    uint32_t n, at, port;
    uint64_t killed;
};

static bool harass_one(struct megaflow *m, void *arg) {
    struct harassment *h = arg;
    if (++h->at % h->n == 0) {
        megaflow_kill(m);
        h->killed++;
    } else {
        look_set_output(m, h->port);
    }
    return true;
}

uint64_t look_harass(const struct megaflow_table *t, uint32_t n, uint32_t port, const bool *stop) {
    struct harassment h = {.n = n, .port = port};
    rcu_register();
    while (!*(const volatile bool *)stop) {
        uint32_t next = 0;
        do {
            next = megaflow_slice(t, next, 50, harass_one, &h);
            rcu_quiesce();
        } while (next);
        rcu_reap();
    }
    rcu_unregister();
    return h.killed;
}
