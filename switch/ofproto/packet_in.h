// Packets for controllers: pins (what a `controller` action says, with the pipeline's state where it stood),
// and the queue of packets that met one.
//
// A pin is made in translation and named in the megaflow by ODP_CONTROLLER(id); equal pins share an id, and live
// PIN_LINGER_MS longer than the last reference. The PMD copies a packet to the queue (a ring of fixed size) if
// the pin's rate allows, else counts it: a slow controller never slows the datapath. The control thread takes
// them out.
//
//     translation ─ pin_get_id ─▶ hash of pins ◀─ id ─ ODP_CONTROLLER ─ packet_ins_put ─▶ ring ─▶ packet_ins_take
//
// Threads: pins are found under RCU; a spinlock, held for a few instructions, guards the hash. The ring has many
// producers and one consumer, without a lock. A producer that meets a consumer waiting in poll() writes to an
// eventfd: one system call for each time that the control thread had fallen asleep.

#ifndef RINGSIDE_OFPROTO_PACKET_IN_H
#define RINGSIDE_OFPROTO_PACKET_IN_H

#include "datapath/packet/dp_packet.h"
#include "ofproto/frozen.h"

struct pin { // Constant.
    uint8_t reason, table;
    uint16_t max_len, controller_id;
    uint64_t cookie;
    uint32_t meter_id;
    struct flow
        metadata; // metadata, regs, tunnel, in_port, pkt_mark, ct_*: the pipeline fields; the rest 0.
    uint32_t userdata_len;
    const uint8_t *userdata;
    bool pause; // continuation: a frozen state's id, which NXT_RESUME goes on with.
    uint32_t frozen_id;
};

#define PIN_LINGER_MS  30000u
#define PACKET_INS_CAP 256u  // Packets that wait for the control thread.
#define PIN_DATA_MAX   4096u // Bytes of one of them: a whole umem frame.

struct packet_ins;
int packet_ins_create(struct frozen_table *frozen, struct packet_ins **out); // 0, or -errno.
void packet_ins_destroy(struct packet_ins *p); // NULL is fine. No PMD uses it any more.

// Id (≥ 1) of this pin, referenced once for the caller; 0 without memory or ids. The pin is copied. Any thread.
uint32_t pin_get_id(struct packet_ins *p, const struct pin *pin);
void pin_ref(struct packet_ins *p, uint32_t id);
void pin_unref(struct packet_ins *p, uint32_t id);
const struct pin *pin_find(struct packet_ins *p, uint32_t id); // Under RCU. NULL = unknown.
// "controller(reason=1,dont_send=0,…)", as Open vSwitch's datapath actions have it; recirc_id is the pin's id. RCU.
void pin_format(struct packet_ins *p, uint32_t id, bool dont_send, struct text *out);
uint32_t pin_count(const struct packet_ins *p);
// Frees pins that nobody has used for PIN_LINGER_MS. One thread at a time (the revalidator).
void pin_expire(struct packet_ins *p, uint64_t now_ms);

void packet_ins_put(struct packet_ins *p, uint32_t pin_id, const struct dp_packet *packet,
                    uint64_t now_ms); // PMD.
// Takes the oldest: 1 and *pin, data, len, total_len filled, 0 if there is none. What *pin points to is good until
// the next call. Control thread.
int packet_ins_take(struct packet_ins *p, struct pin *pin, uint8_t *data, size_t cap, uint32_t *len,
                    uint32_t *total_len);
int packet_ins_fd(const struct packet_ins *p); // Readable when there may be one to take.
// Rate and burst for each reason, packets a second; rate 0 = no limit, which is the default. Any thread.
void packet_ins_set_rate(struct packet_ins *p, uint32_t rate, uint32_t burst);

struct packet_ins_counts {
    uint64_t queued, no_room, rate_limited;
};
void packet_ins_counts(const struct packet_ins *p, struct packet_ins_counts *out);

#endif
