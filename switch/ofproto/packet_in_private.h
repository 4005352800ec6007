// What packet_in.c and pin_table.c share.

#ifndef RINGSIDE_OFPROTO_PACKET_IN_PRIVATE_H
#define RINGSIDE_OFPROTO_PACKET_IN_PRIVATE_H

#include "datapath/base/spinlock.h"
#include "ofproto/packet_in.h"

#define PIN_PAGE    1024u
#define PIN_MAX     (1024u * PIN_PAGE) // Ids are below.
#define PIN_BUCKETS 16384u
#define PIN_DEAD    UINT32_MAX // In refs: taken out, no more references.
#define PIN_REASONS 16u

struct pin_entry {
    struct pin pin; // Constant.
    uint32_t id, hash;
    _Atomic uint32_t refs;  // Any.
    struct pin_entry *next; // Of the bucket. Under the lock.
    uint64_t unused_ms; // Since when refs is 0, as far as pin_expire() has seen. Under the lock.
    uint8_t userdata[];
};
typedef struct pin_entry *_Atomic pin_slot;

struct pin_slot_data {     // A place in the ring.
    _Atomic uint64_t turn; // i: free for producer number i. i + 1: full. Then i + PACKET_INS_CAP.
    struct pin_entry *pin; // Referenced.
    uint32_t len, total_len;
    uint8_t data[PIN_DATA_MAX];
};

struct pin_bucket { // Of tokens; a thousandth of a packet each.
    struct spinlock lock;
    uint64_t tokens, filled_ms;
};

struct packet_ins {
    struct frozen_table *frozen;
    struct spinlock lock;                        // Of the pins' hash.
    pin_slot *_Atomic pages[PIN_MAX / PIN_PAGE]; // By id. Writer: under the lock. Readers: RCU.
    struct pin_entry *buckets[PIN_BUCKETS];      // Under the lock.
    _Atomic uint32_t n_pins;
    uint32_t next_id; // Under the lock.

    _Atomic uint64_t head;   // Next number for a producer. Writers: PMDs.
    uint64_t tail;           // Next number for the consumer. Control thread.
    struct pin_entry *taken; // Of the last packet taken; referenced. Control thread.
    int fd;                  // eventfd.
    atomic_bool waiting;     // The consumer has found nothing and will wait for fd.
    _Atomic uint32_t rate, burst;
    struct pin_bucket tokens[PIN_REASONS];
    _Atomic uint64_t queued, no_room, rate_limited; // Writers: PMDs.
    struct pin_slot_data ring[PACKET_INS_CAP];
};

bool pin_entry_ref(struct pin_entry *e);
void pin_entry_unref(struct pin_entry *e);
struct pin_entry *pin_entry_find(struct packet_ins *p, uint32_t id); // Under RCU.
void pin_entry_free(struct packet_ins *p, struct pin_entry *e);

#endif
