// A match: values and a mask over the flow key; and its text in ovs-ofctl syntax.
//
// Bits of `flow` outside `mask` are 0, so that equal matches are equal bytes. The compressed form,
// minimatch, is what rules keep: only the words that the mask names, values and masks side by side.

#ifndef RINGSIDE_OFPROTO_MATCH_H
#define RINGSIDE_OFPROTO_MATCH_H

#include "datapath/flow/miniflow.h"
#include "ofproto/mf.h"

#define OFP_DEFAULT_PRIORITY 32768u
#define OFP_TEXT_MAX         65536u // Bytes of a rule's text.

struct match {
    struct flow flow;
    struct flow mask;
};

// words[0 … n) values, words[n … 2n) masks; n = flowmap_count(map), no mask word is 0.
struct minimatch {
    struct flowmap map;
    uint64_t words[];
};

void match_init_any(struct match *m);
// Sets a field, as a parser does; also sets what the field implies on packet_type. mask NULL = exact.
void match_set_field(struct match *m, const struct mf_field *mf, const union mf_value *value,
                     const union mf_value *mask);
bool match_equal(const struct match *a, const struct match *b);
bool match_covers_flow(const struct match *m, const struct flow *flow); // Does this packet match?
// Does every packet that matches `specific` match `general` too?
bool match_covers(const struct match *general, const struct match *specific);
bool match_overlaps(const struct match *a,
                    const struct match *b); // Is there a packet that matches both?

size_t minimatch_bytes(const struct match *m);
void minimatch_from(const struct match *m, struct minimatch *out);
void minimatch_expand(const struct minimatch *mm, struct match *out);
bool minimatch_equal(const struct minimatch *a, const struct minimatch *b);
bool minimatch_covers_flow(const struct minimatch *mm, const struct flow *flow);

// -- text --
struct
    flow_text { // What a flow's text says beside match and actions (ovs-ofctl(8), "Flow Syntax").
    uint32_t priority; // OFP_DEFAULT_PRIORITY unless given.
    bool has_priority;
    uint8_t table; // 255 = not given.
    uint16_t idle_timeout, hard_timeout, importance;
    uint16_t flags;               // enum flow_mod_flags (ofproto.h).
    uint64_t cookie, cookie_mask; // "cookie=1/0xff", which selects rules; mask 0 unless given.
    uint64_t new_cookie;          // "cookie=1", which names the rule; a text may have both.
    bool has_cookie;              // new_cookie was given.
    uint32_t out_port, out_group; // Filters; OFPP_ANY, OFPG_ANY unless given.
    uint64_t n_packets, n_bytes;  // Taken and ignored, as in the output of dump-flows.
    const char *actions; // What stands behind "actions=" in the text given, NULL if nothing does.
};

// Parses "field=value,…[,actions=…]". Order and blanks are free, as in ovs-ofctl; "duration=", "n_packets=",
// "idle_age=" … of a dump are skipped. Prerequisites that the text lacks are an error that names the
// missing word. 0, -EINVAL, -E2BIG with *err filled.
int match_parse(const char *text, const struct port_names *names, struct match *out,
                struct flow_text *extra, struct ofp_error *err);
// Refuses matches on fields that rules from outside cannot have (recirc_id, dp_hash, skb_priority, tun_tos,
// tun_ttl), which traces and megaflows do name.
int match_check_rule(const struct match *m, struct ofp_error *err);
// Appends the match as ovs-ofctl 3.1 prints it ("priority=10,tcp,in_port=1,nw_dst=10.0.0.0/8,tp_dst=80"), with
// the priority unless it is `hide_priority`.
void match_format(const struct match *m, uint32_t priority, uint32_t hide_priority,
                  const struct port_names *names, struct text *out);
// A whole packet key, as "Flow:" lines of ofproto/trace print it.
void flow_format(const struct flow *flow, const struct port_names *names, struct text *out);
// The match of exactly this packet: all fields that its protocols have.
void match_from_flow(const struct flow *flow, struct match *out);
// flow and wc as a match (bits outside wc cleared).
void match_from_wc(const struct flow *flow, const struct flow *wc, struct match *out);

#endif
