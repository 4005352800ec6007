// Datapath actions: the contract between the decider (ofproto) and the executor.
//
// An action is eight bytes. A list is executed in order on each packet of a batch; VLAN actions
// change the packet for the outputs that follow. An empty list never occurs: no output is said by
// ODP_DROP with its reason.

#ifndef RINGSIDE_ACTION_ODP_ACTION_H
#define RINGSIDE_ACTION_ODP_ACTION_H

#include "datapath/base/byteorder.h"
#include "datapath/base/compiler.h"

enum odp_action_type {
    ODP_OUTPUT,    // arg = port id.
    ODP_DROP,      // arg = enum drop_reason. Last in its list.
    ODP_PUSH_VLAN, // arg = TPID << 16 | TCI, host byte order.
    ODP_POP_VLAN,  // Outermost tag.
    ODP_SET_VLAN,  // arg = TCI of the outermost tag, host byte order.
};

struct odp_action {
    uint32_t type;
    uint32_t arg;
};

#define ODP_MAX_ACTIONS 512u // Enough for a flood over RS_MAX_PORTS with VLAN changes.

struct odp_actions {
    void *credit; // See struct upcall_ops. NULL = nobody counts.
    unsigned count;
    bool overflow; // An action did not fit; the list is then replaced by a drop (too_many_actions).
    struct odp_action actions[ODP_MAX_ACTIONS];
};

static inline void odp_actions_init(struct odp_actions *a) {
    a->credit = NULL;
    a->count = 0;
    a->overflow = false;
}

static inline void odp_actions_add(struct odp_actions *a, enum odp_action_type type, uint32_t arg) {
    if (likely(a->count < ODP_MAX_ACTIONS)) {
        a->actions[a->count++] = (struct odp_action){.type = type, .arg = arg};
    } else {
        a->overflow = true;
    }
}

#endif
