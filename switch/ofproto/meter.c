// Meters: their configuration. The token buckets are the datapath's (datapath/action/odp_meter.h).

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

bool ofproto_has_meter(const struct ofproto *p, uint32_t id) {
    return id >= 1 && id <= OFP_MAX_METERS && rcu_get(internal(p)->meters[id]) != NULL;
}

static int check(const struct meter_config *m, struct ofp_error *err) {
    if (m->flags & ~(METER_KBPS | METER_PKTPS | METER_BURST | METER_STATS) ||
        !(m->flags & METER_KBPS) == !(m->flags & METER_PKTPS)) {
        return ofp_error_of(err, OFPERR_OFPMMFC_BAD_FLAGS, "meter", "say kbps or pktps",
                            "flags 0x%x are not a meter's", m->flags);
    }
    if (m->n_bands == 0 || m->n_bands > RS_ARRAY_SIZE(m->bands)) {
        return ofp_error_of(err, OFPERR_OFPMMFC_OUT_OF_BANDS, "bands", "give 1 to 8 bands",
                            "%u bands", m->n_bands);
    }
    for (unsigned i = 0; i < m->n_bands; i++) {
        const struct meter_band *b = &m->bands[i];
        if (b->type != 1 && b->type != 2) {
            return ofp_error_of(err, OFPERR_OFPMMFC_BAD_BAND, "type", "use drop or dscp_remark",
                                "there is no band type %u", b->type);
        }
        if (b->rate == 0) {
            return ofp_error_of(err, OFPERR_OFPMMFC_BAD_RATE, "rate", "give a rate above 0",
                                "rate 0");
        }
    }
    return 0;
}

static int check_id(uint32_t id, struct ofp_error *err) {
    if (id >= 1 && id <= OFP_MAX_METERS) {
        return 0;
    }
    return ofp_error_of(err, OFPERR_OFPMMFC_INVALID_METER, "meter", "use 1 to 4096",
                        "no meter can have the number %u", id);
}

static bool uses_meter(const void *actions, size_t len, uint32_t id) { // 0 = any.
    OFPACT_FOR_EACH(a, actions, len) {
        uint32_t used =
            a->type == OFPACT_METER ? ((const struct ofpact_u32 *)(const void *)a)->value : 0;
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        if ((used != 0 && (id == 0 || used == id)) || uses_meter(nested, nested_len, id)) {
            return true;
        }
    }
    return false;
}

struct users {
    uint32_t meter;
    struct rule_set *rules;
    bool failed;
};

static bool take_user(struct cls_rule *cr, void *arg) {
    struct users *u = arg;
    struct rule *r = rule_of(cr);
    if ((r->uses & RULE_USES_METER) && uses_meter(r->actions, r->actions_len, u->meter)) {
        u->failed = rule_set_add(u->rules, r) != 0;
    }
    return !u->failed;
}

static int delete_users(struct ofproto *p, uint32_t meter, struct ofp_error *err) {
    struct rule_set rules = {.n = 0};
    struct users users = {meter, &rules, false};
    for (unsigned i = 0; i < OFP_N_TABLES && !users.failed; i++) {
        if (p->tables[i].cls) {
            classifier_for_each(p->tables[i].cls, next_version(p), NULL, take_user, &users);
        }
    }
    int error = users.failed ? no_memory(err, "meter")
                             : rules_prepare_delete(p, &rules, REMOVED_METER_DELETE, err);
    free(rules.list);
    return error;
}

static int meter_delete(struct ofproto *p, uint32_t id, struct ofp_error *err) {
    int error = delete_users(p, id, err);
    if (error) {
        changes_undo(p);
        return error;
    }
    changes_publish(p);
    for (uint32_t i = id ? id : 1; i <= (id ? id : OFP_MAX_METERS); i++) {
        struct meter_config *old = rcu_get(internal(p)->meters[i]);
        rcu_set(internal(p)->meters[i], NULL);
        if (old) {
            rcu_postpone(free, old);
        }
    }
    return 0;
}

static int meter_set(struct ofproto *p, uint8_t command, const struct meter_config *m,
                     struct ofp_error *err) {
    int error = check_id(m->id, err);
    error = error ? error : check(m, err);
    if (error) {
        return error;
    }
    struct meter_config *old = rcu_get(internal(p)->meters[m->id]);
    if (!old && command == METER_MODIFY) {
        return ofp_error_of(err, OFPERR_OFPMMFC_UNKNOWN_METER, "meter", "add it first",
                            "no meter %u", m->id);
    }
    if (old && command == METER_ADD) {
        return ofp_error_of(err, OFPERR_OFPMMFC_METER_EXISTS, "meter", "modify it instead",
                            "meter %u is there already", m->id);
    }
    struct meter_config *new = malloc(sizeof *new);
    if (!new) {
        return no_memory(err, "meter");
    }
    *new = *m;
    rcu_set(internal(p)->meters[m->id], new);
    if (old) {
        rcu_postpone(free, old);
    }
    return 0;
}

int ofproto_meter_mod(struct ofproto *p, uint8_t command, const struct meter_config *m,
                      struct ofp_error *err) {
    ofproto_lock(p);
    int error = 0;
    if (command == METER_ADD || command == METER_MODIFY) {
        error = meter_set(p, command, m, err);
    } else if (command != METER_DELETE) {
        error = ofp_error_of(err, OFPERR_OFPMMFC_BAD_COMMAND, "command",
                             "use 0 (add), 1 (modify) or 2 (delete)",
                             "there is no meter mod command %u", command);
    } else if (m->id == OFPM_ALL || ofproto_has_meter(p, m->id)) {
        error = meter_delete(p, m->id == OFPM_ALL ? 0 : m->id, err);
    }
    ofproto_unlock(p);
    return error;
}

void ofproto_for_each_meter(const struct ofproto *p,
                            bool (*fn)(const struct meter_config *m, void *arg), void *arg) {
    for (unsigned i = 1; i <= OFP_MAX_METERS; i++) {
        const struct meter_config *m = rcu_get(internal(p)->meters[i]);
        if (m && !fn(m, arg)) {
            return;
        }
    }
}
