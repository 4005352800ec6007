// OpenFlow actions and instructions in memory: a row of structs, each a multiple of eight bytes, that
// rules, buckets, packet-outs and frozen states keep. ovs-actions(7) says what each one means.
//
// `type` and `len` head each; nested lists (clone, write_actions, ct, learn's specs) lie inside `len`.
// Text is ovs-ofctl's: ofpacts_parse() and ofpacts_format() (ofpact_text.c …). What a list must obey
// is checked by ofpacts_check().

#ifndef RINGSIDE_OFPROTO_OFPACT_H
#define RINGSIDE_OFPROTO_OFPACT_H

#include "ofproto/match.h"

enum ofpact_type {
    OFPACT_OUTPUT,
    OFPACT_OUTPUT_REG,
    OFPACT_OUTPUT_TRUNC,
    OFPACT_CONTROLLER,
    OFPACT_ENQUEUE,
    OFPACT_GROUP,
    OFPACT_BUNDLE,
    OFPACT_SET_FIELD, // Also `load`: a run of bits of one field.
    OFPACT_REG_MOVE,
    OFPACT_STACK_PUSH,
    OFPACT_STACK_POP,
    OFPACT_SET_VLAN_VID,
    OFPACT_SET_VLAN_PCP,
    OFPACT_STRIP_VLAN,
    OFPACT_PUSH_VLAN,
    OFPACT_SET_ETH_SRC,
    OFPACT_SET_ETH_DST,
    OFPACT_SET_IPV4_SRC,
    OFPACT_SET_IPV4_DST,
    OFPACT_SET_IP_DSCP,
    OFPACT_SET_IP_ECN,
    OFPACT_SET_IP_TTL,
    OFPACT_SET_L4_SRC_PORT,
    OFPACT_SET_L4_DST_PORT,
    OFPACT_SET_TUNNEL,
    OFPACT_SET_QUEUE,
    OFPACT_POP_QUEUE,
    OFPACT_FIN_TIMEOUT,
    OFPACT_PUSH_MPLS,
    OFPACT_POP_MPLS,
    OFPACT_SET_MPLS_LABEL,
    OFPACT_SET_MPLS_TC,
    OFPACT_SET_MPLS_TTL,
    OFPACT_DEC_MPLS_TTL,
    OFPACT_DEC_TTL,
    OFPACT_DEC_NSH_TTL,
    OFPACT_RESUBMIT,
    OFPACT_LEARN,
    OFPACT_CONJUNCTION,
    OFPACT_MULTIPATH,
    OFPACT_NOTE,
    OFPACT_EXIT,
    OFPACT_SAMPLE,
    OFPACT_CT,
    OFPACT_NAT, // Inside ct only.
    OFPACT_CT_CLEAR,
    OFPACT_CLONE,
    OFPACT_CHECK_PKT_LARGER,
    OFPACT_ENCAP,
    OFPACT_DECAP,
    OFPACT_DELETE_FIELD,
    OFPACT_DEBUG_RECIRC, // For tests: forces a recirculation (OVS: debug_recirc).
    // Instructions, in the order in which OpenFlow executes them.
    OFPACT_METER,
    OFPACT_CLEAR_ACTIONS,
    OFPACT_WRITE_ACTIONS,
    OFPACT_WRITE_METADATA,
    OFPACT_GOTO_TABLE,
    // Inside frozen states only: the table and cookie that the actions behind it came from.
    OFPACT_UNROLL,
    OFPACT_N_TYPES,
};

struct ofpact {
    uint8_t type; // enum ofpact_type.
    uint8_t
        raw; // Which spelling it had, for printing: 0 = the usual one (see each struct; STRIP_VLAN: 1 = pop_vlan).
    uint16_t len; // Bytes with nested lists and padding; a multiple of 8.
};

struct
    ofpact_null { // STRIP_VLAN, POP_QUEUE, DEC_MPLS_TTL, DEC_NSH_TTL, EXIT, CT_CLEAR, CLEAR_ACTIONS, DEBUG_RECIRC.
    struct ofpact ofpact;
};
struct ofpact_output {
    struct ofpact ofpact;
    uint16_t port, max_len; // max_len: of OFPP_CONTROLLER.
};
struct ofpact_output_reg {
    struct ofpact ofpact;
    uint16_t max_len;
    struct mf_subfield src;
};
struct ofpact_output_trunc {
    struct ofpact ofpact;
    uint16_t port;
    uint32_t max_len;
};
struct ofpact_controller {
    struct ofpact ofpact;
    uint16_t max_len, controller_id;
    uint8_t
        reason; // enum ofp_packet_in_reason: 0 no_match, 1 action, 2 invalid_ttl, 3 action_set, 4 group, 5 packet_out.
    bool pause;
    uint16_t userdata_len;
    uint32_t meter_id; // 0 = not given.
    uint8_t userdata[];
};
struct ofpact_enqueue {
    struct ofpact ofpact;
    uint16_t port;
    uint32_t queue;
};
struct ofpact_u32 { // GROUP id, SET_MPLS_LABEL, SET_QUEUE, METER, SET_IPV4_* (be32 as it is).
    struct ofpact ofpact;
    uint32_t value;
};
struct
    ofpact_u16 { // SET_IP_DSCP/ECN/TTL, SET_L4_*_PORT, SET_MPLS_TC/TTL, PUSH_VLAN and PUSH/POP_MPLS EtherType; host order.
    struct ofpact ofpact;
    uint16_t value;
};
struct ofpact_vlan { // SET_VLAN_VID, SET_VLAN_PCP.
    struct ofpact ofpact;
    uint16_t value;
    bool push_if_needed; // OpenFlow 1.0: a packet without a tag gets one.
    bool flow_has_vlan;  // Known when checked: the match says there is a tag.
};
struct ofpact_mac { // SET_ETH_SRC, SET_ETH_DST.
    struct ofpact ofpact;
    uint8_t mac[6];
};
enum nx_hash_fields { // What bundle and multipath hash. OpenFlow's numbers (Nicira extension).
    NX_HASH_ETH_SRC,
    NX_HASH_SYMMETRIC_L4,
    NX_HASH_SYMMETRIC_L3L4,
    NX_HASH_SYMMETRIC_L3L4_UDP,
    NX_HASH_NW_SRC,
    NX_HASH_NW_DST,
    NX_HASH_SYMMETRIC_L3,
    NX_HASH_N,
};
enum bundle_algorithm { BUNDLE_ACTIVE_BACKUP, BUNDLE_HRW };
enum multipath_algorithm {
    MULTIPATH_MODULO_N,
    MULTIPATH_HASH_THRESHOLD,
    MULTIPATH_HRW,
    MULTIPATH_ITER_HASH
};
#define BUNDLE_MAX_MEMBERS 2048u
struct ofpact_bundle {
    struct ofpact ofpact;
    uint8_t algorithm; // enum bundle_algorithm.
    uint8_t fields;    // enum nx_hash_fields.
    uint16_t basis;
    struct mf_subfield
        dst; // field NULL: output to the chosen member (bundle), else store it (bundle_load).
    uint16_t n_members;
    uint16_t members[];
};
struct ofpact_set_field { // value and mask: field->n_bytes each, one behind the other.
    struct ofpact ofpact; // raw 1: was written as `load`.
    uint16_t pad;
    bool flow_has_vlan;
    const struct mf_field *field;
    uint8_t data[]; // [2 * field->n_bytes]
};
struct ofpact_move {
    struct ofpact ofpact;
    struct mf_subfield src, dst;
};
struct ofpact_stack { // STACK_PUSH, STACK_POP.
    struct ofpact ofpact;
    struct mf_subfield subfield;
};
struct ofpact_tunnel {
    struct ofpact ofpact; // raw 1: set_tunnel64 (always when the id needs more than 32 bits).
    uint64_t tun_id;
};
struct ofpact_fin_timeout {
    struct ofpact ofpact;
    uint16_t idle, hard; // 0 = unchanged.
};
struct ofpact_cnt_ids {   // DEC_TTL.
    struct ofpact ofpact; // raw 1: dec_ttl(ids); 0: dec_ttl, which is n = 1 and id 0.
    uint16_t n;
    uint16_t ids[];
};
struct ofpact_resubmit {
    struct ofpact ofpact;
    uint16_t in_port; // OFPP_IN_PORT = unchanged.
    uint8_t table;    // 255 = the same table.
    bool with_ct_orig;
};

enum ofpact_learn_kind { LEARN_MATCH, LEARN_LOAD, LEARN_OUTPUT };
struct learn_spec { // One argument; immediate values follow it, padded to 8 bytes.
    uint8_t kind;   // enum ofpact_learn_kind.
    bool immediate;
    uint16_t n_bits;
    uint16_t imm_bytes; // 0 unless immediate.
    uint16_t pad;
    struct mf_subfield src; // Unless immediate.
    struct mf_subfield dst; // Unless LEARN_OUTPUT.
    uint8_t imm[];          // Big-endian, right-aligned.
};
enum { LEARN_SEND_FLOW_REM = 1, LEARN_DELETE_LEARNED = 2 }; // flags.
struct ofpact_learn {
    struct ofpact ofpact;
    uint16_t idle_timeout, hard_timeout, priority;
    uint16_t fin_idle_timeout, fin_hard_timeout;
    uint8_t table;
    uint8_t flags;
    uint64_t cookie;               // Host byte order.
    uint32_t limit;                // 0 = none.
    struct mf_subfield result_dst; // field NULL = none.
    uint32_t specs_len;
    uint32_t pad;
    uint64_t specs[]; // specs_len bytes of struct learn_spec …
} __attribute__((aligned(8)));
static inline const struct learn_spec *learn_spec_next(const struct learn_spec *s) {
    return (const struct learn_spec *)(const void *)(s->imm + ((s->imm_bytes + 7u) & ~7u));
}
#define LEARN_FOR_EACH_SPEC(s, learn)                                                          \
    for (const struct learn_spec *s = (const struct learn_spec *)(const void *)(learn)->specs; \
         (const uint8_t *)s < (const uint8_t *)(learn)->specs + (learn)->specs_len;            \
         s = learn_spec_next(s))

struct ofpact_conjunction {
    struct ofpact ofpact;
    uint8_t clause, n_clauses; // clause from 0.
    uint32_t id;
};
struct ofpact_multipath {
    struct ofpact ofpact;
    uint8_t fields;    // enum nx_hash_fields.
    uint8_t algorithm; // enum multipath_algorithm.
    uint16_t basis;
    uint16_t max_link; // n_links - 1.
    uint32_t arg;
    struct mf_subfield dst;
};
struct ofpact_note {
    struct ofpact ofpact;
    uint16_t length; // Padded with zeros to 8 n + 6, as the wire has it.
    uint8_t data[];
};
struct ofpact_sample {
    struct ofpact ofpact;
    uint16_t probability; // Of 65535.
    uint8_t direction;    // 0 default, 1 ingress, 2 egress.
    uint16_t sampling_port;
    uint32_t collector_set_id, obs_domain_id, obs_point_id;
};
struct ofpact_nest { // WRITE_ACTIONS, CLONE.
    struct ofpact ofpact;
    uint32_t pad;
    uint64_t actions[]; // Packed ofpacts to the end of len.
};
enum { CT_COMMIT = 1, CT_FORCE = 2 };
struct ofpact_ct {
    struct ofpact ofpact;
    uint16_t flags;
    uint16_t zone_imm;
    uint16_t alg;                // 0, 21 (ftp), 69 (tftp).
    uint8_t recirc_table;        // 255 = none.
    struct mf_subfield zone_src; // field NULL: zone_imm.
    uint64_t actions[];          // exec(…) and nat(…), packed.
} __attribute__((aligned(8)));
enum { NAT_SRC = 1, NAT_DST = 2, NAT_PERSISTENT = 4, NAT_HASH = 8, NAT_RANDOM = 16 };
struct ofpact_nat {
    struct ofpact ofpact;
    uint16_t flags;
    uint8_t range_af; // 0 none, 4, 6.
    bool has_addr_max;
    uint8_t addr_min[16], addr_max[16]; // IPv4 in the first four bytes.
    uint16_t port_min, port_max;        // 0 = none.
};
struct ofpact_check_pkt_larger {
    struct ofpact ofpact;
    uint16_t pkt_len;
    struct mf_subfield dst;
};
#define OFPACT_DECAP_NEXT 0xffffffffu
struct
    ofpact_encap { // ENCAP; DECAP uses new_pkt_type, OFPACT_DECAP_NEXT = what follows from the packet.
    struct ofpact ofpact;
    uint32_t
        new_pkt_type; // Host byte order: 0 ethernet, 0x1894f nsh (namespace 1 << 16 | 0x894f), …
    uint8_t nsh_mdtype; // encap(nsh(md_type=…)); 1 or 2, 0 = not given.
    uint8_t pad;
    // Bytes of NSH TLVs behind (encap(nsh(tlv(…)))), as RFC 8300 2.5.1 has them: be16 class, type, length of the
    // value, the value, padded to 4 bytes.
    uint16_t tlv_len;
    uint8_t tlvs[];
};
struct ofpact_delete_field {
    struct ofpact ofpact;
    const struct mf_field *field;
};
struct ofpact_write_metadata {
    struct ofpact ofpact;
    be64 metadata, mask;
};
struct ofpact_goto {
    struct ofpact ofpact;
    uint8_t table;
};
struct ofpact_unroll {
    struct ofpact ofpact;
    uint8_t table;
    uint64_t cookie;
};

struct ofpacts { // A list. Zero-initialised = empty = drop.
    uint32_t len, cap;
    uint8_t *data; // On the heap.
};

#define OFPACTS_MAX 65535u // Bytes of a list.

static inline const struct ofpact *ofpact_next(const struct ofpact *a) {
    return (const struct ofpact *)(const void *)((const uint8_t *)a + a->len);
}
#define OFPACT_FOR_EACH(a, bytes, n)                                            \
    for (const struct ofpact *a = (const struct ofpact *)(const void *)(bytes); \
         (uintptr_t)a < (uintptr_t)(bytes) + (n); a = ofpact_next(a))

// Appends an action of `size` bytes (zeroed, padded); NULL without memory or over OFPACTS_MAX (errno ENOMEM, E2BIG).
// Pointers are good until the next append.
void *ofpact_put(struct ofpacts *list, enum ofpact_type type, size_t size);
// Appends `size` zero bytes (padded) to the last action, which begins at `offset`, and takes them into its length.
void *ofpact_grow(struct ofpacts *list, uint32_t offset, size_t size);
// The action at `offset` reaches to the end of the list now: what was put behind it is nested in it.
void ofpact_close(struct ofpacts *list, uint32_t offset);
int ofpacts_append(struct ofpacts *list, const void *bytes, size_t n); // 0 or -ENOMEM.
void ofpacts_destroy(struct ofpacts *list);
bool ofpacts_equal(const void *a, size_t a_len, const void *b, size_t b_len);
const char *ofpact_name(enum ofpact_type type);
bool ofpact_fits_action_set(enum ofpact_type type); // May write_actions have it?
static inline bool ofpact_is_instruction(enum ofpact_type type) {
    return type >= OFPACT_METER && type <= OFPACT_GOTO_TABLE;
}

// The list within CLONE, WRITE_ACTIONS or CT; *n = 0 for the others.
static inline const void *ofpact_nested(const struct ofpact *a, size_t *n) {
    size_t head = a->type == OFPACT_CT ? sizeof(struct ofpact_ct)
                  : a->type == OFPACT_CLONE || a->type == OFPACT_WRITE_ACTIONS
                      ? sizeof(struct ofpact_nest)
                      : a->len;
    *n = a->len - head;
    return (const uint8_t *)a + head;
}

// Parses what stands behind "actions=" (ovs-actions(7), all of it). Instructions must stand in order and once, as OVS
// wants it (OFPBAC_UNSUPPORTED_ORDER); actions within write_actions must be such as an action set can have.
// 0, -EINVAL, -E2BIG, -ENOMEM with *err filled; *out is empty on error.
int ofpacts_parse(const char *text, const struct port_names *names, struct ofpacts *out,
                  struct ofp_error *err);
// The same for a bucket or a packet-out, where instructions have no place (OFPBIC_UNSUP_INST).
int ofpacts_parse_actions(const char *text, const struct port_names *names, struct ofpacts *out,
                          struct ofp_error *err);
// Prints as ovs-ofctl dump-flows does: "drop" for an empty list.
void ofpacts_format(const void *bytes, size_t n, const struct port_names *names, struct text *out);

// What the list must obey in a rule of table `table` with this match: prerequisites, ports, tables (goto only
// forward), nesting, conjunction alone, set-field arguments. Fills flow_has_vlan. n_tables: 1 … 255.
// max_ports: numbers from there on are no ports (OFPP_MAX: any may come to exist).
// 0 or -EINVAL with *err's OpenFlow name (OFPBAC_MATCH_INCONSISTENT, OFPBIC_BAD_TABLE_ID, …).
//
// Some actions do nothing to a packet that does not fit (mod_nw_src without ip in the match, strip_vlan without a tag):
// OpenFlow 1.0 has them, 1.1 and later call them OFPBAC_MATCH_INCONSISTENT. ofpacts_check() takes them, unless the list
// has an action that 1.0 has not (push_vlan, encap, meter), as ovs-ofctl does. ofpacts_check_strict() refuses them.
int ofpacts_check(void *bytes, size_t n, const struct match *match, uint8_t table, uint8_t n_tables,
                  uint32_t max_ports, struct ofp_error *err);
int ofpacts_check_strict(void *bytes, size_t n, const struct match *match, uint8_t table,
                         uint8_t n_tables, uint32_t max_ports, struct ofp_error *err);
// Order and nesting alone, for a bucket's or a packet-out's list, which has no instructions and no match.
int ofpacts_check_set(const void *bytes, size_t n, struct ofp_error *err); // OFPBIC_UNSUP_INST …
bool ofpacts_output_to_port(const void *bytes, size_t n, uint16_t port);
bool ofpacts_output_to_group(const void *bytes, size_t n, uint32_t group);
// The first of this type in the list (not within others), NULL if none: goto, meter, write_metadata …
const struct ofpact *ofpacts_find(const void *bytes, size_t n, enum ofpact_type type);
// The action set's order of execution (OpenFlow 1.5.1, 5.6; ovs-actions(7), "Action Sets"): appends to `out` what `set`
// comes to, nothing if it sends the packet nowhere. 0 or -ENOMEM.
int ofpacts_execute_action_set(struct ofpacts *out, const void *set, size_t n);

#endif
