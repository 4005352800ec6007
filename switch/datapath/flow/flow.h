// The flow key: everything about a packet that a rule or a megaflow can match, in a fixed form
// without padding holes, so that equal keys are equal bytes.
//
// Fields lie in 64-bit words, ordered by the stage at which a staged lookup reads them:
//
//     words 0 … 41   tunnel        (bitmap word 0 of a flowmap; empty for almost every packet)
//     words 42 … 57  metadata      FLOW_STAGE_META ends here
//     words 58 … 62  Ethernet      FLOW_STAGE_L2
//     words 63 … 73  network       FLOW_STAGE_L3
//     words 74 … 82  transport     FLOW_STAGE_L4; ND, ARP's addresses, TCP flags and NSH stand here too
//
// The same struct serves as a mask (1 bits = "looked at" or "must match"); a mask that collects what
// a translation looked at is called `wc` throughout.
//
// Conventions, as in Open vSwitch, whose ovs-fields(7) defines the fields:
// - ICMP and ICMPv6 type and code are in tp_src and tp_dst (as 16-bit numbers in network order).
// - ARP and RARP: opcode in nw_proto, spa and tpa in nw_src and nw_dst, sha and tha in arp_sha, arp_tha.
// - IGMP: type and code in tp_src and tp_dst, group in igmp_group_ip4. ICMPv6 ND: target in nd_target,
//   link layer options in arp_sha (SLL) and arp_tha (TLL); ND reserved bits in igmp_group_ip4.
// - in_port is an OpenFlow port number in ofproto, a port id in the datapath; the two are the same
//   but for the bridge's own port, whose OpenFlow number is OFPP_LOCAL.
// - Fields that a packet does not have are 0; the datapath never sees metadata, regs, conj_id,
//   actset_output (they are ofproto's own, and saved in a frozen state across recirculation).

#ifndef RINGSIDE_FLOW_FLOW_H
#define RINGSIDE_FLOW_FLOW_H

#include "datapath/base/byteorder.h"
#include "datapath/base/compiler.h"

#define FLOW_MAX_VLANS 2
#define FLOW_MAX_MPLS  3
#define FLOW_N_REGS    16
#define FLOW_TUN_OPTS_LEN \
    256 // Bytes of tunnel options; tun_metadata<i> lie in there by the TLV map.
#define FLOW_VLAN_CFI     0x1000u // Host byte order: "a tag is present" in flow_vlan.tci.
#define FLOW_DL_TYPE_NONE 0x05ffu // Host byte order: an 802.3 frame without an EtherType.

enum flow_nw_frag {      // As in ovs-fields(7), nw_frag.
    FLOW_FRAG_ANY = 1,   // It is a fragment.
    FLOW_FRAG_LATER = 2, // It has an offset, so no L4 header.
    FLOW_FRAG_MASK = 3,
};

enum flow_tnl_flags { // In flow_tnl.flags.
    FLOW_TNL_DF = 1 << 0,
    FLOW_TNL_CSUM = 1 << 1,
    FLOW_TNL_KEY = 1 << 2,
    FLOW_TNL_OAM = 1 << 3,
    FLOW_TNL_PUBLIC = FLOW_TNL_OAM, // What tun_flags matches.
};

enum flow_ct_state { // In flow.ct_state.
    FLOW_CS_NEW = 0x01,
    FLOW_CS_EST = 0x02,
    FLOW_CS_REL = 0x04,
    FLOW_CS_RPL = 0x08,
    FLOW_CS_INV = 0x10,
    FLOW_CS_TRK = 0x20,
    FLOW_CS_SNAT = 0x40,
    FLOW_CS_DNAT = 0x80,
};

struct flow_vlan {
    be16 tpid; // 0 = no tag.
    be16 tci;  // With the CFI bit (0x1000) set where a tag is present, as in ovs-fields(7).
};

struct flow_nsh { // RFC 8300.
    uint8_t flags, ttl, mdtype, np;
    be32 path_hdr; // Service path id (24 bits) and service index (8).
    be32 context[4];
};

struct flow_tnl {
    be32 ip_src, ip_dst;
    uint8_t ipv6_src[16], ipv6_dst[16];
    be64 tun_id;
    uint16_t flags; // enum flow_tnl_flags, host byte order.
    uint8_t ip_tos, ip_ttl;
    be16 tp_src, tp_dst;
    be16 gbp_id;
    uint8_t gbp_flags;
    uint8_t erspan_ver;
    uint32_t erspan_idx;
    uint8_t erspan_dir, erspan_hwid, gtpu_flags, gtpu_msgtype;
    uint32_t pad;
    uint64_t opts_present; // Bit i: tun_metadata<i> is present.
    uint8_t opts[FLOW_TUN_OPTS_LEN];
};

struct flow {
    struct flow_tnl tunnel;
    // -- metadata --
    be64 metadata;
    uint32_t regs[FLOW_N_REGS];
    uint32_t skb_priority; // Queue chosen by set_queue.
    uint32_t pkt_mark;
    uint32_t dp_hash;
    uint32_t in_port;
    uint32_t recirc_id;
    uint8_t ct_state; // enum flow_ct_state.
    uint8_t ct_nw_proto;
    uint16_t ct_zone;
    uint32_t ct_mark;
    be32 packet_type;     // 0 = Ethernet; else namespace << 16 | type (ovs-fields(7)).
    uint8_t ct_label[16]; // Network byte order.
    uint32_t conj_id;
    uint32_t actset_output;
    // -- Ethernet --
    uint8_t dl_dst[6];
    uint8_t dl_src[6];
    be16 dl_type; // EtherType behind the VLAN tags; FLOW_DL_TYPE_NONE for 802.3 frames without one.
    uint16_t pad1;
    struct flow_vlan vlans[FLOW_MAX_VLANS]; // Outermost first.
    be32 mpls_lse[FLOW_MAX_MPLS];           // Outermost first. Present up to bottom of stack.
    uint32_t pad2;
    // -- network --
    be32 nw_src, nw_dst;
    be32 ct_nw_src, ct_nw_dst; // Original direction tuple, IPv4.
    uint8_t ipv6_src[16], ipv6_dst[16];
    uint8_t ct_ipv6_src[16], ct_ipv6_dst[16];
    be32 ipv6_label;
    uint8_t nw_frag; // enum flow_nw_frag.
    uint8_t nw_tos;  // DSCP and ECN.
    uint8_t nw_ttl;
    uint8_t nw_proto;
    uint8_t nd_target[16];
    uint8_t arp_sha[6], arp_tha[6];
    be16
        tcp_flags; // 12 bits. For ND: the option that is present, as in ovs-fields(7) nd_options_type.
    uint16_t pad3;
    struct flow_nsh nsh;
    // -- transport --
    be16 tp_src, tp_dst;
    be16 ct_tp_src, ct_tp_dst;
    be32 igmp_group_ip4;
    uint32_t pad4;
};

#define FLOW_WORDS     (sizeof(struct flow) / sizeof(uint64_t))
#define FLOW_TNL_WORDS (sizeof(struct flow_tnl) / sizeof(uint64_t))
#define FLOW_WORD(field) \
    (offsetof(struct flow, field) / sizeof(uint64_t)) // That the field begins in.

#define FLOW_STAGE_META FLOW_WORD(dl_dst) // First word behind the stage.
#define FLOW_STAGE_L2   FLOW_WORD(nw_src)
#define FLOW_STAGE_L3   FLOW_WORD(nd_target)
#define FLOW_STAGE_L4   FLOW_WORDS

static_assert(sizeof(struct flow) % 8 == 0 && FLOW_WORDS == 83, "whole words, no hidden padding");
static_assert(FLOW_TNL_WORDS == 42, "the tunnel's words are the first bitmap word's");
static_assert(offsetof(struct flow, dl_dst) % 8 == 0 && offsetof(struct flow, nw_src) % 8 == 0 &&
                  offsetof(struct flow, tp_src) % 8 == 0 &&
                  offsetof(struct flow, ct_label) % 8 == 0 &&
                  offsetof(struct flow, ipv6_src) % 8 == 0 && offsetof(struct flow, nsh) % 8 == 0,
              "stages and long fields begin at words");
static_assert(offsetof(struct flow, dl_src) == offsetof(struct flow, dl_dst) + 6,
              "one copy fills both");

static inline bool flow_equal(const struct flow *a, const struct flow *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

static inline uint64_t *flow_words(struct flow *f) {
    return (uint64_t *)(void *)f;
}

static inline const uint64_t *flow_words_const(const struct flow *f) {
    return (const uint64_t *)(const void *)f;
}

static inline bool flow_is_ip(be16 dl_type) {
    return dl_type == hton16(0x0800) || dl_type == hton16(0x86dd);
}

static inline bool flow_is_mpls(be16 dl_type) {
    return dl_type == hton16(0x8847) || dl_type == hton16(0x8848);
}

#endif
