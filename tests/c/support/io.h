// Doors into the datapath's packets, umem and ports, for tests only.

#ifndef RINGSIDE_TESTS_IO_H
#define RINGSIDE_TESTS_IO_H

#include "datapath/drop_reason.h"
#include "datapath/packet/checksum.h"
#include "datapath/packet/dp_packet_batch.h"
#include "datapath/port/port.h"
#include "datapath/port/xsk_ring.h"
#include "datapath/port/xsk_socket.h"
#include "datapath/umem/umem.h"

// ---- rings: one in plain memory, of which the test plays the kernel ----------------------------

struct io_ring {
    struct xsk_ring ring;
    uint32_t producer, consumer, flags;
    uint64_t *entries; // Two of them a descriptor.
};

// `start`: both indices to begin with. NULL without memory.
struct io_ring *io_ring_new(uint32_t size, uint32_t start);
void io_ring_free(struct io_ring *r);
uint32_t io_prod_free(struct io_ring *r, uint32_t want);
void io_fill_set(struct io_ring *r, uint32_t i, uint64_t addr);
void io_tx_set(struct io_ring *r, uint32_t i, uint64_t addr, uint32_t len);
void io_prod_submit(struct io_ring *r, uint32_t n);
uint32_t io_prod_pending(struct io_ring *r);
uint32_t io_cons_peek(struct io_ring *r, uint32_t max);
uint64_t io_comp_get(struct io_ring *r, uint32_t i);
uint64_t io_rx_addr(struct io_ring *r, uint32_t i);
uint32_t io_rx_len(struct io_ring *r, uint32_t i);
void io_cons_release(struct io_ring *r, uint32_t n);
bool io_needs_wakeup(struct io_ring *r);
void io_forget_flags(struct io_ring *r); // As on a kernel before 5.4.

// ---- packets -----------------------------------------------------------------------------------

struct dp_packet *io_packet(struct umem *umem, const void *data, size_t len);
// csum_complete_partial() on a copy of exactly `len` bytes, behind which the sanitizer watches.
bool io_csum_complete(uint8_t *frame, size_t len, uint16_t l3, uint16_t l4, uint8_t proto);

// ---- ports -------------------------------------------------------------------------------------

struct io_counts {
    uint64_t received, received_bytes, copies, sent, delivered, bad_frames;
    uint64_t tx_packets, tx_bytes, dropped;
    uint64_t drops[DROP_N_REASONS];
};

void io_counts(const struct port *port, struct io_counts *out);
void io_counters(const struct port_counters *c,
                 struct io_counts *out); // Without tx_packets, tx_bytes.
bool io_up(const struct port *port);
void io_set_up(struct port *port, bool up);
void io_batch_rx(struct port *port, unsigned q, struct dp_packet_batch *batch);
void io_batch_tx(struct port *port, struct dp_packet_batch *batch, struct port *from);
void io_batch_free(struct dp_packet_batch *batch);
void io_flush(struct port *port);
int io_rx_fd(const struct port *port, unsigned q);
// The socket with this fd, for faults that only its rings can show. NULL if there is none.
struct xsk_socket *io_socket(const struct umem_set *set, int fd);
// What a kernel that does not keep its promises would do: takes an entry of the fill ring, and
// writes a descriptor where rx looks for the next one.
void io_forge_rx(struct xsk_socket *s, uint64_t addr, uint32_t len);

// A poll loop without lookup: what comes in on ports[i] leaves by ports[to[i]]. Runs until *stop;
// counts in `packets`.
struct io_loop {
    struct port *ports[8];
    uint32_t to[8];
    uint32_t n;
    uint64_t packets, iterations;
    volatile bool stop;
};
void io_loop_run(struct io_loop *loop);
// As many rounds as it takes until `idle` rounds in a row brought nothing, `max` at most. Returns
// packets.
uint64_t io_loop_until_idle(struct io_loop *loop, uint32_t idle, uint32_t max);

// Makes the next port_drop() with a capture record visible: how often the hook was called, and the
// last reason.
void io_hook_install(void);
uint32_t io_hook_calls(void);
uint32_t io_hook_reason(void);
void io_packet_set_capture(struct dp_packet *p, bool on);

#endif
