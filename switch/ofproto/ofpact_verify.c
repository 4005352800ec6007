// What holds of a list whatever the match: order of instructions, what may stand in what, each action's own arguments.

#include "ofproto/ofpact_private.h"

// The order in which OpenFlow executes instructions; all ordinary actions are one apply_actions.
enum instruction { INST_METER, INST_APPLY, INST_CLEAR, INST_WRITE, INST_METADATA, INST_GOTO };

static const char *const instruction_names[] = {"meter",         "actions",        "clear_actions",
                                                "write_actions", "write_metadata", "goto_table"};

static enum instruction instruction_of(const struct ofpact *a) {
    switch (a->type) {
    case OFPACT_METER: return INST_METER;
    case OFPACT_CLEAR_ACTIONS: return INST_CLEAR;
    case OFPACT_WRITE_ACTIONS: return INST_WRITE;
    case OFPACT_WRITE_METADATA: return INST_METADATA;
    case OFPACT_GOTO_TABLE: return INST_GOTO;
    default: return INST_APPLY;
    }
}

static int verify_order(enum instruction last, enum instruction next, struct ofp_error *err) {
    if (last == INST_APPLY ? next >= last : next > last) {
        return 0;
    }
    if (next == last) {
        return ofp_error_of(err, OFPERR_OFPBAC_UNSUPPORTED_ORDER, instruction_names[next],
                            "keep one of them", "it is there twice");
    }
    return ofp_error_of(
        err, OFPERR_OFPBAC_UNSUPPORTED_ORDER, instruction_names[next],
        "meter, then actions, clear_actions, write_actions, write_metadata, goto_table",
        "it stands behind %s", instruction_names[last]);
}

static int verify_instruction(enum instruction inst, bool instructions, struct ofp_error *err) {
    if (instructions || inst == INST_APPLY || inst == INST_METER) {
        return 0;
    }
    return ofp_error_of(err, OFPERR_OFPBIC_UNSUP_INST, instruction_names[inst],
                        "write it in the rule's own list", "an instruction has no place here");
}

// A conjunction's rule does nothing itself.
static int verify_conjunction(const void *bytes, size_t n, struct ofp_error *err) {
    OFPACT_FOR_EACH(a, bytes, n) {
        if (a->type != OFPACT_CONJUNCTION && a->type != OFPACT_NOTE) {
            return ofp_error_of(err, OFPERR_NXBAC_BAD_CONJUNCTION, "conjunction",
                                "put the others into the rule that matches conj_id",
                                "only note may stand beside it, not %s",
                                ofpact_name((enum ofpact_type)a->type));
        }
        const struct act_class *class = act_class((enum ofpact_type)a->type);
        int error = class->validate ? class->validate(a, err) : 0;
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

// The field that set_field, load or move writes, NULL for the others.
static const struct mf_field *field_written(const struct ofpact *a) {
    if (a->type == OFPACT_SET_FIELD) {
        return ((const struct ofpact_set_field *)(const void *)a)->field;
    }
    return a->type == OFPACT_REG_MOVE ? ((const struct ofpact_move *)(const void *)a)->dst.field
                                      : NULL;
}

static int refuse_nesting(const struct ofpact *a, enum ofpact_type outer, enum ofperr ofperr,
                          const char *hint, struct ofp_error *err) {
    return ofp_error_of(err, ofperr, ofpact_name(outer), hint, "it cannot have %s",
                        ofpact_name((enum ofpact_type)a->type));
}

static int verify_in_ct(const struct ofpact *a, const struct mf_field *field, bool is_ct_field,
                        struct ofp_error *err) {
    if (!field) {
        return refuse_nesting(a, OFPACT_CT, OFPERR_OFPBAC_BAD_ARGUMENT,
                              "exec() takes nat, set_field, load and move", err);
    }
    return is_ct_field ? 0
                       : ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "ct", "ct_mark or ct_label",
                                      "exec() cannot change %s", field->name);
}

static int verify_nesting(const struct ofpact *a, enum ofpact_type outer, struct ofp_error *err) {
    const struct mf_field *field = field_written(a);
    bool is_ct_field = field && (field->id == MFF_CT_MARK || field->id == MFF_CT_LABEL);
    if (is_ct_field && outer != OFPACT_CT) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_ARGUMENT, field->name,
                            "ct(commit,exec(set_field:…))", "it can be set within ct only");
    }
    if (a->type == OFPACT_NAT) {
        return outer == OFPACT_CT ? 0
                                  : ofp_error_of(err, OFPERR_OFPBAC_BAD_SET_ARGUMENT, "nat",
                                                 "ct(commit,nat(…))", "it stands outside of ct");
    }
    if (outer == ACT_NO_OUTER) {
        return 0;
    }
    if (outer == OFPACT_CT) {
        return verify_in_ct(a, field, is_ct_field, err);
    }
    if (a->type == OFPACT_METER) {
        return refuse_nesting(a, outer, OFPERR_OFPBAC_BAD_ARGUMENT, "meter begins a rule's list",
                              err);
    }
    if (outer == OFPACT_WRITE_ACTIONS && !ofpact_fits_action_set((enum ofpact_type)a->type) &&
        !ofpact_is_instruction((enum ofpact_type)a->type)) {
        return refuse_nesting(a, outer, OFPERR_OFPBAC_BAD_TYPE,
                              "ovs-actions(7), Action Sets, has those that it can", err);
    }
    return 0;
}

static int verify_one(const struct ofpact *a, bool instructions, enum ofpact_type outer,
                      struct ofp_error *err) {
    if (a->type >= OFPACT_UNROLL) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_TYPE, "unroll_xlate", NULL,
                            "an action of type %u is not for rules", a->type);
    }
    int error = verify_nesting(a, outer, err);
    if (!error) {
        error = verify_instruction(instruction_of(a), instructions, err);
    }
    const struct act_class *class = act_class((enum ofpact_type)a->type);
    return error || !class->validate ? error : class->validate(a, err);
}

int act_verify(const void *bytes, size_t n, bool instructions, enum ofpact_type outer,
               struct ofp_error *err) {
    enum instruction last = INST_METER;
    OFPACT_FOR_EACH(a, bytes, n) {
        if (a->type == OFPACT_CONJUNCTION && outer != OFPACT_WRITE_ACTIONS) {
            return verify_conjunction(bytes, n, err);
        }
        int error = verify_one(a, instructions, outer, err);
        enum instruction next = instruction_of(a);
        if (!error && (const void *)a != bytes) {
            error = verify_order(last, next, err);
        }
        if (error < 0) {
            return error;
        }
        last = next;
    }
    return 0;
}

int ofpacts_check_set(const void *bytes, size_t n, struct ofp_error *err) {
    return act_verify(bytes, n, false, ACT_NO_OUTER, err);
}
