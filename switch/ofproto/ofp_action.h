// The actions of a rule, in memory and in ovs-ofctl syntax.

#ifndef RINGSIDE_OFPROTO_OFP_ACTION_H
#define RINGSIDE_OFPROTO_OFP_ACTION_H

#include "datapath/base/text.h"
#include "ofproto/ofp_error.h"
#include "ofproto/port_names.h"

#define OFP_MAX_ACTIONS 256u

enum ofp_action_type {
    OFP_OUTPUT,  // To `port`; not if the packet came in there.
    OFP_NORMAL,  // As a learning switch with VLANs does.
    OFP_FLOOD,   // To every port but the one it came in on.
    OFP_ALL,     // The same: no port is kept out of floods here.
    OFP_IN_PORT, // Back where it came from.
    OFP_LOCAL,   // To the internal port.
};

struct ofp_action {
    uint16_t type; // enum ofp_action_type.
    uint16_t port;
};

struct ofp_actions { // None = drop.
    unsigned n;
    struct ofp_action *list; // On the heap.
};

// Parses what stands behind "actions=". 0, -EINVAL, -ENOMEM with *err filled.
int ofp_actions_parse(const char *text, const struct port_names *names, struct ofp_actions *out,
                      struct ofp_error *err);
void ofp_actions_destroy(struct ofp_actions *actions);
bool ofp_actions_equal(const struct ofp_actions *a, const struct ofp_actions *b);
void ofp_actions_format(const struct ofp_actions *actions, struct text *out);

#endif
