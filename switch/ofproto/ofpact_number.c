// Actions whose argument is one number.

#include "ofproto/ofpact_private.h"

enum style { DECIMAL, HEXADECIMAL, HEXADECIMAL4, IN_PARENTHESES };

struct number {
    const char *what;
    uint32_t max;
    uint32_t zero_bits; // Of the value, that have to be 0.
    bool wide;          // struct ofpact_u32, else ofpact_u16.
    enum style style;
    const char *hint;
};

static const struct number numbers[OFPACT_N_TYPES] = {
    [OFPACT_GROUP] = {"group", UINT32_MAX, 0, true, DECIMAL, NULL},
    [OFPACT_SET_QUEUE] = {"queue", UINT32_MAX, 0, true, DECIMAL, NULL},
    [OFPACT_METER] = {"meter", UINT32_MAX, 0, true, DECIMAL, NULL},
    [OFPACT_SET_MPLS_LABEL] = {"MPLS label", 0xfffff, 0, true, IN_PARENTHESES, "0 to 1048575"},
    [OFPACT_SET_MPLS_TC] = {"MPLS traffic class", 7, 0, false, IN_PARENTHESES, "0 to 7"},
    [OFPACT_SET_MPLS_TTL] = {"MPLS TTL", 255, 0, false, IN_PARENTHESES, "0 to 255"},
    [OFPACT_SET_IP_DSCP] = {"TOS", 255, 3, false, DECIMAL, "DSCP times 4: 0, 4, 8 … 252"},
    [OFPACT_SET_IP_ECN] = {"ECN", 3, 0, false, DECIMAL, "0 to 3"},
    [OFPACT_SET_IP_TTL] = {"TTL", 255, 0, false, DECIMAL, "0 to 255"},
    [OFPACT_SET_L4_SRC_PORT] = {"source port", UINT16_MAX, 0, false, DECIMAL, NULL},
    [OFPACT_SET_L4_DST_PORT] = {"destination port", UINT16_MAX, 0, false, DECIMAL, NULL},
    [OFPACT_PUSH_VLAN] = {"EtherType", UINT16_MAX, 0, false, HEXADECIMAL, "0x8100 or 0x88a8"},
    [OFPACT_PUSH_MPLS] = {"EtherType", UINT16_MAX, 0, false, HEXADECIMAL4, "0x8847 or 0x8848"},
    [OFPACT_POP_MPLS] = {"EtherType", UINT16_MAX, 0, false, HEXADECIMAL4, NULL},
};

static uint32_t number_of(const struct ofpact *a) {
    return numbers[a->type].wide ? ((const struct ofpact_u32 *)(const void *)a)->value
                                 : ((const struct ofpact_u16 *)(const void *)a)->value;
}

ACT_PARSE(number) {
    const struct number *n = &numbers[p->word->type];
    uint64_t number;
    int error = act_number(p, n->what, value, n->max, &number);
    if (error < 0) {
        return error;
    }
    if (n->wide) {
        struct ofpact_u32 *a = act_put(p, sizeof *a);
        if (a) {
            a->value = (uint32_t)number;
            return 0;
        }
    } else {
        struct ofpact_u16 *a = act_put(p, sizeof *a);
        if (a) {
            a->value = (uint16_t)number;
            return 0;
        }
    }
    return act_full(p);
}

ACT_FORMAT(number) {
    const char *name = ofpact_name((enum ofpact_type)a->type);
    uint32_t value = number_of(a);
    switch (numbers[a->type].style) {
    case DECIMAL: text_put(f->out, "%s:%u", name, value); break;
    case HEXADECIMAL: text_put(f->out, "%s:%#x", name, value); break;
    case HEXADECIMAL4: text_put(f->out, "%s:0x%04x", name, value); break;
    case IN_PARENTHESES: text_put(f->out, "%s(%u)", name, value); break;
    }
}

static bool is_valid(const struct ofpact *a, uint32_t value) {
    const struct number *n = &numbers[a->type];
    switch (a->type) {
    case OFPACT_PUSH_VLAN: return value == 0x8100 || value == 0x88a8;
    case OFPACT_PUSH_MPLS: return value == 0x8847 || value == 0x8848;
    default: return value <= n->max && !(value & n->zero_bits);
    }
}

ACT_VALIDATE(number) {
    const struct number *n = &numbers[a->type];
    uint32_t value = number_of(a);
    if (a->type == OFPACT_METER) {
        return value > 0 && value <= 0xffff0000u
                   ? 0
                   : ofp_error_of(err, OFPERR_OFPMMFC_INVALID_METER, "meter", "1 to 4294901760",
                                  "%u is no meter", value);
    }
    return is_valid(a, value) ? 0
                              : ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT,
                                             ofpact_name((enum ofpact_type)a->type), n->hint,
                                             "%#x is not a valid %s", value, n->what);
}

ACT_CHECK(ip) {
    if (!flow_is_ip(act_dl_type(&c->flow))) {
        act_misfit(c, a, "ip or ipv6");
    }
    return 0;
}

ACT_CHECK(l4) {
    uint8_t proto = c->flow.nw_proto;
    if (!flow_is_ip(act_dl_type(&c->flow)) || (c->flow.nw_frag & FLOW_FRAG_LATER) ||
        (proto != 6 && proto != 17 && proto != 132)) {
        act_misfit(c, a, "tcp, udp or sctp");
    }
    return 0;
}

ACT_CHECK(meter) {
    (void)a;
    c->needs_of11 = true;
    return 0;
}
