// Values of fields: from text.

#include <arpa/inet.h>
#include <errno.h>

#include "ofproto/mf_text.h"

// What a value of a field looks like, for errors.
static const char *form_of(const struct mf_field *mf, char *buf, size_t size) {
    const char *or_mask = mf->maskable == MFM_FULLY ? ", or with /MASK" : "";
    union mf_value all;
    switch (mf->string) {
    case MFS_DECIMAL:
    case MFS_HEXADECIMAL:
        if (mf->id == MFF_NSH_TTL) {
            return "a number from 0 to 63";
        }
        if (mf->id == MFF_NSH_MDTYPE) {
            return "1 or 2";
        }
        if (mf->id == MFF_IP_DSCP) {
            return "a number from 0 to 252 whose two lowest bits are 0 (they are nw_ecn)";
        }
        mf_all_bits(mf, &all);
        if (mf->n_bytes > 8) {
            unsigned n = mf->n_bits;
            while (n > 0 && bits_all(&all, mf->n_bytes, n - 1, 1, false)) {
                n--; // A tunnel option has fewer.
            }
            snprintf(buf, size, "a hexadecimal number of %u bits%s", n, or_mask);
        } else {
            uint64_t max = mf_value_number(mf, &all);
            snprintf(buf, size,
                     mf->string == MFS_DECIMAL ? "a number from 0 to %llu%s"
                                               : "a number from 0 to 0x%llx%s",
                     (unsigned long long)max, or_mask);
        }
        return buf;
    case MFS_CT_STATE:
        return "flags such as +trk-inv or new|trk: new est rel rpl inv trk snat dnat";
    case MFS_TCP_FLAGS:
        return "flags such as +syn-ack or syn|ack, or 0xVALUE/0xMASK: fin syn rst psh ack urg ece "
               "cwr ns";
    case MFS_TNL_FLAGS: return "+oam, -oam or oam";
    case MFS_ETHERNET: return "six hexadecimal bytes such as 02:00:00:00:00:01, or with /MASK";
    case MFS_IPV4: return "an address such as 10.0.0.1, or with /LENGTH or /MASK";
    case MFS_IPV6: return "an address such as fd00::1, or with /LENGTH or /MASK";
    case MFS_OFP_PORT: return "a port's number (1 to 65279) or name, LOCAL, or IN_PORT, ANY …";
    case MFS_FRAG: return "no, yes, first, later or not_later";
    case MFS_PACKET_TYPE: return "(NAMESPACE,TYPE), as in (0,0) for Ethernet or (1,0x800)";
    }
    return "";
}

static bool parse_integer(const struct mf_field *mf, const char *s, union mf_value *value,
                          union mf_value *mask) {
    if (text_take_number(&s, value->b, mf->n_bytes) != NUMBER_OK) {
        return false;
    }
    if (*s == '/') {
        s++;
        return text_take_number(&s, mask->b, mf->n_bytes) == NUMBER_OK && *s == '\0';
    }
    return *s == '\0';
}

static bool parse_mac(const char *s, union mf_value *value, union mf_value *mask) {
    if (!text_take_mac(&s, value->mac)) {
        return false;
    }
    return *s == '\0' || (*s++ == '/' && text_take_mac(&s, mask->mac) && *s == '\0');
}

// An address of n bytes with "/LENGTH" or "/MASK".
static bool parse_ip(int family, size_t n, const char *s, uint8_t *value, uint8_t *mask) {
    char address[INET6_ADDRSTRLEN + 1];
    const char *slash = strchr(s, '/');
    size_t len = slash ? (size_t)(slash - s) : strlen(s);
    uint64_t length;
    if (len >= sizeof address) {
        return false;
    }
    memcpy(address, s, len);
    address[len] = '\0';
    if (inet_pton(family, address, value) != 1) {
        return false;
    }
    if (!slash) {
        return true;
    }
    if (strpbrk(slash + 1, ".:")) {
        return inet_pton(family, slash + 1, mask) == 1;
    }
    if (slash[1] == '-' || !text_parse_u64(slash + 1, 8 * n, &length)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = length > 8 * i ? length - 8 * i : 0;
        mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
    }
    return true;
}

static bool parse_port(const struct mf_field *mf, const char *s, const struct port_names *names,
                       union mf_value *value) {
    uint32_t port;
    if (port_names_parse(names, s, &port) != 0) {
        return false;
    }
    mf_value_from_number(mf, mf->n_bytes == 4 ? mf_port_to_32(port) : port, value);
    return true;
}

static bool parse_frag(const char *s, union mf_value *value, union mf_value *mask) {
    static const struct {
        const char *name;
        uint8_t value, mask;
    } kinds[] = {
        {"no", 0, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"first", FLOW_FRAG_ANY, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"later", FLOW_FRAG_ANY | FLOW_FRAG_LATER, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
        {"yes", FLOW_FRAG_ANY, FLOW_FRAG_ANY},
        {"not_later", 0, FLOW_FRAG_LATER},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(kinds); i++) {
        if (strcasecmp(kinds[i].name, s) == 0) {
            value->u8 = kinds[i].value;
            mask->u8 = kinds[i].mask;
            return true;
        }
    }
    return false;
}

static bool parse_flags(const struct mf_field *mf, const char *s, union mf_value *value,
                        union mf_value *mask) {
    uint32_t v, m;
    if (!mf_flags_parse(mf_flags_of(mf), s, &v, &m)) {
        return false;
    }
    mf_value_from_number(mf, v, value);
    mf_value_from_number(mf, m, mask);
    return true;
}

static bool parse_packet_type(const char *s, union mf_value *value) {
    if (*s++ != '(' || text_take_number(&s, value->b, 2) != NUMBER_OK || *s++ != ',') {
        return false;
    }
    s += strspn(s, " \t");
    return text_take_number(&s, value->b + 2, 2) == NUMBER_OK && strcmp(s, ")") == 0;
}

static bool parse_text(const struct mf_field *mf, const char *s, const struct port_names *names,
                       union mf_value *value, union mf_value *mask) {
    memset(mask->b, 0xff, mf->n_bytes);
    switch (mf->string) {
    case MFS_DECIMAL:
    case MFS_HEXADECIMAL: return parse_integer(mf, s, value, mask);
    case MFS_CT_STATE:
    case MFS_TCP_FLAGS:
    case MFS_TNL_FLAGS: return parse_flags(mf, s, value, mask);
    case MFS_ETHERNET: return parse_mac(s, value, mask);
    case MFS_IPV4: return parse_ip(AF_INET, 4, s, value->b, mask->b);
    case MFS_IPV6: return parse_ip(AF_INET6, 16, s, value->b, mask->b);
    case MFS_OFP_PORT: return parse_port(mf, s, names, value);
    case MFS_FRAG: return parse_frag(s, value, mask);
    case MFS_PACKET_TYPE: return parse_packet_type(s, value);
    }
    return false;
}

static int bad_value(const struct mf_field *mf, const char *s, struct ofp_error *err) {
    char form[128];
    return ofp_error_set(err, EINVAL, mf->name, form_of(mf, form, sizeof form), "'%.100s' found",
                         s);
}

// The value under its mask, both cut to the bits that the field has. False: the value has others.
static bool cut(const struct mf_field *mf, union mf_value *value, union mf_value *mask) {
    union mf_value all;
    mf_all_bits(mf, &all);
    for (size_t i = 0; i < mf->n_bytes; i++) {
        value->b[i] &= mask->b[i];
        mask->b[i] &= all.b[i];
    }
    return mf_is_value_valid(mf, value);
}

static bool is_zero(const union mf_value *v, size_t n_bytes) {
    return bits_all(v, n_bytes, 0, (unsigned)(8 * n_bytes), false);
}

int mf_parse(const struct mf_field *mf, const char *text, const struct port_names *names,
             union mf_value *value, union mf_value *mask, struct ofp_error *err) {
    if (strcmp(text, "*") == 0 || (strcmp(text, "ANY") == 0 && mf->string != MFS_OFP_PORT)) {
        memset(value->b, 0, mf->n_bytes);
        memset(mask->b, 0, mf->n_bytes);
        return 0;
    }
    if (!mf_is_mapped(mf)) {
        return ofp_error_of(err, OFPERR_NXFMFC_INVALID_TLV_FIELD, mf->name,
                            "map it first: {class=0x102,type=0x80,len=4}->tun_metadata0",
                            "the TLV map has no such option");
    }
    if (!parse_text(mf, text, names, value, mask)) {
        return bad_value(mf, text, err);
    }
    if (mf->maskable == MFM_NONE && !is_zero(mask, mf->n_bytes) && !mf_is_mask_exact(mf, mask)) {
        char form[128];
        return ofp_error_set(err, EINVAL, mf->name, form_of(mf, form, sizeof form),
                             "'%.100s' has a mask", text);
    }
    if (mf->id == MFF_DL_VLAN && mf_value_number(mf, value) == 0xffff) { // "No tag."
        return 0;
    }
    return cut(mf, value, mask) || is_zero(mask, mf->n_bytes) ? 0 : bad_value(mf, text, err);
}

int mf_parse_value(const struct mf_field *mf, const char *text, const struct port_names *names,
                   union mf_value *value, struct ofp_error *err) {
    union mf_value mask;
    int error = mf_parse(mf, text, names, value, &mask, err);
    if (!error && !mf_is_mask_exact(mf, &mask)) {
        char form[128];
        return ofp_error_set(err, EINVAL, mf->name, form_of(mf, form, sizeof form),
                             "'%.100s' has a mask, which cannot stand here", text);
    }
    return error;
}
