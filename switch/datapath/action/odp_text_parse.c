#include <errno.h>

#include "datapath/action/odp_text_private.h"
#include "datapath/drop_reason.h"

static bool scan_list(struct scanner *s, struct odp_list *out);

// Behind "sample(": the chance in per cent, one decimal.
static bool scan_sample(struct scanner *s, struct odp_list *out) {
    uint64_t whole, tenth = 0;
    if (!scan_expect(s, "sample=") || !scan_number(s, 100, &whole) ||
        (scan_word(s, ".") && !scan_number(s, 9, &tenth))) {
        return false;
    }
    uint64_t mille = whole * 10 + tenth;
    if (mille > 1000) {
        return scan_refuse(s, "number out of range");
    }
    if (!scan_expect(s, "%,actions(")) {
        return false;
    }
    uint32_t at = odp_begin(out, ODP_SAMPLE, (uint32_t)(mille * UINT32_MAX / 1000), 0);
    if (!scan_list(s, out) || !scan_expect(s, "))")) {
        return false;
    }
    odp_end(out, at);
    return true;
}

static bool scan_check_pkt_len(struct scanner *s, struct odp_list *out) {
    struct odp_check_pkt_len sizes;
    uint64_t size;
    if (!scan_expect(s, "size=") || !scan_number(s, UINT32_MAX, &size) || !scan_expect(s, ",gt(")) {
        return false;
    }
    uint32_t at = odp_begin(out, ODP_CHECK_PKT_LEN, (uint32_t)size, sizeof sizes);
    uint32_t begin = out->len;
    if (!scan_list(s, out) || !scan_expect(s, "),le(")) {
        return false;
    }
    sizes.greater_len = out->len - begin;
    if (!scan_list(s, out) || !scan_expect(s, "))")) {
        return false;
    }
    sizes.less_equal_len = out->len - begin - sizes.greater_len;
    odp_end(out, at);
    if (!out->overflow) {
        memcpy(out->data + at + sizeof(struct odp_action), &sizes, sizeof sizes);
    }
    return true;
}

static bool scan_clone(struct scanner *s, struct odp_list *out) {
    uint32_t at = odp_begin(out, ODP_CLONE, 0, 0);
    if (!scan_list(s, out) || !scan_expect(s, ")")) {
        return false;
    }
    odp_end(out, at);
    return true;
}

static bool scan_push_vlan(struct scanner *s, struct odp_list *out) {
    uint64_t tpid = 0x8100, vid = 0, pcp = 0;
    if (scan_named(s, "tpid", UINT16_MAX, &tpid) && !scan_expect(s, ",")) {
        return false;
    }
    if (!scan_expect(s, "vid=") || !scan_number(s, 0xfff, &vid) || !scan_expect(s, ",pcp=") ||
        !scan_number(s, 7, &pcp) || !scan_expect(s, ")")) {
        return false;
    }
    odp_put_simple(out, ODP_PUSH_VLAN, (uint32_t)(tpid << 16 | pcp << 13 | vid));
    return true;
}

static bool scan_push_mpls(struct scanner *s, struct odp_list *out, enum odp_action_type type) {
    uint32_t lse;
    uint64_t ethertype;
    if (!scan_mpls(s, &lse) || !scan_expect(s, ",eth_type=") ||
        !scan_number(s, UINT16_MAX, &ethertype) || !scan_expect(s, ")")) {
        return false;
    }
    struct odp_push_mpls *push = odp_put(out, type, lse, sizeof *push);
    if (push) {
        push->ethertype = hton16((uint16_t)ethertype);
    }
    return true;
}

static bool scan_push_eth(struct scanner *s, struct odp_list *out) {
    struct odp_key_eth eth;
    if (!scan_expect(s, "src=") || !scan_mac(s, eth.src) || !scan_expect(s, ",dst=") ||
        !scan_mac(s, eth.dst) || !scan_expect(s, ")")) {
        return false;
    }
    struct odp_key_eth *put = odp_put(out, ODP_PUSH_ETH, 0, sizeof eth);
    if (put) {
        *put = eth;
    }
    return true;
}

static bool scan_hash(struct scanner *s, struct odp_list *out) {
    uint64_t basis;
    bool symmetric = scan_word(s, "sym_l4(");
    if ((!symmetric && !scan_expect(s, "l4(")) || !scan_number(s, UINT32_MAX, &basis) ||
        !scan_expect(s, "))")) {
        return false;
    }
    struct odp_hash *hash = odp_put(out, ODP_HASH, (uint32_t)basis, sizeof *hash);
    if (hash) {
        hash->alg = symmetric ? ODP_HASH_SYM_L4 : ODP_HASH_L4;
    }
    return true;
}

// Actions that are a word, or a word with one number.
static const struct {
    const char *begin, *end; // end NULL: no number between.
    uint8_t type;
    uint64_t max;
} simple[] = {
    {"pop_vlan", NULL, ODP_POP_VLAN, 0},
    {"pop_eth", NULL, ODP_POP_ETH, 0},
    {"pop_nsh()", NULL, ODP_POP_NSH, 0},
    {"ct_clear", NULL, ODP_CT_CLEAR, 0},
    {"pop_mpls(eth_type=", ")", ODP_POP_MPLS, UINT16_MAX},
    {"trunc(", ")", ODP_TRUNC, UINT32_MAX},
    {"recirc(", ")", ODP_RECIRC, UINT32_MAX},
    {"meter(", ")", ODP_METER, UINT32_MAX},
    {"userspace(pid=0,controller(pin=", "))", ODP_CONTROLLER, UINT32_MAX},
    {"tnl_push(tnl_port(", "))", ODP_TUNNEL_PUSH, UINT32_MAX},
    {"tnl_pop(", ")", ODP_TUNNEL_POP, UINT32_MAX},
};

static bool scan_simple(struct scanner *s, struct odp_list *out, bool *found) {
    for (unsigned i = 0; i < RS_ARRAY_SIZE(simple); i++) {
        uint64_t arg = 0;
        if (scan_word(s, simple[i].begin)) {
            *found = true;
            if (simple[i].end &&
                (!scan_number(s, simple[i].max, &arg) || !scan_expect(s, simple[i].end))) {
                return false;
            }
            odp_put_simple(out, (enum odp_action_type)simple[i].type, (uint32_t)arg);
            return true;
        }
    }
    *found = false;
    return false;
}

static bool scan_action(struct scanner *s, struct odp_list *out) {
    uint64_t port;
    bool found;
    if (s->at[0] >= '0' && s->at[0] <= '9') {
        if (!scan_number(s, UINT32_MAX, &port)) {
            return false;
        }
        odp_put_simple(out, ODP_OUTPUT, (uint32_t)port);
        return true;
    }
    bool done = scan_simple(s, out, &found);
    if (found) {
        return done;
    }
    if (scan_word(s, "set(")) {
        return scan_set(s, out);
    }
    if (scan_word(s, "push_vlan(")) {
        return scan_push_vlan(s, out);
    }
    if (scan_word(s, "push_mpls(")) {
        return scan_push_mpls(s, out, ODP_PUSH_MPLS);
    }
    if (scan_word(s, "add_mpls(")) {
        return scan_push_mpls(s, out, ODP_ADD_MPLS);
    }
    if (scan_word(s, "push_eth(")) {
        return scan_push_eth(s, out);
    }
    if (scan_word(s, "push_nsh(")) {
        return scan_push_nsh(s, out);
    }
    if (scan_word(s, "hash(")) {
        return scan_hash(s, out);
    }
    if (scan_word(s, "clone(")) {
        return scan_clone(s, out);
    }
    if (scan_word(s, "sample(")) {
        return scan_sample(s, out);
    }
    if (scan_word(s, "check_pkt_len(")) {
        return scan_check_pkt_len(s, out);
    }
    return scan_word(s, "ct") ? scan_ct(s, out) : scan_refuse(s, "unknown action");
}

static bool scan_list(struct scanner *s, struct odp_list *out) {
    if (++s->depth > TEXT_MAX_NESTING) {
        return scan_refuse(s, "lists nested too deep");
    }
    do {
        if (scan_word(s, "drop")) {
            odp_put_simple(out, ODP_DROP, DROP_RULE_DROP);
            break;
        }
        if (!scan_action(s, out)) {
            return false;
        }
    } while (scan_word(s, ","));
    s->depth--;
    return true;
}

// The scanner looks at the form; whether numbers make sense, odp_check() knows.
int odp_text_parse(const char *text, struct odp_list *out, const char **error_at,
                   const char **why) {
    struct scanner s = {.at = text};
    uint32_t before = out->len;
    bool ok = scan_list(&s, out);
    if (ok && *s.at != '\0') {
        ok = scan_refuse(&s, "expected a comma or the end");
    }
    if (ok && out->overflow) {
        out->len = before;
        out->overflow = false;
        *error_at = text;
        *why = "the list is too long";
        return -ENOMEM;
    }
    const char *reason = NULL;
    if (!ok || !odp_check(out->data + before, out->len - before, &reason)) {
        out->len = before;
        out->overflow = false;
        *error_at = s.at;
        *why = ok ? reason : s.why;
        return -EINVAL;
    }
    *error_at = *why = NULL;
    return 0;
}
