// The one door between the datapath and whatever decides: what to do with packets nobody has seen yet.
//
// A miss in all caches calls translate() in the PMD thread. The answer holds for every packet that
// agrees with this one in the bits of `wc`: the datapath makes it a megaflow, and uses it until the
// decider takes it back. Taking back is the decider's duty: its revalidator walks the megaflows
// (megaflow.h) and kills or re-fits those whose answer would be another now, so that none is stale for
// longer than UPCALL_MAX_AGE_MS.

#ifndef RINGSIDE_DATAPATH_UPCALL_H
#define RINGSIDE_DATAPATH_UPCALL_H

#include "datapath/action/odp_action.h"
#include "datapath/flow/flow.h"
#include "datapath/packet/dp_packet.h"

#define UPCALL_MAX_AGE_MS 500u

struct upcall_answer {
    struct flow wc;          // Bits that the decision looked at; the megaflow's mask.
    struct odp_list actions; // Empty = drop. The PMD's own buffer, cleared before the call.
    bool install;            // false: for this packet only.
    void *owner; // Decider's context for the megaflow (credits …); it lives as long as that.
};

struct upcall_ops {
    void *aux;
    // Fills *answer; never fails: a refusal is a drop action with its reason. `flow` is the datapath's
    // key in full form (in_port is a port id). `packet` may be looked at, not changed. PMD thread.
    void (*translate)(void *aux, const struct dp_packet *packet, const struct flow *flow,
                      uint64_t now_ms, struct upcall_answer *answer);
    // Packets that were executed once without becoming a megaflow (install false, table full): they are
    // credited and `owner` released here. PMD thread.
    void (*executed_once)(void *aux, void *owner, uint64_t packets, uint64_t bytes,
                          uint16_t tcp_flags, uint64_t now_ms);
    // The megaflow that had this owner is gone; its last statistics have been read by nobody else.
    // Any thread that reaps RCU.
    void (*release)(void *aux, void *owner, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                    uint64_t used_ms);
    // ODP_CONTROLLER with this pin id met a packet: copy what is wanted, or count that there was no
    // room. PMD thread; must not block.
    void (*packet_in)(void *aux, uint32_t pin_id, const struct dp_packet *packet, uint64_t now_ms);
};

#endif
