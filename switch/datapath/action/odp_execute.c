#include "datapath/action/odp_private.h"

void odp_env_init(struct odp_env *env, struct port *const *ports, struct dp_packet_batch *out) {
    memset(env, 0, sizeof *env);
    env->ports = ports;
    env->out = out;
    env->random = 0x9e3779b97f4a7c15u;
}

void odp_drop_all(struct odp_env *env, struct dp_packet_batch *batch, enum drop_reason reason) {
    for (unsigned i = 0; i < batch->count; i++) {
        port_drop(batch->packets[i], reason, env->from);
    }
    batch->count = 0;
}

// A packet with copies elsewhere was not lost: it and one of them are the same packet, and `copies` was one
// too many.
unsigned odp_end_packets(const struct odp_run *run, struct dp_packet_batch *batch,
                         enum drop_reason reason) {
    unsigned n = batch->count;
    if (!run->spare) {
        odp_drop_all(run->env, batch, run->pinned ? DROP_TO_CONTROLLER : reason);
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        dp_packet_free(batch->packets[i]);
    }
    batch->count = 0;
    counter_add(&run->env->from->copies, -(uint64_t)n);
    return n;
}

static void recirculate(struct odp_run *run, uint32_t id, bool last,
                        struct dp_packet_batch *batch) {
    struct odp_env *env = run->env;
    struct dp_packet_batch copies, *taken = batch;
    if (!last) {
        odp_copy_batch(env, batch, &copies);
        run->spare = true;
        taken = &copies;
    }
    if (run->cut) { // It is not remembered beyond this list.
        odp_cut(taken);
        odp_uncut(batch);
        run->cut = false;
    }
    for (unsigned i = 0; i < taken->count; i++) {
        taken->packets[i]->recirc_id = id;
        taken->packets[i]->hash = 0;
    }
    if (taken->count > 0) {
        env->recirc(env, id, taken);
        taken->count = 0;
    }
}

// As an output to a port that does not exist.
static void refuse(struct odp_run *run, bool last, struct dp_packet_batch *batch) {
    if (last) {
        odp_drop_all(run->env, batch, DROP_NOT_SUPPORTED);
    } else {
        counter_add(&run->env->from->copies, batch->count);
        counter_add(&run->env->from->drops[DROP_NOT_SUPPORTED], batch->count);
        run->spare = true;
    }
}

static void clear_ct(const struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (p->flags & PKT_HAS_CT) {
            p->flags &= (uint8_t)~PKT_HAS_CT;
            p->ct_state = 0;
        }
    }
}

// What takes packets elsewhere. Returns as odp_run_list() if it was the last.
static unsigned take(struct odp_run *run, const struct odp_action *a, bool last,
                     struct dp_packet_batch *batch) {
    switch ((enum odp_action_type)a->type) {
    case ODP_OUTPUT:
        if (!last) {
            odp_output_copies(run, a->arg, batch);
        } else {
            if (unlikely(run->cut)) {
                odp_cut(batch);
            }
            odp_output(run->env, a->arg, batch);
        }
        return 0;
    case ODP_RECIRC: recirculate(run, a->arg, last, batch); return 0;
    case ODP_CLONE: return odp_clone(run, a, last, batch);
    case ODP_SAMPLE: return odp_sample(run, a, last, batch);
    case ODP_CHECK_PKT_LEN: return odp_check_pkt_len(run, a, last, batch);
    default: refuse(run, last, batch); return 0;
    }
}

// What changes the packets' bytes.
static void change(struct odp_env *env, const struct odp_action *a, struct dp_packet_batch *batch) {
    switch ((enum odp_action_type)a->type) {
    case ODP_SET: odp_set(a, batch); break;
    case ODP_PUSH_VLAN: odp_push_vlan(env, a->arg, batch); break;
    case ODP_POP_VLAN: odp_pop_vlan(batch); break;
    case ODP_PUSH_MPLS:
    case ODP_ADD_MPLS: odp_push_mpls(env, a, batch); break;
    case ODP_POP_MPLS: odp_pop_mpls(env, hton16((uint16_t)a->arg), batch); break;
    case ODP_PUSH_ETH: odp_push_eth(env, odp_payload(a), batch); break;
    case ODP_POP_ETH: odp_pop_eth(env, batch); break;
    case ODP_PUSH_NSH: odp_push_nsh(env, a, batch); break;
    case ODP_POP_NSH: odp_pop_nsh(env, batch); break;
    default: assert(false);
    }
}

// Bits of the types that take, and of those that change or look at bytes that a checksum may be missing in.
#define TAKES                                                                   \
    (1u << ODP_OUTPUT | 1u << ODP_RECIRC | 1u << ODP_CLONE | 1u << ODP_SAMPLE | \
     1u << ODP_CHECK_PKT_LEN | 1u << ODP_CT | 1u << ODP_TUNNEL_PUSH | 1u << ODP_TUNNEL_POP)
#define CHANGES                                                                         \
    (1u << ODP_SET | 1u << ODP_PUSH_VLAN | 1u << ODP_POP_VLAN | 1u << ODP_PUSH_MPLS |   \
     1u << ODP_ADD_MPLS | 1u << ODP_POP_MPLS | 1u << ODP_PUSH_ETH | 1u << ODP_POP_ETH | \
     1u << ODP_PUSH_NSH | 1u << ODP_POP_NSH)
#define NEEDS_WHOLE (CHANGES | 1u << ODP_TRUNC | 1u << ODP_CONTROLLER)

unsigned odp_run_list(struct odp_run run, const void *actions, size_t len,
                      struct dp_packet_batch *batch) {
    struct odp_env *env = run.env;

    ODP_FOR_EACH(a, actions, len) {
        uint32_t type = 1u << a->type;
        bool last = (size_t)((const uint8_t *)odp_next(a) - (const uint8_t *)actions) == len;
        if (batch->count == 0) {
            return 0;
        }
        if (!run.whole && ((type & NEEDS_WHOLE) || ((type & TAKES) && !last))) {
            odp_complete_checksums(env, batch);
            run.whole = true;
        }
        if (type & TAKES) {
            unsigned ended = take(&run, a, last, batch);
            if (last) {
                return ended;
            }
        } else if (type & CHANGES) {
            change(env, a, batch);
        } else if (a->type == ODP_DROP) {
            odp_drop_all(env, batch, (enum drop_reason)a->arg);
        } else if (a->type == ODP_CONTROLLER) {
            odp_controller(&run, a->arg, batch);
        } else if (a->type == ODP_METER) {
            odp_meter_run(env, a->arg, batch);
        } else if (a->type == ODP_TRUNC) {
            odp_trunc(batch, a->arg);
            run.cut = true;
        } else if (a->type == ODP_HASH) {
            odp_hash(a, batch);
        } else if (a->type == ODP_CT_CLEAR) {
            clear_ct(batch);
        }
    }
    return odp_end_packets(&run, batch, DROP_NO_OUTPUT);
}

uint32_t odp_blob_flags(const void *bytes, uint32_t len) {
    const struct odp_action *a = bytes;
    return len == sizeof *a && a->type == ODP_OUTPUT ? ODP_BLOB_ONE_OUTPUT : 0;
}

void odp_execute(struct odp_env *env, const void *actions, uint32_t len, uint32_t flags,
                 struct dp_packet_batch *batch) {
    if (likely(flags & ODP_BLOB_ONE_OUTPUT)) {
        odp_output(env, ((const struct odp_action *)actions)->arg, batch);
    } else {
        odp_run_list((struct odp_run){.env = env}, actions, len, batch);
    }
}

void odp_flush(struct odp_env *env) {
    for (unsigned i = 0; i < env->n_waiting; i++) {
        uint32_t id = env->waiting[i];
        if (env->out[id].count > 0) {
            env->send(env, env->ports[id], &env->out[id]);
        }
    }
    env->n_waiting = 0;
}
