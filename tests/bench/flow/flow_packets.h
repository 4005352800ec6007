// Packets of the benches, and what a decision about them looks at.

#ifndef RINGSIDE_BENCH_FLOW_PACKETS_H
#define RINGSIDE_BENCH_FLOW_PACKETS_H

#include "datapath/flow/flow.h"

enum { SUBTABLES = 20, FRAME_BYTES = 64 };

// Fills FRAME_BYTES bytes, which are 0 before. Same flow, same bytes; addresses of different flows look random.
void make_udp(uint8_t *frame, unsigned flow);
void make_tcp(uint8_t *frame, unsigned flow);
void make_vlan(uint8_t *frame, unsigned flow);
void make_ipv6(uint8_t *frame, unsigned flow);
// Flow i belongs to subtable i % SUBTABLES, which is in the second byte of its destination.
void make_for_subtable(uint8_t *frame, unsigned flow);

// One mask for all; one for each subtable.
void mask_port(const struct flow *flow, struct flow *wc);
void mask_subtable(const struct flow *flow, struct flow *wc);

#endif
