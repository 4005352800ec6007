// One value of a match, from text to bytes.

#include <arpa/inet.h>
#include <stdlib.h>

#include "ofproto/match.h"

// Splits "VALUE/MASK" into `value` (cap bytes) and returns the mask's text, NULL without one, "" if
// VALUE is too long.
static const char *split_mask(const char *text, char *value, size_t cap) {
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= cap) {
        return "";
    }
    memcpy(value, text, len);
    value[len] = '\0';
    return slash ? slash + 1 : NULL;
}

static bool parse_number(const char *text, uint32_t max, uint32_t *out) {
    char *end;
    if (text[0] < '0' || text[0] > '9') { // strtoull takes signs and blanks.
        return false;
    }
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned long long v = strtoull(text, &end, hex ? 16 : 10);
    if (*end != '\0' || (hex && text[2] == '\0') || v > max) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

bool value_parse_int(const char *text, uint32_t max, uint32_t *value, uint32_t *mask) {
    char number[24];
    const char *mask_text = split_mask(text, number, sizeof number);
    *mask = max;
    if ((mask_text && !parse_number(mask_text, max, mask)) || !parse_number(number, max, value)) {
        return false;
    }
    *value &= *mask;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_mac(const char *text, uint8_t mac[6]) {
    for (unsigned i = 0; i < 6; i++) {
        int value = -1;
        for (unsigned digits = 0; digits < 2 && hex_digit(*text) >= 0; digits++) {
            value = (value < 0 ? 0 : value * 16) + hex_digit(*text++);
        }
        if (value < 0 || *text != (i < 5 ? ':' : '\0')) {
            return false;
        }
        mac[i] = (uint8_t)value;
        text++;
    }
    return true;
}

bool value_parse_mac(const char *text, uint8_t value[6], uint8_t mask[6]) {
    char address[24];
    const char *mask_text = split_mask(text, address, sizeof address);
    memset(mask, 0xff, 6);
    if (!parse_mac(address, value) || (mask_text && !parse_mac(mask_text, mask))) {
        return false;
    }
    for (unsigned i = 0; i < 6; i++) {
        value[i] &= mask[i];
    }
    return true;
}

// An address of `bytes` bytes with "/LENGTH" or "/MASK".
static bool parse_ip(const char *text, int family, size_t bytes, uint8_t *value, uint8_t *mask) {
    char address[INET6_ADDRSTRLEN + 1];
    uint32_t length;
    const char *mask_text = split_mask(text, address, sizeof address);
    if (inet_pton(family, address, value) != 1) {
        return false;
    }
    if (!mask_text) {
        memset(mask, 0xff, bytes);
    } else if (parse_number(mask_text, (uint32_t)bytes * 8, &length)) {
        for (size_t i = 0; i < bytes; i++) {
            uint32_t bits = length > 8 * i ? length - 8 * (uint32_t)i : 0;
            mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
        }
    } else if (inet_pton(family, mask_text, mask) != 1) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        value[i] &= mask[i];
    }
    return true;
}

bool value_parse_ipv4(const char *text, uint8_t value[4], uint8_t mask[4]) {
    return parse_ip(text, AF_INET, 4, value, mask);
}

bool value_parse_ipv6(const char *text, uint8_t value[16], uint8_t mask[16]) {
    return parse_ip(text, AF_INET6, 16, value, mask);
}

uint32_t value_parse_port(const char *text, const struct port_names *names) {
    char name[sizeof names->name[0] + 2];
    uint32_t number;
    size_t len = strlen(text);
    if (parse_number(text, OFP_MAX_PORTS - 1, &number)) {
        return number;
    }
    if (strcmp(text, "LOCAL") == 0) {
        return names->local;
    }
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    if (len >= sizeof name) {
        return 0;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    return port_names_find(names, name);
}
