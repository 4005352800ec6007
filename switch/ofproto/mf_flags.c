// Values that are sets of flags: ct_state, tcp_flags, tun_flags.

#include "ofproto/mf_text.h"

static const char *const ct_names[] = {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"};
static const char *const tcp_names[] = {"fin", "syn", "rst", "psh",   "ack",   "urg",
                                        "ece", "cwr", "ns",  "[200]", "[400]", "[800]"};
static const char *const tnl_names[] = {"oam", "df", "csum", "key"};

static const struct mf_flags ct_flags = {ct_names, RS_ARRAY_SIZE(ct_names)};
static const struct mf_flags tcp_flags = {tcp_names, RS_ARRAY_SIZE(tcp_names)};
static const struct mf_flags oam_alone = {tnl_names, 1}; // What tun_flags matches.
const struct mf_flags mf_tnl_flag_names = {tnl_names, RS_ARRAY_SIZE(tnl_names)};

uint32_t mf_tnl_flags_to_text(uint16_t flags) {
    return (flags & FLOW_TNL_OAM ? 1u : 0) | (flags & FLOW_TNL_DF ? 2u : 0) |
           (flags & FLOW_TNL_CSUM ? 4u : 0) | (flags & FLOW_TNL_KEY ? 8u : 0);
}

const struct mf_flags *mf_flags_of(const struct mf_field *mf) {
    switch (mf->string) {
    case MFS_CT_STATE: return &ct_flags;
    case MFS_TCP_FLAGS: return &tcp_flags;
    case MFS_TNL_FLAGS: return &oam_alone;
    default: return NULL;
    }
}

// The bit whose name stands at *s and ends before one of `ends` or the text's end; 0 = none.
static uint32_t take_name(const struct mf_flags *flags, const char **s, const char *ends) {
    for (unsigned i = 0; i < flags->n; i++) {
        size_t len = strlen(flags->names[i]);
        if (strncmp(*s, flags->names[i], len) == 0 &&
            ((*s)[len] == '\0' || strchr(ends, (*s)[len]))) {
            *s += len;
            return 1u << i;
        }
    }
    return 0;
}

static bool take_bits(const char **s, uint32_t *bits) {
    uint8_t bytes[4];
    if (text_take_number(s, bytes, sizeof bytes) != NUMBER_OK) {
        return false;
    }
    *bits = ntoh32(load_be32(bytes));
    return true;
}

// "+a-b".
static bool parse_signed(const struct mf_flags *flags, const char *s, uint32_t *value,
                         uint32_t *mask) {
    while (*s == '+' || *s == '-') {
        bool set = *s++ == '+';
        uint32_t bit = take_name(flags, &s, "+-");
        if (!bit || *mask & bit) {
            return false;
        }
        *mask |= bit;
        *value |= set ? bit : 0;
    }
    return *s == '\0';
}

// "a|b|0x4".
static bool parse_list(const struct mf_flags *flags, const char *s, uint32_t *value) {
    for (;;) {
        uint32_t bits;
        if (*s >= '0' && *s <= '9') {
            if (!take_bits(&s, &bits)) {
                return false;
            }
        } else if (!(bits = take_name(flags, &s, "|"))) {
            return false;
        }
        if (bits >> flags->n) {
            return false;
        }
        *value |= bits;
        if (*s == '\0') {
            return true;
        }
        if (*s++ != '|') {
            return false;
        }
    }
}

bool mf_flags_parse(const struct mf_flags *flags, const char *s, uint32_t *value, uint32_t *mask) {
    *value = *mask = 0;
    if (*s == '+' || *s == '-') {
        return parse_signed(flags, s, value, mask);
    }
    if (strchr(s, '/')) {
        return take_bits(&s, value) && *s++ == '/' && take_bits(&s, mask) && *s == '\0' &&
               !((*value | *mask) >> flags->n);
    }
    *mask = UINT32_MAX;
    return parse_list(flags, s, value);
}

void mf_flags_format(const struct mf_flags *flags, uint32_t value, uint32_t mask, uint32_t all,
                     struct text *out) {
    bool exact = (mask & all) == all;
    if (exact && !value) {
        text_put(out, "0");
    } else if (!mask) {
        text_put(out, "0/0");
    }
    for (unsigned i = 0; i < flags->n; i++) {
        if (exact) {
            if (value >> i & 1) {
                text_put(out, "%s|", flags->names[i]);
            }
        } else if (mask >> i & 1) {
            text_put(out, "%c%s", value >> i & 1 ? '+' : '-', flags->names[i]);
        }
    }
    text_chomp(out, '|');
}
