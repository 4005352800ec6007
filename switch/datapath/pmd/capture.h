// Packets copied out of the datapath for a reader: what tcpdump is to a kernel device.
//
// A ring of fixed slots, one writer (the PMD) and one reader (the control side), no locks. A record
// is reserved when the packet comes in or goes out, and published with the rest of its batch: until
// then the writer can still patch in why the packet was dropped. When the reader is slow the packet
// is not captured, and counted.
//
//     tail ──────────── head ───────────── reserved
//          to be read         being filled            (free)
//
// Costs nothing while off: one flag of the port is looked at, once for each batch.

#ifndef RINGSIDE_PMD_CAPTURE_H
#define RINGSIDE_PMD_CAPTURE_H

#include "datapath/base/compiler.h"
#include "datapath/drop_reason.h"
#include "datapath/packet/dp_packet_batch.h"

#define CAPTURE_SLOTS       2048u // A power of two.
#define CAPTURE_SNAPLEN_MAX 4096u

struct capture_record {
    uint64_t time_ns; // CLOCK_REALTIME.
    uint32_t port_id;
    uint16_t len;    // Of the packet.
    uint16_t caplen; // Of `data`.
    bool outbound;
    uint8_t drop; // enum drop_reason.
    struct capture_ring *ring;
    struct capture_record
        *arrival; // outbound: the record of the same packet's arrival, if that was captured too.
    uint8_t data[CAPTURE_SNAPLEN_MAX];
};

struct capture_ring {
    struct capture_record *slots;
    atomic_uint snaplen;               // Writer: control. Reader: PMD.
    rs_counter lost;                   // Writer: PMD. Readers: any.
    bool open;                         // A batch is being filled in. PMD only.
    uint32_t reserved;                 // PMD only.
    uint64_t now_ns;                   // Time of the batch. PMD only.
    RS_CACHE_ALIGNED atomic_uint head; // Writer: PMD. Reader: control.
    RS_CACHE_ALIGNED atomic_uint tail; // Writer: control. Reader: PMD.
};

int capture_create(struct capture_ring **out); // 0 or -ENOMEM. Control thread.
void capture_destroy(struct capture_ring *ring);

// Copies the packets of a batch, in or out. Their `capture` then points to their record. PMD
// thread.
void capture_batch(struct capture_ring *ring, uint32_t port_id, bool outbound,
                   const struct dp_packet_batch *batch);
// Patches the reason into the records of a packet that is being dropped; once published, records
// stay as they are. PMD thread. To be installed as port_drop_hook.
void capture_drop(const struct dp_packet *p, enum drop_reason reason);
// End of a batch: the reader may have what was captured. PMD thread.
void capture_publish(struct capture_ring *ring);

// The oldest published record, NULL if there is none; it stays until capture_pop(). Control thread.
const struct capture_record *capture_peek(struct capture_ring *ring);
void capture_pop(struct capture_ring *ring);

#endif
