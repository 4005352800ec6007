// The one door between the datapath and whatever decides: what to do with a packet nobody has seen
// yet.
//
// A miss in the decision cache calls translate() in the PMD thread. The answer is a list of
// datapath actions that holds for every packet with the same flow key until `generation` moves on
// (any change of rules, ports, learned addresses) or UPCALL_MAX_AGE_MS have passed; then the
// datapath asks again. That bound also lets the decider refresh what it ages (MAC addresses).

#ifndef RINGSIDE_DATAPATH_UPCALL_H
#define RINGSIDE_DATAPATH_UPCALL_H

#include "datapath/action/odp_action.h"
#include "datapath/flow/flow.h"

#define UPCALL_MAX_AGE_MS 500u

struct upcall_ops {
    void *aux;
    // Number that changes whenever an earlier answer may be wrong. Writer: the decider. Readers:
    // PMDs.
    const _Atomic uint64_t *generation;
    // Fills `out` (never fails: a refusal is a drop action with its reason). out->credit may be set
    // to the object that the packets are counted for; it stays valid while the generation lasts.
    // PMD thread.
    void (*translate)(void *aux, const struct flow *flow, uint64_t now_ms, struct odp_actions *out);
    // Counts packets for an object named by an earlier answer of the same generation. PMD thread.
    void (*credit)(void *aux, void *object, uint64_t packets, uint64_t bytes, uint64_t now_ms);
};

#endif
