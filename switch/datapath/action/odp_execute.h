// Executes a list of datapath actions on the packets of a batch that share it.
//
// Outputs are collected: each port has a batch of its own in `struct odp_env`, sent when it is full
// and at the end of the rx batch, so that a port sees few long batches instead of many short ones.
// All of a list's outputs but the last take copies; the last takes the packet itself.
//
// Every way out of a packet: odp_output() (sent later), or port_drop() with
//     vlan_push   no headroom for a tag          no_frame    no frame for a copy
//     no_output   the port does not exist        whatever an ODP_DROP names
//
// Threads: PMD.

#ifndef RINGSIDE_ACTION_ODP_EXECUTE_H
#define RINGSIDE_ACTION_ODP_EXECUTE_H

#include "datapath/action/odp_action.h"
#include "datapath/port/port.h"

struct odp_env {
    struct port *const *ports; // [RS_MAX_PORTS], NULL where there is none.
    // Sends and empties a port's batch. Set by the PMD, which also captures there.
    void (*send)(struct odp_env *env, struct port *port, struct dp_packet_batch *batch);
    struct port_counters *from; // Of the port that the present rx batch came in on.
    unsigned n_waiting;
    uint8_t waiting[RS_MAX_PORTS]; // Ports whose batch below has packets.
    struct dp_packet_batch out[RS_MAX_PORTS];
};

void odp_env_init(struct odp_env *env, struct port *const *ports,
                  void (*send)(struct odp_env *, struct port *, struct dp_packet_batch *));

// Consumes all packets of `batch`.
void odp_execute(struct odp_env *env, const struct odp_action *actions, unsigned n_actions,
                 struct dp_packet_batch *batch);

// Sends what has been collected. To be called before env->from changes.
void odp_flush(struct odp_env *env);

// Completes the unfinished L4 checksums of a batch. Done as late as can be (an output port that
// offloads may spare us the work one day), but before copies are made and before VLAN tags move the
// headers.
void odp_complete_checksums(struct odp_env *env, const struct dp_packet_batch *batch);

// One family for each file: odp_output.c, odp_vlan.c.
void odp_output_copies(struct odp_env *env, uint32_t port_id, const struct dp_packet_batch *batch);
void odp_output(struct odp_env *env, uint32_t port_id, struct dp_packet_batch *batch);
void odp_vlan(struct odp_env *env, struct odp_action action, struct dp_packet_batch *batch);

#endif
