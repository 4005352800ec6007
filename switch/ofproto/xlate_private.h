// Inside of translation: the state of one translation, and who does what. Not for others.
//
//     xlate.c           begin and end: thaw, wc, the first table, action set, freeze, why nothing came out
//     xlate_actions.c   walks a list of actions, hands each one to its family
//     xlate_table.c     table lookups: resubmit, goto_table, limits
//     xlate_output.c …  one family of actions a file
//     xlate_report.c    what trace prints

#ifndef RINGSIDE_OFPROTO_XLATE_PRIVATE_H
#define RINGSIDE_OFPROTO_XLATE_PRIVATE_H

#include "ofproto/odp_commit.h"
#include "ofproto/packet_in.h"
#include "ofproto/xlate.h"

// Bytes that grow: on a buffer of the caller's first, on the heap when they outgrow it.
struct xbuf {
    uint8_t *data;
    uint32_t len, cap;
    bool owned;
};

static inline struct xbuf xbuf_on(void *buffer, uint32_t cap) {
    return (struct xbuf){.data = (uint8_t *)buffer, .cap = cap};
}
void xbuf_destroy(struct xbuf *b);

struct xtrace; // xlate_report.c

struct xlayer {
    bool push, pop;
    uint16_t tlvs_len;
    const uint8_t *tlvs; // Of encap(nsh).
};

struct xlate {
    const struct xlate_in *in;
    struct xlate_out *out;
    struct bridge *bridge;
    struct flow *flow; // As the packet is now (out->final_flow); in_port is an OpenFlow number.
    struct flow *base; // As the datapath has it after the actions put so far.
    struct flow *wc;   // Bits that decided.
    struct odp_list *odp;
    struct credits *credits; // NULL = not wanted.
    struct xtrace *trace;    // NULL = nobody reads.
    uint64_t version;

    const struct rule *rule; // Being executed, NULL = none.
    uint64_t cookie;         // Of it; all ones = none.
    uint8_t table;
    uint32_t depth, resubmits;
    uint32_t copies; // Lists that work on a copy of the packet, one inside the other.
    uint32_t nested; // Of them those that are nested in the datapath's list too.
    enum xlate_error error;
    enum drop_reason why; // The last thing that sent the packet nowhere.

    bool exit; // No more actions of the list, nor of those that called it.
    bool in_action_set, in_packet_out;
    bool action_set_has_group;
    bool was_mpls; // The last label has been popped: what lies behind is not known yet.
    bool conntracked;
    struct xlayer layer;    // encap or decap that waits for the next commit.
    uint32_t orig_priority; // skb_priority as it came.
    uint32_t mirrors;
    const struct ofpact_nat *nat; // Of the ct action being translated.

    // Freezing: `exit` is set too, and each list on the way out adds what it has not done.
    bool freezing;
    bool hash_first; // ODP_HASH before the recirculation.
    uint8_t hash_alg;
    uint32_t hash_basis;
    const struct ofpact_controller *pause; // The packet goes to a controller instead of around.
    bool has_unroll;
    uint8_t unroll_table; // Of the last OFPACT_UNROLL in `frozen`.
    uint64_t unroll_cookie;
    struct xbuf frozen;

    struct xbuf stack, action_set;
};

// Where in a list an action stands.
struct xplace {
    const struct ofpact *end; // Behind the list.
    bool last;                // The last action of the last list: nothing comes behind it.
    bool bucket;              // The list is a group's bucket.
};

enum xstep {     // What the walk does after an action.
    XSTEP_NEXT,  // If that froze: keep this action and those behind it.
    XSTEP_AFTER, // If that froze: keep those behind it.
    XSTEP_DONE,  // As above; what it froze it has kept itself (resubmit).
    XSTEP_STOP,  // This list ends here.
};

// -- xlate.c --
void xlate_fail(struct xlate *x, enum xlate_error e);
bool xbuf_put(struct xlate *x, struct xbuf *b, const void *bytes, uint32_t n);
void xlate_commit(struct xlate *x);
// Before a list that works on a copy: it must not be the one that puts a layer which was there before.
static inline void xlate_commit_layer(struct xlate *x) {
    if (unlikely(x->layer.push || x->layer.pop)) {
        xlate_commit(x);
    }
}
void xlate_action_set(struct xlate *x); // Executes and clears it.
static inline void xlate_refuse(struct xlate *x, enum drop_reason why) {
    x->why = why;
}
// Datapath port of an OpenFlow number, NULL if there is none that carries packets.
static inline const struct bridge_port *xlate_port(const struct xlate *x, uint32_t ofp_port,
                                                   uint32_t *id) {
    *id = port_names_id(&x->bridge->names, ofp_port);
    return *id != 0 && x->bridge->ports[*id].exists ? &x->bridge->ports[*id] : NULL;
}
bool xlate_port_alive(const struct xlate *x, uint32_t ofp_port);

// -- xlate_actions.c --
void xlate_actions(struct xlate *x, const void *ofpacts, size_t n, bool last, bool bucket);

// -- families --
typedef enum xstep xlate_fn(struct xlate *x, const struct ofpact *a, const struct xplace *at);
xlate_fn xlate_do_output, xlate_do_output_reg, xlate_do_output_trunc, xlate_do_controller,
    xlate_do_enqueue;                            // _output.c
xlate_fn xlate_do_resubmit, xlate_do_goto_table; // _table.c
xlate_fn xlate_do_group;                         // _group.c
xlate_fn xlate_do_bundle, xlate_do_multipath;    // _choice.c
xlate_fn xlate_do_set_field, xlate_do_reg_move, xlate_do_set_tunnel, xlate_do_set_queue,
    xlate_do_pop_queue, xlate_do_delete_field, xlate_do_write_metadata; // _set.c
xlate_fn xlate_do_set_vlan_vid, xlate_do_set_vlan_pcp, xlate_do_strip_vlan, xlate_do_push_vlan,
    xlate_do_set_eth, xlate_do_set_ipv4, xlate_do_set_ip, xlate_do_set_l4; // _header.c
xlate_fn xlate_do_push_mpls, xlate_do_pop_mpls, xlate_do_set_mpls;         // _mpls.c
xlate_fn xlate_do_dec_ttl, xlate_do_dec_mpls_ttl, xlate_do_dec_nsh_ttl;    // _ttl.c
xlate_fn xlate_do_encap, xlate_do_decap;                                   // _encap.c
xlate_fn xlate_do_stack_push, xlate_do_stack_pop;                          // _stack.c
xlate_fn xlate_do_learn;                                                   // _learn.c
xlate_fn xlate_do_clone, xlate_do_check_pkt_larger, xlate_do_write_actions,
    xlate_do_clear_actions;                            // _nest.c
xlate_fn xlate_do_ct, xlate_do_nat, xlate_do_ct_clear; // _ct.c
xlate_fn xlate_do_note, xlate_do_exit, xlate_do_conjunction, xlate_do_fin_timeout, xlate_do_meter,
    xlate_do_sample, xlate_do_debug_recirc, xlate_do_unroll; // _misc.c

void xlate_output_port(struct xlate *x, uint32_t ofp_port); // One port, as the flow is now.
void xlate_output_to(struct xlate *x, uint32_t ofp_port, uint16_t max_len, bool may_packet_in,
                     const struct xplace *at);
// A packet-in from here. reason: enum ofp_packet_in_reason. frozen_id: of a pause, else 0.
void xlate_packet_in(struct xlate *x, const struct ofpact_controller *c, uint8_t reason,
                     uint32_t frozen_id);
void xlate_normal(struct xlate *x);
void xlate_table(struct xlate *x, uint32_t in_port, uint8_t table, bool may_packet_in,
                 bool honor_miss, bool ct_orig, bool last);
bool xlate_resources_ok(struct xlate *x);
// Looks up in x->table (moved on by a table miss that continues). NULL = none, *to_controller said.
const struct rule *xlate_lookup(struct xlate *x, uint32_t in_port, bool may_packet_in,
                                bool honor_miss, bool *to_controller);
void xlate_run_rule(struct xlate *x, const struct rule *rule, bool to_controller, bool last);
void xlate_add_to_action_set(struct xlate *x, const void *ofpacts, size_t n);
void xlate_load(struct xlate *x, const struct mf_subfield *dst, uint64_t value); // With report.
void xlate_clear_conntrack(struct xlate *x);
unsigned xlate_count_mpls(const struct flow *flow, struct flow *wc);
void xlate_push_mpls_header(struct flow *flow, unsigned n, be16 ethertype, struct flow *wc);
bool xlate_pop_mpls_header(struct flow *flow, unsigned n, be16 ethertype, struct flow *wc);

// -- xlate_hash.c: as Open vSwitch hashes, so that the same link is chosen --
uint32_t xlate_hash_fields(const struct flow *flow, uint8_t fields, uint16_t basis);
uint32_t xlate_hash_symmetric_l4(const struct flow *flow, uint32_t basis);
void xlate_mask_hash_fields(const struct flow *flow, struct flow *wc, uint8_t fields);
uint32_t xlate_hash_2words(uint32_t a, uint32_t b);
uint32_t xlate_hash_uint64(uint64_t v);
uint32_t xlate_hash_bytes(const void *p, size_t n, uint32_t basis);
uint32_t xlate_hash_boolean(bool v, uint32_t basis);

// -- xlate_freeze.c --
void xlate_freeze(struct xlate *x);
void xlate_cancel_freeze(struct xlate *x);
void xlate_freeze_rest(struct xlate *x, const struct ofpact *a, const struct ofpact *end);
void xlate_finish_freezing(struct xlate *x); // Commits, then goes around (or to the controller).
// A copy goes around and on in `table`, tracked in `zone`; this packet goes on here.
void xlate_fork(struct xlate *x, uint8_t table, uint16_t zone);
bool xlate_thaw(struct xlate *x, const struct frozen_state **state);

// -- credits.c --
// A look-up and what it found, NULL = nothing. table, arg, vlan are filled in.
void credits_lookup(struct xlate *x, struct credit *lookup, const struct rule *rule);
void credits_group(struct xlate *x, const struct group *g, uint32_t bucket);
void credits_add(struct xlate *x, const struct credit *c); // Takes over its reference.
void credit_release(struct bridge *b, const struct credit *c);

// -- xlate_report.c: nothing unless x->trace --
enum xnode {
    XNODE_ACTION,
    XNODE_DETAIL,
    XNODE_WARN,
    XNODE_ERROR,
    XNODE_BUCKET,
    XNODE_BRIDGE,
    XNODE_TABLE,
    XNODE_THAW
};
struct xtrace *xtrace_create(void);
void xtrace_print(const struct xtrace *t, struct text *out);
void xtrace_destroy(struct xtrace *t);
__attribute__((format(printf, 3, 4))) void xlate_say_(const struct xlate *x, enum xnode type,
                                                      const char *format, ...);
#define xlate_say(x, type, ...)               \
    do {                                      \
        if (unlikely((x)->trace)) {           \
            xlate_say_(x, type, __VA_ARGS__); \
        }                                     \
    } while (0)
#define xlate_detail(x, ...) xlate_say(x, XNODE_DETAIL, __VA_ARGS__)
#define xlate_warn(x, ...)   xlate_say(x, XNODE_WARN, __VA_ARGS__)
#define xlate_error(x, ...)  xlate_say(x, XNODE_ERROR, __VA_ARGS__)
// What is said from here on stands below the line said last; xlate_leave() goes back up.
uint32_t xtrace_enter(struct xtrace *t);
void xtrace_leave(struct xtrace *t, uint32_t level);
static inline uint32_t xlate_enter(const struct xlate *x) {
    return unlikely(x->trace) ? xtrace_enter(x->trace) : 0;
}
static inline void xlate_leave(const struct xlate *x, uint32_t level) {
    if (unlikely(x->trace)) {
        xtrace_leave(x->trace, level);
    }
}
void xlate_say_actions(const struct xlate *x, enum xnode type, const char *title,
                       const void *ofpacts, size_t n);
void xlate_say_rule(const struct xlate *x, const struct rule *rule, uint8_t table,
                    bool to_controller);
void xlate_say_subfield(const struct xlate *x, const struct mf_subfield *sf);
void xlate_say_action_set(const struct xlate *x, const char *verb);

// -- small questions about flows --
static inline bool mf_is_l3_or_higher(enum mf_id id) {
    return id >= MFF_MPLS_LABEL;
}
static inline bool flow_has_vlan(const struct flow *f) {
    return f->vlans[0].tci & hton16(FLOW_VLAN_CFI);
}
static inline bool tpid_is_vlan(be16 tpid) {
    return tpid == hton16(0x8100) || tpid == hton16(0x88a8);
}
static inline bool bytes_any(const void *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (((const uint8_t *)p)[i]) {
            return true;
        }
    }
    return false;
}
static inline bool flow_came_by_tunnel(const struct flow *f) {
    return f->tunnel.ip_dst || bytes_any(f->tunnel.ipv6_dst, sizeof f->tunnel.ipv6_dst);
}

#endif
