// Which rx queues are polled, and how often. Round robin, all of them in each iteration, except
// queues whose empty poll costs a system call: those are left out for more and more iterations
// while they stay empty.

#include <errno.h>
#include <stdlib.h>

#include "datapath/pmd/pmd_private.h"

enum {
    SKIP_MAX = 15
}; // At most 16 batches of others, some 150 µs, before an idle tap is looked at.

static unsigned poll_rxq(struct pmd *pmd, struct pmd_rxq *rxq) {
    const struct port_class *class = rxq->port->class;
    struct dp_packet_batch batch;
    batch_init(&batch);
    class->rx(rxq->port, rxq->queue, &batch);
    unsigned n = batch.count;
    if (n > 0) {
        rxq->skip_next = 0;
        pmd_process(pmd, rxq->port, &batch);
    } else if (class->rx_is_syscall) {
        rxq->skip = rxq->skip_next;
        rxq->skip_next = (uint8_t)(rxq->skip_next * 2 + 1);
        if (rxq->skip_next > SKIP_MAX) {
            rxq->skip_next = SKIP_MAX;
        }
    }
    return n;
}

unsigned pmd_poll_rxqs(struct pmd *pmd) {
    unsigned received = 0;
    for (unsigned i = 0; i < pmd->rxqs->n; i++) {
        struct pmd_rxq *rxq = &pmd->rxqs->rxqs[i];
        if (unlikely(rxq->skip > 0)) {
            rxq->skip--;
            continue;
        }
        received += poll_rxq(pmd, rxq);
    }
    return received;
}

struct pmd_rxqs *pmd_rxqs_create(unsigned cap) {
    struct pmd_rxqs *rxqs = calloc(1, sizeof *rxqs + cap * sizeof rxqs->rxqs[0]);
    if (!rxqs) {
        return NULL;
    }
    rxqs->fds = calloc(cap + 1, sizeof *rxqs->fds);
    if (!rxqs->fds) {
        free(rxqs);
        return NULL;
    }
    return rxqs;
}

void pmd_rxqs_destroy(struct pmd_rxqs *rxqs) {
    if (rxqs) {
        free(rxqs->fds);
        free(rxqs);
    }
}

// A change of the installed ports, made by the control thread.
struct change {
    struct pmd *pmd;
    struct port *port;
    bool add;
    struct pmd_rxqs *rxqs; // New list in; old one out.
};

static void change_in_pmd(void *arg) {
    struct change *c = arg;
    struct pmd *pmd = c->pmd;
    struct pmd_rxqs *old = pmd->rxqs;
    pmd->rxqs = c->rxqs;
    c->rxqs = old;
    pmd->ports[c->port->id] = c->add ? c->port : NULL;
    if (!c->add) {
        unsigned kept = 0;
        for (unsigned i = 0; i < pmd->n_unflushed; i++) {
            if (pmd->unflushed[i] != c->port) {
                pmd->unflushed[kept++] = pmd->unflushed[i];
            }
        }
        pmd->n_unflushed = kept;
        pmd->is_unflushed[c->port->id] = false;
    }
}

static int change_ports(struct pmd *pmd, struct port *port, bool add) {
    // The control thread is the only one that changes the list, so it may read it without asking.
    const struct pmd_rxqs *old = pmd->rxqs;
    unsigned cap = old->n + (add ? port->n_rxq : 0);
    struct pmd_rxqs *rxqs = pmd_rxqs_create(cap);
    if (!rxqs) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < old->n; i++) {
        if (old->rxqs[i].port != port) {
            rxqs->rxqs[rxqs->n++] =
                (struct pmd_rxq){.port = old->rxqs[i].port, .queue = old->rxqs[i].queue};
        }
    }
    for (unsigned q = 0; add && q < port->n_rxq; q++) {
        rxqs->rxqs[rxqs->n++] = (struct pmd_rxq){.port = port, .queue = (uint16_t)q};
    }
    pmd_sleep_watch(pmd, rxqs);
    struct change c = {.pmd = pmd, .port = port, .add = add, .rxqs = rxqs};
    pmd_run(pmd, change_in_pmd, &c);
    pmd_rxqs_destroy(c.rxqs);
    return 0;
}

int pmd_add_port(struct pmd *pmd, struct port *port) {
    assert(port->id > 0 && port->id < RS_MAX_PORTS);
    return change_ports(pmd, port, true);
}

int pmd_remove_port(struct pmd *pmd, struct port *port) {
    return change_ports(pmd, port, false);
}
