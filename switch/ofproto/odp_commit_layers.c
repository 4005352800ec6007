// The part of odp_commit that adds and removes headers: tags, labels, layers of encapsulation.

#include "ofproto/odp_commit_private.h"

static unsigned vlan_count(const struct flow *f) {
    unsigned n = 0;
    while (n < FLOW_MAX_VLANS && (f->vlans[n].tci & hton16(FLOW_VLAN_CFI))) {
        n++;
    }
    return n;
}

// Tags that both have innermost stay; what base has more is popped, what flow has more is pushed.
void commit_vlans(const struct flow *flow, struct flow *base, struct odp_list *out,
                  struct flow *wc) {
    unsigned base_n = vlan_count(base), flow_n = vlan_count(flow);
    while (base_n > 0 && flow_n > 0 &&
           memcmp(&base->vlans[base_n - 1], &flow->vlans[flow_n - 1], sizeof base->vlans[0]) == 0) {
        base_n--;
        flow_n--;
    }
    for (; base_n > 0; base_n--) {
        odp_put_simple(out, ODP_POP_VLAN, 0);
        wc->vlans[base_n - 1] = (struct flow_vlan){UINT16_MAX, UINT16_MAX};
    }
    for (; flow_n > 0; flow_n--) {
        const struct flow_vlan *tag = &flow->vlans[flow_n - 1];
        uint32_t tci = ntoh16(tag->tci) & ~FLOW_VLAN_CFI;
        odp_put_simple(out, ODP_PUSH_VLAN, (uint32_t)ntoh16(tag->tpid) << 16 | tci);
    }
    memcpy(base->vlans, flow->vlans, sizeof base->vlans);
}

static unsigned mpls_count(const struct flow *f) {
    unsigned n = 0;
    if (!flow_is_mpls(f->dl_type)) {
        return 0;
    }
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        if (f->mpls_lse[i] & hton32(0x100)) { // Bottom of stack.
            return i + 1;
        }
        n += f->mpls_lse[i] != 0;
    }
    return n; // The stack is deeper than the key.
}

static unsigned mpls_common(const struct flow *a, unsigned an, const struct flow *b, unsigned bn) {
    unsigned n = 0;
    while (n < an && n < bn && a->mpls_lse[an - 1 - n] == b->mpls_lse[bn - 1 - n]) {
        n++;
    }
    return n;
}

static void mpls_pop(struct flow *base, unsigned n, be16 dl_type) {
    memmove(&base->mpls_lse[0], &base->mpls_lse[1], (n - 1) * sizeof base->mpls_lse[0]);
    base->mpls_lse[n - 1] = 0;
    base->dl_type = dl_type;
}

// Base keeps its network header: a group's next bucket starts from it again.
static void mpls_push(struct odp_list *out, enum odp_action_type type, struct flow *base,
                      unsigned base_n, be16 dl_type, be32 lse) {
    struct odp_push_mpls *push = odp_put(out, type, ntoh32(lse), sizeof *push);
    if (push) {
        push->ethertype = dl_type;
    }
    memmove(&base->mpls_lse[1], &base->mpls_lse[0], base_n * sizeof base->mpls_lse[0]);
    base->mpls_lse[0] = lse;
    base->dl_type = dl_type;
}

void commit_mpls(const struct flow *flow, struct flow *base, struct odp_list *out,
                 enum odp_action_type push) {
    unsigned base_n = mpls_count(base), flow_n = mpls_count(flow);
    unsigned common = mpls_common(flow, flow_n, base, base_n);

    while (base_n > common) {
        if (base_n - 1 == common && flow_n > common) { // One label becomes another.
            be32 lse = flow->mpls_lse[flow_n - base_n], mask = UINT32_MAX;
            odp_put_set(out, ODP_KEY_MPLS, &lse, &mask);
            base->mpls_lse[0] = lse;
            common++;
        } else {
            // More labels below: what is there is MPLS, whatever flow is in the end.
            be16 dl_type =
                !flow_is_mpls(flow->dl_type) && base_n > 1 ? hton16(0x8847) : flow->dl_type;
            odp_put_simple(out, ODP_POP_MPLS, ntoh16(dl_type));
            mpls_pop(base, base_n, flow->dl_type);
            base_n--;
        }
    }
    for (; base_n < flow_n; base_n++) {
        mpls_push(out, push, base, base_n, flow->dl_type, flow->mpls_lse[flow_n - base_n - 1]);
    }
}

// ---- layers ------------------------------------------------------------------------------------

static void put_push_eth(const struct flow *flow, struct flow *base, struct odp_list *out) {
    struct odp_key_eth *eth = odp_put(out, ODP_PUSH_ETH, 0, sizeof *eth);
    if (eth) {
        memcpy(eth->src, flow->dl_src, sizeof eth->src);
        memcpy(eth->dst, flow->dl_dst, sizeof eth->dst);
    }
    base->packet_type = flow->packet_type;
    memcpy(base->dl_src, flow->dl_src, sizeof base->dl_src);
    memcpy(base->dl_dst, flow->dl_dst, sizeof base->dl_dst);
}

static void put_push_nsh(const struct flow *flow, struct flow *base, struct odp_list *out,
                         const void *md2, size_t md2_len) {
    size_t extra = flow->nsh.mdtype == 2 ? md2_len : 0;
    struct odp_key_nsh *nsh =
        odp_put(out, ODP_PUSH_NSH, (uint32_t)extra, sizeof *nsh + ((extra + 7) & ~(size_t)7));
    if (nsh) {
        nsh->nsh = flow->nsh;
        if (extra > 0) {
            memcpy(nsh + 1, md2, extra);
        }
    }
    base->packet_type = flow->packet_type;
    memcpy(base->dl_dst, flow->dl_dst, sizeof *flow - offsetof(struct flow, dl_dst));
}

static void put_encap(const struct flow *flow, struct flow *base, struct odp_list *out,
                      const void *nsh_md2, size_t nsh_md2_len) {
    switch (ntoh32(flow->packet_type)) {
    case PT_ETH: put_push_eth(flow, base, out); break;
    case PT_NSH: put_push_nsh(flow, base, out, nsh_md2, nsh_md2_len); break;
    case PT_MPLS:
    case PT_MPLS_MC: commit_mpls(flow, base, out, ODP_ADD_MPLS); break;
    default: break; // Translation knows no other.
    }
}

static void put_decap(const struct flow *flow, struct flow *base, struct odp_list *out) {
    switch (ntoh32(base->packet_type)) {
    case PT_ETH:
        odp_put_simple(out, ODP_POP_ETH, 0);
        base->packet_type = flow->packet_type;
        memset(base->dl_src, 0, sizeof base->dl_src);
        memset(base->dl_dst, 0, sizeof base->dl_dst);
        break;
    case PT_NSH: odp_put_simple(out, ODP_POP_NSH, 0); break;
    case PT_MPLS:
    case PT_MPLS_MC: commit_mpls(flow, base, out, ODP_ADD_MPLS); break;
    default: break;
    }
}

void odp_commit_encap(const struct flow *flow, struct flow *base, struct odp_list *out,
                      struct flow *wc, bool encap, const void *nsh_md2, size_t nsh_md2_len) {
    if (encap) {
        put_encap(flow, base, out, nsh_md2, nsh_md2_len);
    } else {
        put_decap(flow, base, out);
    }
    wc->packet_type = UINT32_MAX;
}
