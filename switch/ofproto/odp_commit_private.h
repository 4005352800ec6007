// What the odp_commit*.c files share.

#ifndef RINGSIDE_OFPROTO_ODP_COMMIT_PRIVATE_H
#define RINGSIDE_OFPROTO_ODP_COMMIT_PRIVATE_H

#include "ofproto/odp_commit.h"

// Tags that both have innermost stay; what base has more is popped, what flow has more is pushed.
void commit_vlans(const struct flow *flow, struct flow *base, struct odp_list *out,
                  struct flow *wc);
// Likewise for labels, which are pushed with `push`: ODP_PUSH_MPLS or ODP_ADD_MPLS.
void commit_mpls(const struct flow *flow, struct flow *base, struct odp_list *out,
                 enum odp_action_type push);

#endif
