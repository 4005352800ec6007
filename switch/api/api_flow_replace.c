// The flow tables replaced as a whole: the difference between what is there and what is wanted, in one
// bundle.
//
//     texts ─▶ wanted (by table, priority, match; of equal ones the last counts) ┐
//     rules ─▶ those not wanted: delete                                          ├─▶ bundle ─▶ commit
//              those wanted and the same: nothing; all others wanted: add        ┘

#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"

enum { REASON_DELETE = 2 }; // OpenFlow's number.

struct wanted { // A flow_mod (add), compressed.
    uint8_t table;
    bool is_there; // A rule that is the same exists.
    uint16_t priority, idle_timeout, hard_timeout, importance, flags;
    uint32_t line, hash, chain;
    uint64_t cookie;
    struct minimatch *match;
    struct ofpacts ofpacts;
};

struct replacement {
    rs_switch *sw;
    struct wanted *list;
    uint32_t n, cap, n_heads;
    uint32_t *heads;          // Index into list + 1; 0 = none.
    const struct rule **gone; // Referenced.
    uint32_t n_gone, gone_cap;
    bool no_memory;
};

static uint32_t hash_of(uint8_t table, uint16_t priority, const struct minimatch *m) {
    uint64_t h = (uint64_t)table << 16 | priority;
    unsigned n = 2 * flowmap_count(m->map);
    h = (h ^ m->map.bits[0]) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ m->map.bits[1]) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < n; i++) {
        h = (h ^ h >> 29 ^ m->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return (uint32_t)(h >> 32);
}

static struct wanted *find(struct replacement *r, uint8_t table, uint16_t priority,
                           const struct minimatch *match, uint32_t hash) {
    for (uint32_t i = r->heads[hash & (r->n_heads - 1)]; i != 0; i = r->list[i - 1].chain) {
        struct wanted *w = &r->list[i - 1];
        if (w->hash == hash && w->table == table && w->priority == priority &&
            minimatch_equal(w->match, match)) {
            return w;
        }
    }
    return NULL;
}

static void link_in(struct replacement *r, uint32_t i) {
    uint32_t *head = &r->heads[r->list[i].hash & (r->n_heads - 1)];
    r->list[i].chain = *head;
    *head = i + 1;
}

static int make_room(struct replacement *r) {
    if (r->n < r->cap) {
        return 0;
    }
    uint32_t cap = r->cap ? 2 * r->cap : 256;
    struct wanted *list = realloc(r->list, cap * sizeof *list);
    if (!list) {
        return -ENOMEM;
    }
    r->list = list;
    uint32_t *heads = calloc(cap, sizeof *heads);
    if (!heads) {
        return -ENOMEM;
    }
    free(r->heads);
    r->heads = heads;
    r->cap = r->n_heads = cap;
    for (uint32_t i = 0; i < r->n; i++) {
        link_in(r, i);
    }
    return 0;
}

// Takes over fm->ofpacts.
static int want(struct replacement *r, struct flow_mod *fm, uint32_t line) {
    struct minimatch *match = malloc(minimatch_bytes(&fm->match));
    if (!match || make_room(r) < 0) {
        free(match);
        ofpacts_destroy(&fm->ofpacts);
        return -ENOMEM;
    }
    minimatch_from(&fm->match, match);
    struct wanted w = {
        .table = fm->table == 255 ? 0 : fm->table,
        .priority = fm->priority,
        .idle_timeout = fm->idle_timeout,
        .hard_timeout = fm->hard_timeout,
        .importance = fm->importance,
        .flags = fm->flags,
        .line = line,
        .cookie = fm->new_cookie,
        .match = match,
        .ofpacts = fm->ofpacts,
    };
    w.hash = hash_of(w.table, w.priority, match);
    struct wanted *same = find(r, w.table, w.priority, match, w.hash);
    if (same) {
        w.chain = same->chain;
        ofpacts_destroy(&same->ofpacts);
        free(same->match);
        *same = w;
    } else {
        r->list[r->n] = w;
        link_in(r, r->n++);
    }
    return 0;
}

static int parse(struct replacement *r, struct api_lines *lines, struct rs_error *err) {
    while (api_lines_next(lines)) {
        struct flow_mod fm;
        struct ofp_error why;
        if (flow_mod_parse(lines->line, FLOW_ADD, &r->sw->bridge.names, &fm, &why) < 0) {
            return api_error_in_line(lines, api_error_from(err, &why), err);
        }
        if (want(r, &fm, lines->n - 1) < 0) {
            return api_error(err, ENOMEM, "flows", NULL, "no memory for the rules");
        }
    }
    return 0;
}

static bool is_same(const struct rule *rule, const struct wanted *w) {
    return rule->cookie == w->cookie && rule->importance == w->importance &&
           atomic_load_explicit(&rule->idle_timeout, memory_order_relaxed) == w->idle_timeout &&
           atomic_load_explicit(&rule->hard_timeout, memory_order_relaxed) == w->hard_timeout &&
           ((rule->flags ^ w->flags) &
            (FLOW_SEND_FLOW_REM | FLOW_NO_PKT_COUNTS | FLOW_NO_BYT_COUNTS)) == 0 &&
           ofpacts_equal(rule->actions, rule->actions_len, w->ofpacts.data, w->ofpacts.len);
}

static bool compare(const struct rule *rule, void *arg) {
    struct replacement *r = arg;
    const struct minimatch *match = rule->cr.match;
    struct wanted *w = r->n_heads ? find(r, rule->table, rule->cr.priority, match,
                                         hash_of(rule->table, rule->cr.priority, match))
                                  : NULL;
    if (w) {
        w->is_there = is_same(rule, w);
        return true;
    }
    if (rule->flags & FLOW_HIDDEN) {
        return true;
    }
    if (r->n_gone == r->gone_cap) {
        uint32_t cap = r->gone_cap ? 2 * r->gone_cap : 256;
        const struct rule **gone = realloc(r->gone, cap * sizeof *gone);
        if (!gone) {
            r->no_memory = true;
            return false;
        }
        r->gone = gone;
        r->gone_cap = cap;
    }
    if (rule_try_ref(rule)) {
        r->gone[r->n_gone++] = rule;
    }
    return true;
}

static int delete_one(struct ofp_bundle *b, const struct rule *rule, struct rs_error *err) {
    struct flow_mod fm = {
        .command = FLOW_DELETE_STRICT,
        .table = rule->table,
        .priority = rule->cr.priority,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .delete_reason = REASON_DELETE,
    };
    struct ofp_error why;
    uint32_t n;
    minimatch_expand(rule->cr.match, &fm.match);
    return ofp_bundle_flow_mod(b, &fm, &n, &why) < 0 ? api_error_from(err, &why) : 0;
}

static int add_one(struct ofp_bundle *b, struct wanted *w, struct rs_error *err) {
    struct flow_mod fm = {
        .command = FLOW_ADD,
        .table = w->table,
        .priority = w->priority,
        .idle_timeout = w->idle_timeout,
        .hard_timeout = w->hard_timeout,
        .importance = w->importance,
        .flags = w->flags,
        .new_cookie = w->cookie,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .ofpacts = w->ofpacts,
    };
    struct ofp_error why;
    uint32_t n;
    minimatch_expand(w->match, &fm.match);
    if (ofp_bundle_flow_mod(b, &fm, &n, &why) < 0) {
        return api_error_in_line(&(struct api_lines){.n = w->line + 1}, api_error_from(err, &why),
                                 err);
    }
    return 0;
}

// Number of changes, or a negative errno.
static int apply_difference(struct replacement *r, struct ofp_bundle *b, struct rs_error *err) {
    int n = 0;
    ofproto_for_each(&r->sw->bridge.ofproto, NULL, compare, r);
    if (r->no_memory) {
        return api_error(err, ENOMEM, "flows", NULL, "no memory for the difference");
    }
    for (uint32_t i = 0; i < r->n_gone; i++, n++) {
        int error = delete_one(b, r->gone[i], err);
        if (error < 0) {
            return error;
        }
    }
    for (uint32_t i = 0; i < r->n; i++) {
        int error = r->list[i].is_there ? 0 : add_one(b, &r->list[i], err);
        if (error < 0) {
            return error;
        }
        n += !r->list[i].is_there;
    }
    return n;
}

static int apply(struct replacement *r, struct rs_error *err) {
    struct ofp_bundle *b = ofp_bundle_open(&r->sw->bridge.ofproto);
    if (!b) {
        return api_error(err, ENOMEM, "flows", NULL, "no memory for the bundle");
    }
    int n = apply_difference(r, b, err);
    if (n < 0) {
        ofp_bundle_discard(b);
    } else {
        ofp_bundle_commit(b);
    }
    return n;
}

static void destroy(struct replacement *r) {
    for (uint32_t i = 0; i < r->n; i++) {
        ofpacts_destroy(&r->list[i].ofpacts);
        free(r->list[i].match);
    }
    for (uint32_t i = 0; i < r->n_gone; i++) {
        rule_unref(r->gone[i]);
    }
    free(r->list);
    free(r->heads);
    free(r->gone);
}

int rs_flow_replace(rs_switch *sw, const char *text, size_t len, struct rs_error *err) {
    struct replacement r = {.sw = sw};
    struct api_lines lines;
    if (!sw || (len > 0 && !text)) {
        return api_error(err, EINVAL, "flows", NULL, "no switch or no text");
    }
    if (api_lines_init(&lines, text, len) < 0) {
        return api_error(err, ENOMEM, "flows", NULL, "no memory for the texts");
    }
    api_enter();
    int result = parse(&r, &lines, err);
    if (result == 0) {
        result = apply(&r, err);
    }
    destroy(&r);
    api_leave();
    api_lines_destroy(&lines);
    return result;
}
