// What the odp_text*.c files share: a scanner, and the keys of set().

#ifndef RINGSIDE_ACTION_ODP_TEXT_PRIVATE_H
#define RINGSIDE_ACTION_ODP_TEXT_PRIVATE_H

#include "datapath/action/odp_text.h"

#define TEXT_MAX_NESTING 16u // As odp_check().

// Text being read. The first thing that is wrong stays in `why`, and everything refuses from then on.
struct scanner {
    const char *at;
    const char *why;
    unsigned depth;
};

bool scan_refuse(struct scanner *s, const char *why); // false.
bool scan_word(struct scanner *s, const char *word);  // Skips it if it stands there.
bool scan_expect(struct scanner *s, const char *word);
// A number, decimal or 0x…, of at most `max`.
bool scan_number(struct scanner *s, uint64_t max, uint64_t *out);
// "name=" and a number. False without refusing if the name does not stand there.
bool scan_named(struct scanner *s, const char *name, uint64_t max, uint64_t *out);
bool scan_mac(struct scanner *s, uint8_t out[6]);
bool scan_ipv4(struct scanner *s, uint8_t out[4]);
bool scan_ipv6(struct scanner *s, uint8_t out[16]); // Up to a character that is in no address.
// 0x… of any length, right-aligned in `n` bytes.
bool scan_hex_bytes(struct scanner *s, uint8_t *out, size_t n);

void text_hex_bytes(struct text *t, const uint8_t *bytes, size_t n); // Without leading zeros.
void text_mac(struct text *t, const uint8_t mac[6]);
void text_ipv4(struct text *t, const uint8_t ip[4]);
void text_ipv6(struct text *t, const uint8_t ip[16]);

// "set(…)" behind "set(", and back: up to and with its last parenthesis.
void text_set(struct text *t, enum odp_key what, const uint8_t *key, const uint8_t *mask);
bool scan_set(struct scanner *s, struct odp_list *out);
void text_tunnel(struct text *t, const struct flow_tnl *tunnel);
bool scan_tunnel(struct scanner *s, struct flow_tnl *out);
void text_mpls(struct text *t, uint32_t lse);
bool scan_mpls(struct scanner *s, uint32_t *lse);
void text_ct(struct text *t, const struct odp_ct *ct);
bool scan_ct(struct scanner *s, struct odp_list *out);
void text_push_nsh(struct text *t, const struct odp_action *a);
bool scan_push_nsh(struct scanner *s, struct odp_list *out);

#endif
