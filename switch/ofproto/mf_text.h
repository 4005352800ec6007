// What the texts of fields, matches and flows share. For the mf_*.c and match_*.c files alone.

#ifndef RINGSIDE_OFPROTO_MF_TEXT_H
#define RINGSIDE_OFPROTO_MF_TEXT_H

#include "ofproto/mf_place.h"

// -- numbers and addresses: each parser reads at *s and moves *s behind what it took --

enum text_number { NUMBER_OK, NUMBER_NONE, NUMBER_TOO_LARGE };

// "123", "0x7b", "0173", "-1" into n_bytes big-endian bytes (1 to 124).
enum text_number text_take_number(const char **s, uint8_t *bytes, size_t n_bytes);
// The whole text as a number of at most 64 bits: false unless it is one, up to max.
bool text_parse_u64(const char *s, uint64_t max, uint64_t *out);
bool text_take_mac(const char **s, uint8_t mac[6]);

// "0", "0x1f" … without leading zeros.
void text_put_hex(struct text *out, const uint8_t *bytes, size_t n_bytes);
// mask NULL = exact.
void text_put_mac(struct text *out, const uint8_t mac[6], const uint8_t *mask);
void text_put_ipv4(struct text *out, be32 ip, be32 mask);
void text_put_ipv6(struct text *out, const uint8_t ip[16], const uint8_t *mask);
void text_put_packet_type(struct text *out, be32 packet_type);     // "(1,0x800)".
void text_put_frag(struct text *out, uint8_t value, uint8_t mask); // "not_later" …

// -- sets of flags --

struct mf_flags {
    const char *const *names; // Of bits 0, 1, …
    unsigned n;
};
const struct mf_flags *mf_flags_of(const struct mf_field *mf); // NULL: its values are no flags.
// "+a-b", "a|b|0x4", "0x4/0x6", "0". False: anything else, or bits without a name.
bool mf_flags_parse(const struct mf_flags *flags, const char *s, uint32_t *value, uint32_t *mask);
// "a|b" when the mask has all bits of `all`, else "+a-b".
void mf_flags_format(const struct mf_flags *flags, uint32_t value, uint32_t mask, uint32_t all,
                     struct text *out);
extern const struct mf_flags mf_tnl_flag_names; // Of Open vSwitch's bits: oam, df, csum, key.
uint32_t mf_tnl_flags_to_text(uint16_t flags);  // enum flow_tnl_flags -> those bits.

// -- words of errors --

const char *mf_code_name(const struct mf_field *mf);   // "NXM_NX_REG0", as actions name fields.
const char *mf_prereq_hint(const struct mf_field *mf); // "add ip": what makes the field meaningful.
// Does a match (values and mask) say that its packets have the field?
bool mf_are_match_prereqs_ok(const struct mf_field *mf, const struct flow *match_flow,
                             const struct flow *match_mask);

struct mf_nearest { // The name that is least far from a misspelt word; begin with distance = 3.
    const char *name;
    unsigned distance;
};
void mf_consider_name(const char *word, const char *name, struct mf_nearest *n);
void mf_consider_fields(const char *word, struct mf_nearest *n);
const char *mf_nearest_hint(const struct mf_nearest *n, char *buf, size_t size);
const char *mf_name_hint(const char *word, char *buf, size_t size); // Of fields alone.

#endif
