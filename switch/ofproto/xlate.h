// Translation: a packet's key through the OpenFlow tables -> datapath actions, the bits that decided
// (wc), and whom to credit.
//
// One translation answers for all packets that agree in wc. Side effects (MAC learning, learn, packet counts,
// fin_timeout) happen only if `side_effects`; tracing and revalidation are the same code without them.
// What they would have been is in the credits, so that the revalidator can repeat them with real counts.
//
// Limits, as in Open vSwitch: XLATE_MAX_DEPTH resubmits deep, XLATE_MAX_RESUBMITS in all, 64 kB of stack. What
// goes over ends the translation with a named error (drop_reason.h) and a line in the report.
//
// Recirculation. A translation that cannot go on before the datapath has done something (pop_mpls then
// L3, dp_hash, ct) freezes: the rest of the actions, stack, metadata, registers, action set, table and
// cookie become a struct frozen_state with an id that is the same for the same state (frozen.h), the megaflow ends
// in ODP_RECIRC(id), and the packet comes back with that recirc_id.

#ifndef RINGSIDE_OFPROTO_XLATE_H
#define RINGSIDE_OFPROTO_XLATE_H

#include "datapath/action/odp_action.h"
#include "datapath/drop_reason.h"
#include "datapath/packet/dp_packet.h"
#include "ofproto/bridge.h"

#define XLATE_MAX_DEPTH     64u
#define XLATE_MAX_RESUBMITS 4096u // 64 * 64.

enum xlate_error { // Why a translation was cut short; xlate_strerror() says it in OVS's words.
    XLATE_OK,
    XLATE_BRIDGE_NOT_FOUND,
    XLATE_RECURSION_TOO_DEEP,
    XLATE_TOO_MANY_RESUBMITS,
    XLATE_STACK_TOO_DEEP,
    XLATE_NO_RECIRCULATION_CONTEXT,
    XLATE_TOO_MANY_MPLS_LABELS,
    XLATE_INVALID_TUNNEL_METADATA,
    XLATE_UNSUPPORTED_PACKET_TYPE,
    XLATE_CONGESTION_DROP,
    XLATE_FORWARDING_DISABLED,
    XLATE_NO_MEMORY, // Ours: Open vSwitch aborts.
    XLATE_N_ERRORS,
};
const char *xlate_strerror(enum xlate_error e);

// Whom a megaflow's packets are counted for, and which side effects its use repeats. One row for each thing
// met in translation; holds references.
enum credit_type {
    CREDIT_RULE,       // rule
    CREDIT_GROUP,      // group, bucket index (UINT32_MAX: each bucket)
    CREDIT_TABLE_MISS, // table
    CREDIT_LEARN,      // A learn action: repeated at each use, so that the learned flow stays.
    CREDIT_NORMAL,     // MAC, VLAN, port: the address has been seen again.
    CREDIT_ASKED_MAC,  // MAC, VLAN: the answer hangs on where it was learned. Counts nothing.
    CREDIT_LEARN_FULL, // table: a learn found its limit reached there; any change of the table may make room.
    CREDIT_FIN_TIMEOUT,
    CREDIT_FROZEN, // arg = recirc_id that the actions lead to: held as long as they are.
    CREDIT_PIN,    // arg = pin id that the actions name: likewise.
};
struct credit {
    uint8_t type;
    uint8_t table;
    uint16_t vlan; // Of rules and misses: what was still as it came in, by change_unchanged().
    uint32_t arg;  // Port or bucket; of rules and misses: change_domain() of the look-up.
    union {
        const struct rule *rule;
        const struct group *group;
        struct flow_mod *learn; // Owned.
        uint8_t mac[6];
        struct {
            const struct rule *rule;
            uint16_t idle, hard;
        } fin;
    };
};
struct credits { // Zero-initialised = empty.
    uint32_t n, cap;
    struct credit *list;   // On the heap.
    struct bridge *bridge; // Whose frozen states and pins are held. Filled in by xlate_run().
};

// Recirculations that the actions end in, for trace, which follows them.
struct xlate_recirc {
    uint32_t id;
    bool conntrack; // Of a ct action: the packet comes back tracked, in `zone`.
    uint16_t zone;
    const struct ofpact_nat *nat; // Of the ct action, in the rule; NULL = none.
    struct flow flow;             // As it was there (in_port as an OpenFlow number).
};
struct xlate_recircs { // Zero-initialised = empty; free(list) when done.
    uint32_t n, cap;
    struct xlate_recirc *list;
};

struct xlate_in {
    struct bridge *bridge;
    const struct flow *flow;        // Datapath key; in_port is a port id.
    const struct dp_packet *packet; // NULL = none at hand (revalidation, trace of a flow).
    uint64_t now_ms;
    bool side_effects;
    uint16_t tcp_flags; // Of the packets so far, host byte order (fin_timeout).
    struct text
        *report; // NULL = nobody reads. Lines as ofproto/trace indents them, from "bridge(…)" on.
    bool report_names;             // Ports by name in the report.
    struct xlate_recircs *recircs; // NULL = not wanted.
    // A packet-out: these actions instead of table 0 (NULL = the tables). in flow: in_port.
    const void *ofpacts;
    size_t ofpacts_len;
    uint64_t version; // 0 = the published one.
};

struct xlate_out {
    struct odp_list *actions; // The caller's, initialised and empty.
    struct flow *wc; // The caller's; zeroed here. In the datapath's terms. NULL = not wanted.
    struct credits *credits; // The caller's, empty. NULL = not wanted.
    enum xlate_error error;
    enum drop_reason drop;  // When nothing is output: why.
    bool slow;              // The answer is good for this packet only (do not install).
    struct flow final_flow; // As the packet is at the end, for trace.
};

void xlate_run(const struct xlate_in *in, struct xlate_out *out);

// wc as ofproto/trace prints it: without the bits that say that a VLAN tag is absent, which Open vSwitch's
// megaflows imply by their EtherType. Ours need them, since `dl_type` is the one behind all tags.
void xlate_wc_for_text(const struct flow *key, struct flow *wc);

// credits.c
void credits_push(struct credits *c, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                  uint64_t used_ms, struct bridge *bridge);
void credits_clear(struct credits *c); // Lets go what they hold; keeps the memory of the list.
void credits_destroy(struct credits *c);

#endif
