// Output: packets join the batch of the port that they leave by. Copies, controllers.

#include "datapath/action/odp_private.h"

static inline void enqueue(struct odp_env *env, struct port *port, struct dp_packet *p) {
    struct dp_packet_batch *out = &env->out[port->id];
    if (unlikely(batch_is_full(out))) {
        env->send(env, port, out); // Still listed as waiting.
    } else if (out->count == 0) {
        env->waiting[env->n_waiting++] = (uint16_t)port->id;
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

// As Open vSwitch: what is cut is an amount, so that a tag pushed in between is not at the cost of the end.
void odp_trunc(const struct dp_packet_batch *batch, uint32_t len) {
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        p->cut = p->len > len ? (uint16_t)(p->len - len) : 0;
    }
}

void odp_cut(const struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        p->len = (uint16_t)odp_sent_len(p);
        p->cut = 0;
    }
}

void odp_uncut(const struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        batch->packets[i]->cut = 0;
    }
}

void odp_copy_batch(struct odp_env *env, const struct dp_packet_batch *batch,
                    struct dp_packet_batch *copies) {
    batch_init(copies);
    counter_add(&env->from->copies, batch->count);
    for (unsigned i = 0; i < batch->count; i++) {
        const struct dp_packet *p = batch->packets[i];
        struct dp_packet *copy = dp_packet_clone(p, p->umem, p->umem->pmd_cache);
        if (likely(copy)) {
            batch_add(copies, copy);
        } else { // A copy that could not be made is lost like one that was made and dropped.
            counter_add(&env->from->drops[DROP_NO_FRAME], 1);
        }
    }
}

void odp_output_copies(struct odp_run *run, uint32_t port_id, const struct dp_packet_batch *batch) {
    struct odp_env *env = run->env;
    assert(port_id < RS_MAX_PORTS);
    run->spare = true;
    if (unlikely(!env->ports[port_id])) {
        counter_add(&env->from->copies, batch->count);
        counter_add(&env->from->drops[DROP_NO_OUTPUT], batch->count);
    } else {
        struct dp_packet_batch copies;
        odp_copy_batch(env, batch, &copies);
        if (unlikely(run->cut)) {
            odp_cut(&copies);
        }
        odp_output(env, port_id, &copies);
    }
    if (unlikely(run->cut)) {
        odp_uncut(batch);
        run->cut = false;
    }
}

void odp_output(struct odp_env *env, uint32_t port_id, struct dp_packet_batch *batch) {
    assert(port_id < RS_MAX_PORTS);
    struct port *port = env->ports[port_id];
    if (unlikely(!port)) {
        odp_drop_all(env, batch, DROP_NO_OUTPUT);
        return;
    }
    struct dp_packet_batch *out = &env->out[port_id];
    if (out->count == 0 && batch->count > 0) { // The usual case: the whole batch goes one way.
        env->waiting[env->n_waiting++] = (uint16_t)port_id;
        memcpy(out->packets, batch->packets, batch->count * sizeof batch->packets[0]);
        out->count = batch->count;
    } else {
        for (unsigned i = 0; i < batch->count; i++) {
            enqueue(env, port, batch->packets[i]);
        }
    }
    batch->count = 0;
}

void odp_controller(struct odp_run *run, uint32_t pin_id, const struct dp_packet_batch *batch) {
    struct odp_env *env = run->env;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        uint16_t len = p->len;
        p->len = (uint16_t)odp_sent_len(p);
        env->packet_in(env, pin_id, p);
        p->len = len;
        p->cut = 0;
    }
    run->cut = false;
    run->pinned = true;
}
