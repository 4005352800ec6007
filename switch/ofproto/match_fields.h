// The fields that a match may name: one table, read by the parser and by its suggestions.

#ifndef RINGSIDE_OFPROTO_MATCH_FIELDS_H
#define RINGSIDE_OFPROTO_MATCH_FIELDS_H

#include "ofproto/match.h"

enum field_kind {
    FIELD_PRIORITY,
    FIELD_TABLE,
    FIELD_PORT,
    FIELD_U8,
    FIELD_BE16,
    FIELD_MAC,
    FIELD_IPV4,
    FIELD_IPV6,
    FIELD_VLAN,     // dl_vlan: 0 … 4095, 0xffff = untagged.
    FIELD_VLAN_VID, // OpenFlow 1.2's: the VLAN with 0x1000 = "tagged".
    FIELD_VLAN_PCP,
    FIELD_VLAN_TCI,
    FIELD_TOS, // nw_tos: DSCP in its place in the byte.
    FIELD_DSCP,
    FIELD_ECN,
    FIELD_FRAG,
};

struct match_field {
    const char *name;
    const char *alias; // NULL = none.
    enum field_kind kind;
    uint16_t offset; // In struct flow.
    uint32_t max;    // Numbers only.
    bool maskable;
    enum match_prereq need;
    const char *form; // How a value looks, for people.
};

// A word that stands for an EtherType and an IP protocol (0 = none).
struct match_keyword {
    const char *name;
    uint16_t dl_type;
    uint8_t nw_proto;
};

const struct match_field *match_field_find(const char *name);
const struct match_keyword *match_keyword_find(const char *name);
// Fills *err for a word that is neither; says what may have been meant. Returns -EINVAL.
int match_unknown_word(const char *name, struct ofp_error *err);

#endif
