// encap() and decap(): whole layers on and off. The flow says at once what the packet will be; the datapath action
// comes with the next commit, so that fields set in the new header go into it.

#include "ofproto/xlate_private.h"

enum { NSH_DEFAULT_TTL = 63, NSH_DEFAULT_PATH = 255, ETHERTYPE_TEB = 0x6558 };
enum { NSH_NP_IPV4 = 1, NSH_NP_IPV6 = 2, NSH_NP_ETHERNET = 3, NSH_NP_NSH = 4 };
enum { NAMESPACE_ONF = 0, NAMESPACE_ETHERTYPE = 1 };

static uint32_t type_namespace(be32 packet_type) {
    return ntoh32(packet_type) >> 16;
}

static be16 type_ethertype(be32 packet_type) {
    return hton16((uint16_t)ntoh32(packet_type));
}

static void clear_macs(struct flow *f) {
    memset(f->dl_src, 0, sizeof f->dl_src);
    memset(f->dl_dst, 0, sizeof f->dl_dst);
}

static void refuse(struct xlate *x) {
    xlate_fail(x, XLATE_UNSUPPORTED_PACKET_TYPE);
}

static void encap_ethernet(struct xlate *x) {
    struct flow *f = x->flow;
    x->wc->packet_type = UINT32_MAX;
    if (type_namespace(f->packet_type) != NAMESPACE_ETHERTYPE) {
        xlate_say(x, XNODE_ACTION,
                  "Dropping packet as encap(ethernet) is not supported for packet type ethernet.");
        refuse(x);
        return;
    }
    f->dl_type = type_ethertype(f->packet_type);
    f->packet_type = hton32(PT_ETH);
    clear_macs(f);
}

static void encap_mpls(struct xlate *x, uint32_t new_type) {
    struct flow *f = x->flow, *wc = x->wc;
    unsigned n = xlate_count_mpls(f, wc);
    if (n >= FLOW_MAX_MPLS) {
        if (x->in->packet) {
            xlate_error(x,
                        "dropping packet on which an encap MPLS action can't be performed as it "
                        "would have more MPLS LSEs than the %u supported.",
                        FLOW_MAX_MPLS);
        }
        xlate_fail(x, XLATE_TOO_MANY_MPLS_LABELS);
        return;
    }
    wc->packet_type = UINT32_MAX;
    if (f->packet_type == hton32(PT_ETH) && f->dl_type == hton16(0x8847)) {
        memset(wc->mpls_lse, 0,
               sizeof wc->mpls_lse); // Labels below the Ethernet header: another stack.
        memset(f->mpls_lse, 0, sizeof f->mpls_lse);
        memset(x->base->mpls_lse, 0, sizeof f->mpls_lse);
    }
    f->packet_type = hton32(new_type);
    xlate_push_mpls_header(f, n, hton16((uint16_t)new_type), wc);
    clear_macs(f);
}

static uint8_t next_protocol(be32 packet_type) {
    switch (ntoh32(packet_type)) {
    case PT_ETH: return NSH_NP_ETHERNET;
    case PT_IPV4: return NSH_NP_IPV4;
    case PT_IPV6: return NSH_NP_IPV6;
    case PT_NSH: return NSH_NP_NSH;
    default: return 0;
    }
}

static void encap_nsh(struct xlate *x, const struct ofpact_encap *e) {
    struct flow *f = x->flow;
    uint8_t np = next_protocol(f->packet_type);
    if (np == 0) {
        xlate_say(x, XNODE_ACTION,
                  "Dropping packet as encap(nsh) is not supported for packet type (%u,0x%x)",
                  type_namespace(f->packet_type), ntoh16(type_ethertype(f->packet_type)));
        refuse(x);
        return;
    }
    x->wc->packet_type = UINT32_MAX;
    memset(f->dl_dst, 0, sizeof *f - offsetof(struct flow, dl_dst));
    f->packet_type = hton32(PT_NSH);
    f->dl_type = hton16((uint16_t)PT_NSH);
    f->nsh = (struct flow_nsh){.ttl = NSH_DEFAULT_TTL,
                               .mdtype = e->nsh_mdtype ? e->nsh_mdtype : 1,
                               .np = np,
                               .path_hdr = hton32(NSH_DEFAULT_PATH)};
    if (f->nsh.mdtype == 2 && e->tlv_len <= ODP_NSH_MD2_MAX) {
        x->layer.tlvs = e->tlvs;
        x->layer.tlvs_len = e->tlv_len;
    }
}

enum xstep xlate_do_encap(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct ofpact_encap *e = (const struct ofpact_encap *)(const void *)a;
    (void)at;
    xlate_commit(x); // What is set below the new header comes before it.
    switch (e->new_pkt_type) {
    case PT_ETH: encap_ethernet(x); break;
    case PT_NSH: encap_nsh(x, e); break;
    case PT_MPLS:
    case PT_MPLS_MC: encap_mpls(x, e->new_pkt_type); break;
    default: refuse(x);
    }
    x->layer.push = !x->error;
    return XSTEP_NEXT;
}

// -- decap --

static enum xstep decap_ethernet(struct xlate *x) {
    struct flow *f = x->flow;
    if (flow_has_vlan(f)) {
        xlate_say(x, XNODE_ACTION, "Dropping packet, cannot decap Ethernet if VLAN is present.");
        refuse(x);
        return XSTEP_NEXT;
    }
    f->packet_type = hton32(UINT32_C(1) << 16 | ntoh16(f->dl_type));
    clear_macs(f);
    x->wc->dl_type = UINT16_MAX;
    return XSTEP_NEXT;
}

static enum xstep go_around(struct xlate *x) {
    xlate_freeze(x); // For the datapath to look at what is inside.
    return XSTEP_AFTER;
}

static enum xstep decap_nsh(struct xlate *x) {
    static const uint32_t inside[] = {
        [NSH_NP_IPV4] = PT_IPV4, [NSH_NP_IPV6] = PT_IPV6, [NSH_NP_NSH] = PT_NSH};
    struct flow *f = x->flow;
    uint8_t np = f->nsh.np;
    if (np < NSH_NP_IPV4 || np > NSH_NP_NSH) {
        xlate_say(x, XNODE_ACTION, "Dropping packet as NSH next protocol %u is not supported", np);
        refuse(x);
        return XSTEP_NEXT;
    }
    f->packet_type = hton32(inside[np]);
    x->wc->nsh.np = UINT8_MAX;
    x->layer.pop = true;
    return go_around(x);
}

static enum xstep decap_mpls(struct xlate *x, const struct ofpact_encap *e) {
    struct flow *f = x->flow;
    be16 ethertype = hton16((uint16_t)e->new_pkt_type);
    unsigned n = xlate_count_mpls(f, x->wc);
    f->packet_type = hton32(e->new_pkt_type);
    if (xlate_pop_mpls_header(f, n, ethertype ? ethertype : hton16(ETHERTYPE_TEB), x->wc)) {
        x->layer.pop = true;
        return n == 1 ? go_around(x) : XSTEP_NEXT;
    }
    if (n >= FLOW_MAX_MPLS) {
        if (x->in->packet) {
            xlate_error(x,
                        "dropping packet on which an MPLS decap can't be performed as it has "
                        "more MPLS LSEs than the %u supported.",
                        FLOW_MAX_MPLS);
        }
        xlate_fail(x, XLATE_TOO_MANY_MPLS_LABELS);
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_decap(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    be32 type = x->flow->packet_type;
    (void)at;
    xlate_commit(x);
    switch (ntoh32(type)) {
    case PT_ETH: return decap_ethernet(x);
    case PT_NSH: return decap_nsh(x);
    case PT_MPLS:
    case PT_MPLS_MC: return decap_mpls(x, (const struct ofpact_encap *)(const void *)a);
    default:
        xlate_say(x, XNODE_ACTION,
                  "Dropping packet as the decap() does not support packet type (%u,0x%x)",
                  type_namespace(type), ntoh16(type_ethertype(type)));
        refuse(x);
        return XSTEP_NEXT;
    }
}
