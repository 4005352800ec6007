// Executes a list of datapath actions on the packets of a batch that share it.
//
// One action is applied to all packets before the next is looked at. Outputs are collected: each port
// has a batch of its own in `struct odp_env`, sent when it is full and at the end of the rx batch, so that
// a port sees few long batches instead of many short ones. Whatever takes the packet elsewhere (an output, a
// nested list, recirculation) gets a copy, except the last one of the list, which gets the packet itself.
//
// Every way out of a packet: sent later; recirculated; or port_drop() with
//     no_output       nothing in the list took it         no_frame         no frame for a copy
//     vlan_push, no_headroom: no room for a header        meter            over its meter's rate
//     to_controller   a controller got its copy, no port  not_sampled      sample left it out, and nothing else took it
//     not_supported   ct, tunnels: their issue's          whatever an ODP_DROP names
// A packet of which copies went elsewhere and which itself goes nowhere is no drop: it is taken off `copies`.
//
// An action that does not fit the packet (set of TCP ports on a UDP packet, pop_vlan without a tag) leaves it
// as it is; translation does not make such lists.
//
// Threads: PMD.

#ifndef RINGSIDE_ACTION_ODP_EXECUTE_H
#define RINGSIDE_ACTION_ODP_EXECUTE_H

#include "datapath/action/odp_action.h"
#include "datapath/action/odp_meter.h"
#include "datapath/port/port.h"

struct odp_env {
    struct port *const *ports; // [RS_MAX_PORTS], NULL where there is none.
    struct dp_packet_batch
        *out; // [RS_MAX_PORTS] What waits to be sent; the PMD's, zeroed when made.
    // Sends and empties a port's batch. Set by the PMD, which also captures there.
    void (*send)(struct odp_env *env, struct port *port, struct dp_packet_batch *batch);
    // Takes the packets over (batch->count is set to 0 after it): to be looked up again; their recirc_id is
    // set, their flow hash is not. Their `tunnel` may point into the list that is being executed, which must
    // stay as it is until they are done with.
    void (*recirc)(struct odp_env *env, uint32_t recirc_id, struct dp_packet_batch *batch);
    // Copies what it wants of the packet.
    void (*packet_in)(struct odp_env *env, uint32_t pin_id, const struct dp_packet *p);
    struct odp_meters *meters;  // NULL = none.
    uint64_t now_ns;            // Monotonic. Set by the PMD at each iteration; meters go by it.
    uint64_t random;            // State of ODP_SAMPLE's generator.
    struct port_counters *from; // Of the port that the present rx batch came in on.
    unsigned n_waiting;
    uint16_t waiting[RS_MAX_PORTS]; // Ports whose batch in `out` has packets.
};

// Sets all but the callbacks, meters, now_ns and from, which are NULL or 0 afterwards.
void odp_env_init(struct odp_env *env, struct port *const *ports, struct dp_packet_batch *out);

// Consumes all packets of `batch`. `flags` are odp_blob_flags() of the list, or 0. The list is one that
// odp_check() accepts.
void odp_execute(struct odp_env *env, const void *actions, uint32_t len, uint32_t flags,
                 struct dp_packet_batch *batch);

// Sends what has been collected. To be called before env->from changes.
void odp_flush(struct odp_env *env);

// Completes the unfinished L4 checksums of a batch. Done as late as can be (an output port that offloads may
// spare us the work one day): by the executor before packets are changed or copied, by the PMD before it sends.
void odp_complete_checksums(struct odp_env *env, const struct dp_packet_batch *batch);

#endif
