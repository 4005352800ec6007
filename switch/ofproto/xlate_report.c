// What trace prints: lines in a tree, as ofproto/trace indents them. Only while somebody reads.
//
// How far a line is indented depends on whether another one comes behind it on the same level; so lines are collected
// and printed at the end. A last table is not indented below the action that led to it: chains of resubmits stay flat.

#include "ofproto/xlate_private.h"

#include <stdlib.h>

enum { LINE_ROOM = 16384 };

struct line {
    uint32_t text;   // Offset in `texts`.
    uint32_t parent; // Line + 1; 0 = none.
    uint8_t type;    // enum xnode.
    uint32_t indent; // While printing: of the lines below it.
};

struct xtrace {
    struct line *lines;
    uint32_t n, cap;
    char *texts;
    size_t n_texts, cap_texts;
    uint32_t level; // Parent of the next line.
    bool cut;       // No memory for a line.
};

struct xtrace *xtrace_create(void) {
    return calloc(1, sizeof(struct xtrace)); // Without memory, nothing is said.
}

void xtrace_destroy(struct xtrace *t) {
    free(t->lines);
    free(t->texts);
    free(t);
}

static bool reserve(struct xtrace *t, size_t text_len) {
    if (t->n == t->cap) {
        uint32_t cap = t->cap ? 2 * t->cap : 64;
        struct line *lines = realloc(t->lines, cap * sizeof *lines);
        if (!lines) {
            return false;
        }
        t->lines = lines;
        t->cap = cap;
    }
    if (t->cap_texts - t->n_texts < text_len) {
        size_t cap = 2 * t->cap_texts + text_len;
        char *texts = realloc(t->texts, cap);
        if (!texts) {
            return false;
        }
        t->texts = texts;
        t->cap_texts = cap;
    }
    return true;
}

static void add(struct xtrace *t, enum xnode type, const char *text, size_t len) {
    if (!reserve(t, len + 1)) {
        t->cut = true;
        return;
    }
    t->lines[t->n++] =
        (struct line){.text = (uint32_t)t->n_texts, .parent = t->level, .type = (uint8_t)type};
    memcpy(t->texts + t->n_texts, text, len);
    t->texts[t->n_texts + len] = '\0';
    t->n_texts += len + 1;
}

void xlate_say_(const struct xlate *x, enum xnode type, const char *format, ...) {
    char short_room[512], *room = short_room;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(short_room, sizeof short_room, format, args);
    va_end(args);
    if (n >= (int)sizeof short_room) {
        room = malloc((size_t)n + 1);
        if (!room) {
            return;
        }
        va_start(args, format);
        vsnprintf(room, (size_t)n + 1, format, args);
        va_end(args);
    }
    if (n >= 0) {
        add(x->trace, type, room, (size_t)n);
    }
    if (room != short_room) {
        free(room);
    }
}

uint32_t xtrace_enter(struct xtrace *t) {
    uint32_t level = t->level;
    t->level = t->n;
    return level;
}

void xtrace_leave(struct xtrace *t, uint32_t level) {
    t->level = level;
}

// -- lines with parts that others print --

static const struct port_names *names_of(const struct xlate *x) {
    return x->in->report_names ? &x->bridge->names : NULL;
}

void xlate_say_actions(const struct xlate *x, enum xnode type, const char *title,
                       const void *ofpacts, size_t n) {
    char *room = x->trace ? malloc(LINE_ROOM) : NULL;
    struct text t;
    if (!room) {
        return;
    }
    text_init(&t, room, LINE_ROOM);
    text_put(&t, "%s", title ? title : "");
    ofpacts_format(ofpacts, n, names_of(x), &t);
    xlate_say_(x, type, "%s", room);
    free(room);
}

void xlate_say_rule(const struct xlate *x, const struct rule *rule, uint8_t table,
                    bool to_controller) {
    if (likely(!x->trace)) {
        return;
    }
    if (!rule) {
        xlate_say_(x, XNODE_TABLE, "%2u. %s", table,
                   to_controller ? "No match, and a \"packet-in\" is called for." : "No match.");
        return;
    }
    char *room = malloc(LINE_ROOM);
    struct match *match = malloc(sizeof *match);
    if (room && match) {
        struct text t;
        text_init(&t, room, LINE_ROOM);
        minimatch_expand(rule->cr.match, match);
        match_format(match, OFP_DEFAULT_PRIORITY, OFP_DEFAULT_PRIORITY, names_of(x), &t);
        text_put(&t, "%spriority %u", t.len ? ", " : "", rule->cr.priority);
        if (rule->cookie) {
            text_put(&t, ", cookie 0x%llx", (unsigned long long)rule->cookie);
        }
        xlate_say_(x, XNODE_TABLE, "%2u. %s", table, room);
    }
    free(room);
    free(match);
}

static void put_hex(struct text *t, const uint8_t *bytes, size_t n) {
    size_t i = 0;
    while (i + 1 < n && bytes[i] == 0) {
        i++;
    }
    text_put(t, "%#x", bytes[i]);
    for (i++; i < n; i++) {
        text_put(t, "%02x", bytes[i]);
    }
}

void xlate_say_subfield(const struct xlate *x, const struct mf_subfield *sf) {
    char room[1024];
    struct text t;
    union mf_value value;
    if (likely(!x->trace)) {
        return;
    }
    text_init(&t, room, sizeof room);
    mf_format_subfield(sf, &t);
    text_put(&t, " is now ");
    if (sf->ofs == 0 && sf->n_bits >= sf->field->n_bits) {
        mf_get_value(sf->field, x->flow, &value);
        mf_format(sf->field, &value, NULL, NULL, &t);
    } else {
        mf_read_subfield(sf, x->flow, &value);
        put_hex(&t, value.b, sizeof value);
    }
    xlate_say_(x, XNODE_DETAIL, "%s", room);
}

void xlate_say_action_set(const struct xlate *x, const char *verb) {
    struct ofpacts list = {0};
    char title[32];
    if (likely(!x->trace)) {
        return;
    }
    if (ofpacts_execute_action_set(&list, x->action_set.data, x->action_set.len) == 0 && list.len) {
        snprintf(title, sizeof title, "action set %s: ", verb);
        xlate_say_actions(x, XNODE_DETAIL, title, list.data, list.len);
    } else {
        xlate_say_(x, XNODE_DETAIL, "action set %s empty", verb);
    }
    ofpacts_destroy(&list);
}

// -- printing --

static bool always_indented(uint8_t type) {
    return type != XNODE_BRIDGE && type != XNODE_TABLE && type != XNODE_THAW;
}

static void print_line(const struct xtrace *t, const struct line *l, uint32_t indent,
                       struct text *out) {
    static const char *const marks[][2] = {
        [XNODE_DETAIL] = {" -> ", ""},
        [XNODE_WARN] = {" >> ", ""},
        [XNODE_ERROR] = {" >>>> ", " <<<<"},
        [XNODE_THAW] = {"", ""},
    };
    const char *text = t->texts + l->text;
    const char *before = marks[l->type][0], *after = marks[l->type][1];
    text_put(out, "%*s%s%s%s\n", (int)indent, "", before ? before : "", text, after ? after : "");
    if (l->type == XNODE_BRIDGE) {
        text_put(out, "%*s", (int)indent, "");
        for (const char *c = text; *c; c++) {
            text_put(out, "-");
        }
        text_put(out, "\n");
    }
}

void xtrace_print(const struct xtrace *t, struct text *out) {
    uint32_t *last = calloc(t->n + 1, sizeof *last); // Of each level: its last line.
    if (!last) {
        return;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        last[t->lines[i].parent] = i;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        struct line *l = &t->lines[i];
        bool more = always_indented(l->type) || last[l->parent] != i;
        uint32_t level = l->parent ? t->lines[l->parent - 1].indent : 0;
        if (l->type == XNODE_BRIDGE) {
            text_put(out, "\n");
        }
        print_line(t, l, (level + more) * 4, out);
        l->indent = level + 2 * more;
    }
    free(last);
}
