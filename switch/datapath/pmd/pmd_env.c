// What the executor of actions asks of its PMD: to send, to look up again, to tell the controller; and
// actions that the control side has executed.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/flow/flow_extract.h"
#include "datapath/pmd/pmd_private.h"
#include "datapath/port/port_drop.h"

static inline struct pmd *pmd_of(struct odp_env *env) {
    return (struct pmd *)(void *)((char *)env - offsetof(struct pmd, env));
}

static void send(struct odp_env *env, struct port *port, struct dp_packet_batch *batch) {
    struct pmd *pmd = pmd_of(env);
    odp_complete_checksums(env, batch);
    if (unlikely(atomic_load_explicit(&port->capture, memory_order_relaxed))) {
        capture_batch(pmd->capture, port->id, true, batch);
    }
    port->class->tx(port, batch, env->from);
    batch->count = 0;
    if (!pmd->is_unflushed[port->id]) {
        pmd->is_unflushed[port->id] = true;
        pmd->unflushed[pmd->n_unflushed++] = port;
    }
}

// Packets of all groups of a level meet in the next one's batch, so that batches stay long. A full one is
// processed at once; the rest when the level is done.
static void recirc(struct odp_env *env, uint32_t recirc_id, struct dp_packet_batch *batch) {
    struct pmd *pmd = pmd_of(env);
    unsigned depth = pmd->depth + 1;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (unlikely(depth > PMD_MAX_RECIRC)) {
            port_drop(p, DROP_RECIRC_DEPTH, env->from);
            continue;
        }
        struct dp_packet_batch *waiting = &pmd->levels[depth].waiting;
        p->recirc_id = recirc_id;
        batch_add(waiting, p);
        if (batch_is_full(waiting)) {
            pmd_process_waiting(pmd, depth);
        }
    }
    batch->count = 0;
}

static void packet_in(struct odp_env *env, uint32_t pin_id, const struct dp_packet *p) {
    struct pmd *pmd = pmd_of(env);
    pmd->config.upcall.packet_in(pmd->config.upcall.aux, pin_id, p, pmd->now_ms);
}

int pmd_env_init(struct pmd *pmd) {
    pmd->levels = calloc(PMD_MAX_RECIRC + 1, sizeof *pmd->levels);
    pmd->out =
        calloc(RS_MAX_PORTS, sizeof *pmd->out); // Pages of ports that do not exist stay untouched.
    if (!pmd->levels || !pmd->out) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i <= PMD_MAX_RECIRC; i++) {
        struct pmd_level *level = &pmd->levels[i];
        level->answer.actions = odp_list_on(level->actions, sizeof level->actions);
    }
    odp_env_init(&pmd->env, pmd->ports, pmd->out);
    pmd->env.send = send;
    pmd->env.recirc = recirc;
    pmd->env.packet_in = packet_in;
    pmd->env.meters = pmd->config.meters;
    return 0;
}

void pmd_env_destroy(struct pmd *pmd) {
    for (unsigned i = 0; pmd->levels && i <= PMD_MAX_RECIRC; i++) {
        odp_list_destroy(&pmd->levels[i].answer.actions);
    }
    free(pmd->levels);
    free(pmd->out);
}

struct execute_job {
    struct pmd *pmd;
    const struct pmd_packet_out *out;
    int error;
};

static void execute_in_pmd(void *arg) {
    struct execute_job *job = arg;
    struct pmd *pmd = job->pmd;
    const struct pmd_packet_out *out = job->out;
    pmd_tick(pmd);
    struct dp_packet *p = dp_packet_alloc(out->umem, out->umem->pmd_cache);
    if (!p || out->len > dp_packet_tailroom(p)) {
        job->error = p ? -EMSGSIZE : -ENOBUFS;
        if (p) {
            dp_packet_free(p);
        }
        return;
    }
    memcpy(p->data, out->frame, out->len);
    p->len = (uint16_t)out->len;
    p->in_port = out->in_port;
    counter_add(&pmd->control.received, 1);
    counter_add(&pmd->control.received_bytes, out->len);
    pmd->env.from = &pmd->control;
    struct dp_packet_batch batch = {.count = 1, .packets = {p}};
    enum drop_reason reason = flow_extract(p, &pmd->levels[0].keys[0]); // For the headers' places.
    if (unlikely(reason != DROP_NONE)) {
        port_drop(p, reason, pmd->env.from);
    } else {
        uint32_t len;
        const void *actions = megaflow_actions_of(out->actions, &len);
        odp_execute(&pmd->env, actions, len, 0, &batch);
        pmd_process_waiting(pmd, 1);
    }
    pmd_finish(pmd);
}

int pmd_execute(struct pmd *pmd, const struct pmd_packet_out *out) {
    struct execute_job job = {.pmd = pmd, .out = out};
    if (out->len < 14) {
        return -EINVAL;
    }
    pmd_run(pmd, execute_in_pmd, &job);
    return job.error;
}
