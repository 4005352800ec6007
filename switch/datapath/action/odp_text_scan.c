// Numbers and addresses of the text form, both ways.

#include <arpa/inet.h>
#include <stdlib.h>

#include "datapath/action/odp_text_private.h"

bool scan_refuse(struct scanner *s, const char *why) {
    if (!s->why) {
        s->why = why;
    }
    return false;
}

bool scan_word(struct scanner *s, const char *word) {
    size_t n = strlen(word);
    if (s->why || strncmp(s->at, word, n) != 0) {
        return false;
    }
    s->at += n;
    return true;
}

bool scan_expect(struct scanner *s, const char *word) {
    if (scan_word(s, word)) {
        return true;
    }
    switch (word[0]) {
    case '(': return scan_refuse(s, "expected (");
    case ')': return scan_refuse(s, "expected )");
    case ',': return scan_refuse(s, "expected a comma");
    case '=': return scan_refuse(s, "expected =");
    default: return scan_refuse(s, "expected another field");
    }
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int hex_value(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool scan_number(struct scanner *s, uint64_t max, uint64_t *out) {
    if (s->why) {
        return false;
    }
    bool hex = s->at[0] == '0' && (s->at[1] | 0x20) == 'x';
    const char *p = s->at + (hex ? 2 : 0);
    uint64_t value = 0, base = hex ? 16 : 10;
    const char *first = p;
    for (; hex ? hex_value(*p) >= 0 : is_digit(*p); p++) {
        uint64_t digit = (uint64_t)hex_value(*p);
        if (value > (UINT64_MAX - digit) / base) {
            return scan_refuse(s, "number out of range");
        }
        value = value * base + digit;
    }
    if (p == first) {
        return scan_refuse(s, "expected a number");
    }
    if (value > max) {
        return scan_refuse(s, "number out of range");
    }
    s->at = p;
    *out = value;
    return true;
}

bool scan_named(struct scanner *s, const char *name, uint64_t max, uint64_t *out) {
    const char *before = s->at;
    if (!scan_word(s, name)) {
        return false;
    }
    if (!scan_word(s, "=")) { // A longer name that begins like this one.
        s->at = before;
        return false;
    }
    return scan_number(s, max, out);
}

bool scan_mac(struct scanner *s, uint8_t out[6]) {
    for (unsigned i = 0; i < 6; i++) {
        if (i > 0 && !scan_word(s, ":")) {
            return scan_refuse(s, "expected an Ethernet address");
        }
        int high = hex_value(s->at[0]), low = high < 0 ? -1 : hex_value(s->at[1]);
        if (low < 0) {
            return scan_refuse(s, "expected an Ethernet address");
        }
        out[i] = (uint8_t)(high << 4 | low);
        s->at += 2;
    }
    return true;
}

// An address ends where a character comes that is in none.
static bool scan_address(struct scanner *s, int family, void *out, const char *letters,
                         const char *why) {
    char copy[INET6_ADDRSTRLEN];
    size_t n = strspn(s->at, letters);
    if (n == 0 || n >= sizeof copy) {
        return scan_refuse(s, why);
    }
    memcpy(copy, s->at, n);
    copy[n] = '\0';
    if (inet_pton(family, copy, out) != 1) {
        return scan_refuse(s, why);
    }
    s->at += n;
    return true;
}

bool scan_ipv4(struct scanner *s, uint8_t out[4]) {
    return scan_address(s, AF_INET, out, "0123456789.", "expected an IPv4 address");
}

bool scan_ipv6(struct scanner *s, uint8_t out[16]) {
    return scan_address(s, AF_INET6, out, "0123456789abcdefABCDEF:.", "expected an IPv6 address");
}

bool scan_hex_bytes(struct scanner *s, uint8_t *out, size_t n) {
    if (!scan_word(s, "0x") && s->at[0] != '0') {
        return scan_refuse(s, "expected 0x");
    }
    size_t digits = 0;
    while (hex_value(s->at[digits]) >= 0) {
        digits++;
    }
    if (digits == 0 || digits > 2 * n) {
        return scan_refuse(s, digits ? "number out of range" : "expected a number");
    }
    memset(out, 0, n);
    for (size_t i = 0; i < digits; i++) {
        size_t place = 2 * n - digits + i; // In half bytes.
        unsigned value = (unsigned)hex_value(s->at[i]);
        out[place / 2] |= (uint8_t)(place % 2 ? value : value << 4);
    }
    s->at += digits;
    return true;
}

void text_hex_bytes(struct text *t, const uint8_t *bytes, size_t n) {
    size_t i = 0;
    while (i + 1 < n && bytes[i] == 0) {
        i++;
    }
    text_put(t, "%#x", n ? bytes[i] : 0); // Zero is "0".
    for (i++; i < n; i++) {
        text_put(t, "%02x", bytes[i]);
    }
}

void text_mac(struct text *t, const uint8_t mac[6]) {
    text_put(t, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void text_ipv4(struct text *t, const uint8_t ip[4]) {
    text_put(t, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

void text_ipv6(struct text *t, const uint8_t ip[16]) {
    char buffer[INET6_ADDRSTRLEN];
    text_put(t, "%s", inet_ntop(AF_INET6, ip, buffer, sizeof buffer));
}
