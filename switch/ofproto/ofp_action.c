#include "ofproto/ofp_action.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "ofproto/match.h"

static const struct {
    const char *name;
    enum ofp_action_type type;
} words[] = {
    {"NORMAL", OFP_NORMAL},   {"FLOOD", OFP_FLOOD}, {"ALL", OFP_ALL},
    {"IN_PORT", OFP_IN_PORT}, {"LOCAL", OFP_LOCAL},
};

#define PORT_HINT "a port's number (1 to 255) or name, NORMAL, FLOOD, ALL, IN_PORT or LOCAL"

// Actions of Open vSwitch that this table does not have: said so, instead of "no port of this
// name".
static bool is_foreign(const char *word) {
    static const char *const names[] = {
        "resubmit",   "set_field",      "load",        "move",       "mod_vlan_vid", "mod_vlan_pcp",
        "strip_vlan", "push_vlan",      "pop_vlan",    "mod_dl_src", "mod_dl_dst",   "mod_nw_src",
        "mod_nw_dst", "mod_nw_tos",     "mod_tp_src",  "mod_tp_dst", "dec_ttl",      "group",
        "ct",         "learn",          "conjunction", "note",       "CONTROLLER",   "controller",
        "goto_table", "write_metadata", "meter",       "clone",      "enqueue",      "TABLE",
        "push_mpls",  "pop_mpls",       "multipath",   "bundle",     "exit",         "sample",
    };
    size_t len = strcspn(word, ":(=");
    for (size_t i = 0; i < RS_ARRAY_SIZE(names); i++) {
        if (strlen(names[i]) == len && strncmp(names[i], word, len) == 0) {
            return true;
        }
    }
    return false;
}

static int parse_one(const char *word, const struct port_names *names, struct ofp_action *out,
                     struct ofp_error *err) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        if (strcasecmp(word, words[i].name) == 0) {
            *out = (struct ofp_action){.type = (uint16_t)words[i].type};
            return 0;
        }
    }
    bool output = strncmp(word, "output:", 7) == 0 || strncmp(word, "output=", 7) == 0;
    if (output) {
        return parse_one(word + 7, names, out, err);
    }
    if (is_foreign(word)) {
        return ofp_error_set(err, EINVAL, "actions",
                             "output, NORMAL, FLOOD, ALL, IN_PORT, LOCAL "
                             "and drop are there",
                             "this table has no action '%s'", word);
    }
    uint32_t port = value_parse_port(word, names);
    if (port == 0) {
        return ofp_error_set(err, EINVAL, "actions", PORT_HINT, "there is no port '%s'", word);
    }
    *out = (struct ofp_action){.type = OFP_OUTPUT, .port = (uint16_t)port};
    return 0;
}

static int parse_list(char *text, const struct port_names *names, struct ofp_action *list,
                      unsigned *n, struct ofp_error *err) {
    char *save;
    bool drop = false;
    for (char *word = strtok_r(text, ", \t\r\n", &save); word;
         word = strtok_r(NULL, ", \t\r\n", &save)) {
        if (strcasecmp(word, "drop") == 0) {
            drop = true;
            continue;
        }
        if (*n == OFP_MAX_ACTIONS) {
            return ofp_error_set(err, EINVAL, "actions", "send to fewer ports, or FLOOD",
                                 "more than %u actions", OFP_MAX_ACTIONS);
        }
        int error = parse_one(word, names, &list[*n], err);
        if (error < 0) {
            return error;
        }
        *n += 1;
    }
    if (drop && *n > 0) {
        return ofp_error_set(err, EINVAL, "actions", "keep drop, or the others",
                             "drop stands beside another action");
    }
    return 0;
}

int ofp_actions_parse(const char *text, const struct port_names *names, struct ofp_actions *out,
                      struct ofp_error *err) {
    struct ofp_action list[OFP_MAX_ACTIONS];
    char *copy = strdup(text);
    *out = (struct ofp_actions){0};
    if (!copy) {
        return ofp_error_set(err, ENOMEM, "actions", NULL, "no memory");
    }
    unsigned n = 0;
    int error = parse_list(copy, names, list, &n, err);
    free(copy);
    if (error < 0 || n == 0) {
        return error;
    }
    out->list = malloc(n * sizeof list[0]);
    if (!out->list) {
        return ofp_error_set(err, ENOMEM, "actions", NULL, "no memory");
    }
    memcpy(out->list, list, n * sizeof list[0]);
    out->n = n;
    return 0;
}

void ofp_actions_destroy(struct ofp_actions *actions) {
    free(actions->list);
    *actions = (struct ofp_actions){0};
}

bool ofp_actions_equal(const struct ofp_actions *a, const struct ofp_actions *b) {
    return a->n == b->n && (a->n == 0 || memcmp(a->list, b->list, a->n * sizeof a->list[0]) == 0);
}

void ofp_actions_format(const struct ofp_actions *actions, struct text *out) {
    if (actions->n == 0) {
        text_put(out, "drop");
    }
    for (unsigned i = 0; i < actions->n; i++) {
        const struct ofp_action *a = &actions->list[i];
        if (a->type == OFP_OUTPUT) {
            text_put(out, "output:%u,", a->port);
            continue;
        }
        for (size_t w = 0; w < RS_ARRAY_SIZE(words); w++) {
            if (words[w].type == a->type) {
                text_put(out, "%s,", words[w].name);
            }
        }
    }
    text_chomp(out, ',');
}
