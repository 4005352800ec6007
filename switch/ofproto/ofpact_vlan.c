// VLAN tags: mod_vlan_vid and mod_vlan_pcp, which OpenFlow 1.0 pushes a tag for, set_vlan_vid and set_vlan_pcp, which it
// does not; strip_vlan, push_vlan.

#include "ofproto/ofpact_private.h"

static bool is_tagged(const struct flow_vlan *vlan) {
    return vlan->tci & hton16(FLOW_VLAN_CFI);
}

static uint64_t vlan_max(const struct ofpact_vlan *v) {
    return v->ofpact.type == OFPACT_SET_VLAN_VID ? 4095 : 7;
}

ACT_PARSE(set_vlan) {
    struct ofpact_vlan *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    uint64_t number = 0;
    bool vid = a->ofpact.type == OFPACT_SET_VLAN_VID;
    int error = act_number(p, vid ? "VLAN id" : "VLAN priority", value, vlan_max(a), &number);
    a->value = (uint16_t)number;
    a->push_if_needed = p->word->variant;
    return error;
}

ACT_FORMAT(set_vlan) {
    const struct ofpact_vlan *v = (const void *)a;
    text_put(f->out, "%s_vlan_%s:%u", v->push_if_needed ? "mod" : "set",
             a->type == OFPACT_SET_VLAN_VID ? "vid" : "pcp", v->value);
}

ACT_VALIDATE(set_vlan) {
    const struct ofpact_vlan *v = (const void *)a;
    if (v->value <= vlan_max(v)) {
        return 0;
    }
    return ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, ofpact_name((enum ofpact_type)a->type),
                        "an id up to 4095, a priority up to 7", "%u is too large", v->value);
}

ACT_CHECK(set_vlan) {
    struct ofpact_vlan *v = (void *)a;
    v->flow_has_vlan = is_tagged(&c->flow.vlans[0]);
    if (!v->flow_has_vlan && !v->push_if_needed) {
        act_misfit(c, a, "a VLAN tag");
    }
    c->flow.vlans[0].tci |= hton16(FLOW_VLAN_CFI);
    return 0;
}

ACT_PARSE(strip_vlan) {
    (void)value;
    struct ofpact_null *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->ofpact.raw = p->word->variant;
    return 0;
}

ACT_FORMAT(strip_vlan) {
    text_put(f->out, a->raw ? "pop_vlan" : "strip_vlan");
}

ACT_CHECK(strip_vlan) {
    struct flow_vlan *vlans = c->flow.vlans;
    if (!is_tagged(&vlans[0])) {
        act_misfit(c, a, "a VLAN tag");
    }
    memmove(&vlans[0], &vlans[1], (FLOW_MAX_VLANS - 1) * sizeof vlans[0]);
    vlans[FLOW_MAX_VLANS - 1] = (struct flow_vlan){0};
    return 0;
}

ACT_CHECK(push_vlan) {
    struct flow_vlan *vlans = c->flow.vlans;
    (void)a;
    c->needs_of11 = true;
    if (is_tagged(&vlans[FLOW_MAX_VLANS - 1])) {
        return ofp_error_of(c->err, OFPERR_OFPBAC_BAD_TAG, "push_vlan", "strip one first",
                            "the packet has %d tags already", FLOW_MAX_VLANS);
    }
    memmove(&vlans[1], &vlans[0], (FLOW_MAX_VLANS - 1) * sizeof vlans[0]);
    vlans[0] = (struct flow_vlan){.tci = hton16(FLOW_VLAN_CFI)};
    return 0;
}
