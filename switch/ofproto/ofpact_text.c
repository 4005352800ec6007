// A list of actions from text and to text: the driver. ofpact_table.c says what each word is.

#include <stdlib.h>
#include <strings.h>

#include "ofproto/ofpact_private.h"

#define ACT_TEXT_ON_STACK 2048u // Texts are cut up in a copy; short ones, nearly all, on the stack.

int act_full(struct act_parser *p) {
    return errno == E2BIG ? ofp_error_set(p->err, E2BIG, "actions", "use a group, or resubmit",
                                          "the list is longer than %u bytes", OFPACTS_MAX)
                          : ofp_error_set(p->err, ENOMEM, "actions", NULL, "no memory");
}

void *act_put(struct act_parser *p, size_t size) {
    return ofpact_put(p->out, (enum ofpact_type)p->word->type, size);
}

// A word that is no action may be a port: "1", "LOCAL", "h1".
static int parse_port_word(struct act_parser *p, const char *key) {
    uint32_t port = 0;
    char hint[128];
    if (strcasecmp(key, "apply_actions") == 0) {
        return ofp_error_set(p->err, EINVAL, "actions", "write what it has without it",
                             "apply_actions is what every action is in anyway");
    }
    if (port_names_parse(p->names, key, &port) < 0 || port > OFPP_NONE) {
        return ofp_error_set(p->err, EINVAL, "actions", act_word_hint(key, hint, sizeof hint),
                             "there is no action and no port '%s'", key);
    }
    struct ofpact_output *output = ofpact_put(p->out, OFPACT_OUTPUT, sizeof *output);
    if (!output) {
        return act_full(p);
    }
    output->port = (uint16_t)port;
    return 0;
}

static int parse_words(struct act_parser *p, char *text, bool *drop) {
    char *pos = text, *key, *value;
    const struct act_word *outer = p->word;
    int error = 0;
    while (!error && act_next(&pos, &key, &value)) {
        const struct act_word *word = act_word_find(key);
        if (word) {
            p->word = word;
            error = word->parse(p, value);
            p->word = outer;
        } else if (strcasecmp(key, "drop") == 0) {
            *drop = true;
        } else {
            error = parse_port_word(p, key);
        }
    }
    return error;
}

int act_parse_list(struct act_parser *p, char *text, bool instructions, enum ofpact_type outer) {
    uint32_t start = p->out->len;
    bool drop = false;
    if (p->depth >= ACT_MAX_DEPTH) {
        return ofp_error_set(p->err, EINVAL, "actions", "resubmit to a table that goes on",
                             "lists nest more than %u deep", ACT_MAX_DEPTH);
    }
    p->depth++;
    int error = parse_words(p, text, &drop);
    p->depth--;
    if (error < 0) {
        return error;
    }
    uint32_t n = p->out->len - start;
    if (drop && n > 0) {
        return ofp_error_set(p->err, EINVAL, "drop", "keep drop, or the others",
                             "it stands beside other actions");
    }
    return n > 0 ? act_verify(p->out->data + start, n, instructions, outer, p->err) : 0;
}

static int parse_all(const char *text, const struct port_names *names, bool instructions,
                     struct ofpacts *out, struct ofp_error *err) {
    char small[ACT_TEXT_ON_STACK];
    size_t size = strlen(text) + 1;
    char *copy = size <= sizeof small ? small : malloc(size);
    *out = (struct ofpacts){0};
    if (!copy) {
        return ofp_error_set(err, ENOMEM, "actions", NULL, "no memory");
    }
    memcpy(copy, text, size);
    struct act_parser p = {.names = names, .out = out, .err = err};
    int error = act_parse_list(&p, copy, instructions, ACT_NO_OUTER);
    if (error < 0) {
        ofpacts_destroy(out);
    }
    if (copy != small) {
        free(copy);
    }
    return error;
}

int ofpacts_parse(const char *text, const struct port_names *names, struct ofpacts *out,
                  struct ofp_error *err) {
    return parse_all(text, names, true, out, err);
}

int ofpacts_parse_actions(const char *text, const struct port_names *names, struct ofpacts *out,
                          struct ofp_error *err) {
    return parse_all(text, names, false, out, err);
}

void act_format_list(const struct act_printer *f, const void *bytes, size_t n) {
    if (n == 0) {
        text_put(f->out, "drop");
    }
    OFPACT_FOR_EACH(a, bytes, n) {
        if ((const void *)a != bytes) {
            text_put(f->out, ",");
        }
        act_class((enum ofpact_type)a->type)->format(f, a);
    }
}

void ofpacts_format(const void *bytes, size_t n, const struct port_names *names, struct text *out) {
    const struct act_printer f = {.names = names, .out = out};
    act_format_list(&f, bytes, n);
}
