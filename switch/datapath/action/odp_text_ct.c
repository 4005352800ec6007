// ct(…): connection tracking as text, both ways.

#include "datapath/action/odp_text_private.h"

static bool is_zero16(const uint8_t *bytes) {
    for (unsigned i = 0; i < 16; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void text_nat_address(struct text *t, const struct odp_ct *ct, const uint8_t *address) {
    if (!(ct->flags & ODP_CT_NAT_IPV6)) {
        text_ipv4(t, address);
        return;
    }
    text_put(t, ct->nat_port_min ? "[" : "");
    text_ipv6(t, address);
    text_put(t, ct->nat_port_min ? "]" : "");
}

static void text_nat(struct text *t, const struct odp_ct *ct) {
    text_put(t, "nat");
    if (!(ct->flags & (ODP_CT_NAT_SRC | ODP_CT_NAT_DST))) {
        return;
    }
    text_put(t, ct->flags & ODP_CT_NAT_SRC ? "(src" : "(dst");
    if (!is_zero16(ct->nat_min)) {
        text_put(t, "=");
        text_nat_address(t, ct, ct->nat_min);
        if (!is_zero16(ct->nat_max) && memcmp(ct->nat_min, ct->nat_max, 16) != 0) {
            text_put(t, "-");
            text_nat_address(t, ct, ct->nat_max);
        }
        if (ct->nat_port_min) {
            text_put(t, ":%u", ct->nat_port_min);
            if (ct->nat_port_max && ct->nat_port_max != ct->nat_port_min) {
                text_put(t, "-%u", ct->nat_port_max);
            }
        }
    }
    text_put(t, "%s%s%s)", ct->flags & ODP_CT_NAT_PERSISTENT ? ",persistent" : "",
             ct->flags & ODP_CT_NAT_HASH ? ",hash" : "",
             ct->flags & ODP_CT_NAT_RANDOM ? ",random" : "");
}

static void text_label(struct text *t, const struct odp_ct *ct) {
    text_put(t, "label=");
    text_hex_bytes(t, ct->label, sizeof ct->label);
    bool exact = true;
    for (unsigned i = 0; i < sizeof ct->label_mask; i++) {
        exact &= ct->label_mask[i] == 0xff;
    }
    if (!exact) {
        text_put(t, "/");
        text_hex_bytes(t, ct->label_mask, sizeof ct->label_mask);
    }
    text_put(t, ",");
}

void text_ct(struct text *t, const struct odp_ct *ct) {
    size_t begin = t->len;
    text_put(t, "ct(");
    if (ct->flags & ODP_CT_FORCE) {
        text_put(t, "force_commit,");
    } else if (ct->flags & ODP_CT_COMMIT) {
        text_put(t, "commit,");
    }
    if (ct->zone) {
        text_put(t, "zone=%u,", ct->zone);
    }
    if (ct->mark_mask) {
        text_put(t, "mark=%#x/%#x,", ct->mark, ct->mark_mask);
    }
    if (!is_zero16(ct->label_mask)) {
        text_label(t, ct);
    }
    if (ct->helper[0]) {
        text_put(t, "helper=%s,", ct->helper);
    }
    if (ct->flags & ODP_CT_NAT) {
        text_nat(t, ct);
    }
    text_chomp(t, ',');
    if (t->len == begin + 3) {
        text_chomp(t, '(');
    } else {
        text_put(t, ")");
    }
}

static bool scan_nat_address(struct scanner *s, struct odp_ct *ct, uint8_t *out) {
    // What comes before the first colon or dot tells which kind it is.
    size_t n = strspn(s->at, "0123456789abcdefABCDEF");
    bool bracket = scan_word(s, "[");
    if (!bracket && s->at[n] == '.') {
        return scan_ipv4(s, out);
    }
    ct->flags |= ODP_CT_NAT_IPV6;
    return scan_ipv6(s, out) && (!bracket || scan_expect(s, "]"));
}

static bool scan_nat_range(struct scanner *s, struct odp_ct *ct) {
    uint64_t port;
    if (!scan_nat_address(s, ct, ct->nat_min) ||
        (scan_word(s, "-") && !scan_nat_address(s, ct, ct->nat_max))) {
        return false;
    }
    if (!scan_word(s, ":")) {
        return true;
    }
    if (!scan_number(s, UINT16_MAX, &port)) {
        return false;
    }
    ct->nat_port_min = (uint16_t)port;
    if (scan_word(s, "-")) {
        if (!scan_number(s, UINT16_MAX, &port)) {
            return false;
        }
        ct->nat_port_max = (uint16_t)port;
    }
    return true;
}

static bool scan_nat(struct scanner *s, struct odp_ct *ct) {
    ct->flags |= ODP_CT_NAT;
    if (!scan_word(s, "(")) {
        return true;
    }
    if (scan_word(s, "src")) {
        ct->flags |= ODP_CT_NAT_SRC;
    } else if (scan_expect(s, "dst")) {
        ct->flags |= ODP_CT_NAT_DST;
    }
    if (scan_word(s, "=") && !scan_nat_range(s, ct)) {
        return false;
    }
    ct->flags |= scan_word(s, ",persistent") ? ODP_CT_NAT_PERSISTENT : 0;
    ct->flags |= scan_word(s, ",hash") ? ODP_CT_NAT_HASH : 0;
    ct->flags |= scan_word(s, ",random") ? ODP_CT_NAT_RANDOM : 0;
    return scan_expect(s, ")");
}

static bool scan_label(struct scanner *s, struct odp_ct *ct) {
    memset(ct->label_mask, 0xff, sizeof ct->label_mask);
    return scan_hex_bytes(s, ct->label, sizeof ct->label) &&
           (!scan_word(s, "/") || scan_hex_bytes(s, ct->label_mask, sizeof ct->label_mask));
}

static bool scan_helper(struct scanner *s, struct odp_ct *ct) {
    size_t n = strcspn(s->at, ",()");
    if (n == 0 || n >= sizeof ct->helper) {
        return scan_refuse(s, "helper's name");
    }
    memcpy(ct->helper, s->at, n);
    s->at += n;
    return true;
}

static bool scan_mark(struct scanner *s, struct odp_ct *ct) {
    uint64_t mark, mask = UINT32_MAX;
    if (!scan_number(s, UINT32_MAX, &mark) ||
        (scan_word(s, "/") && !scan_number(s, UINT32_MAX, &mask))) {
        return false;
    }
    ct->mark = (uint32_t)mark;
    ct->mark_mask = (uint32_t)mask;
    return true;
}

static bool scan_part(struct scanner *s, struct odp_ct *ct) {
    uint64_t zone;
    if (scan_word(s, "force_commit")) {
        ct->flags |= ODP_CT_COMMIT | ODP_CT_FORCE;
        return true;
    }
    if (scan_word(s, "commit")) {
        ct->flags |= ODP_CT_COMMIT;
        return true;
    }
    if (scan_named(s, "zone", UINT16_MAX, &zone)) {
        ct->zone = (uint16_t)zone;
        return true;
    }
    if (scan_word(s, "mark=")) {
        return scan_mark(s, ct);
    }
    if (scan_word(s, "label=")) {
        return scan_label(s, ct);
    }
    if (scan_word(s, "helper=")) {
        return scan_helper(s, ct);
    }
    return scan_word(s, "nat") ? scan_nat(s, ct) : scan_refuse(s, "unknown argument of ct()");
}

bool scan_ct(struct scanner *s, struct odp_list *out) {
    struct odp_ct ct;
    memset(&ct, 0, sizeof ct);
    if (scan_word(s, "(")) {
        do {
            if (!scan_part(s, &ct)) {
                return false;
            }
        } while (scan_word(s, ","));
        if (!scan_expect(s, ")")) {
            return false;
        }
    }
    struct odp_ct *put = odp_put(out, ODP_CT, 0, sizeof ct);
    if (put) {
        *put = ct;
    }
    return true;
}
