// Fields and matches, opened for tests only.

#ifndef RINGSIDE_TESTS_MATCH_H
#define RINGSIDE_TESTS_MATCH_H

#include "ofproto/match.h"

// The ports of these tests: 1 h1, 2 h2, 3 br0 (LOCAL), 4 "odd name".
const struct port_names *match_test_ports(void);

// Sets the process's TLV map; "" = none. 0 or tun_map_parse()'s error.
int match_test_tun_map(const char *text, struct ofp_error *err);
void match_test_tun_map_text(char *out, size_t cap);
int match_test_tun_map_remove(const char *text, struct ofp_error *err);

int match_test_parse(const char *text, struct match *out, struct flow_text *extra,
                     struct ofp_error *err);
// extra->actions, copied. False: there are none.
bool match_test_actions(const char *text, char *out, size_t cap);
// Texts; false if they were cut.
bool match_test_format(const struct match *m, uint32_t priority, bool names, char *out, size_t cap);
bool match_test_flow_text(const struct flow *flow, char *out, size_t cap);
bool match_test_field_text(const struct mf_field *mf, const union mf_value *value,
                           const union mf_value *mask, char *out, size_t cap);
bool match_test_subfield_text(const struct mf_subfield *sf, char *out, size_t cap);
bool match_test_port_text(uint32_t ofp_port, bool names, char *out, size_t cap);
int match_test_field(const struct mf_field *mf, const char *text, union mf_value *value,
                     union mf_value *mask, struct ofp_error *err);
// Bytes of text taken, or an error.
int match_test_subfield(const char *text, struct mf_subfield *sf, struct ofp_error *err);
// The match compressed and expanded again; whether equal; whether the compressed form covers the flow.
void match_test_mini(const struct match *m, struct match *again);
bool match_test_mini_equal(const struct match *a, const struct match *b);
bool match_test_mini_covers(const struct match *m, const struct flow *flow);

#endif
