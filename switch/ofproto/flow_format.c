// A packet's key in text, as the "Flow:" lines of ofproto/trace have it.

#include "ofproto/match.h"

#define HIDE_IF_ZERO(m, member)   \
    do {                          \
        if (!(m)->flow.member) {  \
            (m)->mask.member = 0; \
        }                         \
    } while (0)

// Of what came with the packet and is 0, nothing is said.
static void hide_zero_metadata(struct match *m) {
    static const uint8_t none[16];
    HIDE_IF_ZERO(m, in_port);
    HIDE_IF_ZERO(m, skb_priority);
    HIDE_IF_ZERO(m, pkt_mark);
    HIDE_IF_ZERO(m, recirc_id);
    HIDE_IF_ZERO(m, dp_hash);
    HIDE_IF_ZERO(m, ct_state);
    HIDE_IF_ZERO(m, ct_zone);
    HIDE_IF_ZERO(m, ct_mark);
    HIDE_IF_ZERO(m, metadata);
    for (unsigned i = 0; i < FLOW_N_REGS; i++) {
        HIDE_IF_ZERO(m, regs[i]);
    }
    if (memcmp(m->flow.ct_label, none, sizeof none) == 0) {
        memset(m->mask.ct_label, 0, sizeof none);
    }
}

// ERSPAN's fields are those of its version.
static void hide_other_erspan(struct match *m) {
    struct flow_tnl *mask = &m->mask.tunnel;
    uint8_t version = m->flow.tunnel.erspan_ver;
    mask->erspan_idx = version == 1 ? mask->erspan_idx : 0;
    mask->erspan_dir = version == 2 ? mask->erspan_dir : 0;
    mask->erspan_hwid = version == 2 ? mask->erspan_hwid : 0;
}

// The original direction of a connection is told where there is one.
static void hide_no_connection(const struct flow *flow, struct match *m) {
    bool has_connection = flow->ct_state & (FLOW_CS_NEW | FLOW_CS_EST | FLOW_CS_REL | FLOW_CS_RPL |
                                            FLOW_CS_SNAT | FLOW_CS_DNAT) ||
                          (flow->ct_state & (FLOW_CS_TRK | FLOW_CS_INV)) == FLOW_CS_TRK;
    if (has_connection && flow->ct_nw_proto) {
        return;
    }
    m->mask.ct_nw_proto = 0;
    m->mask.ct_tp_src = m->mask.ct_tp_dst = 0;
    m->mask.ct_nw_src = m->mask.ct_nw_dst = 0;
    memset(m->mask.ct_ipv6_src, 0, sizeof m->mask.ct_ipv6_src);
    memset(m->mask.ct_ipv6_dst, 0, sizeof m->mask.ct_ipv6_dst);
}

void flow_format(const struct flow *flow, const struct port_names *names, struct text *out) {
    struct match m;
    match_from_flow(flow, &m);
    hide_zero_metadata(&m);
    hide_no_connection(flow, &m);
    hide_other_erspan(&m);
    match_format(&m, 0, 0, names, out);
}
