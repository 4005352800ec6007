#include "otab.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define HANDLES    256
#define EVENTS_MAX 262144

struct otab {
    struct ofproto p;
    struct port_names names;
    uint64_t now_ms;
    struct ofp_error err;
    struct ofp_bundle *bundle;
    const struct rule *held[HANDLES];
    int n_held;
    char said[1024];
    char events[EVENTS_MAX], told[EVENTS_MAX];
    struct text log;
};

static uint64_t now_of(void *aux) {
    return ((struct otab *)aux)->now_ms;
}

static void on_change(void *aux, const struct rule *rule, int event) {
    static const char *const names[] = {"added", "deleted", "modified"};
    struct otab *t = aux;
    text_put(&t->log, "%s", names[event]);
    rule_format(rule, NULL, true, &t->log);
    text_put(&t->log, "\n");
}

static void on_removed(void *aux, const struct rule *rule, uint8_t reason) {
    struct otab *t = aux;
    text_put(&t->log, "removed %u", reason);
    rule_format(rule, NULL, true, &t->log);
    text_put(&t->log, "\n");
}

struct otab *otab_new(void) {
    struct otab *t = calloc(1, sizeof *t);
    snprintf(t->names.name[1], sizeof t->names.name[1], "h1");
    snprintf(t->names.name[2], sizeof t->names.name[2], "h2");
    snprintf(t->names.name[3], sizeof t->names.name[3], "h3");
    t->now_ms = 1000000;
    text_init(&t->log, t->events, sizeof t->events);
    if (ofproto_init(&t->p, &t->names, now_of, t)) {
        abort();
    }
    t->p.events =
        (struct ofproto_events){.aux = t, .rule_changed = on_change, .flow_removed = on_removed};
    return t;
}

static void settle(void) { // What may be freed is.
    rcu_quiesce();
    rcu_reap();
    rcu_quiesce();
    rcu_reap();
}

void otab_free(struct otab *t) {
    otab_drop_all(t);
    ofproto_destroy(&t->p);
    settle();
    free(t);
}

void otab_time(struct otab *t, uint64_t now_ms) {
    t->now_ms = now_ms;
}

static const char *say(struct otab *t, int error) {
    settle();
    if (error == 0) {
        return NULL;
    }
    snprintf(t->said, sizeof t->said, "%s %s: %s (%s)",
             t->err.ofperr ? ofperr_name(t->err.ofperr) : "-", t->err.field, t->err.message,
             t->err.hint);
    return t->said;
}

const char *otab_flow_mod(struct otab *t, uint8_t command, const char *text, uint32_t *n_affected) {
    struct flow_mod fm;
    t->err = (struct ofp_error){.code = 0};
    int error = flow_mod_parse(text, command, &t->names, &fm, &t->err);
    if (error) {
        return say(t, error);
    }
    error = t->bundle ? ofp_bundle_flow_mod(t->bundle, &fm, n_affected, &t->err)
                      : ofproto_flow_mod(&t->p, &fm, n_affected, &t->err);
    ofpacts_destroy(&fm.ofpacts);
    return say(t, error);
}

const char *otab_group_mod(struct otab *t, uint8_t command, const char *text) {
    struct group_mod gm;
    t->err = (struct ofp_error){.code = 0};
    int error = group_mod_parse(text, command, &t->names, &gm, &t->err);
    if (error) {
        return say(t, error);
    }
    error = t->bundle ? ofp_bundle_group_mod(t->bundle, &gm, &t->err)
                      : ofproto_group_mod(&t->p, &gm, &t->err);
    group_mod_destroy(&gm);
    return say(t, error);
}

const char *otab_meter_mod(struct otab *t, uint8_t command, const char *text) {
    struct meter_config m;
    t->err = (struct ofp_error){.code = 0};
    int error = meter_mod_parse(text, command, &m, &t->err);
    return say(t, error ? error : ofproto_meter_mod(&t->p, command, &m, &t->err));
}

void otab_table(struct otab *t, uint8_t table, uint32_t max_flows, bool evict) {
    t->p.tables[table].max_flows = max_flows;
    t->p.tables[table].evict = evict;
}

void otab_expire(struct otab *t) {
    ofproto_expire(&t->p, t->now_ms);
    settle();
}

uint64_t otab_change_seq(const struct otab *t) {
    return change_log_seq(&t->p.log);
}

bool otab_bundle_open(struct otab *t) {
    t->bundle = ofp_bundle_open(&t->p);
    return t->bundle;
}

void otab_bundle_end(struct otab *t, bool commit) {
    if (commit) {
        ofp_bundle_commit(t->bundle);
    } else {
        ofp_bundle_discard(t->bundle);
    }
    t->bundle = NULL;
    settle();
}

// -- rules --

static const struct rule *find(struct otab *t, uint8_t table, const char *fields) {
    struct match match;
    struct flow_text extra;
    if (match_parse(fields, &t->names, &match, &extra, &t->err)) {
        return NULL;
    }
    return ofproto_lookup(&t->p, t->p.version, table, &match.flow, NULL, NULL);
}

int otab_find(struct otab *t, uint8_t table, const char *fields) {
    const struct rule *r = find(t, table, fields);
    if (!r || t->n_held == HANDLES || !rule_try_ref(r)) {
        return -1;
    }
    t->held[t->n_held] = r;
    return t->n_held++;
}

void otab_credit(struct otab *t, int handle, uint64_t packets, uint64_t bytes, uint64_t used_ms) {
    rule_credit(t->held[handle], packets, bytes, used_ms);
}

void otab_fin_timeout(struct otab *t, int handle, uint16_t idle, uint16_t hard) {
    ofproto_fin_timeout(&t->p, t->held[handle], idle, hard);
}

void otab_drop_all(struct otab *t) {
    while (t->n_held > 0) {
        rule_unref(t->held[--t->n_held]);
    }
    settle();
}

int otab_learn(struct otab *t, const char *text, uint32_t limit, bool busy, bool *limited) {
    struct flow_mod fm;
    if (flow_mod_parse(text, FLOW_MODIFY_STRICT, &t->names, &fm, &t->err)) {
        return -EINVAL;
    }
    fm.modify_cookie = true;
    if (busy) {
        ofproto_lock(&t->p);
    }
    int error = ofproto_learn(&t->p, &fm, limit, limited);
    if (busy) {
        ofproto_unlock(&t->p);
    }
    ofpacts_destroy(&fm.ofpacts);
    settle();
    return error;
}

struct listing {
    struct otab_rule *out;
    uint32_t n, cap;
};

static bool list_one(const struct rule *rule, void *arg) {
    struct rule *r = (struct rule *)(uintptr_t)rule;
    struct listing *l = arg;
    if (l->n < l->cap) {
        struct otab_rule *o = &l->out[l->n];
        struct text text;
        *o = (struct otab_rule){
            .table = r->table,
            .priority = r->cr.priority,
            .idle_timeout = r->idle_timeout,
            .hard_timeout = r->hard_timeout,
            .importance = r->importance,
            .flags = r->flags,
            .cookie = r->cookie,
            .packets = r->packets,
            .bytes = r->bytes,
            .created_ms = r->created_ms,
            .modified_ms = r->modified_ms,
            .used_ms = r->used_ms,
        };
        text_init(&text, o->text, sizeof o->text);
        rule_format(r, NULL, true, &text);
    }
    l->n++;
    return true;
}

int otab_rules(struct otab *t, const char *filter, struct otab_rule *out, uint32_t cap) {
    struct flow_mod fm;
    struct listing l = {out, 0, cap};
    if (flow_mod_parse(filter, FLOW_DELETE, &t->names, &fm, &t->err)) {
        return -1;
    }
    struct flow_filter f = {.table = fm.table,
                            .out_port = fm.out_port,
                            .out_group = fm.out_group,
                            .cookie = fm.cookie,
                            .cookie_mask = fm.cookie_mask,
                            .match = fm.match};
    int error = ofproto_for_each(&t->p, filter[0] ? &f : NULL, list_one, &l);
    return error ? error : (int)l.n;
}

const char *otab_events(struct otab *t) {
    memcpy(t->told, t->events, t->log.len + 1);
    text_init(&t->log, t->events, sizeof t->events);
    return t->told;
}

// -- groups and meters --

struct printing {
    struct otab *t;
    bool names;
    struct text out;
};

static bool print_group(const struct group *g, void *arg) {
    struct printing *p = arg;
    group_format(g, p->names ? &p->t->names : NULL, &p->out);
    text_put(&p->out, "\n");
    return true;
}

bool otab_groups(struct otab *t, bool names, char *out, size_t cap) {
    struct printing p = {.t = t, .names = names};
    text_init(&p.out, out, cap);
    ofproto_for_each_group(&t->p, print_group, &p);
    return !p.out.cut;
}

static bool print_meter(const struct meter_config *m, void *arg) {
    struct printing *p = arg;
    meter_format(m, &p->out);
    text_put(&p->out, "\n");
    return true;
}

bool otab_meters(struct otab *t, char *out, size_t cap) {
    struct printing p = {.t = t};
    text_init(&p.out, out, cap);
    ofproto_for_each_meter(&t->p, print_meter, &p);
    return !p.out.cut;
}

static struct group *group_of(struct otab *t, uint32_t id) {
    return (struct group *)(uintptr_t)ofproto_group(&t->p, t->p.version, id);
}

void otab_group_credit(struct otab *t, uint32_t id, uint32_t bucket, uint64_t packets) {
    group_credit(group_of(t, id), bucket, packets, packets * 100);
}

uint64_t otab_group_packets(struct otab *t, uint32_t id, uint32_t bucket) {
    struct group *g = group_of(t, id);
    return bucket == UINT32_MAX ? g->packets : g->buckets[bucket].packets;
}

uint64_t otab_group_created(struct otab *t, uint32_t id) {
    return group_of(t, id)->created_ms;
}

uint32_t otab_group_map(struct otab *t, uint32_t id, uint16_t *map, uint32_t cap,
                        uint8_t *hash_alg) {
    struct group *g = group_of(t, id);
    if (g->selection != GROUP_SEL_DP_HASH) {
        return 0;
    }
    for (uint32_t i = 0; i <= g->hash_mask && i < cap; i++) {
        map[i] = g->hash_map[i];
    }
    *hash_alg = g->hash_alg;
    return g->hash_mask + 1;
}

// -- a writer and a reader at once --

struct race {
    struct otab *t;
    atomic_bool stop;
    _Atomic uint64_t lookups;
    uint64_t wrong;
};

static void *race_read(void *arg) {
    struct race *r = arg;
    rcu_register();
    while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
        struct flow flow = {.in_port = 1};
        uint64_t version = atomic_load_explicit(&r->t->p.version, memory_order_acquire);
        const struct rule *one = ofproto_lookup(&r->t->p, version, 0, &flow, NULL, NULL);
        flow.in_port = 2;
        const struct rule *two = ofproto_lookup(&r->t->p, version, 0, &flow, NULL, NULL);
        // Both rules change in one bundle: their cookies are always the same.
        r->wrong += !one || !two || one->cookie != two->cookie;
        if (one && rule_try_ref(one)) {
            rule_credit(one, 1, 1, 1);
            rule_unref(one);
        }
        r->lookups++;
        rcu_quiesce();
    }
    rcu_unregister();
    return NULL;
}

uint64_t otab_race(uint32_t n, uint64_t seed) {
    struct race r = {.t = otab_new()};
    pthread_t reader;
    for (uint64_t k = 0; k < n || r.lookups < n; k++) {
        char text[128];
        otab_bundle_open(r.t);
        for (unsigned port = 1; port <= 2; port++) {
            bool again = k > 0 && (seed + k) % 3 == 0;
            snprintf(text, sizeof text, "cookie=%llu,table=0,in_port=%u,priority=%llu,actions=%u",
                     (unsigned long long)k, port, (unsigned long long)(5 + (k / 7) % 2), port);
            if (again) {
                otab_flow_mod(r.t, FLOW_DELETE, port == 1 ? "in_port=1" : "in_port=2", NULL);
            }
            otab_flow_mod(r.t, FLOW_ADD, text, NULL);
            if (again) { // Into the bin before anyone has seen it.
                otab_flow_mod(r.t, FLOW_ADD, "priority=9,in_port=1,actions=drop", NULL);
                otab_flow_mod(r.t, FLOW_DELETE_STRICT, "priority=9,in_port=1", NULL);
            }
        }
        otab_flow_mod(r.t, FLOW_MODIFY, text, NULL);
        snprintf(text, sizeof text, "cookie=%llu,actions=drop", (unsigned long long)k);
        otab_flow_mod(r.t, FLOW_MODIFY, text, NULL);
        otab_bundle_end(r.t, true);
        if (k == 0) {
            pthread_create(&reader, NULL, race_read, &r);
        }
    }
    r.stop = true;
    pthread_join(reader, NULL);
    otab_free(r.t);
    return r.wrong;
}
