// Packets for controllers: pins (what a `controller` action says, with the pipeline's state where it stood),
// and the queue of packets that met one.
//
// A pin is made in translation and named in the megaflow by ODP_CONTROLLER(id); equal pins share an id. The PMD
// copies a packet to the queue (a ring of fixed size) if the pin's rate allows, else counts it: a slow
// controller never slows the datapath. The control thread takes them out.

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

struct packet_ins;
int packet_ins_create(struct packet_ins **out);
void packet_ins_destroy(struct packet_ins *p);
uint32_t pin_get_id(struct packet_ins *p, const struct pin *pin); // As frozen_get_id.
void pin_unref(struct packet_ins *p, uint32_t id);
const struct pin *pin_find(struct packet_ins *p, uint32_t id);

void packet_ins_put(struct packet_ins *p, uint32_t pin_id, const struct dp_packet *packet,
                    uint64_t now_ms); // PMD.
// Takes the oldest: 1 and *pin, data, len, total_len filled, 0 if there is none. Control thread.
int packet_ins_take(struct packet_ins *p, struct pin *pin, uint8_t *data, size_t cap, uint32_t *len,
                    uint32_t *total_len);
// Default rate for each reason, packets a second; 0 = none. Control thread.
void packet_ins_set_rate(struct packet_ins *p, uint32_t rate, uint32_t burst);
void packet_ins_counts(const struct packet_ins *p, uint64_t *queued, uint64_t *no_room,
                       uint64_t *rate_limited);

#endif
