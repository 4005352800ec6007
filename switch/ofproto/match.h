// A match: values and a mask over the flow key, with a priority; and its text in ovs-ofctl syntax.
//
// Bits of `flow` outside `mask` are 0, so that equal matches are equal bytes. A field may only be
// matched when the match also says that the packet has it ("tcp_dst" needs "tcp" or "tcp6"): Open
// vSwitch calls that a prerequisite and silently widens matches without it; here it is an error
// that says which word is missing.
//
// Text: fields and keywords, separated by commas or blanks, in any order. Numbers may be
// hexadecimal. "field=value/mask" where the field can be masked. The same field twice is fine if
// the two agree.

#ifndef RINGSIDE_OFPROTO_MATCH_H
#define RINGSIDE_OFPROTO_MATCH_H

#include "datapath/base/text.h"
#include "datapath/flow/flow.h"
#include "ofproto/ofp_error.h"
#include "ofproto/port_names.h"

#define OFP_DEFAULT_PRIORITY 32768u
#define OFP_TEXT_MAX         16384u // Bytes of a rule's text.

struct match {
    struct flow flow;
    struct flow mask;
};

struct match_text { // What a text says beside the match itself.
    uint32_t priority;
    bool has_priority;
};

// Parses `text`. 0, -EINVAL, or -E2BIG (longer than OFP_TEXT_MAX), with *err filled.
int match_parse(const char *text, const struct port_names *names, struct match *out,
                struct match_text *extra, struct ofp_error *err);
// Appends the match as ovs-ofctl prints it, with the priority unless it is the default one.
void match_format(const struct match *match, uint32_t priority, struct text *out);

// The match of exactly this packet: all fields that its protocols have.
void match_from_flow(const struct flow *flow, struct match *out);

static inline bool match_equal(const struct match *a, const struct match *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

// Does the packet with this key match?
bool match_covers_flow(const struct match *match, const struct flow *flow);
// Does every packet that matches `specific` match `general` too, by their fields?
bool match_covers(const struct match *general, const struct match *specific);

// ---- for the files match_*.c ------------------------------------------------------------------

enum match_prereq {
    NEED_NOTHING,
    NEED_IPV4_OR_ARP,
    NEED_IPV4,
    NEED_IPV6,
    NEED_IP,
    NEED_IP_OR_ARP,
    NEED_ARP,
    NEED_TCP, // From here on: not in fragments behind the first.
    NEED_UDP,
    NEED_SCTP,
    NEED_PORTS, // Of TCP, UDP or SCTP; also ICMP, whose type and code are there.
    NEED_ICMP,
    NEED_ICMP6,
    NEED_ANY_ICMP,
};

bool match_has_prereq(const struct match *match, enum match_prereq need);
const char *match_prereq_hint(enum match_prereq need);

// Parsers of one value, "VALUE" or "VALUE/MASK". Values are masked already; bytes are in network
// order. False: it is not one.
bool value_parse_int(const char *text, uint32_t max, uint32_t *value, uint32_t *mask);
bool value_parse_mac(const char *text, uint8_t value[6], uint8_t mask[6]);
bool value_parse_ipv4(const char *text, uint8_t value[4], uint8_t mask[4]);
bool value_parse_ipv6(const char *text, uint8_t value[16], uint8_t mask[16]);
// A port number or name, or LOCAL. 0: it is none. `text` may stand in double quotes.
uint32_t value_parse_port(const char *text, const struct port_names *names);

#endif
