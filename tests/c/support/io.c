#include "io.h"

#include <stdlib.h>
#include <string.h>

struct io_ring *io_ring_new(uint32_t size, uint32_t start) {
    struct io_ring *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->entries = calloc(size, 2 * sizeof *r->entries);
    if (!r->entries) {
        free(r);
        return NULL;
    }
    r->producer = r->consumer = start;
    r->ring = (struct xsk_ring){
        .mask = size - 1,
        .cached_prod = start,
        .cached_cons = start,
        .producer = (_Atomic uint32_t *)&r->producer,
        .consumer = (_Atomic uint32_t *)&r->consumer,
        .flags = (_Atomic uint32_t *)&r->flags,
        .entries = r->entries,
    };
    return r;
}

void io_ring_free(struct io_ring *r) {
    free(r->entries);
    free(r);
}

uint32_t io_prod_free(struct io_ring *r, uint32_t want) {
    return ring_prod_free(&r->ring, want);
}

void io_fill_set(struct io_ring *r, uint32_t i, uint64_t addr) {
    *ring_fill_entry(&r->ring, i) = addr;
}

void io_tx_set(struct io_ring *r, uint32_t i, uint64_t addr, uint32_t len) {
    *ring_tx_entry(&r->ring, i) = (struct xdp_desc){.addr = addr, .len = len};
}

void io_prod_submit(struct io_ring *r, uint32_t n) {
    ring_prod_submit(&r->ring, n);
}

uint32_t io_prod_pending(struct io_ring *r) {
    return ring_prod_pending(&r->ring);
}

uint32_t io_cons_peek(struct io_ring *r, uint32_t max) {
    return ring_cons_peek(&r->ring, max);
}

uint64_t io_comp_get(struct io_ring *r, uint32_t i) {
    return ring_comp_entry(&r->ring, i);
}

uint64_t io_rx_addr(struct io_ring *r, uint32_t i) {
    return ring_rx_entry(&r->ring, i)->addr;
}

uint32_t io_rx_len(struct io_ring *r, uint32_t i) {
    return ring_rx_entry(&r->ring, i)->len;
}

void io_cons_release(struct io_ring *r, uint32_t n) {
    ring_cons_release(&r->ring, n);
}

bool io_needs_wakeup(struct io_ring *r) {
    return ring_needs_wakeup(&r->ring);
}

void io_forget_flags(struct io_ring *r) {
    r->ring.flags = NULL;
}

struct dp_packet *io_packet(struct umem *umem, const void *data, size_t len) {
    struct dp_packet *p = dp_packet_alloc(umem, umem->pmd_cache);
    if (p) {
        assert(len <= dp_packet_tailroom(p));
        memcpy(p->data, data, len);
        p->len = (uint16_t)len;
    }
    return p;
}

bool io_csum_complete(uint8_t *frame, size_t len, uint16_t l3, uint16_t l4, uint8_t proto) {
    uint8_t *copy = malloc(len ? len : 1);
    assert(copy);
    memcpy(copy, frame, len);
    struct dp_packet p = {
        .data = copy,
        .len = (uint16_t)len,
        .l3_ofs = l3,
        .l4_ofs = l4,
        .l4_proto = proto,
    };
    bool done = csum_complete_partial(&p);
    memcpy(frame, copy, len);
    free(copy);
    return done;
}

void io_counters(const struct port_counters *c, struct io_counts *out) {
    *out = (struct io_counts){
        .received = counter_get(&c->received),
        .received_bytes = counter_get(&c->received_bytes),
        .copies = counter_get(&c->copies),
        .sent = counter_get(&c->sent),
        .delivered = counter_get(&c->delivered),
        .bad_frames = counter_get(&c->bad_frames),
    };
    for (unsigned i = 0; i < DROP_N_REASONS; i++) {
        out->drops[i] = counter_get(&c->drops[i]);
        out->dropped += out->drops[i];
    }
}

void io_counts(const struct port *port, struct io_counts *out) {
    io_counters(&port->counters, out);
    out->tx_packets = counter_get(&port->tx.packets);
    out->tx_bytes = counter_get(&port->tx.bytes);
}

bool io_up(const struct port *port) {
    return atomic_load(&port->up);
}

void io_set_up(struct port *port, bool up) {
    atomic_store(&port->up, up);
}

void io_batch_rx(struct port *port, unsigned q, struct dp_packet_batch *batch) {
    batch_init(batch);
    port->class->rx(port, q, batch);
}

void io_batch_tx(struct port *port, struct dp_packet_batch *batch, struct port *from) {
    port->class->tx(port, batch, &from->counters);
}

void io_batch_free(struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        dp_packet_free(batch->packets[i]);
    }
    batch_init(batch);
}

void io_flush(struct port *port) {
    if (port->class->flush) {
        port->class->flush(port);
    }
}

int io_rx_fd(const struct port *port, unsigned q) {
    return port->class->rx_fd(port, q);
}

struct xsk_socket *io_socket(const struct umem_set *set, int fd) {
    for (unsigned i = 0; i < set->n_umems; i++) {
        for (struct xsk_socket *s = set->umems[i]->sockets; s; s = s->next) {
            if (s->fd == fd) {
                return s;
            }
        }
    }
    return NULL;
}

void io_forge_rx(struct xsk_socket *s, uint64_t addr, uint32_t len) {
    struct xsk_ring *r = &s->rx;
    uint32_t at = atomic_load(r->producer);
    ((struct xdp_desc *)r->entries)[at & r->mask] = (struct xdp_desc){.addr = addr, .len = len};
    atomic_store(r->producer, at + 1);
    atomic_store(s->fill.consumer, atomic_load(s->fill.consumer) + 1);
}

static uint64_t loop_round(struct io_loop *loop) {
    bool used[RS_ARRAY_SIZE(loop->ports)] = {false};
    uint64_t packets = 0;

    for (uint32_t i = 0; i < loop->n; i++) {
        struct port *port = loop->ports[i];
        for (unsigned q = 0; q < port->n_rxq; q++) {
            struct dp_packet_batch batch;
            io_batch_rx(port, q, &batch);
            if (batch.count > 0) {
                packets += batch.count;
                io_batch_tx(loop->ports[loop->to[i]], &batch, port);
                used[loop->to[i]] = true;
            }
        }
    }
    for (uint32_t i = 0; i < loop->n; i++) {
        if (used[i] || loop->ports[i]->tx_pending) {
            io_flush(loop->ports[i]);
        }
    }
    loop->packets += packets;
    loop->iterations++;
    return packets;
}

void io_loop_run(struct io_loop *loop) {
    while (!loop->stop) {
        loop_round(loop);
    }
}

uint64_t io_loop_until_idle(struct io_loop *loop, uint32_t idle, uint32_t max) {
    uint64_t packets = 0;
    uint32_t quiet = 0;
    for (uint32_t i = 0; i < max && quiet < idle; i++) {
        uint64_t n = loop_round(loop);
        packets += n;
        quiet = n > 0 ? 0 : quiet + 1;
    }
    return packets;
}

static uint32_t hook_calls, hook_reason;

static void hook(const struct dp_packet *p, enum drop_reason reason) {
    (void)p;
    hook_calls++;
    hook_reason = reason;
}

void io_hook_install(void) {
    hook_calls = 0;
    port_drop_hook = hook;
}

uint32_t io_hook_calls(void) {
    return hook_calls;
}

uint32_t io_hook_reason(void) {
    return hook_reason;
}

void io_packet_set_capture(struct dp_packet *p, bool on) {
    p->capture = on ? (struct capture_record *)(void *)p : NULL; // Never followed here.
}
