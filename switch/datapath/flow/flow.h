// The flow key: every header field that a rule can match, in a fixed form without padding, so that
// equal keys are equal bytes. Filled by flow_extract() from a packet.
//
// IPv4 addresses sit in the last four bytes of the IPv6 form with the rest zero; ARP uses the IPv4
// fields (spa, tpa) and nw_proto for its opcode, as Open vSwitch does. ICMP type and code are in
// tp_src and tp_dst.

#ifndef RINGSIDE_FLOW_FLOW_H
#define RINGSIDE_FLOW_FLOW_H

#include "datapath/base/byteorder.h"
#include "datapath/base/compiler.h"

#define FLOW_MAX_VLANS    2
#define FLOW_VLAN_CFI     0x1000u // Host byte order: "a tag is present" in flow_vlan.tci.
#define FLOW_DL_TYPE_NONE 0x05ffu // Host byte order.

enum flow_nw_frag {      // As in ovs-fields(7), nw_frag.
    FLOW_FRAG_ANY = 1,   // It is a fragment.
    FLOW_FRAG_LATER = 2, // It has an offset, so no L4 header.
};

struct flow_vlan {
    be16 tpid; // 0 = no tag.
    be16 tci;  // With the CFI bit (0x1000) set where a tag is present, as in ovs-fields(7).
};

struct flow {
    uint32_t in_port; // Port id, host byte order.
    uint8_t dl_dst[6];
    uint8_t dl_src[6];
    be16 dl_type; // EtherType behind the VLAN tags; FLOW_DL_TYPE_NONE for 802.3 frames without one.
    struct flow_vlan vlans[FLOW_MAX_VLANS]; // Outermost first.
    uint8_t nw_proto;
    uint8_t nw_tos; // DSCP and ECN.
    uint8_t nw_frag;
    uint8_t nw_ttl_unused; // Always 0: nothing here matches on it, and it would split flows.
    uint16_t pad;          // Always 0.
    uint8_t nw_src[16];
    uint8_t nw_dst[16];
    be16 tp_src;
    be16 tp_dst;
};

static_assert(sizeof(struct flow) == 68, "no hidden padding");
static_assert(offsetof(struct flow, dl_src) == offsetof(struct flow, dl_dst) + 6,
              "one copy fills both");

// Equal keys? Without a branch for each word, and without a call: this runs once for each packet.
static inline bool flow_equal(const struct flow *a, const struct flow *b) {
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    uint64_t differs = 0;
    for (size_t i = 0; i < 64; i += 8) {
        uint64_t v, w;
        memcpy(&v, x + i, 8);
        memcpy(&w, y + i, 8);
        differs |= v ^ w;
    }
    return (differs | (load_be32(x + 64) ^ load_be32(y + 64))) == 0;
}

#endif
