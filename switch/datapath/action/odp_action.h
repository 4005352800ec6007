// Datapath actions: the contract between the decider (ofproto) and the executor.
//
// A list is a row of actions, each a multiple of eight bytes: a header (type, length of the whole
// action in bytes, one 32-bit argument) and, for some, a payload. Lists nest inside SAMPLE, CLONE and
// CHECK_PKT_LEN. They are executed in order on each packet of a batch; actions that change the packet
// count for what follows. An empty list drops; a list that says why drops with ODP_DROP.
//
// The text form is that of Open vSwitch (`ovs-appctl dpctl/dump-flows`): odp_text.h.

#ifndef RINGSIDE_ACTION_ODP_ACTION_H
#define RINGSIDE_ACTION_ODP_ACTION_H

#include "datapath/base/byteorder.h"
#include "datapath/base/compiler.h"
#include "datapath/flow/flow.h"

enum odp_action_type {
    ODP_OUTPUT,    // arg = port id.
    ODP_DROP,      // arg = enum drop_reason. Last in its list.
    ODP_SET,       // arg = enum odp_key. Payload: key, then mask, both odp_key_len(arg) bytes.
    ODP_PUSH_VLAN, // arg = TPID << 16 | TCI, host byte order (CFI bit as on the wire: 0).
    ODP_POP_VLAN,  // Outermost tag.
    ODP_PUSH_MPLS, // arg = label stack entry, host byte order. Payload: struct odp_push_mpls.
    ODP_POP_MPLS,  // arg = EtherType that the packet has afterwards, host byte order; of a packet
                   // without Ethernet header, 0x6558: an Ethernet header follows.
    ODP_PUSH_ETH,  // Payload: struct odp_key_eth.
    ODP_POP_ETH,   //
    ODP_PUSH_NSH,  // Payload: struct odp_key_nsh (a new header), then arg bytes of type 2 metadata.
    ODP_POP_NSH,   //
    ODP_TRUNC,     // arg = bytes that the next output sends at most.
    ODP_HASH,      // arg = basis. Payload: struct odp_hash. Sets dp_hash from the packet's 5-tuple.
    ODP_RECIRC,    // arg = recirc_id. The packet (a copy, if more follows) is looked up again.
    ODP_CLONE,     // Payload: a list, executed on a copy.
    ODP_SAMPLE,    // arg = probability of 2^32. Payload: a list, executed on a copy.
    ODP_CHECK_PKT_LEN, // arg = length. Payload: struct odp_check_pkt_len, then the two lists.
    ODP_METER,         // arg = meter id. Packets over the rate are dropped (or remarked).
    ODP_CONTROLLER,    // arg = pin id (ofproto's): the packet is copied to the packet-in queue.
    ODP_CT,          // Payload: struct odp_ct and what follows it. Executed when conntrack exists.
    ODP_CT_CLEAR,    // Forgets ct_* fields.
    ODP_TUNNEL_PUSH, // arg = tunnel port id; reserved for the tunnel's issue.
    ODP_TUNNEL_POP,  // arg = tunnel port id; likewise.
    ODP_ADD_MPLS, // As PUSH_MPLS, in front of the whole packet, which is MPLS then (encap(mpls)).
    ODP_N_TYPES,
};

struct odp_action {
    uint16_t type; // enum odp_action_type.
    uint16_t len;  // Bytes with header, payload and nested lists; a multiple of 8.
    uint32_t arg;
};

// What ODP_SET rewrites. Mask bits 1 are taken from the key, others stay as the packet has them.
enum odp_key {
    ODP_KEY_ETH,
    ODP_KEY_VLAN, // Outermost tag's TCI (be16), CFI bit not touched.
    ODP_KEY_MPLS, // Outermost label stack entry (be32).
    ODP_KEY_IPV4,
    ODP_KEY_IPV6,
    ODP_KEY_ARP,
    ODP_KEY_TCP, // Ports.
    ODP_KEY_UDP,
    ODP_KEY_SCTP,
    ODP_KEY_ICMP, // Type and code.
    ODP_KEY_ICMPV6,
    ODP_KEY_ND,     // Target and link layer option.
    ODP_KEY_ND_EXT, // Reserved bits and options type.
    ODP_KEY_NSH,
    ODP_KEY_TUNNEL,   // struct flow_tnl: metadata for an encapsulating output. The mask is all 1.
    ODP_KEY_PRIORITY, // skb_priority, uint32_t.
    ODP_KEY_MARK,     // pkt_mark, uint32_t.
    ODP_N_KEYS,
};

struct odp_key_eth {
    uint8_t src[6], dst[6];
};
struct odp_key_ipv4 {
    be32 src, dst;
    uint8_t proto, tos, ttl, frag; // proto and frag are never set.
};
struct odp_key_ipv6 {
    uint8_t src[16], dst[16];
    be32 label; // 20 bits.
    uint8_t proto, tclass, hlimit, frag;
};
struct odp_key_arp {
    be32 sip, tip;
    be16 op;
    uint8_t sha[6], tha[6];
};
struct odp_key_ports { // TCP, UDP, SCTP.
    be16 src, dst;
};
struct odp_key_icmp {
    uint8_t type, code;
};
struct odp_key_nd {
    uint8_t target[16];
    uint8_t sll[6], tll[6];
};
struct odp_key_nd_ext {
    be32 reserved;
    uint8_t options_type;
    uint8_t pad[3];
};
struct odp_key_nsh {
    struct flow_nsh nsh;
};
struct odp_push_mpls {
    be16 ethertype; // 0x8847 or 0x8848.
    uint16_t pad[3];
};
enum odp_hash_alg {
    ODP_HASH_L4,     // As the packet goes.
    ODP_HASH_SYM_L4, // Both directions have the same hash.
    ODP_HASH_N_ALGS,
};
struct odp_hash {
    uint32_t alg; // enum odp_hash_alg.
    uint32_t pad;
};
#define ODP_NSH_MD2_MAX 244u // Bytes; what NSH's length field leaves.
struct odp_check_pkt_len {   // Then the list for packets longer than arg, then that for the others.
    uint32_t greater_len;    // Bytes of the former.
    uint32_t less_equal_len;
};
enum odp_ct_flags {
    ODP_CT_COMMIT = 1,
    ODP_CT_FORCE = 2,
    ODP_CT_NAT = 4,
    ODP_CT_NAT_SRC = 8,
    ODP_CT_NAT_DST = 16,
    ODP_CT_NAT_PERSISTENT = 32,
    ODP_CT_NAT_HASH = 64,
    ODP_CT_NAT_RANDOM = 128,
    ODP_CT_NAT_IPV6 = 256
};
struct odp_ct {
    uint16_t flags; // enum odp_ct_flags.
    uint16_t zone;
    uint32_t mark, mark_mask;
    uint32_t pad;
    uint8_t label[16], label_mask[16];
    uint8_t nat_min[16], nat_max[16];    // IPv4 in the first four bytes.
    uint16_t nat_port_min, nat_port_max; // Host byte order.
    char helper[12];                     // "ftp", "tftp" or empty.
};

// A growing list on the heap or in a buffer of the caller's.
struct odp_list {
    uint8_t *data;
    uint32_t len, cap;
    bool overflow; // Over ODP_LIST_MAX or without memory: what is there is not the whole list.
    bool owned;    // data is on the heap.
};

#define ODP_LIST_MAX    65536u // Bytes.
#define ODP_MAX_NESTING 16u    // Lists inside each other, the outermost counted.

struct odp_list odp_list_on(void *buffer,
                            uint32_t cap); // Moves to the heap when it grows out of it.
void odp_list_destroy(struct odp_list *list);
void odp_list_clear(struct odp_list *list);

// Appends an action with `payload_len` bytes of payload (padded to 8); returns its payload, NULL on
// overflow. Pointers are good until the next append.
void *odp_put(struct odp_list *list, enum odp_action_type type, uint32_t arg, size_t payload_len);
static inline void odp_put_simple(struct odp_list *list, enum odp_action_type type, uint32_t arg) {
    odp_put(list, type, arg, 0);
}
void odp_put_set(struct odp_list *list, enum odp_key key, const void *value, const void *mask);
size_t odp_key_len(enum odp_key key); // Bytes of the key, before padding.
// Begins an action with a nested list; everything appended until odp_end() is inside. The offset names it.
uint32_t odp_begin(struct odp_list *list, enum odp_action_type type, uint32_t arg,
                   size_t fixed_len);
void odp_end(struct odp_list *list, uint32_t offset);

static inline const void *odp_payload(const struct odp_action *a) {
    return a + 1;
}
static inline const struct odp_action *odp_next(const struct odp_action *a) {
    return (const struct odp_action *)(const void *)((const uint8_t *)a + a->len);
}
// (Differences, for an empty list may be at NULL.)
#define ODP_FOR_EACH(a, bytes, n)                                                       \
    for (const struct odp_action *a = (const struct odp_action *)(const void *)(bytes); \
         (size_t)((const uint8_t *)a - (const uint8_t *)(bytes)) < (n); a = odp_next(a))

// Is the list well formed (lengths, keys, nesting ≤ 16 deep, arguments in range)? For lists that did
// not come from odp_put(): tests, fuzzers. Names what is wrong in *why.
bool odp_check(const void *bytes, size_t n, const char **why);

// What odp_execute() may know of a list beforehand (odp_blob.flags, megaflow.h).
enum odp_blob_flags {
    ODP_BLOB_ONE_OUTPUT = 1 << 0, // The list is one output and nothing else.
};
uint32_t odp_blob_flags(const void *bytes, uint32_t len);

#endif
