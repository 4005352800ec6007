// Any bytes as a packet: the extractor reads within them, and what it says of them is consistent.
// The first byte chooses what the packet brings along, the rest is the frame.
// Needs: datapath/flow

#include <stdlib.h>

#include "datapath/flow/flow_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

enum { HAS_CT = 1, HAS_TUNNEL = 2, NO_ETHERNET = 4 }; // In the first byte.

static struct dp_packet packet_of(uint8_t *frame, size_t size, uint8_t kind,
                                  struct flow_tnl *tunnel) {
    struct dp_packet p = {.data = frame, .len = (uint16_t)size, .in_port = 7, .tunnel = tunnel};
    p.flags =
        (uint8_t)((kind & HAS_CT ? PKT_HAS_CT : 0) | (kind & HAS_TUNNEL ? PKT_HAS_TUNNEL : 0) |
                  (kind & NO_ETHERNET ? PKT_NOT_ETHERNET : 0));
    p.ct_state = FLOW_CS_TRK;
    p.ct_tp_src = hton16(kind);
    static const uint16_t types[8] = {0x0800, 0x86dd, 0x8847, 0x894f, 0x0806, 0x8100, 0, 0xffff};
    p.packet_type = hton32(0x10000u | types[kind >> 5]);
    return p;
}

static void check_form(const struct dp_key *key) {
    unsigned n = 0, last = 0;
    FLOWMAP_FOR_EACH(word, key->map) {
        check(n == 0 || word > last);
        check(miniflow_get(dp_key_miniflow(key), word) == key->values[n++]);
        last = word;
    }
    check(n == key->words && key->hash == 0);
}

static void check_offsets(const struct dp_packet *p, const struct flow *flow) {
    check(p->l3_ofs <= p->len);
    check(p->l2_5_ofs == RS_OFS_NONE || (p->l2_5_ofs <= p->l3_ofs && flow_is_mpls(flow->dl_type)));
    check(p->l4_ofs == RS_OFS_NONE || (p->l4_ofs < p->len && p->l4_ofs > p->l3_ofs));
    check(p->l4_ofs == RS_OFS_NONE || (flow->nw_frag == 0 && p->l4_proto == flow->nw_proto));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > UINT16_MAX) {
        return 0;
    }
    uint8_t kind = data[0];

    uint8_t *frame = malloc(size - 1 ? size - 1 : 1); // Ends where the frame does.
    memcpy(frame, data + 1, size - 1);
    struct flow_tnl tunnel = {.ip_dst = hton32(kind), .opts_present = 1};
    struct dp_packet p = packet_of(frame, size - 1, kind, &tunnel), again = p;
    struct dp_key key;
    uint64_t room[sizeof(struct miniflow) / 8 + FLOW_WORDS];
    struct miniflow *compressed = (struct miniflow *)(void *)room;
    struct flow flow, full;

    enum drop_reason reason = flow_extract(&p, &key);
    check((reason == DROP_RUNT) == (p.len < 14 && !(kind & NO_ETHERNET)));
    check_form(&key);
    miniflow_expand(dp_key_miniflow(&key), &flow);
    check(flow.in_port == 7 && (flow.pad1 | flow.pad2 | flow.pad3 | flow.pad4) == 0);
    if (reason == DROP_NONE) {
        check_offsets(&p, &flow);
    }
    check(flow_extract_full(&again, &full) == reason && flow_equal(&flow, &full));
    miniflow_from_flow(&flow, compressed);
    check(miniflow_equal(dp_key_miniflow(&key), compressed));

    again.skb_priority = 1; // The long way.
    check(flow_extract_full(&again, &full) == reason && full.skb_priority == 1);
    full.skb_priority = 0;
    check(flow_equal(&flow, &full) && again.l4_ofs == p.l4_ofs && again.l3_ofs == p.l3_ofs);
    free(frame);
    return 0;
}
