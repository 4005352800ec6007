// The words that stand for protocols.

#include <errno.h>

#include "ofproto/match_private.h"

// Where two words say the same, the first one is printed.
static const struct match_word words[] = {
    {"ip", 0x0800, 0},      {"ipv4", 0x0800, 0},   {"ip4", 0x0800, 0},    {"icmp", 0x0800, 1},
    {"tcp", 0x0800, 6},     {"udp", 0x0800, 17},   {"sctp", 0x0800, 132}, {"ipv6", 0x86dd, 0},
    {"ip6", 0x86dd, 0},     {"icmp6", 0x86dd, 58}, {"tcp6", 0x86dd, 6},   {"udp6", 0x86dd, 17},
    {"sctp6", 0x86dd, 132}, {"arp", 0x0806, 0},    {"rarp", 0x8035, 0},   {"mpls", 0x8847, 0},
    {"mplsm", 0x8848, 0},
};

const struct match_word *match_word_find(const char *name) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        if (strcmp(words[i].name, name) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

const char *match_protocol_word(uint16_t dl_type, uint8_t nw_proto, uint8_t proto_mask,
                                bool *proto_said) {
    const char *type_alone = NULL;
    *proto_said = false;
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        if (words[i].dl_type != dl_type) {
            continue;
        }
        if (proto_mask && words[i].nw_proto && words[i].nw_proto == nw_proto) {
            *proto_said = true;
            return words[i].name;
        }
        if (!words[i].nw_proto && !type_alone) {
            type_alone = words[i].name;
        }
    }
    return type_alone;
}

// Words of a flow's text that are neither fields nor protocols, for suggestions.
static const char *const others[] = {
    "eth",          "table",      "priority",         "cookie",         "idle_timeout",
    "hard_timeout", "importance", "send_flow_rem",    "check_overlap",  "reset_counts",
    "out_port",     "out_group",  "no_packet_counts", "no_byte_counts", "actions",
};

int match_unknown_word(const char *word, struct ofp_error *err) {
    char hint[64];
    struct mf_nearest nearest = {.distance = 3};
    if (word[0] == '\0') {
        return ofp_error_set(err, EINVAL, "flow", "write FIELD=VALUE", "a value without a field");
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        mf_consider_name(word, words[i].name, &nearest);
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(others); i++) {
        mf_consider_name(word, others[i], &nearest);
    }
    mf_consider_fields(word, &nearest);
    return ofp_error_set(err, EINVAL, word, mf_nearest_hint(&nearest, hint, sizeof hint),
                         "no field or word has this name");
}
