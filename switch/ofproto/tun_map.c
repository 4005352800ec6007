// The TLV map of tunnel options, in text.

#include <errno.h>

#include "ofproto/mf_text.h"

#define LEN_MAX 124u // Bytes of one option.

static int bad_text(const char *text, struct ofp_error *err) {
    return ofp_error_set(err, EINVAL, "tlv-map", "{class=0x102,type=0x80,len=4}->tun_metadata0",
                         "'%.100s' found", text);
}

// "NAME=NUMBER" at *s.
static bool take_member(const char **s, const char *name, uint32_t max, uint32_t *number) {
    uint8_t bytes[4];
    size_t len = strlen(name);
    *s += strspn(*s, " ,");
    if (strncmp(*s, name, len) != 0 || (*s)[len] != '=') {
        return false;
    }
    *s += len + 1;
    if (text_take_number(s, bytes, sizeof bytes) != NUMBER_OK) {
        return false;
    }
    *number = ntoh32(load_be32(bytes));
    return *number <= max;
}

struct mapping {
    uint32_t option_class, option_type, len, index;
};

// "{class=C,type=T,len=L}->tun_metadataI" at *s.
static bool take_mapping(const char **s, struct mapping *m) {
    const char *p = *s;
    uint8_t index;
    if (*p++ != '{' || !take_member(&p, "class", UINT16_MAX, &m->option_class) ||
        !take_member(&p, "type", UINT8_MAX, &m->option_type) ||
        !take_member(&p, "len", UINT32_MAX, &m->len)) {
        return false;
    }
    p += strspn(p, " ");
    if (strncmp(p, "}->tun_metadata", 15) != 0) {
        return false;
    }
    p += 15;
    if (*p == '-' || text_take_number(&p, &index, 1) != NUMBER_OK || index >= TUN_N_METADATA) {
        return false;
    }
    m->index = index;
    *s = p;
    return true;
}

// The first place in flow_tnl.opts where len bytes are free; FLOW_TUN_OPTS_LEN if there is none.
static unsigned find_room(const struct tun_map *map, unsigned len) {
    unsigned ofs = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (unsigned i = 0; i < TUN_N_METADATA; i++) {
            const struct tun_map_entry *e = &map->entries[i];
            if (e->len && ofs < e->ofs + e->len && e->ofs < ofs + len) {
                ofs = e->ofs + e->len;
                moved = true;
            }
        }
    }
    return ofs + len <= FLOW_TUN_OPTS_LEN ? ofs : FLOW_TUN_OPTS_LEN;
}

static int add(struct tun_map *map, const struct mapping *m, struct ofp_error *err) {
    char name[32];
    snprintf(name, sizeof name, "tun_metadata%u", m->index);
    if (m->len == 0 || m->len > LEN_MAX || m->len % 4) {
        return ofp_error_of(err, OFPERR_NXTTMFC_BAD_OPT_LEN, name, "a multiple of 4, 4 to 124",
                            "len=%u found", m->len);
    }
    if (map->entries[m->index].len) {
        return ofp_error_of(err, OFPERR_NXTTMFC_ALREADY_MAPPED, name, "remove its mapping first",
                            "it is mapped already");
    }
    for (unsigned i = 0; i < TUN_N_METADATA; i++) {
        const struct tun_map_entry *e = &map->entries[i];
        if (e->len && e->option_class == m->option_class && e->option_type == m->option_type) {
            return ofp_error_of(err, OFPERR_NXTTMFC_DUP_ENTRY, name, NULL,
                                "class 0x%x type 0x%x is mapped to tun_metadata%u", m->option_class,
                                m->option_type, i);
        }
    }
    unsigned ofs = find_room(map, m->len);
    if (ofs == FLOW_TUN_OPTS_LEN) {
        return ofp_error_of(err, OFPERR_NXTTMFC_TABLE_FULL, name,
                            "all options together have 256 bytes", "no room for %u bytes", m->len);
    }
    map->entries[m->index] = (struct tun_map_entry){
        (uint16_t)m->option_class, (uint8_t)m->option_type, (uint8_t)m->len, (uint16_t)ofs};
    return 0;
}

int tun_map_parse(const char *text, struct tun_map *map, struct ofp_error *err) {
    struct tun_map changed = *map;
    const char *s = text + strspn(text, ", \t\r\n");
    do {
        struct mapping m;
        if (!take_mapping(&s, &m) || (*s && !strchr(", \t\r\n", *s))) {
            return bad_text(text, err);
        }
        int error = add(&changed, &m, err);
        if (error) {
            return error;
        }
        s += strspn(s, ", \t\r\n");
    } while (*s);
    *map = changed;
    return 0;
}

int tun_map_remove(const char *text, struct tun_map *map, struct ofp_error *err) {
    struct tun_map changed = *map;
    const char *s = text + strspn(text, ", \t\r\n");
    if (!*s) {
        memset(map, 0, sizeof *map);
        return 0;
    }
    do {
        struct mapping m;
        if (!take_mapping(&s, &m) || (*s && !strchr(", \t\r\n", *s))) {
            return bad_text(text, err);
        }
        changed.entries[m.index] = (struct tun_map_entry){0};
        s += strspn(s, ", \t\r\n");
    } while (*s);
    *map = changed;
    return 0;
}

void tun_map_format(const struct tun_map *map, struct text *out) {
    for (unsigned i = 0; i < TUN_N_METADATA; i++) {
        const struct tun_map_entry *e = &map->entries[i];
        if (e->len) {
            text_put(out, "{class=0x%x,type=0x%x,len=%u}->tun_metadata%u,", e->option_class,
                     e->option_type, e->len, i);
        }
    }
    text_chomp(out, ',');
}
