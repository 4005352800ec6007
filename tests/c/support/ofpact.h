// Actions, flow mods and errors by text, for tests.

#ifndef RINGSIDE_TEST_OFPACT_H
#define RINGSIDE_TEST_OFPACT_H

#include "ofproto/ofproto.h"

enum { ACT_TEXT = 1 << 18 };

struct act_answer { // What came of a text: its own text again, or an error.
    char text[ACT_TEXT];
    int code;           // 0, or a negative errno.
    const char *ofperr; // OpenFlow's name for it, "none".
    char field[64], message[256], hint[256];
    int first_type; // Of the first action; -1 = none.
    uint32_t len;   // Bytes of the list.
    // Of a flow mod.
    uint8_t table, command;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags, out_port;
    uint64_t cookie, cookie_mask, new_cookie;
    bool modify_cookie;
    uint32_t out_group;
};

void act_tun_map(bool mapped); // tun_metadata0 is OVN's option of 4 bytes, or nothing is.
// Parses and prints. The printed text is parsed again: it must give the same bytes, else code is -EBADMSG.
void act_parse(const char *text, bool instructions, bool with_names, struct act_answer *out);
// flow_mod_parse(); text is the match and the actions.
void act_flow_mod(const char *text, uint8_t command, struct act_answer *out);
// The actions against the match of `match`, ofpacts_check() or ofpacts_check_strict().
void act_check(const char *match, const char *actions, uint8_t table, uint8_t n_tables,
               uint32_t max_ports, bool strict, struct act_answer *out);
// The bare list, without a match: ofpacts_check_set().
void act_check_set(const char *actions, struct act_answer *out);
void act_execute_set(const char *actions, struct act_answer *out); // What the action set comes to.
bool act_outputs_to_port(const char *actions, uint16_t port);
bool act_outputs_to_group(const char *actions, uint32_t group);
bool act_finds(const char *actions, int type);
bool act_equal(const char *a, const char *b);
// Parses n flows once and checks them; nanoseconds it took. Unparsable ones are counted in *n_bad.
uint64_t act_time_flows(const char *const *texts, unsigned n, unsigned *n_bad);

int ofpact_count(void);
const char *ofpact_name_of(int type);
int ofperr_find(const char *name); // OFPERR_NONE if there is none.
unsigned ofperr_count(void);
const char *ofperr_name_of(int e);
int ofperr_errno_of(int e);
bool ofperr_code_of(int e, uint8_t version, uint16_t *type, uint16_t *code, uint32_t *vendor);

#endif
