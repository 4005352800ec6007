// Any text as a group or a meter: it is refused with a reason, or what comes of it prints as a text that means the same.
// The first byte: bit 7 = a meter, else the command of a group mod, which is tried on a state that has groups.

#include <stdlib.h>

#include "datapath/base/rcu.h"
#include "ofproto/ofproto.h"

static const struct port_names names = {.name = {[1] = "h1", [2] = "h2", [3] = "s1"}, .local = 3};
static char printed[1 << 20], again[1 << 20];

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static uint64_t now_of(void *aux) {
    (void)aux;
    return 1000;
}

static void check_refusal(const struct ofp_error *err) {
    check(err->code > 0 && err->field[0] && err->message[0]);
}

static bool print_group(const struct group *g, void *arg) {
    group_format(g, NULL, arg);
    text_put(arg, "\n");
    return true;
}

static bool print_groups(const struct ofproto *p, char *buf, size_t cap) {
    struct text t;
    text_init(&t, buf, cap);
    check(ofproto_for_each_group(p, print_group, &t) == 0);
    return !t.cut;
}

static int group(struct ofproto *p, const char *text, uint8_t command) {
    struct ofp_error err = {.code = 0};
    struct group_mod gm;
    int error = group_mod_parse(text, command, &names, &gm, &err);
    if (error == 0) {
        error = ofproto_group_mod(p, &gm, &err);
        group_mod_destroy(&gm);
    }
    if (error) {
        check_refusal(&err);
    }
    return error;
}

// Each group's text makes the same group.
static void check_round_trip(struct ofproto *p) {
    if (!print_groups(p, printed, sizeof printed)) {
        return;
    }
    for (char *line = printed, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if ((size_t)(end - line) < OFP_TEXT_MAX) {
            check(group(p, line, GROUP_MODIFY) == 0);
        }
        *end = '\n';
    }
    check(print_groups(p, again, sizeof again) && strcmp(printed, again) == 0);
}

static void try_group(const char *text, uint8_t command) {
    struct ofproto p;
    check(ofproto_init(&p, &names, now_of, NULL) == 0);
    check(group(&p, "group_id=1,type=select,bucket=1,bucket=weight:3,actions=2", GROUP_ADD) == 0);
    check(group(&p, "group_id=2,type=all,bucket=group:1", GROUP_ADD) == 0);
    if (group(&p, text, command) == 0) {
        check_round_trip(&p);
    }
    ofproto_destroy(&p);
    rcu_reap();
    rcu_reap();
}

static void try_meter(const char *text, uint8_t command) {
    struct ofp_error err = {.code = 0};
    struct meter_config m, same;
    struct text t;
    if (meter_mod_parse(text, command, &m, &err)) {
        check_refusal(&err);
        return;
    }
    if (command == METER_DELETE || m.id == OFPM_ALL) {
        return;
    }
    text_init(&t, printed, sizeof printed);
    meter_format(&m, &t);
    check(meter_mod_parse(printed, command, &same, &err) == 0);
    text_init(&t, again, sizeof again);
    meter_format(&same, &t);
    check(strcmp(printed, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] & 0x80) {
        try_meter(text, (data[0] & 0x7f) % 3);
    } else {
        try_group(text, data[0] % 6);
    }
    free(text);
    return 0;
}
