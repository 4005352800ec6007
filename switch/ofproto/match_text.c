// Pieces of a match's text.

#include "ofproto/match_private.h"

void text_put_hex_masked(struct text *out, const char *name, uint64_t value, uint64_t mask,
                         uint64_t all) {
    if (mask == all) {
        text_put(out, "%s=%#llx,", name, (unsigned long long)value);
    } else if (mask) {
        text_put(out, "%s=%#llx/%#llx,", name, (unsigned long long)value, (unsigned long long)mask);
    }
}

void text_put_0x_masked(struct text *out, const char *name, uint32_t value, uint32_t mask,
                        uint32_t all, int digits) {
    if (mask == all) {
        text_put(out, "%s=0x%0*x,", name, digits, value);
    } else if (mask) {
        text_put(out, "%s=0x%0*x/0x%0*x,", name, digits, value, digits, mask);
    }
}

void text_put_dec_masked(struct text *out, const char *name, uint32_t value, uint32_t mask,
                         uint32_t all, int digits) {
    if (mask == all) {
        text_put(out, "%s=%u,", name, value);
    } else if (mask) {
        text_put(out, "%s=0x%0*x/0x%0*x,", name, digits, value, digits, mask);
    }
}

void text_put_be16_masked(struct text *out, const char *name, be16 value, be16 mask) {
    text_put_dec_masked(out, name, ntoh16(value), ntoh16(mask), UINT16_MAX, 1);
}

void text_put_ipv4_masked(struct text *out, const char *name, be32 value, be32 mask) {
    if (mask) {
        text_put(out, "%s=", name);
        text_put_ipv4(out, value, mask);
        text_put(out, ",");
    }
}

void text_put_ipv6_masked(struct text *out, const char *name, const uint8_t value[16],
                          const uint8_t mask[16]) {
    if (!bits_all(mask, 16, 0, 128, false)) {
        text_put(out, "%s=", name);
        text_put_ipv6(out, value, mask);
        text_put(out, ",");
    }
}

void text_put_mac_masked(struct text *out, const char *name, const uint8_t value[6],
                         const uint8_t mask[6]) {
    if (!bits_all(mask, 6, 0, 48, false)) {
        text_put(out, "%s=", name);
        text_put_mac(out, value, mask);
        text_put(out, ",");
    }
}
