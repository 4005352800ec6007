// The flow table: rules by falling priority, looked up one after the other.
//
// That is slow and obviously right. It is asked once for each flow and half second, because answers
// are cached in front of it; the classifier that replaces it has to give the same answers.
//
// A table is a list of pointers that never changes once it is published: a change makes a new list
// out of the old one, publishes it, waits until the PMD has passed between two batches, and frees
// what only the old one had. So a change of many rules appears at once, or not at all.
//
//     oftable_with/without/from → bridge_set_table() in the PMD → oftable_retire(old, new)
//
// Two rules of the same priority that match the same packet: the older one wins.

#ifndef RINGSIDE_OFPROTO_OFTABLE_H
#define RINGSIDE_OFPROTO_OFTABLE_H

#include "ofproto/match.h"
#include "ofproto/ofp_action.h"

struct rule {
    struct match match;
    uint32_t priority;
    struct ofp_actions actions;
    uint64_t created_ms;
    rs_counter packets, bytes; // Writer: PMD. Readers: any.
    bool kept;                 // Scratch of oftable_retire(). Control thread.
};

struct oftable {
    uint32_t n;
    struct rule *rules[];
};

// Parses "match,actions=…". 0 or a negative errno with *err filled. Free with rule_destroy().
int rule_parse(const char *text, const struct port_names *names, uint64_t now_ms, struct rule **out,
               struct ofp_error *err);
void rule_destroy(struct rule *rule);
// The rule as ovs-ofctl prints it, without statistics.
void rule_format(const struct rule *rule, struct text *out);

// All of these return a new table, NULL without memory. The rules themselves are shared.
struct oftable *oftable_empty(void);
// With `rule` added; one of the same priority and match is left out.
struct oftable *oftable_with(const struct oftable *table, struct rule *rule);
// Of `n` new rules alone; a later one replaces an earlier one of the same priority and match. Rules
// that the old table has just so (actions too) are taken from there, with their counters.
struct oftable *oftable_from(const struct oftable *old, struct rule *const *rules, uint32_t n);

// Which rules go: all that `match` covers, or (strict) the one with this match and priority.
struct oftable_selection {
    struct match match;
    uint32_t priority;
    bool strict;
};
struct oftable *oftable_without(const struct oftable *table, const struct oftable_selection *which);

// Frees `old` and its rules that `now` does not have. No PMD may look at `old` any more.
void oftable_retire(struct oftable *old, const struct oftable *now);

// The first rule that matches, NULL if none does. PMD thread.
struct rule *oftable_lookup(const struct oftable *table, const struct flow *flow);

#endif
