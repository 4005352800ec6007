// What the texts of matches share. For the match_*.c and flow_format.c files alone.

#ifndef RINGSIDE_OFPROTO_MATCH_PRIVATE_H
#define RINGSIDE_OFPROTO_MATCH_PRIVATE_H

#include "ofproto/match.h"
#include "ofproto/mf_text.h"

// -- "name=value[/mask]," of a masked field; nothing where the mask is 0. `all` is an exact mask --

// "%#x", as Open vSwitch prints registers and marks: 0 has no 0x.
void text_put_hex_masked(struct text *out, const char *name, uint64_t value, uint64_t mask,
                         uint64_t all);
// "0x%0*x" with `digits`.
void text_put_0x_masked(struct text *out, const char *name, uint32_t value, uint32_t mask,
                        uint32_t all, int digits);
// Decimal; under a mask, hexadecimal with `digits`.
void text_put_dec_masked(struct text *out, const char *name, uint32_t value, uint32_t mask,
                         uint32_t all, int digits);
void text_put_be16_masked(struct text *out, const char *name, be16 value, be16 mask);
void text_put_ipv4_masked(struct text *out, const char *name, be32 value, be32 mask);
void text_put_ipv6_masked(struct text *out, const char *name, const uint8_t value[16],
                          const uint8_t mask[16]);
void text_put_mac_masked(struct text *out, const char *name, const uint8_t value[6],
                         const uint8_t mask[6]);

// -- protocols' words --

struct match_word {
    const char *name;
    uint16_t dl_type;
    uint8_t nw_proto; // 0 = not said.
};
const struct match_word *match_word_find(const char *name); // NULL: no such word.
// The word that says a type and, if it can, a protocol (proto_mask 0: there is none to say); NULL: dl_type= does.
const char *match_protocol_word(uint16_t dl_type, uint8_t nw_proto, uint8_t proto_mask,
                                bool *proto_said);
// Error for a word that is neither field, keyword, nor option, with the nearest one that is.
int match_unknown_word(const char *word, struct ofp_error *err);

// The fields behind Ethernet. `type` is the Ethernet type, host byte order.
void match_format_upper(const struct flow *f, const struct flow *mask, uint16_t type,
                        bool proto_said, struct text *out);

// The fields that a text names.
struct match_used {
    uint64_t fields[(MFF_N_IDS + 63) / 64]; // By id.
    const char *names[MFF_N_IDS];           // As it calls them.
    bool tp_src, tp_dst;                    // By these names, which say nothing of the protocol.
};
// 0 if the match says of its packets that they have these fields, else an error that names the first one that
// they need not have, and the missing word.
int match_check_prereqs(const struct match *m, const struct match_used *used,
                        struct ofp_error *err);

#endif
