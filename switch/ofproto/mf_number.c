// Numbers and addresses in text.

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "ofproto/mf_text.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Hexadecimal digits at *s, any number of them.
static enum text_number take_hex(const char **s, uint8_t *bytes, size_t n_bytes) {
    const char *begin = *s;
    while (hex_digit(**s) >= 0) {
        ++*s;
    }
    if (*s == begin) {
        return NUMBER_NONE;
    }
    memset(bytes, 0, n_bytes);
    size_t digit = 0; // From the lowest.
    for (const char *c = *s; c-- > begin; digit++) {
        uint8_t v = (uint8_t)hex_digit(*c);
        if (digit < 2 * n_bytes) {
            bytes[n_bytes - 1 - digit / 2] |= (uint8_t)(v << (digit % 2 ? 4 : 0));
        } else if (v) {
            return NUMBER_TOO_LARGE;
        }
    }
    return NUMBER_OK;
}

enum text_number text_take_number(const char **s, uint8_t *bytes, size_t n_bytes) {
    const char *p = *s;
    if (p[0] == '0' && (p[1] | 0x20) == 'x') {
        *s += 2;
        return take_hex(s, bytes, n_bytes);
    }
    if (p[p[0] == '-'] < '0' || p[p[0] == '-'] > '9') { // strtoull() takes blanks and "+" too.
        return NUMBER_NONE;
    }
    char *end;
    errno = 0;
    uint64_t number = strtoull(p, &end, 0);
    *s = end;
    if (errno) {
        return NUMBER_TOO_LARGE;
    }
    memset(bytes, 0, n_bytes);
    for (size_t i = n_bytes; i-- > 0; number >>= 8) {
        bytes[i] = (uint8_t)number;
    }
    return number ? NUMBER_TOO_LARGE : NUMBER_OK;
}

bool text_parse_u64(const char *s, uint64_t max, uint64_t *out) {
    uint8_t bytes[8];
    be64 number;
    if (text_take_number(&s, bytes, sizeof bytes) != NUMBER_OK || *s) {
        return false;
    }
    memcpy(&number, bytes, sizeof number);
    *out = be64toh(number);
    return *out <= max;
}

bool text_take_mac(const char **s, uint8_t mac[6]) {
    for (unsigned i = 0; i < 6; i++) {
        int value = -1;
        for (unsigned digits = 0; digits < 2 && hex_digit(**s) >= 0; digits++) {
            value = (value < 0 ? 0 : value * 16) + hex_digit(*(*s)++);
        }
        if (value < 0 || (i < 5 && *(*s)++ != ':')) {
            return false;
        }
        mac[i] = (uint8_t)value;
    }
    return true;
}

void text_put_hex(struct text *out, const uint8_t *bytes, size_t n_bytes) {
    size_t i = 0;
    while (i < n_bytes - 1 && !bytes[i]) {
        i++;
    }
    text_put(out, "%#x", bytes[i]); // Nothing but zeros: "0".
    while (++i < n_bytes) {
        text_put(out, "%02x", bytes[i]);
    }
}

static void put_mac(struct text *out, const uint8_t m[6]) {
    text_put(out, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

void text_put_mac(struct text *out, const uint8_t mac[6], const uint8_t *mask) {
    put_mac(out, mac);
    if (mask && !bits_all(mask, 6, 0, 48, true)) {
        text_put(out, "/");
        put_mac(out, mask);
    }
}

// Length of a mask that is a prefix, -1 of others.
static int prefix_length(const uint8_t *mask, size_t n_bytes) {
    unsigned n = 0;
    while (n < 8 * n_bytes && mask[n / 8] >> (7 - n % 8) & 1) {
        n++;
    }
    return bits_all(mask, n_bytes, 0, (unsigned)(8 * n_bytes) - n, false) ? (int)n : -1;
}

static void put_ip(struct text *out, int family, const uint8_t *ip, const uint8_t *mask,
                   size_t n_bytes) {
    char buf[INET6_ADDRSTRLEN];
    int length = mask ? prefix_length(mask, n_bytes) : (int)(8 * n_bytes);
    text_put(out, "%s", inet_ntop(family, ip, buf, sizeof buf));
    if (length < 0) {
        text_put(out, "/%s", inet_ntop(family, mask, buf, sizeof buf));
    } else if (length < (int)(8 * n_bytes)) {
        text_put(out, "/%d", length);
    }
}

void text_put_ipv4(struct text *out, be32 ip, be32 mask) {
    put_ip(out, AF_INET, (const uint8_t *)&ip, (const uint8_t *)&mask, sizeof ip);
}

void text_put_ipv6(struct text *out, const uint8_t ip[16], const uint8_t *mask) {
    put_ip(out, AF_INET6, ip, mask, 16);
}
