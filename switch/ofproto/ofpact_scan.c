// Words, numbers, ports, fields and hexadecimal bytes in the text of actions.

#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/ofpact_private.h"

static bool is_separator(char c) {
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_key(char c) {
    return c == '\0' || c == ':' || c == '=' || c == '(' || is_separator(c);
}

// Behind the quoted name that begins at s, if it is one: in there nothing separates. Else behind the quote.
static char *quote_end(char *s) {
    for (char *t = s + 1; *t; t++) {
        if (*t == '"') {
            return t + 1;
        }
        if (*t == '\\' && t[1]) {
            t++;
        }
    }
    return s + 1;
}

// Behind the value that begins at s: at the first separator (or closing parenthesis, if that is what ends it) that is not
// within parentheses, or at the end of the text.
static char *value_end(char *s, bool parenthesis) {
    unsigned level = 0;
    for (; *s; s = *s == '"' ? quote_end(s) : s + 1) {
        if (level == 0 && (parenthesis ? *s == ')' : is_separator(*s))) {
            break;
        }
        if (*s == '(') {
            level++;
        } else if (*s == ')' && level > 0) {
            level--;
        }
    }
    return s;
}

bool act_next(char **pos, char **key, char **value) {
    char *s = *pos;
    while (is_separator(*s)) {
        s++;
    }
    if (!*s) {
        *pos = s;
        return false;
    }
    *key = s;
    while (!ends_key(*s)) {
        s = *s == '"' ? quote_end(s) : s + 1;
    }
    char delimiter = *s;
    *value = s;
    if (delimiter != ':' && delimiter != '=' && delimiter != '(') {
        *pos = s + (delimiter != '\0');
        *s = '\0';
        return true;
    }
    *s++ = '\0';
    *value = s;
    char *end = value_end(s, delimiter == '(');
    if (end[0] == ')' && delimiter == '(' && end[1] == '-' && end[2] == '>') {
        end = value_end(end, false); // check_pkt_larger(1500)->reg0[0]
    }
    *pos = end + (*end != '\0');
    *end = '\0';
    return true;
}

char *act_piece(char **pos, const char *delimiters) {
    char *s = *pos + strspn(*pos, delimiters);
    if (!*s) {
        *pos = s;
        return NULL;
    }
    char *end = s + strcspn(s, delimiters);
    *pos = end + (*end != '\0');
    *end = '\0';
    return s;
}

int act_unknown_key(struct act_parser *p, const char *key, const char *known) {
    return act_error(p, known, "it has no '%s'", key);
}

int act_number(struct act_parser *p, const char *what, const char *text, uint64_t max,
               uint64_t *out) {
    char *tail;
    errno = 0;
    unsigned long long value = strtoull(text, &tail, 0);
    // A minus sign makes large numbers: -1 is all ones, and that is good only where all ones is.
    bool signs = *text == '-' && max != UINT64_MAX;
    if (errno || tail == text || *tail || value > max || signs) {
        char hint[96];
        snprintf(hint, sizeof hint, "a number from 0 to %" PRIu64 " (0x… for hexadecimal)", max);
        return act_error(p, hint, "'%s' is not a valid %s", text, what);
    }
    *out = value;
    return 0;
}

int act_u16(struct act_parser *p, const char *what, const char *text, uint16_t *out) {
    uint64_t value = 0;
    int error = act_number(p, what, text, UINT16_MAX, &value);
    *out = (uint16_t)value;
    return error;
}

int act_u32(struct act_parser *p, const char *what, const char *text, uint32_t *out) {
    uint64_t value = 0;
    int error = act_number(p, what, text, UINT32_MAX, &value);
    *out = (uint32_t)value;
    return error;
}

int act_port(struct act_parser *p, const char *text, uint16_t *port) {
    uint32_t number = 0;
    if (port_names_parse(p->names, text, &number) < 0 || number > OFPP_NONE) {
        return act_error(p, "a port's number or name, IN_PORT, LOCAL, NORMAL, FLOOD, ALL …",
                         "there is no port '%s'", text);
    }
    *port = (uint16_t)number;
    return 0;
}

int act_subfield(struct act_parser *p, const char *text, struct mf_subfield *out) {
    const char *s = text;
    int error = mf_parse_subfield(&s, out, p->err);
    if (error < 0) {
        return error;
    }
    return *s ? act_error(p, "field, field[bit] or field[first..last]",
                          "'%s' stands behind the field", s)
              : 0;
}

bool act_has_plain_code(const struct mf_field *field) {
    uint64_t code = field->nxm_header ? field->nxm_header : field->oxm_header;
    return code && !(code >> 32);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

const char *act_wide_number(const char *text, uint8_t *out, size_t n_bytes) {
    memset(out, 0, n_bytes);
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) {
        char *tail;
        errno = 0;
        unsigned long long value = strtoull(text, &tail, 0);
        for (size_t i = n_bytes; i-- > 0; value >>= 8) {
            out[i] = (uint8_t)value;
        }
        return errno || tail == text || value ? NULL : tail;
    }
    const char *end = text + 2;
    while (hex_digit(*end) >= 0) {
        end++;
    }
    size_t nibble = 0;
    for (const char *s = end; s-- > text + 2; nibble++) {
        int digit = hex_digit(*s);
        if (nibble / 2 < n_bytes) {
            out[n_bytes - 1 - nibble / 2] |= (uint8_t)(digit << (nibble % 2 * 4));
        } else if (digit) {
            return NULL;
        }
    }
    return nibble ? end : NULL;
}

size_t act_hex_bytes(const char *text, uint8_t *out) {
    size_t n = 0;
    for (;; n++) {
        text += strspn(text, " .\t\r\n");
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0) {
            return *text ? SIZE_MAX : n;
        }
        if (out) {
            out[n] = (uint8_t)(high << 4 | low);
        }
        text += 2;
    }
}

void act_put_hex(struct text *out, const uint8_t *bytes, size_t n) {
    size_t i = 0;
    while (i + 1 < n && bytes[i] == 0) {
        i++;
    }
    text_put(out, "0x%x", n ? bytes[i] : 0);
    for (i++; i < n; i++) {
        text_put(out, "%02x", bytes[i]);
    }
}

void act_put_dotted(struct text *out, const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        text_put(out, i ? ".%02x" : "%02x", bytes[i]);
    }
}
