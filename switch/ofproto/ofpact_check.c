// Does a list fit a rule? The list is walked with what is known of the packet: the match, and what the actions before have
// made of it (push_mpls changes the EtherType, strip_vlan takes the tag). What is asked of each action is in its family's file.

#include "ofproto/ofpact_private.h"

// What actions may change in act_checker.flow; a nested list's changes end with it.
struct known {
    be32 packet_type;
    be16 dl_type;
    uint8_t nw_proto;
    struct flow_vlan vlans[FLOW_MAX_VLANS];
};

static void known_save(struct known *k, const struct flow *flow) {
    k->packet_type = flow->packet_type;
    k->dl_type = flow->dl_type;
    k->nw_proto = flow->nw_proto;
    memcpy(k->vlans, flow->vlans, sizeof k->vlans);
}

static void known_restore(const struct known *k, struct flow *flow) {
    flow->packet_type = k->packet_type;
    flow->dl_type = k->dl_type;
    flow->nw_proto = k->nw_proto;
    memcpy(flow->vlans, k->vlans, sizeof k->vlans);
}

be16 act_dl_type(const struct flow *flow) {
    if (flow->packet_type == 0) {
        return flow->dl_type;
    }
    uint32_t type = ntoh32(flow->packet_type);
    return type >> 16 == 1 ? hton16((uint16_t)type) : 0;
}

void act_misfit(struct act_checker *c, const struct ofpact *a, const char *needs) {
    if (!c->misfit) {
        c->misfit = a;
        c->misfit_needs = needs;
    }
}

int act_check_list(struct act_checker *c, void *bytes, size_t n) {
    struct known before;
    known_save(&before, &c->flow);
    int error = 0;
    uint8_t *end = (uint8_t *)bytes + n;
    for (uint8_t *p = bytes; p < end && !error;) {
        struct ofpact *a = (struct ofpact *)(void *)p;
        const struct act_class *class = act_class((enum ofpact_type)a->type);
        error = class->check ? class->check(c, a) : 0;
        p += a->len;
    }
    known_restore(&before, &c->flow);
    return error;
}

// Conjunctions and drops, of which large rule sets have most, ask nothing of the match.
static bool asks_nothing(const void *bytes, size_t n) {
    OFPACT_FOR_EACH(a, bytes, n) {
        if (act_class((enum ofpact_type)a->type)->check) {
            return false;
        }
    }
    return true;
}

int act_check_verified(void *bytes, size_t n, const struct match *match, uint8_t table,
                       uint8_t n_tables, uint32_t max_ports, bool strict, struct ofp_error *err) {
    if (asks_nothing(bytes, n)) {
        return 0;
    }
    struct act_checker c = {
        .flow = match->flow,
        .mask = &match->mask,
        .err = err,
        .max_ports = max_ports,
        .table = table,
        .n_tables = n_tables,
    };
    int error = act_check_list(&c, bytes, n);
    if (!error && c.misfit && (strict || c.needs_of11)) {
        return ofp_error_of(err, OFPERR_OFPBAC_MATCH_INCONSISTENT,
                            ofpact_name((enum ofpact_type)c.misfit->type),
                            "say so in the match, so that only such packets come to it",
                            "it needs %s", c.misfit_needs);
    }
    return error;
}

int ofpacts_check(void *bytes, size_t n, const struct match *match, uint8_t table, uint8_t n_tables,
                  uint32_t max_ports, struct ofp_error *err) {
    int error = act_verify(bytes, n, true, ACT_NO_OUTER, err);
    return error ? error
                 : act_check_verified(bytes, n, match, table, n_tables, max_ports, false, err);
}

int ofpacts_check_strict(void *bytes, size_t n, const struct match *match, uint8_t table,
                         uint8_t n_tables, uint32_t max_ports, struct ofp_error *err) {
    int error = act_verify(bytes, n, true, ACT_NO_OUTER, err);
    return error ? error
                 : act_check_verified(bytes, n, match, table, n_tables, max_ports, true, err);
}
