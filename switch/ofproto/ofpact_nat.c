// nat, within ct.

#include <arpa/inet.h>

#include "ofproto/ofpact_private.h"

#define RANGE_HINT "10.0.0.1-10.0.0.9:1000-2000, or [fc00::1]:1000"

// "10.0.0.1", "fc00::1" or "[fc00::1]" at *s, moved behind it: 4, 6, or 0 if there is none.
static uint8_t address_scan(char **s, uint8_t out[16]) {
    char text[INET6_ADDRSTRLEN];
    bool bracket = **s == '[';
    char *begin = *s + bracket;
    // Up to where an address cannot go on. A port follows an IPv4 address by ':', which IPv6 has within.
    size_t n = strspn(begin, "0123456789.");
    uint8_t family = begin[n] == '\0' || begin[n] == '-' || begin[n] == ':' ? 4 : 6;
    if (bracket || !memchr(begin, '.', n)) {
        family = 6;
        n = strspn(begin, "0123456789abcdefABCDEF:.");
    }
    if (n == 0 || n >= sizeof text) {
        return 0;
    }
    memcpy(text, begin, n);
    text[n] = '\0';
    if (inet_pton(family == 4 ? AF_INET : AF_INET6, text, out) != 1 ||
        (bracket && begin[n] != ']')) {
        return 0;
    }
    *s = begin + n + bracket;
    return family;
}

static bool port_scan(char **s, uint16_t *out) {
    unsigned number = 0;
    char *begin = *s;
    while (**s >= '0' && **s <= '9' && number <= UINT16_MAX) {
        number = number * 10 + (unsigned)(*(*s)++ - '0');
    }
    *out = (uint16_t)number;
    return *s > begin && number <= UINT16_MAX;
}

static bool range_scan(char *s, struct ofpact_nat *a) {
    *a = (struct ofpact_nat){.ofpact = a->ofpact, .flags = a->flags};
    a->range_af = address_scan(&s, a->addr_min);
    if (a->range_af == 0) {
        return false;
    }
    if (*s == '-') {
        s++;
        if (address_scan(&s, a->addr_max) != a->range_af ||
            memcmp(a->addr_max, a->addr_min, sizeof a->addr_max) < 0) {
            return false;
        }
        a->has_addr_max = memcmp(a->addr_max, a->addr_min, sizeof a->addr_max) != 0;
        if (!a->has_addr_max) {
            memset(a->addr_max, 0, sizeof a->addr_max);
        }
    }
    if (*s == ':') {
        s++;
        if (!port_scan(&s, &a->port_min)) {
            return false;
        }
        a->port_max = a->port_min;
        if (*s == '-') {
            s++;
            if (!port_scan(&s, &a->port_max) || a->port_max < a->port_min) {
                return false;
            }
        }
    }
    return *s == '\0';
}

static int range_parse(struct act_parser *p, char *text, struct ofpact_nat *a) {
    return !*text || range_scan(text, a)
               ? 0
               : act_error(p, RANGE_HINT, "'%s' is not a range of addresses and ports", text);
}

static int argument_parse(struct act_parser *p, const char *key, char *text, struct ofpact_nat *a) {
    static const struct {
        const char *name;
        uint16_t flag;
    } flags[] = {
        {"src", NAT_SRC},   {"dst", NAT_DST},       {"persistent", NAT_PERSISTENT},
        {"hash", NAT_HASH}, {"random", NAT_RANDOM},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(flags); i++) {
        if (strcmp(key, flags[i].name) == 0) {
            a->flags |= flags[i].flag;
            return flags[i].flag & (NAT_SRC | NAT_DST) ? range_parse(p, text, a) : 0;
        }
    }
    return act_unknown_key(p, key, "src, dst, persistent, hash, random");
}

ACT_PARSE(nat) {
    struct ofpact_nat *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        error = argument_parse(p, key, text, a);
    }
    return error;
}

static void address_format(const struct ofpact_nat *n, const uint8_t *address, struct text *out) {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(n->range_af == 4 ? AF_INET : AF_INET6, address, text, sizeof text);
    text_put(out, n->range_af == 6 && n->port_min ? "[%s]" : "%s", text);
}

static void range_format(const struct ofpact_nat *n, struct text *out) {
    text_put(out, "=");
    address_format(n, n->addr_min, out);
    if (n->has_addr_max) {
        text_put(out, "-");
        address_format(n, n->addr_max, out);
    }
    if (n->port_min) {
        text_put(out, ":%u", n->port_min);
        if (n->port_max != n->port_min) {
            text_put(out, "-%u", n->port_max);
        }
    }
}

ACT_FORMAT(nat) {
    const struct ofpact_nat *n = (const void *)a;
    text_put(f->out, "nat");
    if (!(n->flags & (NAT_SRC | NAT_DST))) {
        return;
    }
    text_put(f->out, n->flags & NAT_SRC ? "(src" : "(dst");
    if (n->range_af) {
        range_format(n, f->out);
    }
    text_put(f->out, "%s%s%s)", n->flags & NAT_PERSISTENT ? ",persistent" : "",
             n->flags & NAT_HASH ? ",hash" : "", n->flags & NAT_RANDOM ? ",random" : "");
}

ACT_VALIDATE(nat) {
    const struct ofpact_nat *n = (const void *)a;
    static const uint8_t none[16];
    uint16_t way = n->flags & (NAT_SRC | NAT_DST);
    const char *wrong =
        way == (NAT_SRC | NAT_DST)                         ? "src and dst are both there"
        : !way && (n->flags || n->range_af)                ? "options are for src or dst"
        : (n->flags & NAT_HASH) && (n->flags & NAT_RANDOM) ? "hash and random are both there"
        : n->range_af && memcmp(n->addr_min, none, sizeof none) == 0 ? "no address is all zeros"
        : !n->range_af && (n->port_min || n->port_max)               ? "ports need an address"
        : !n->port_min && n->port_max                                ? "there is no port 0"
        : n->port_max < n->port_min ? "the ports end before they begin"
                                    : NULL;
    return wrong ? ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "nat", RANGE_HINT, "%s", wrong)
                 : 0;
}

ACT_CHECK(nat) {
    const struct ofpact_nat *n = (const void *)a;
    be16 type = act_dl_type(&c->flow);
    const char *needs = !flow_is_ip(type)                            ? "ip or ipv6"
                        : n->range_af == 4 && type != hton16(0x0800) ? "ip, for its addresses"
                        : n->range_af == 6 && type != hton16(0x86dd) ? "ipv6, for its addresses"
                                                                     : NULL;
    return needs ? ofp_error_of(c->err, OFPERR_OFPBAC_MATCH_INCONSISTENT, "nat",
                                "say so in the match", "it needs %s", needs)
                 : 0;
}
