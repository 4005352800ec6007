// How an idle PMD waits: epoll over the rx fds of all queues, and an eventfd that the control side
// writes to.

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/pmd/pmd_private.h"

enum { EVENTS = 32, SHORT_SLEEP_MS = PORT_TX_RETRY_MS };
#define WAKE_EVENT UINT32_MAX

int pmd_sleep_init(struct pmd *pmd) {
    pmd->epoll_fd = -1;
    pmd->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pmd->wake_fd < 0) {
        return -errno;
    }
    pmd_sleep_watch(pmd);
    return pmd->epoll_fd < 0 ? -errno : 0;
}

void pmd_sleep_destroy(struct pmd *pmd) {
    if (pmd->epoll_fd >= 0) {
        close(pmd->epoll_fd);
    }
    if (pmd->wake_fd >= 0) {
        close(pmd->wake_fd);
    }
}

static bool watch(int epoll_fd, int fd, uint32_t what) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void pmd_sleep_watch(struct pmd *pmd) {
    int fresh = epoll_create1(EPOLL_CLOEXEC);
    if (pmd->epoll_fd >= 0) {
        close(pmd->epoll_fd);
    }
    pmd->epoll_fd = fresh;
    pmd->fdless = fresh < 0; // Then short sleeps have to do.
    if (fresh < 0) {
        return;
    }
    if (!watch(fresh, pmd->wake_fd, WAKE_EVENT)) {
        pmd->fdless = true;
    }
    for (unsigned i = 0; i < pmd->rxqs->n; i++) {
        const struct pmd_rxq *rxq = &pmd->rxqs->rxqs[i];
        int fd = rxq->port->class->rx_fd(rxq->port, rxq->queue);
        if (fd < 0 || !watch(fresh, fd, i)) {
            pmd->fdless = true;
        }
    }
}

static void short_sleep(void) {
    const struct timespec pause = {.tv_nsec = SHORT_SLEEP_MS * 1000000};
    nanosleep(&pause, NULL);
}

void pmd_sleep(struct pmd *pmd) {
    struct epoll_event events[EVENTS];
    bool brief = pmd->fdless || pmd->n_unflushed > 0;
    counter_add(&pmd->sleeps, 1);
    if (unlikely(pmd->epoll_fd < 0)) {
        short_sleep();
        return;
    }
    int n = epoll_wait(pmd->epoll_fd, events, EVENTS, brief ? SHORT_SLEEP_MS : -1);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 == WAKE_EVENT) {
            uint64_t count;
            if (read(pmd->wake_fd, &count, sizeof count) < 0) {
                continue; // Somebody was faster, or a signal: the mailbox is looked at anyway.
            }
        } else {
            pmd->rxqs->rxqs[events[i].data.u32].skip = 0;
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
