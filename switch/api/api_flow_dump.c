// Rules read: references to those of one moment are taken at once, texts are made as they are asked for.

#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"

struct rs_flow_dump {
    rs_switch *sw;
    bool names;
    uint32_t n, cap, next;
    const struct rule **rules; // Referenced.
    bool no_memory;
    struct api_text text;
};

static bool collect(const struct rule *rule, void *arg) {
    struct rs_flow_dump *d = arg;
    if (rule->flags & FLOW_HIDDEN) {
        return true;
    }
    if (d->n == d->cap) {
        uint32_t cap = d->cap ? 2 * d->cap : 64;
        const struct rule **rules = realloc(d->rules, cap * sizeof *rules);
        if (!rules) {
            d->no_memory = true;
            return false;
        }
        d->rules = rules;
        d->cap = cap;
    }
    if (rule_try_ref(rule)) {
        d->rules[d->n++] = rule;
    }
    return true;
}

static int parse_filter(rs_switch *sw, const char *text, struct flow_filter *filter,
                        struct rs_error *err) {
    struct flow_text extra;
    struct ofp_error why;
    if (match_parse(text, &sw->bridge.names, &filter->match, &extra, &why) < 0) {
        return api_error_from(err, &why);
    }
    if (extra.has_priority || extra.actions) {
        return api_error(err, EINVAL, extra.actions ? "actions" : "priority", "leave it out",
                         "a filter has no such thing");
    }
    filter->table = extra.table;
    filter->out_port = (uint16_t)extra.out_port;
    filter->out_group = extra.out_group;
    filter->cookie = extra.cookie;
    filter->cookie_mask = extra.cookie_mask;
    return 0;
}

int rs_flow_dump_open(rs_switch *sw, const char *filter_text, bool names, rs_flow_dump **out,
                      struct rs_error *err) {
    struct flow_filter filter;
    if (!sw || !filter_text || !out) {
        return api_error(err, EINVAL, "flow", NULL, "no switch, no filter, or no result");
    }
    int error = parse_filter(sw, filter_text, &filter, err);
    if (error < 0) {
        return error;
    }
    rs_flow_dump *d = calloc(1, sizeof *d);
    if (!d) {
        return api_error(err, ENOMEM, "flow", NULL, "no memory");
    }
    d->sw = sw;
    d->names = names;
    api_enter();
    ofproto_for_each(&sw->bridge.ofproto, filter_text[0] ? &filter : NULL, collect, d);
    api_leave();
    if (d->no_memory) {
        rs_flow_dump_close(d);
        return api_error(err, ENOMEM, "flow", NULL, "no memory for the list of rules");
    }
    *out = d;
    return 0;
}

uint32_t rs_flow_dump_count(const rs_flow_dump *d) {
    return d ? d->n : 0;
}

static struct rs_flow_stats stats_of(const struct rule *rule, uint64_t now_ms) {
    uint64_t used = atomic_load_explicit(&rule->used_ms, memory_order_relaxed);
    uint64_t modified = atomic_load_explicit(&rule->modified_ms, memory_order_relaxed);
    used = used > rule->created_ms ? used : rule->created_ms;
    return (struct rs_flow_stats){
        .cookie = rule->cookie,
        .packets = atomic_load_explicit(&rule->packets, memory_order_relaxed),
        .bytes = atomic_load_explicit(&rule->bytes, memory_order_relaxed),
        .table = rule->table,
        .priority = rule->cr.priority,
        .idle_timeout = atomic_load_explicit(&rule->idle_timeout, memory_order_relaxed),
        .hard_timeout = atomic_load_explicit(&rule->hard_timeout, memory_order_relaxed),
        .importance = rule->importance,
        .flags = rule->flags,
        .duration_ms = now_ms > rule->created_ms ? now_ms - rule->created_ms : 0,
        .idle_ms = now_ms > used ? now_ms - used : 0,
        .hard_ms = now_ms > modified ? now_ms - modified : 0,
    };
}

struct line {
    const struct rs_flow_dump *d;
    const struct rule *rule;
    struct rs_flow_stats s;
    bool show_stats;
};

static void put_flags(struct text *t, uint16_t flags) {
    static const struct {
        uint16_t flag;
        const char *word;
    } words[] = {
        {FLOW_SEND_FLOW_REM, "send_flow_rem "},  {FLOW_CHECK_OVERLAP, "check_overlap "},
        {FLOW_RESET_COUNTS, "reset_counts "},    {FLOW_NO_PKT_COUNTS, "no_packet_counts "},
        {FLOW_NO_BYT_COUNTS, "no_byte_counts "},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        if (flags & words[i].flag) {
            text_put(t, "%s", words[i].word);
        }
    }
}

// Seconds with three digits behind the point, fewer if they are 0.
static void put_duration(struct text *t, uint64_t ms) {
    text_put(t, "duration=%llu.%03llu", (unsigned long long)(ms / 1000),
             (unsigned long long)(ms % 1000));
    text_chomp(t, '0');
    text_chomp(t, '0');
    text_chomp(t, '0');
    text_chomp(t, '.');
    text_put(t, "s, ");
}

static void put_match_and_actions(struct text *t, const struct line *l) {
    const struct port_names *names = l->d->names ? &l->d->sw->bridge.names : NULL;
    struct match match;
    size_t before = t->len;
    minimatch_expand(l->rule->cr.match, &match);
    match_format(&match, l->rule->cr.priority, OFP_DEFAULT_PRIORITY, names, t);
    text_put(t, t->len > before ? " actions=" : "actions=");
    ofpacts_format(l->rule->actions, l->rule->actions_len, names, t);
}

static void put_line(struct text *t, void *arg) {
    const struct line *l = arg;
    const struct rs_flow_stats *s = &l->s;
    text_put(t, " ");
    if (l->show_stats || s->cookie) {
        text_put(t, "cookie=0x%llx, ", (unsigned long long)s->cookie);
    }
    if (l->show_stats) {
        put_duration(t, s->duration_ms);
        text_put(t, "table=%u, n_packets=%llu, n_bytes=%llu, ", s->table,
                 (unsigned long long)s->packets, (unsigned long long)s->bytes);
    } else if (s->table) {
        text_put(t, "table=%u, ", s->table);
    }
    if (s->idle_timeout) {
        text_put(t, "idle_timeout=%u, ", s->idle_timeout);
    }
    if (s->hard_timeout) {
        text_put(t, "hard_timeout=%u, ", s->hard_timeout);
    }
    put_flags(t, s->flags);
    if (s->importance) {
        text_put(t, "importance=%u, ", s->importance);
    }
    if (l->show_stats) {
        text_put(t, "idle_age=%llu, ", (unsigned long long)(s->idle_ms / 1000));
        if (s->hard_ms / 1000 != s->duration_ms / 1000) {
            text_put(t, "hard_age=%llu, ", (unsigned long long)(s->hard_ms / 1000));
        }
    }
    put_match_and_actions(t, l);
    text_put(t, "\n");
}

static void give(struct rs_flow_dump *d, struct rs_text *out) {
    *out = (struct rs_text){.data = d->text.t.buf, .len = d->text.t.len};
}

int rs_flow_dump_lines(rs_flow_dump *d, uint32_t n, bool show_stats, struct rs_text *out) {
    if (!d || !out) {
        return -EINVAL;
    }
    uint32_t end = n < d->n - d->next ? d->next + n : d->n;
    uint32_t first = d->next;
    uint64_t now_ms = api_now_ms(d->sw);
    api_text_clear(&d->text);
    for (; d->next < end; d->next++) {
        const struct rule *rule = d->rules[d->next];
        struct line l = {.d = d, .rule = rule, .s = stats_of(rule, now_ms)};
        l.show_stats = show_stats;
        if (api_text_put(&d->text, put_line, &l) < 0) {
            return -ENOMEM;
        }
    }
    give(d, out);
    return (int)(d->next - first);
}

static void put_rule(struct text *t, void *arg) {
    const struct line *l = arg;
    if (l->s.table) {
        text_put(t, "table=%u,", l->s.table);
    }
    put_match_and_actions(t, l);
}

int rs_flow_dump_next(rs_flow_dump *d, struct rs_text *out, struct rs_flow_stats *stats) {
    if (!d || !out || !stats) {
        return -EINVAL;
    }
    if (d->next == d->n) {
        return 0;
    }
    const struct rule *rule = d->rules[d->next++];
    struct line l = {.d = d, .rule = rule, .s = stats_of(rule, api_now_ms(d->sw))};
    api_text_clear(&d->text);
    if (api_text_put(&d->text, put_rule, &l) < 0) {
        return -ENOMEM;
    }
    *stats = l.s;
    give(d, out);
    return 1;
}

void rs_flow_dump_close(rs_flow_dump *d) {
    if (d) {
        for (uint32_t i = 0; i < d->n; i++) {
            rule_unref(d->rules[i]);
        }
        api_text_destroy(&d->text);
        free(d->rules);
        free(d);
    }
}
