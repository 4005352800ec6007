// Frozen states: what a translation needs in order to go on after the datapath has recirculated a packet,
// found again by its recirc_id. Equal states share an id, so that megaflows stay the same.

#ifndef RINGSIDE_OFPROTO_FROZEN_H
#define RINGSIDE_OFPROTO_FROZEN_H

#include "ofproto/ofproto.h"

struct frozen_state { // Constant.
    uint8_t table;
    bool conntracked;
    uint8_t was_mpls;
    uint32_t mirrors;
    be64 metadata;
    uint32_t regs[FLOW_N_REGS];
    uint32_t in_port; // OpenFlow number.
    struct flow_tnl tunnel;
    uint32_t stack_len, ofpacts_len, action_set_len; // Bytes.
    const uint8_t *stack;                            // As xlate keeps it.
    const void *ofpacts;                             // The rest to do, OFPACT_UNROLL among them.
    const void *action_set;
};

struct frozen_table;
int frozen_table_create(struct frozen_table **out);
void frozen_table_destroy(struct frozen_table *t);
// Id (≥ 1) of this state, referenced once for the caller; 0 without memory or ids (2^20 states). Any thread.
uint32_t frozen_get_id(struct frozen_table *t, const struct frozen_state *state);
const struct frozen_state *frozen_find(struct frozen_table *t,
                                       uint32_t id); // Under RCU. NULL = unknown.
void frozen_unref(struct frozen_table *t,
                  uint32_t id); // Kept for some seconds after the last: packets are under way.
void frozen_ref(struct frozen_table *t, uint32_t id);
// Frees what nobody has used for FROZEN_LINGER_MS. One thread at a time (the revalidator).
#define FROZEN_LINGER_MS 5000u
void frozen_expire(struct frozen_table *t, uint64_t now_ms);
uint32_t frozen_count(const struct frozen_table *t);

#endif
