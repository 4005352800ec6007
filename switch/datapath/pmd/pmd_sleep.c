// How an idle PMD waits: poll() over the rx fds of all queues, and an eventfd that the control side
// writes to.
//
// poll() and not epoll: an epoll set stays on the sockets' wait queues while the PMD is awake, and then
// each frame that an AF_XDP socket in copy mode has sent wakes it (sock_wfree): 6 % of the thread's time under
// load, for nothing. Naming the fds anew costs only a thread that has no packets anyway.

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/pmd/pmd_private.h"

enum { SHORT_SLEEP_MS = PORT_TX_RETRY_MS };

int pmd_sleep_init(struct pmd *pmd) {
    pmd->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return pmd->wake_fd < 0 ? -errno : 0;
}

void pmd_sleep_destroy(struct pmd *pmd) {
    if (pmd->wake_fd >= 0) {
        close(pmd->wake_fd);
    }
}

void pmd_sleep_watch(const struct pmd *pmd, struct pmd_rxqs *rxqs) {
    rxqs->fds[rxqs->n] = (struct pollfd){.fd = pmd->wake_fd, .events = POLLIN};
    rxqs->fdless = false;
    for (unsigned i = 0; i < rxqs->n; i++) {
        const struct pmd_rxq *rxq = &rxqs->rxqs[i];
        int fd = rxq->port->class->rx_fd(rxq->port, rxq->queue);
        rxqs->fds[i] = (struct pollfd){.fd = fd, .events = POLLIN}; // poll() skips -1.
        rxqs->fdless |= fd < 0;
    }
}

// The control side wrote to the eventfd: empties it. Why it did, the mailbox says.
static void take_wake(const struct pmd *pmd) {
    uint64_t count;
    if (read(pmd->wake_fd, &count, sizeof count) < 0) {
        return; // EAGAIN: an earlier read took it.
    }
}

void pmd_sleep(struct pmd *pmd) {
    struct pmd_rxqs *rxqs = pmd->rxqs;
    bool brief = rxqs->fdless || pmd->n_unflushed > 0;
    counter_add(&pmd->sleeps, 1);
    if (poll(rxqs->fds, rxqs->n + 1, brief ? SHORT_SLEEP_MS : -1) <= 0) {
        return;
    }
    if (rxqs->fds[rxqs->n].revents) {
        take_wake(pmd);
    }
    for (unsigned i = 0; i < rxqs->n; i++) {
        if (rxqs->fds[i].revents) {
            rxqs->rxqs[i].skip = 0;
        }
    }
}

void pmd_wake(struct pmd *pmd) {
    uint64_t one = 1;
    // Fails only when the counter is full, and then the PMD is awake already.
    if (write(pmd->wake_fd, &one, sizeof one) < 0) {
        return;
    }
}
