// A flow's text as a flow_mod: what ovs-ofctl's add-flow, mod-flows and del-flows take.

#include "ofproto/ofpact_private.h"
#include "ofproto/ofproto.h"

#define REASON_DELETE 2u // Of enum ofp_flow_removed_reason: a flow_mod deleted it.

// What a command takes beside the match.
struct takes {
    const char *name;
    bool actions, priority, importance; // actions: also timeouts and flags. They are needed, then.
    bool out;                           // out_port and out_group.
    bool select_cookie, set_cookie;     // cookie=1/1, cookie=1
};

static const struct takes commands[] = {
    [FLOW_ADD] = {"an addition", true, true, true, false, false, true},
    [FLOW_MODIFY] = {"a modification", true, true, false, false, true, true},
    [FLOW_MODIFY_STRICT] = {"a modification", true, true, false, false, true, true},
    [FLOW_DELETE] = {"a deletion", false, false, false, true, true, false},
    [FLOW_DELETE_STRICT] = {"a strict deletion", false, true, false, true, true, false},
};

static int refuse(const struct takes *takes, const char *field, const char *hint,
                  struct ofp_error *err) {
    return ofp_error_set(err, EINVAL, field, hint, "%s does not take it", takes->name);
}

static int text_check(const struct takes *takes, const struct flow_text *t, struct ofp_error *err) {
    if (!takes->priority && t->has_priority) {
        return refuse(takes, "priority", "delete strictly to delete one rule", err);
    }
    if (!takes->importance && t->importance) {
        return refuse(takes, "importance", "add the rule anew", err);
    }
    if (!takes->actions && (t->idle_timeout || t->hard_timeout)) {
        return refuse(takes, t->idle_timeout ? "idle_timeout" : "hard_timeout", "leave it out",
                      err);
    }
    if (!takes->actions && t->flags) {
        return refuse(takes, "flags", "leave send_flow_rem, check_overlap and the like out", err);
    }
    if (!takes->out && (t->out_port != OFPP_ANY || t->out_group != OFPG_ANY)) {
        return refuse(takes, t->out_port != OFPP_ANY ? "out_port" : "out_group",
                      "it says which rules to delete", err);
    }
    if (!takes->select_cookie && t->cookie_mask) {
        return refuse(takes, "cookie", "cookie=VALUE, without a mask", err);
    }
    if (!takes->set_cookie && t->has_cookie) {
        return refuse(takes, "cookie", "cookie=VALUE/-1 says which rules", err);
    }
    if (takes->actions && !t->actions) {
        return ofp_error_set(err, EINVAL, "actions", "actions=drop does nothing with a packet",
                             "a rule needs them");
    }
    return 0;
}

static void text_take(const struct flow_text *t, uint8_t command, struct flow_mod *out) {
    bool modify = command == FLOW_MODIFY || command == FLOW_MODIFY_STRICT;
    out->command = command;
    out->table = t->table;
    out->priority = (uint16_t)t->priority;
    out->idle_timeout = t->idle_timeout;
    out->hard_timeout = t->hard_timeout;
    out->importance = t->importance;
    out->flags = t->flags;
    out->cookie = t->cookie & t->cookie_mask;
    out->cookie_mask = t->cookie_mask;
    out->new_cookie = t->has_cookie ? t->new_cookie : 0;
    out->modify_cookie = t->has_cookie;
    if (modify && !t->has_cookie && t->cookie_mask) {
        out->new_cookie = UINT64_MAX; // Nothing is added where no rule has the cookie.
    }
    out->out_port = (uint16_t)t->out_port;
    out->out_group = t->out_group;
    out->delete_reason = REASON_DELETE;
}

static int actions_take(const struct flow_text *t, const struct port_names *names,
                        struct flow_mod *out, struct ofp_error *err) {
    // These flags came with OpenFlow 1.2 and 1.3, and with them the rule that actions fit the match.
    bool strict = t->flags & (FLOW_RESET_COUNTS | FLOW_NO_PKT_COUNTS | FLOW_NO_BYT_COUNTS);
    // A rule that names no table is added to the first one.
    uint8_t table = t->table == 255 && out->command == FLOW_ADD ? 0 : t->table;
    int error = ofpacts_parse(t->actions, names, &out->ofpacts, err);
    if (!error) {
        error = act_check_verified(out->ofpacts.data, out->ofpacts.len, &out->match, table,
                                   OFP_N_TABLES, OFPP_MAX, strict, err);
    }
    if (error < 0) {
        ofpacts_destroy(&out->ofpacts);
    }
    return error;
}

int flow_mod_parse(const char *text, uint8_t command, const struct port_names *names,
                   struct flow_mod *out, struct ofp_error *err) {
    struct flow_text t;
    out->ofpacts = (struct ofpacts){0};
    if (command >= RS_ARRAY_SIZE(commands)) {
        return ofp_error_of(err, OFPERR_OFPFMFC_BAD_COMMAND, "command",
                            "add, modify, modify_strict, delete or delete_strict",
                            "there is no command %u", command);
    }
    int error = match_parse(text, names, &out->match, &t, err);
    error = error ? error : match_check_rule(&out->match, err);
    error = error ? error : text_check(&commands[command], &t, err);
    if (error < 0) {
        return error;
    }
    text_take(&t, command, out);
    return commands[command].actions ? actions_take(&t, names, out, err) : 0;
}
