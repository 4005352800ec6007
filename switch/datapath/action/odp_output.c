// Output: packets join the batch of the port that they leave by.

#include "datapath/action/odp_execute.h"
#include "datapath/packet/checksum.h"
#include "datapath/port/port_drop.h"

static inline void enqueue(struct odp_env *env, struct port *port, struct dp_packet *p) {
    struct dp_packet_batch *out = &env->out[port->id];
    if (unlikely(batch_is_full(out))) {
        env->send(env, port, out); // Still listed as waiting.
    } else if (out->count == 0) {
        env->waiting[env->n_waiting++] = (uint8_t)port->id;
    }
    batch_add(out, p);
}

void odp_complete_checksums(struct odp_env *env, const struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (p->flags & PKT_CSUM_MAYBE_PARTIAL) {
            p->flags &= (uint8_t)~PKT_CSUM_MAYBE_PARTIAL;
            if (csum_complete_partial(p)) {
                counter_add(&env->from->checksums_completed, 1);
            }
        }
    }
}

void odp_output_copies(struct odp_env *env, uint32_t port_id, const struct dp_packet_batch *batch) {
    assert(port_id < RS_MAX_PORTS);
    struct port *port = env->ports[port_id];
    odp_complete_checksums(env, batch);
    counter_add(&env->from->copies, batch->count);
    for (unsigned i = 0; i < batch->count; i++) {
        const struct dp_packet *p = batch->packets[i];
        struct dp_packet *copy = NULL;
        if (likely(port)) {
            copy = dp_packet_clone(p, p->umem, p->umem->pmd_cache);
        }
        if (likely(copy)) {
            enqueue(env, port, copy);
        } else { // A copy that could not be made is lost like one that was made and dropped.
            counter_add(&env->from->drops[port ? DROP_NO_FRAME : DROP_NO_OUTPUT], 1);
        }
    }
}

void odp_output(struct odp_env *env, uint32_t port_id, struct dp_packet_batch *batch) {
    assert(port_id < RS_MAX_PORTS);
    struct port *port = env->ports[port_id];
    for (unsigned i = 0; i < batch->count; i++) {
        if (likely(port)) {
            enqueue(env, port, batch->packets[i]);
        } else {
            port_drop(batch->packets[i], DROP_NO_OUTPUT, env->from);
        }
    }
    batch->count = 0;
}
