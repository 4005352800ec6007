// Port numbers in text.

#include "ofproto/port_names.h"

#include <errno.h>
#include <strings.h>

#include "ofproto/mf_text.h"

static const struct {
    const char *name;
    uint32_t port;
} reserved[] = {
    {"IN_PORT", OFPP_IN_PORT}, {"TABLE", OFPP_TABLE}, {"NORMAL", OFPP_NORMAL},
    {"FLOOD", OFPP_FLOOD},     {"ALL", OFPP_ALL},     {"CONTROLLER", OFPP_CONTROLLER},
    {"LOCAL", OFPP_LOCAL},     {"ANY", OFPP_ANY},     {"UNSET", OFPP_UNSET},
    {"NONE", OFPP_NONE}, // Its name in OpenFlow 1.0: read, not written.
};

uint32_t port_names_find(const struct port_names *names, const char *name) {
    for (uint32_t id = 1; name[0] && id < OFP_MAX_PORTS; id++) {
        if (strcmp(names->name[id], name) == 0) {
            return port_names_ofp(names, id);
        }
    }
    return OFPP_NONE;
}

// A name between quotes, with \" and \\ for the two letters. False: no such text.
static bool unquote(const char *text, char *name, size_t size) {
    size_t len = 0;
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && *++text != '"' && *text != '\\') {
            return false;
        }
        if (len + 1 >= size) {
            return false;
        }
        name[len++] = *text;
    }
    name[len] = '\0';
    return strcmp(text, "\"") == 0;
}

// Decimal, with or without zeros before it, or hexadecimal.
static bool parse_number(const char *text, uint32_t *number) {
    uint64_t n;
    while (text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
        text++;
    }
    if (text[0] < '0' || text[0] > '9' || !text_parse_u64(text, UINT32_MAX, &n)) {
        return false;
    }
    *number = (uint32_t)n;
    return true;
}

int port_names_parse(const struct port_names *names, const char *text, uint32_t *ofp_port) {
    char unquoted[sizeof names->name[0]];
    uint32_t number;
    if (text[0] == '"') {
        if (!unquote(text, unquoted, sizeof unquoted)) {
            return -EINVAL;
        }
        text = unquoted;
    } else if (parse_number(text, &number)) {
        // Reserved ones also with 32 bits, as OpenFlow 1.1+ has them.
        bool is_wide = mf_port_from_32(number, ofp_port);
        return is_wide || number <= 0xffff ? 0 : -EINVAL;
    } else {
        for (size_t i = 0; i < RS_ARRAY_SIZE(reserved); i++) {
            if (strcasecmp(reserved[i].name, text) == 0) {
                *ofp_port = reserved[i].port;
                return 0;
            }
        }
    }
    *ofp_port = names ? port_names_find(names, text) : OFPP_NONE;
    return *ofp_port == OFPP_NONE ? -EINVAL : 0;
}

// Names that would read as something else stand in quotes.
static bool needs_quotes(const char *name) {
    if (!((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z')) {
        return true;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcasecmp(reserved[i].name, name) == 0) {
            return true;
        }
    }
    for (; *name; name++) {
        bool letter =
            ((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z') || (*name >= '0' && *name <= '9');
        if (!letter && !strchr("-_.", *name)) {
            return true;
        }
    }
    return false;
}

static void put_name(const char *name, struct text *out) {
    if (!needs_quotes(name)) {
        text_put(out, "%s", name);
        return;
    }
    text_put(out, "\"");
    for (; *name; name++) {
        text_put(out, *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
    }
    text_put(out, "\"");
}

void port_names_format(const struct port_names *names, uint32_t ofp_port, struct text *out) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(reserved); i++) {
        if (reserved[i].port == ofp_port) {
            text_put(out, "%s", reserved[i].name);
            return;
        }
    }
    uint32_t id = names ? port_names_id(names, ofp_port) : 0;
    if (id) {
        put_name(names->name[id], out);
    } else {
        text_put(out, "%u", ofp_port);
    }
}
