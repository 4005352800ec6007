// How the actions' text, rules and printing are put together: one row of functions for each type, in one table
// (ofpact_table.c), the functions by family in ofpact_*.c.
//
//     text ─▶ act_next: words ─▶ word's parse ─▶ list ─▶ act_verify: order, nesting, each one's validate ─▶ list
//     list ─▶ each one's check, with what the actions before it made of the packet ─▶ fit for a rule
//
// validate asks what is true of an action anywhere (field writable, lengths, ranges): a wire decoder needs it as the
// text does. check asks what depends on the match and on the table.

#ifndef RINGSIDE_OFPROTO_OFPACT_PRIVATE_H
#define RINGSIDE_OFPROTO_OFPACT_PRIVATE_H

#include <errno.h>

#include "ofproto/ofpact.h"

#define ACT_MAX_DEPTH 100u // Lists within lists.

struct act_word;

struct act_parser {
    const struct port_names *names;
    struct ofpacts *out;
    struct ofp_error *err;
    const struct act_word *word; // That is being parsed.
    unsigned depth;
};

struct act_printer {
    const struct port_names *names;
    struct text *out;
};

struct act_checker {
    struct flow flow; // The match's values, as the actions so far have changed what is known.
    const struct flow *mask; // The match's mask.
    struct ofp_error *err;
    uint32_t max_ports;
    uint8_t table, n_tables;
    const struct ofpact
        *misfit; // The first that does nothing with this match (ofpacts_check_strict()),
    const char *misfit_needs; // and what it would need.
    bool needs_of11;          // The list has an action that OpenFlow 1.0 has not.
};

// A word that begins an action in text. variant tells the spellings of one type apart.
struct act_word {
    const char *name;
    uint8_t len;
    uint8_t type; // enum ofpact_type.
    uint8_t variant;
    // `value` is what stands behind the word; may be changed. 0 or a negative errno with p->err filled.
    int (*parse)(struct act_parser *p, char *value);
};

struct act_class {
    const char *name;
    void (*format)(const struct act_printer *f, const struct ofpact *a);
    int (*validate)(const struct ofpact *a, struct ofp_error *err); // NULL = always valid.
    int (*check)(struct act_checker *c, struct ofpact *a);          // NULL = fits any match.
};

const struct act_class *act_class(enum ofpact_type type);
const struct act_word *act_word_find(const char *name);              // NULL = there is none.
const char *act_word_hint(const char *name, char *buf, size_t size); // For one that there is not.

// -- text (ofpact_text.c, ofpact_scan.c) --

// The next "key", "key:value", "key=value" or "key(value)" of *pos, which is cut up; false at its end. *value is "" if
// there is none. "key(x)->y" has the value "x)->y".
bool act_next(char **pos, char **key, char **value);
// The next piece between any of `delimiters` as strtok_r() has it; NULL at the end.
char *act_piece(char **pos, const char *delimiters);

#define act_error(p, hint, ...) ofp_error_set((p)->err, EINVAL, (p)->word->name, hint, __VA_ARGS__)
int act_unknown_key(struct act_parser *p, const char *key, const char *known);
void *act_put(struct act_parser *p,
              size_t size); // An action of the word's type. NULL: return act_full(p).
int act_full(struct act_parser *p);

// A number up to `max`, decimal or 0x hexadecimal, and nothing else.
int act_number(struct act_parser *p, const char *what, const char *text, uint64_t max,
               uint64_t *out);
int act_u16(struct act_parser *p, const char *what, const char *text, uint16_t *out);
int act_u32(struct act_parser *p, const char *what, const char *text, uint32_t *out);
int act_port(struct act_parser *p, const char *text, uint16_t *port);
int act_subfield(struct act_parser *p, const char *text,
                 struct mf_subfield *out); // And nothing else.
// Has it a code without an experimenter's id? Others do not go into learn, bundle_load and multipath on the wire.
bool act_has_plain_code(const struct mf_field *field);
// A number of up to n_bytes, right-aligned big-endian, at the beginning of `text`; where it ends, NULL if there is none or
// it is too large.
const char *act_wide_number(const char *text, uint8_t *out, size_t n_bytes);
// Pairs of hexadecimal digits with dots or blanks between them: how many bytes they are, SIZE_MAX if anything else is there.
// out may be NULL.
size_t act_hex_bytes(const char *text, uint8_t *out);
void act_put_hex(struct text *out, const uint8_t *bytes, size_t n);    // "0x1f"
void act_put_dotted(struct text *out, const uint8_t *bytes, size_t n); // "00.1f"

// A list within an action: appended to p->out, verified.
int act_parse_list(struct act_parser *p, char *text, bool instructions, enum ofpact_type outer);
void act_format_list(const struct act_printer *f, const void *bytes, size_t n);

// -- rules (ofpact_verify.c, ofpact_check.c) --

#define ACT_NO_OUTER OFPACT_N_TYPES
int act_verify(const void *bytes, size_t n, bool instructions, enum ofpact_type outer,
               struct ofp_error *err);
int act_check_list(struct act_checker *c, void *bytes, size_t n);
void act_misfit(struct act_checker *c, const struct ofpact *a, const char *needs);
be16 act_dl_type(
    const struct flow *flow); // EtherType, also of a packet that begins with its network header.
// ofpacts_check() of a list that act_verify() has passed.
int act_check_verified(void *bytes, size_t n, const struct match *match, uint8_t table,
                       uint8_t n_tables, uint32_t max_ports, bool strict, struct ofp_error *err);

// -- the families --

#define ACT_PARSE(name) int act_##name##_parse(struct act_parser *p, char *value)
#define ACT_FORMAT(name) \
    void act_##name##_format(const struct act_printer *f, const struct ofpact *a)
#define ACT_VALIDATE(name) int act_##name##_validate(const struct ofpact *a, struct ofp_error *err)
#define ACT_CHECK(name)    int act_##name##_check(struct act_checker *c, struct ofpact *a)

// ofpact_output.c
ACT_PARSE(output);
ACT_FORMAT(output);
ACT_CHECK(output);
ACT_FORMAT(output_reg);
ACT_VALIDATE(output_reg);
ACT_CHECK(output_reg);
ACT_FORMAT(output_trunc);
ACT_VALIDATE(output_trunc);
ACT_CHECK(output_trunc);
ACT_PARSE(enqueue);
ACT_FORMAT(enqueue);
ACT_CHECK(enqueue);
int act_output_port_check(struct act_checker *c, const struct ofpact *a, uint32_t port);
// ofpact_controller.c
ACT_PARSE(controller);
ACT_FORMAT(controller);
// ofpact_number.c: one number, of which the table there says the range.
ACT_PARSE(number);
ACT_FORMAT(number);
ACT_VALIDATE(number);
ACT_CHECK(ip);
ACT_CHECK(l4);
ACT_CHECK(meter);
// ofpact_address.c
ACT_PARSE(mac);
ACT_FORMAT(mac);
ACT_PARSE(ipv4);
ACT_FORMAT(ipv4);
ACT_CHECK(ipv4);
// ofpact_set.c
ACT_PARSE(set_field);
ACT_PARSE(load);
ACT_FORMAT(set_field);
ACT_VALIDATE(set_field);
ACT_CHECK(set_field);
// ofpact_move.c
ACT_PARSE(move);
ACT_FORMAT(move);
ACT_VALIDATE(move);
ACT_CHECK(move);
ACT_PARSE(stack);
ACT_FORMAT(stack);
ACT_VALIDATE(stack);
ACT_CHECK(stack);
ACT_PARSE(delete_field);
ACT_FORMAT(delete_field);
ACT_VALIDATE(delete_field);
ACT_PARSE(check_pkt_larger);
ACT_FORMAT(check_pkt_larger);
ACT_VALIDATE(check_pkt_larger);
// "src[]->dst[]" of equal width.
int act_move_scan(struct act_parser *p, const char *text, struct mf_subfield *src,
                  struct mf_subfield *dst);
// ofpact_vlan.c
ACT_PARSE(set_vlan);
ACT_FORMAT(set_vlan);
ACT_VALIDATE(set_vlan);
ACT_CHECK(set_vlan);
ACT_PARSE(strip_vlan);
ACT_FORMAT(strip_vlan);
ACT_CHECK(strip_vlan);
ACT_CHECK(push_vlan);
// ofpact_mpls.c
ACT_CHECK(set_mpls);
ACT_CHECK(push_mpls);
ACT_CHECK(pop_mpls);
ACT_PARSE(dec_ttl);
ACT_FORMAT(dec_ttl);
// ofpact_encap.c
ACT_PARSE(encap);
ACT_FORMAT(encap);
ACT_VALIDATE(encap);
ACT_CHECK(encap);
ACT_PARSE(decap);
ACT_FORMAT(decap);
ACT_CHECK(decap);
ACT_CHECK(dec_nsh_ttl);
// ofpact_hash.c
ACT_PARSE(bundle);
ACT_FORMAT(bundle);
ACT_VALIDATE(bundle);
ACT_CHECK(bundle);
ACT_PARSE(multipath);
ACT_FORMAT(multipath);
ACT_VALIDATE(multipath);
ACT_CHECK(multipath);
// ofpact_learn.c, ofpact_learn_format.c
ACT_PARSE(learn);
ACT_FORMAT(learn);
ACT_VALIDATE(learn);
ACT_CHECK(learn);
// ofpact_ct.c, ofpact_nat.c
ACT_PARSE(ct);
ACT_FORMAT(ct);
ACT_VALIDATE(ct);
ACT_CHECK(ct);
ACT_PARSE(nat);
ACT_FORMAT(nat);
ACT_VALIDATE(nat);
ACT_CHECK(nat);
// ofpact_flow.c
ACT_PARSE(plain); // No argument; what is given is not looked at, as in Open vSwitch.
ACT_FORMAT(plain);
ACT_PARSE(tunnel);
ACT_FORMAT(tunnel);
ACT_PARSE(fin_timeout);
ACT_FORMAT(fin_timeout);
ACT_CHECK(fin_timeout);
ACT_PARSE(resubmit);
ACT_FORMAT(resubmit);
ACT_CHECK(resubmit);
ACT_PARSE(conjunction);
ACT_FORMAT(conjunction);
ACT_VALIDATE(conjunction);
ACT_PARSE(note);
ACT_FORMAT(note);
ACT_PARSE(sample);
ACT_FORMAT(sample);
ACT_VALIDATE(sample);
ACT_FORMAT(unroll);
// ofpact_instruction.c
ACT_PARSE(nest); // clone, write_actions.
ACT_FORMAT(nest);
ACT_VALIDATE(nest);
ACT_CHECK(clone);
ACT_CHECK(write_actions);
ACT_PARSE(write_metadata);
ACT_FORMAT(write_metadata);
ACT_PARSE(goto_table);
ACT_FORMAT(goto_table);
ACT_CHECK(goto_table);

#endif
