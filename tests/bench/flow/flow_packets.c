#include "flow_packets.h"

#include <string.h>

static uint32_t mixed(uint32_t x) { // Looks random, is the same each time.
    x = (x ^ 61) ^ x >> 16;
    x *= 9;
    x ^= x >> 4;
    x *= 0x27d4eb2d;
    return x ^ x >> 15;
}

static void put_bytes_at(uint8_t *to, uint32_t value, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        to[i] = (uint8_t)(value >> 8 * (n - 1 - i));
    }
}

// IPv4 with UDP or TCP from `at` on.
static void make_ipv4(uint8_t *at, uint8_t proto, uint32_t src, uint32_t dst, unsigned len) {
    at[0] = 0x45;
    put_bytes_at(at + 2, len, 2);
    at[8] = 64;
    at[9] = proto;
    put_bytes_at(at + 12, src, 4);
    put_bytes_at(at + 16, dst, 4);
    put_bytes_at(at + 20, 1000, 2);
    put_bytes_at(at + 22, 80, 2);
    at[32] = 0x50; // TCP's header length; payload of UDP.
    at[33] = 0x10;
}

static void make_ethernet(uint8_t *frame, uint16_t type) {
    frame[0] = frame[6] = 2;
    frame[5] = 1;
    frame[11] = 2;
    put_bytes_at(frame + 12, type, 2);
}

void make_udp(uint8_t *frame, unsigned flow) {
    make_ethernet(frame, 0x0800);
    make_ipv4(frame + 14, 17, mixed(flow), mixed(flow + 77777), 50);
}

void make_tcp(uint8_t *frame, unsigned flow) {
    make_ethernet(frame, 0x0800);
    make_ipv4(frame + 14, 6, mixed(flow), mixed(flow + 77777), 50);
}

void make_vlan(uint8_t *frame, unsigned flow) {
    make_ethernet(frame, 0x8100);
    put_bytes_at(frame + 14, 0x000a0800, 4);
    make_ipv4(frame + 18, 17, mixed(flow), mixed(flow + 77777), 46);
}

void make_ipv6(uint8_t *frame, unsigned flow) {
    make_ethernet(frame, 0x86dd);
    frame[14] = 0x60;
    put_bytes_at(frame + 18, 10, 2);
    frame[20] = 17;
    frame[21] = 64;
    put_bytes_at(frame + 34, mixed(flow), 4);
    put_bytes_at(frame + 50, mixed(flow + 77777), 4);
    put_bytes_at(frame + 54, 1000, 2);
    put_bytes_at(frame + 56, 80, 2);
}

void make_for_subtable(uint8_t *frame, unsigned flow) {
    make_ethernet(frame, 0x0800);
    uint32_t dst = 10u << 24 | flow % SUBTABLES << 16 | (mixed(flow) & 0xffff);
    make_ipv4(frame + 14, 17, mixed(flow + 77777), dst, 50);
    put_bytes_at(frame + 34, 1024 + mixed(flow + 5) % 60000, 2);
}

// ---- decisions ----------------------------------------------------------------------------------

void mask_port(const struct flow *flow, struct flow *wc) {
    (void)flow;
    wc->in_port = wc->recirc_id = UINT32_MAX;
    wc->packet_type = UINT32_MAX;
    wc->dl_type = UINT16_MAX;
    wc->nw_frag = FLOW_FRAG_MASK;
}

// Its part of the destination, and a choice of other fields. Whoever looks at a port or at what IP carries looks at
// the protocol: so does Open vSwitch, whose rules for the same masks run.py writes.
void mask_subtable(const struct flow *flow, struct flow *wc) {
    unsigned i = ntoh32(flow->nw_dst) >> 16 & 0xff;
    mask_port(flow, wc);
    wc->nw_dst = hton32(0xffff0000);
    if (i & 1) {
        wc->nw_proto = UINT8_MAX;
        wc->tp_src = UINT16_MAX;
    }
    if (i & 2) {
        wc->nw_src = hton32(0xffffff00);
    }
    if (i & 4) {
        memset(wc->dl_dst, 0xff, sizeof wc->dl_dst);
    }
    if (i & 8) {
        wc->nw_proto = UINT8_MAX;
        wc->tp_dst = UINT16_MAX;
    }
    if (i & 16) {
        memset(wc->dl_src, 0xff, sizeof wc->dl_src);
    }
}
