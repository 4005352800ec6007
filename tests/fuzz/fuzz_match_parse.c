// Any text as a rule: it is refused with a reason, or it prints as a text that means the same.

#include <stdlib.h>

#include "ofproto/oftable.h"

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static const struct port_names names = {.name = {[1] = "h1", [2] = "h2", [3] = "s1"}, .local = 3};

static void check_round_trip(const struct rule *rule) {
    char text[OFP_TEXT_MAX];
    struct text t;
    struct rule *again;
    struct ofp_error err;
    text_init(&t, text, sizeof text);
    rule_format(rule, &t);
    check(!t.cut);
    check(rule_parse(text, &names, 0, &again, &err) == 0);
    check(match_equal(&rule->match, &again->match));
    check(rule->priority == again->priority && ofp_actions_equal(&rule->actions, &again->actions));
    rule_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rule *rule;
    struct ofp_error err = {0};
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (rule_parse(text, &names, 0, &rule, &err) == 0) {
        check_round_trip(rule);
        rule_destroy(rule);
    } else {
        check(err.code > 0 && err.field[0] && err.message[0]);
    }
    free(text);
    return 0;
}
