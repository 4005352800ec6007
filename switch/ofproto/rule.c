// A rule and its text.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "ofproto/oftable.h"

// Where "actions=" or "action=" stands as a word of its own, NULL if nowhere; *value is what
// follows it.
static const char *find_actions(const char *text, const char **value) {
    for (const char *p = text; (p = strstr(p, "action")) != NULL; p++) {
        const char *end = p + 6 + (p[6] == 's');
        bool starts = p == text || p[-1] == ',' || isspace((unsigned char)p[-1]);
        if (starts && *end == '=') {
            *value = end + 1;
            return p;
        }
    }
    return NULL;
}

int rule_parse(const char *text, const struct port_names *names, uint64_t now_ms, struct rule **out,
               struct ofp_error *err) {
    const char *actions;
    const char *at = find_actions(text, &actions);
    struct match_text extra;
    if (!at) {
        return ofp_error_set(err, EINVAL, "actions", "end the rule with actions=…",
                             "the rule says nothing to do");
    }
    char *match_text = strndup(text, (size_t)(at - text));
    struct rule *rule = calloc(1, sizeof *rule);
    int error = match_text && rule ? 0 : ofp_error_set(err, ENOMEM, "flow", NULL, "no memory");
    if (error == 0) {
        error = match_parse(match_text, names, &rule->match, &extra, err);
    }
    if (error == 0) {
        error = ofp_actions_parse(actions, names, &rule->actions, err);
    }
    free(match_text);
    if (error < 0) {
        free(rule);
        return error;
    }
    rule->priority = extra.priority;
    rule->created_ms = now_ms;
    *out = rule;
    return 0;
}

void rule_destroy(struct rule *rule) {
    if (rule) {
        ofp_actions_destroy(&rule->actions);
        free(rule);
    }
}

void rule_format(const struct rule *rule, struct text *out) {
    size_t before = out->len;
    match_format(&rule->match, rule->priority, out);
    text_put(out, out->len > before ? " actions=" : "actions=");
    ofp_actions_format(&rule->actions, out);
}
