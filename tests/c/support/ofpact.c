#include "ofpact.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static const struct port_names names = {
    .name = {[1] = "h1", [2] = "h2", [3] = "s1", [4] = "a,b", [5] = "LOCAL"},
    .local = 3};

void act_tun_map(bool mapped) {
    static struct tun_map map = {
        .entries = {[0] = {.option_class = 0x102, .option_type = 0x80, .len = 4}}};
    mf_tun_map = mapped ? &map : NULL;
}

static void answer_error(struct act_answer *out, int code, const struct ofp_error *err) {
    out->code = code;
    out->text[0] = '\0';
    out->ofperr = ofperr_name(err->ofperr);
    memcpy(out->field, err->field, sizeof out->field);
    memcpy(out->message, err->message, sizeof out->message);
    memcpy(out->hint, err->hint, sizeof out->hint);
}

// False, and out filled, if the text is refused.
static bool list_parse(const char *text, bool instructions, struct ofpacts *list,
                       struct act_answer *out) {
    struct ofp_error err = {0};
    int code = instructions ? ofpacts_parse(text, &names, list, &err)
                            : ofpacts_parse_actions(text, &names, list, &err);
    if (code < 0) {
        answer_error(out, code, &err);
        return false;
    }
    out->code = 0;
    out->ofperr = "none";
    out->len = list->len;
    out->first_type = list->len ? list->data[0] : -1;
    return true;
}

static void list_format(const void *bytes, size_t n, bool with_names, struct act_answer *out) {
    struct text t;
    text_init(&t, out->text, sizeof out->text);
    ofpacts_format(bytes, n, with_names ? &names : NULL, &t);
    if (t.cut) {
        out->code = -E2BIG;
    }
}

void act_parse(const char *text, bool instructions, bool with_names, struct act_answer *out) {
    struct ofpacts list, again;
    if (!list_parse(text, instructions, &list, out)) {
        return;
    }
    list_format(list.data, list.len, with_names, out);
    struct ofp_error err;
    bool parsed = instructions ? ofpacts_parse(out->text, &names, &again, &err) == 0
                               : ofpacts_parse_actions(out->text, &names, &again, &err) == 0;
    if (!parsed || !ofpacts_equal(list.data, list.len, again.data, again.len)) {
        out->code = -EBADMSG;
    }
    ofpacts_destroy(&again);
    ofpacts_destroy(&list);
}

void act_flow_mod(const char *text, uint8_t command, struct act_answer *out) {
    struct flow_mod *fm = malloc(sizeof *fm);
    struct ofp_error err = {0};
    int code = flow_mod_parse(text, command, &names, fm, &err);
    if (code < 0) {
        answer_error(out, code, &err);
        free(fm);
        return;
    }
    out->code = 0;
    out->ofperr = "none";
    out->len = fm->ofpacts.len;
    out->table = fm->table;
    out->command = fm->command;
    out->priority = fm->priority;
    out->idle_timeout = fm->idle_timeout;
    out->hard_timeout = fm->hard_timeout;
    out->importance = fm->importance;
    out->flags = fm->flags;
    out->out_port = fm->out_port;
    out->out_group = fm->out_group;
    out->cookie = fm->cookie;
    out->cookie_mask = fm->cookie_mask;
    out->new_cookie = fm->new_cookie;
    out->modify_cookie = fm->modify_cookie;
    struct text t;
    text_init(&t, out->text, sizeof out->text);
    match_format(&fm->match, fm->priority, OFP_DEFAULT_PRIORITY, NULL, &t);
    text_put(&t, t.len ? " actions=" : "actions=");
    ofpacts_format(fm->ofpacts.data, fm->ofpacts.len, NULL, &t);
    ofpacts_destroy(&fm->ofpacts);
    free(fm);
}

void act_check(const char *match, const char *actions, uint8_t table, uint8_t n_tables,
               uint32_t max_ports, bool strict, struct act_answer *out) {
    struct ofpacts list;
    struct match *m = malloc(sizeof *m);
    struct flow_text extra;
    struct ofp_error err = {0};
    int code = match_parse(match, &names, m, &extra, &err);
    if (code < 0) {
        answer_error(out, code, &err);
    } else if (list_parse(actions, true, &list, out)) {
        code = strict
                   ? ofpacts_check_strict(list.data, list.len, m, table, n_tables, max_ports, &err)
                   : ofpacts_check(list.data, list.len, m, table, n_tables, max_ports, &err);
        if (code < 0) {
            answer_error(out, code, &err);
        } else {
            list_format(list.data, list.len, false, out);
        }
        ofpacts_destroy(&list);
    }
    free(m);
}

void act_check_set(const char *actions, struct act_answer *out) {
    struct ofpacts list;
    struct ofp_error err = {0};
    if (list_parse(actions, true, &list, out)) {
        int code = ofpacts_check_set(list.data, list.len, &err);
        if (code < 0) {
            answer_error(out, code, &err);
        }
        ofpacts_destroy(&list);
    }
}

void act_execute_set(const char *actions, struct act_answer *out) {
    struct ofpacts set, list = {0};
    if (!list_parse(actions, true, &set, out)) {
        return;
    }
    out->code = ofpacts_execute_action_set(&list, set.data, set.len);
    list_format(list.data, list.len, false, out);
    ofpacts_destroy(&list);
    ofpacts_destroy(&set);
}

bool act_outputs_to_port(const char *actions, uint16_t port) {
    struct ofpacts list;
    bool found = ofpacts_parse(actions, &names, &list, NULL) == 0 &&
                 ofpacts_output_to_port(list.data, list.len, port);
    ofpacts_destroy(&list);
    return found;
}

bool act_outputs_to_group(const char *actions, uint32_t group) {
    struct ofpacts list;
    bool found = ofpacts_parse(actions, &names, &list, NULL) == 0 &&
                 ofpacts_output_to_group(list.data, list.len, group);
    ofpacts_destroy(&list);
    return found;
}

bool act_finds(const char *actions, int type) {
    struct ofpacts list;
    bool found = ofpacts_parse(actions, &names, &list, NULL) == 0 &&
                 ofpacts_find(list.data, list.len, (enum ofpact_type)type);
    ofpacts_destroy(&list);
    return found;
}

bool act_equal(const char *a, const char *b) {
    struct ofpacts x, y;
    bool equal = ofpacts_parse(a, &names, &x, NULL) == 0;
    equal = ofpacts_parse(b, &names, &y, NULL) == 0 && equal &&
            ofpacts_equal(x.data, x.len, y.data, y.len);
    ofpacts_destroy(&x);
    ofpacts_destroy(&y);
    return equal;
}

uint64_t act_time_flows(const char *const *texts, unsigned n, unsigned *n_bad) {
    struct timespec begin, end;
    struct flow_mod *fm = malloc(sizeof *fm);
    *n_bad = 0;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (unsigned i = 0; i < n; i++) {
        if (flow_mod_parse(texts[i], FLOW_ADD, &names, fm, NULL) < 0) {
            ++*n_bad;
        } else {
            ofpacts_destroy(&fm->ofpacts);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    free(fm);
    return (uint64_t)(end.tv_sec - begin.tv_sec) * 1000000000u + (uint64_t)end.tv_nsec -
           (uint64_t)begin.tv_nsec;
}

int ofpact_count(void) {
    return OFPACT_N_TYPES;
}

const char *ofpact_name_of(int type) {
    return ofpact_name((enum ofpact_type)type);
}

int ofperr_find(const char *name) {
    for (unsigned i = 1; i < OFPERR_N; i++) {
        if (strcmp(ofperr_name((enum ofperr)i), name) == 0) {
            return (int)i;
        }
    }
    return OFPERR_NONE;
}

unsigned ofperr_count(void) {
    return OFPERR_N;
}

const char *ofperr_name_of(int e) {
    return ofperr_name((enum ofperr)e);
}

int ofperr_errno_of(int e) {
    return ofperr_errno((enum ofperr)e);
}

bool ofperr_code_of(int e, uint8_t version, uint16_t *type, uint16_t *code, uint32_t *vendor) {
    *vendor = ofperr_vendor((enum ofperr)e, version);
    return ofperr_code((enum ofperr)e, version, type, code);
}
