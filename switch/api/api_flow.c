// Changes of the flow tables.

#include <errno.h>

#include "api/api_private.h"

static int no_text(struct rs_error *err) {
    return api_error(err, EINVAL, "flow", NULL, "no switch or no text");
}

static int bad_command(int command, struct rs_error *err) {
    return api_error(err, EINVAL, "command", "add, modify, modify_strict, delete, delete_strict",
                     "%d found", command);
}

// Applies one text, in the bundle if there is one. Number of rules touched, or a negative errno.
static int apply(rs_switch *sw, struct ofp_bundle *bundle, const char *text, int command,
                 struct rs_error *err) {
    struct flow_mod fm;
    struct ofp_error why;
    uint32_t n = 0;
    if (flow_mod_parse(text, (uint8_t)command, &sw->bridge.names, &fm, &why) < 0) {
        return api_error_from(err, &why);
    }
    int error = bundle ? ofp_bundle_flow_mod(bundle, &fm, &n, &why)
                       : ofproto_flow_mod(&sw->bridge.ofproto, &fm, &n, &why);
    ofpacts_destroy(&fm.ofpacts);
    return error < 0 ? api_error_from(err, &why) : (int)n;
}

int rs_flow_mod(rs_switch *sw, const char *text, int command, struct rs_error *err) {
    if (!sw || !text) {
        return no_text(err);
    }
    if (command < RS_FLOW_ADD || command > RS_FLOW_DELETE_STRICT) {
        return bad_command(command, err);
    }
    api_enter();
    int result = apply(sw, NULL, text, command, err);
    api_leave();
    return result;
}

int rs_flow_add(rs_switch *sw, const char *text, struct rs_error *err) {
    return rs_flow_mod(sw, text, RS_FLOW_ADD, err);
}

int rs_flow_del(rs_switch *sw, const char *text, bool strict, struct rs_error *err) {
    return rs_flow_mod(sw, text, strict ? RS_FLOW_DELETE_STRICT : RS_FLOW_DELETE, err);
}

// Takes the command's word off the beginning of a line, if there is one.
static const char *take_command(const char *line, int *command) {
    static const struct {
        const char *word;
        int command;
    } words[] = {
        {"add", RS_FLOW_ADD},
        {"modify", RS_FLOW_MODIFY},
        {"modify_strict", RS_FLOW_MODIFY_STRICT},
        {"delete", RS_FLOW_DELETE},
        {"delete_strict", RS_FLOW_DELETE_STRICT},
    };
    size_t len = strcspn(line, " \t");
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        if (strlen(words[i].word) == len && memcmp(line, words[i].word, len) == 0) {
            *command = words[i].command;
            return line + len + strspn(line + len, " \t");
        }
    }
    return line;
}

static int apply_lines(rs_switch *sw, struct ofp_bundle *bundle, struct api_lines *lines,
                       int command, struct rs_error *err) {
    while (api_lines_next(lines)) {
        int how = command;
        const char *text = take_command(lines->line, &how);
        int result = apply(sw, bundle, text, how, err);
        if (result < 0) {
            return api_error_in_line(lines, result, err);
        }
    }
    return (int)lines->n;
}

static int apply_bundle(rs_switch *sw, struct api_lines *lines, int command, struct rs_error *err) {
    struct ofp_bundle *bundle = ofp_bundle_open(&sw->bridge.ofproto);
    if (!bundle) {
        return api_error(err, ENOMEM, "flows", NULL, "no memory for the bundle");
    }
    int result = apply_lines(sw, bundle, lines, command, err);
    if (result < 0) {
        ofp_bundle_discard(bundle);
        return result;
    }
    ofp_bundle_commit(bundle);
    return result;
}

int rs_flows_apply(rs_switch *sw, const char *text, size_t len, int command, bool bundle,
                   struct rs_error *err) {
    struct api_lines lines;
    if (!sw || (len > 0 && !text)) {
        return no_text(err);
    }
    if (command < RS_FLOW_ADD || command > RS_FLOW_DELETE_STRICT) {
        return bad_command(command, err);
    }
    if (api_lines_init(&lines, text, len) < 0) {
        return api_error(err, ENOMEM, "flows", NULL, "no memory for the texts");
    }
    api_enter();
    int result = bundle ? apply_bundle(sw, &lines, command, err)
                        : apply_lines(sw, NULL, &lines, command, err);
    api_leave();
    api_lines_destroy(&lines);
    return result;
}

uint32_t rs_flow_count(rs_switch *sw) {
    return sw ? ofproto_count(&sw->bridge.ofproto) : 0;
}
