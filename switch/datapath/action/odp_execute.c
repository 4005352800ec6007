#include "datapath/action/odp_execute.h"

#include "datapath/port/port_drop.h"

void odp_env_init(struct odp_env *env, struct port *const *ports,
                  void (*send)(struct odp_env *, struct port *, struct dp_packet_batch *)) {
    env->ports = ports;
    env->send = send;
    env->from = NULL;
    env->n_waiting = 0;
    for (unsigned i = 0; i < RS_MAX_PORTS; i++) {
        batch_init(&env->out[i]);
    }
}

static void drop_all(struct odp_env *env, enum drop_reason reason, struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        port_drop(batch->packets[i], reason, env->from);
    }
    batch->count = 0;
}

static unsigned last_output(const struct odp_action *actions, unsigned n_actions) {
    unsigned last = n_actions;
    for (unsigned i = 0; i < n_actions; i++) {
        if (actions[i].type == ODP_OUTPUT) {
            last = i;
        }
    }
    return last;
}

void odp_execute(struct odp_env *env, const struct odp_action *actions, unsigned n_actions,
                 struct dp_packet_batch *batch) {
    unsigned last = n_actions == 1 ? 0 : last_output(actions, n_actions);
    for (unsigned i = 0; i < n_actions && batch->count > 0; i++) {
        switch ((enum odp_action_type)actions[i].type) {
        case ODP_OUTPUT:
            if (i == last) {
                odp_output(env, actions[i].arg, batch);
                return;
            }
            odp_output_copies(env, actions[i].arg, batch);
            break;
        case ODP_DROP: drop_all(env, (enum drop_reason)actions[i].arg, batch); return;
        case ODP_PUSH_VLAN:
        case ODP_POP_VLAN:
        case ODP_SET_VLAN: odp_vlan(env, actions[i], batch); break;
        }
    }
    drop_all(env, DROP_NO_OUTPUT, batch);
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
