// Statistics: copied between two batches in the PMD thread, so that they balance.

#include <errno.h>

#include "api/api_private.h"

struct stats_job {
    rs_switch *sw;
    struct rs_port_stats *ports;
    uint32_t cap, n;
    struct pmd_stats pmd;
};

static void copy_port(const struct port *port, struct rs_port_stats *out) {
    const struct port_counters *c = &port->counters;
    memset(out, 0, sizeof *out);
    out->ofport = port->id;
    out->received = counter_get(&c->received);
    out->received_bytes = counter_get(&c->received_bytes);
    out->copies = counter_get(&c->copies);
    out->sent = counter_get(&c->sent);
    out->delivered = counter_get(&c->delivered);
    for (unsigned i = 0; i < RS_N_DROPS; i++) {
        out->drops[i] = counter_get(&c->drops[i]);
    }
    out->checksums_completed = counter_get(&c->checksums_completed);
    out->bad_frames = counter_get(&c->bad_frames);
    out->tx_packets = counter_get(&port->tx.packets);
    out->tx_bytes = counter_get(&port->tx.bytes);
}

static void copy_in_pmd(void *arg) {
    struct stats_job *job = arg;
    for (uint32_t id = 1; id < RS_MAX_PORTS; id++) {
        if (!job->sw->ports[id].port) {
            continue;
        }
        if (job->n < job->cap) {
            copy_port(job->sw->ports[id].port, &job->ports[job->n]);
        }
        job->n++;
    }
    pmd_stats_read(job->sw->pmd, &job->pmd);
}

// The kernel's counters cost a system call for each queue: they are read in our own thread.
static void add_xsk(const struct port *port, struct rs_xsk_stats *sum) {
    for (unsigned q = 0; port->config.type == PORT_AFXDP && q < port->n_rxq; q++) {
        struct xsk_statistics s;
        if (port_xsk_statistics(port, q, &s) < 0) {
            continue;
        }
        sum->rx_dropped += s.rx_dropped;
        sum->rx_invalid_descs += s.rx_invalid_descs;
        sum->tx_invalid_descs += s.tx_invalid_descs;
        sum->rx_ring_full += s.rx_ring_full;
        sum->rx_fill_ring_empty_descs += s.rx_fill_ring_empty_descs;
        sum->tx_ring_empty_descs += s.tx_ring_empty_descs;
    }
}

uint32_t rs_stats(rs_switch *sw, struct rs_port_stats *ports, uint32_t cap,
                  struct rs_pmd_stats *pmd) {
    if (!sw) {
        return 0;
    }
    struct stats_job job = {.sw = sw, .ports = ports, .cap = ports ? cap : 0};
    pmd_run(sw->pmd, copy_in_pmd, &job);
    for (uint32_t i = 0; i < job.n && i < job.cap; i++) {
        add_xsk(sw->ports[ports[i].ofport].port, &ports[i].xsk);
    }
    if (pmd) {
        *pmd = (struct rs_pmd_stats){
            .iterations = job.pmd.iterations,
            .busy_iterations = job.pmd.busy_iterations,
            .sleeps = job.pmd.sleeps,
            .packets = job.pmd.packets,
            .recirculated = job.pmd.recirculated,
            .cache_hits = job.pmd.cache_hits,
            .emc_hits = job.pmd.emc_hits,
            .smc_hits = job.pmd.smc_hits,
            .megaflow_hits = job.pmd.megaflow_hits,
            .subtables_searched = job.pmd.subtables_searched,
            .upcalls = job.pmd.upcalls,
            .executed_once = job.pmd.executed_once,
            .cycles_busy = job.pmd.cycles_busy,
            .cycles_idle = job.pmd.cycles_idle,
            .cache_entries = pmd_cache_entries(sw->pmd),
            .megaflows = megaflow_count(pmd_megaflows(sw->pmd)),
            .cpu = sw->config.cpu,
        };
    }
    return job.n;
}

struct umem_job {
    rs_switch *sw;
    struct rs_umem_stats *umems;
    uint32_t cap;
};

static void umems_in_pmd(void *arg) {
    struct umem_job *job = arg;
    for (unsigned i = 0; i < job->sw->umems.n_umems && i < job->cap; i++) {
        struct umem *u = job->sw->umems.umems[i];
        job->umems[i] = (struct rs_umem_stats){
            .frames = u->n_frames,
            .free_frames = umem_free_frames(u),
            .frame_size = u->frame_size,
            .sockets = u->n_sockets,
            .zero_copy = u->zero_copy,
            .numa_node = u->numa_node,
        };
    }
}

uint32_t rs_umem_list(rs_switch *sw, struct rs_umem_stats *umems, uint32_t cap) {
    if (!sw) {
        return 0;
    }
    struct umem_job job = {.sw = sw, .umems = umems, .cap = umems ? cap : 0};
    pmd_run(sw->pmd, umems_in_pmd, &job);
    return sw->umems.n_umems;
}
