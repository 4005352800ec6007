// Port class "dummy": packets are injected and read by tests. Two bounded queues of bytes:
//
//     port_dummy_inject() → in → rx        tx → out → port_dummy_take()
//
// Packets are copied, so that a test never holds a frame of the umem and may run in any thread. The
// queues are guarded by a mutex: the one place where a PMD may sleep, for as long as a test copies
// one packet.

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/port/port_drop.h"

#define ETHERNET_HEADER 14u
#define QUEUE_SLOTS     1024u // A power of two.

struct slot {
    uint32_t len;
    uint8_t data[RS_FRAME_SIZE - RS_PACKET_HEADROOM];
};

struct queue {
    pthread_mutex_t lock;
    uint32_t head, tail; // Oldest; next free. They run freely, 0 again when empty. Guarded by lock.
    atomic_uint count;   // Writers: under lock. Readers: any, as a hint.
    struct hugemem mem;
    struct slot *slots; // [QUEUE_SLOTS] Guarded by lock.
};

struct dummy {
    struct queue in, out;
    int event_fd;      // Readable while `in` holds something.
    struct umem *umem; // Injected packets are put into it.
};

static int queue_init(struct queue *q) {
    pthread_mutex_init(&q->lock, NULL);
    int error = hugemem_reserve(QUEUE_SLOTS * sizeof *q->slots, &q->mem); // Most are never full.
    q->slots = q->mem.base;
    return error;
}

static void queue_destroy(struct queue *q) {
    hugemem_unmap(&q->mem);
    pthread_mutex_destroy(&q->lock);
}

static uint32_t queue_length(const struct queue *q) {
    return q->tail - q->head;
}

static void queue_publish(struct queue *q) {
    atomic_store_explicit(&q->count, queue_length(q), memory_order_relaxed);
}

// With the lock held. False if the queue is full.
static bool queue_push(struct queue *q, const void *data, size_t len) {
    if (queue_length(q) == QUEUE_SLOTS) {
        return false;
    }
    struct slot *slot = &q->slots[q->tail++ % QUEUE_SLOTS];
    slot->len = (uint32_t)len;
    memcpy(slot->data, data, len);
    queue_publish(q);
    return true;
}

// With the lock held. The oldest packet, NULL if there is none; queue_pop() forgets it.
static const struct slot *queue_oldest(const struct queue *q) {
    return queue_length(q) > 0 ? &q->slots[q->head % QUEUE_SLOTS] : NULL;
}

static void queue_pop(struct queue *q) {
    if (++q->head == q->tail) {
        q->head = q->tail = 0; // The next packets meet memory that has been touched already.
    }
    queue_publish(q);
}

static void dummy_free(struct dummy *d) {
    queue_destroy(&d->in);
    queue_destroy(&d->out);
    if (d->event_fd >= 0) {
        close(d->event_fd);
    }
    free(d);
}

static int dummy_open(struct port *port, const struct port_config *config, struct umem_set *umems,
                      struct port_open_error *err) {
    (void)config;
    struct umem *umem = umem_set_default(umems);
    struct dummy *d = calloc(1, sizeof *d);
    if (!umem || !d) {
        free(d);
        *err = (struct port_open_error){.error = ENOMEM, .what = umem ? "memory" : "umem"};
        return -ENOMEM;
    }
    d->umem = umem;
    int error_in = queue_init(&d->in);
    int error_out = queue_init(&d->out);
    d->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (error_in < 0 || error_out < 0 || d->event_fd < 0) {
        bool memory = error_in < 0 || error_out < 0;
        *err = (struct port_open_error){memory ? ENOMEM : errno, memory ? "memory" : "eventfd", 0};
        dummy_free(d);
        return -err->error;
    }
    port->priv = d;
    atomic_store_explicit(&port->up, true, memory_order_relaxed);
    return 0;
}

static void dummy_close(struct port *port) {
    dummy_free(port->priv);
    port->priv = NULL;
}

// With the queue's lock held. NULL: dropped by name, or (with *starved set) left in the queue for
// want of a frame.
static struct dp_packet *take_injected(struct dummy *d, struct port *port, bool *starved) {
    const struct slot *slot = queue_oldest(&d->in);
    struct dp_packet *p = NULL;

    if (slot->len >= ETHERNET_HEADER) {
        p = dp_packet_alloc(d->umem, d->umem->pmd_cache);
        if (!p) {
            *starved = true;
            return NULL;
        }
        memcpy(p->data, slot->data, slot->len);
        p->len = (uint16_t)slot->len;
        p->in_port = port->id;
        if (port->config.csum == CSUM_SOFTWARE) {
            p->flags = PKT_CSUM_MAYBE_PARTIAL;
        }
    } else {
        counter_add(&port->counters.drops[DROP_RUNT], 1);
    }
    counter_add(&port->counters.received, 1);
    counter_add(&port->counters.received_bytes, slot->len);
    queue_pop(&d->in);
    return p;
}

static void dummy_rx(struct port *port, unsigned q, struct dp_packet_batch *batch) {
    struct dummy *d = port->priv;
    bool starved = false;
    (void)q;

    if (atomic_load_explicit(&d->in.count, memory_order_relaxed) == 0) {
        return;
    }
    pthread_mutex_lock(&d->in.lock);
    for (unsigned i = 0; i < RS_BATCH_MAX && queue_length(&d->in) > 0 && !starved; i++) {
        struct dp_packet *p = take_injected(d, port, &starved);
        if (p) {
            batch_add(batch, p);
        }
    }
    if (queue_length(&d->in) == 0) {
        uint64_t n;
        (void)!read(d->event_fd, &n, sizeof n);
    }
    pthread_mutex_unlock(&d->in.lock);
}

static void dummy_tx(struct port *port, struct dp_packet_batch *batch, struct port_counters *from) {
    struct dummy *d = port->priv;
    uint64_t packets = 0, bytes = 0;
    bool up = atomic_load_explicit(&port->up, memory_order_relaxed);

    pthread_mutex_lock(&d->out.lock);
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (unlikely(!up)) {
            port_drop(p, DROP_TX_DOWN, from);
        } else if (unlikely(p->len > port_frame_max(port) || p->len > sizeof d->out.slots->data)) {
            port_drop(p, DROP_TX_TOO_LONG, from);
        } else if (unlikely(!queue_push(&d->out, p->data, p->len))) {
            port_drop(p, DROP_SINK_FULL, from);
        } else {
            packets++;
            bytes += p->len;
            dp_packet_free(p);
        }
    }
    pthread_mutex_unlock(&d->out.lock);
    batch_init(batch);
    counter_add(&from->sent, packets);
    counter_add(&port->tx.packets, packets);
    counter_add(&port->tx.bytes, bytes);
}

static int dummy_rx_fd(const struct port *port, unsigned q) {
    return q == 0 ? ((const struct dummy *)port->priv)->event_fd : -1;
}

const struct port_class port_class_dummy = {
    .name = "dummy",
    .open = dummy_open,
    .close = dummy_close,
    .rx = dummy_rx,
    .tx = dummy_tx,
    .rx_fd = dummy_rx_fd,
};

int port_dummy_inject(struct port *port, const void *frame, size_t len) {
    if (port->class != &port_class_dummy) {
        return -EINVAL;
    }
    struct dummy *d = port->priv;
    if (len > sizeof d->in.slots->data) {
        return -EMSGSIZE;
    }
    pthread_mutex_lock(&d->in.lock);
    bool was_empty = queue_length(&d->in) == 0;
    int error = queue_push(&d->in, frame, len) ? 0 : -ENOBUFS;
    if (was_empty && error == 0) {
        const uint64_t one = 1;
        (void)!write(d->event_fd, &one, sizeof one);
    }
    pthread_mutex_unlock(&d->in.lock);
    return error;
}

int port_dummy_take(struct port *port, void *buffer, size_t cap) {
    if (port->class != &port_class_dummy) {
        return -EINVAL;
    }
    struct dummy *d = port->priv;
    int result = -EAGAIN;
    pthread_mutex_lock(&d->out.lock);
    const struct slot *slot = queue_oldest(&d->out);
    if (slot) {
        result = slot->len <= cap ? (int)slot->len : -EMSGSIZE;
    }
    if (result >= 0) {
        memcpy(buffer, slot->data, slot->len);
        queue_pop(&d->out);
    }
    pthread_mutex_unlock(&d->out.lock);
    return result;
}
