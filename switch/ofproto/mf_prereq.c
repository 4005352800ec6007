// What a packet must be for a field to mean something.

#include "ofproto/mf_text.h"

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_ICMPV6 58
#define PROTO_SCTP   132

#define ND_SOLICIT 135
#define ND_ADVERT  136

#define PT_NAMESPACE_ETHERTYPE 1u

// The Ethernet type of a packet: of the frame, or of what came without a frame.
static be16 type_of(const struct flow *f, struct flow *wc) {
    if (wc) {
        wc->packet_type = UINT32_MAX;
        wc->dl_type = UINT16_MAX;
    }
    if (f->packet_type == 0) {
        return f->dl_type;
    }
    uint32_t type = ntoh32(f->packet_type);
    return type >> 16 == PT_NAMESPACE_ETHERTYPE ? hton16((uint16_t)type) : 0;
}

static bool is_ethernet(const struct flow *f, struct flow *wc) {
    if (wc) {
        wc->packet_type = UINT32_MAX;
    }
    return f->packet_type == 0;
}

static bool has_tag(const struct flow *f, struct flow *wc) {
    if (!is_ethernet(f, wc)) {
        return false;
    }
    if (wc) {
        wc->vlans[0].tci |= hton16(FLOW_VLAN_CFI);
    }
    return f->vlans[0].tci & hton16(FLOW_VLAN_CFI);
}

static bool has_proto(const struct flow *f, struct flow *wc, uint8_t proto) {
    if (wc) {
        wc->nw_proto = UINT8_MAX;
    }
    return f->nw_proto == proto;
}

static bool has_l4(const struct flow *f, struct flow *wc, uint8_t proto) {
    if (!flow_is_ip(type_of(f, wc)) || !has_proto(f, wc, proto)) {
        return false;
    }
    if (wc) {
        wc->nw_frag |= FLOW_FRAG_MASK;
    }
    return !(f->nw_frag & FLOW_FRAG_LATER);
}

// Neighbor discovery of these types; 0 = either.
static bool is_nd(const struct flow *f, struct flow *wc, unsigned type) {
    if (type_of(f, wc) != hton16(0x86dd) || !has_proto(f, wc, PROTO_ICMPV6)) {
        return false;
    }
    if (wc) {
        wc->tp_src = UINT16_MAX;
        wc->tp_dst = UINT16_MAX;
    }
    unsigned found = ntoh16(f->tp_src);
    return f->tp_dst == 0 && (type ? found == type : found == ND_SOLICIT || found == ND_ADVERT);
}

// A tracked packet of a connection has one of these bits.
static bool is_ct_valid(const struct flow *f, struct flow *wc) {
    const uint8_t valid = FLOW_CS_NEW | FLOW_CS_EST | FLOW_CS_RPL;
    if (wc) {
        wc->ct_state |= valid;
    }
    return f->ct_state & valid;
}

bool mf_are_prereqs_ok(const struct mf_field *mf, const struct flow *f, struct flow *wc) {
    switch (mf->prereq) {
    case MFP_NONE: return true;
    case MFP_ETHERNET: return is_ethernet(f, wc);
    case MFP_ARP: {
        be16 type = type_of(f, wc);
        return type == hton16(0x0806) || type == hton16(0x8035);
    }
    case MFP_VLAN_VID: return has_tag(f, wc);
    case MFP_IPV4: return type_of(f, wc) == hton16(0x0800);
    case MFP_IPV6: return type_of(f, wc) == hton16(0x86dd);
    case MFP_IP_ANY: return flow_is_ip(type_of(f, wc));
    case MFP_NSH: return type_of(f, wc) == hton16(0x894f);
    case MFP_CT_VALID: return is_ct_valid(f, wc);
    case MFP_MPLS: return flow_is_mpls(type_of(f, wc));
    case MFP_TCP: return has_l4(f, wc, PROTO_TCP);
    case MFP_UDP: return has_l4(f, wc, PROTO_UDP);
    case MFP_SCTP: return has_l4(f, wc, PROTO_SCTP);
    case MFP_ICMPV4: return type_of(f, wc) == hton16(0x0800) && has_proto(f, wc, PROTO_ICMP);
    case MFP_ICMPV6: return type_of(f, wc) == hton16(0x86dd) && has_proto(f, wc, PROTO_ICMPV6);
    case MFP_ND: return is_nd(f, wc, 0);
    case MFP_ND_SOLICIT: return is_nd(f, wc, ND_SOLICIT);
    case MFP_ND_ADVERT: return is_nd(f, wc, ND_ADVERT);
    }
    return false;
}

bool mf_are_match_prereqs_ok(const struct mf_field *mf, const struct flow *match_flow,
                             const struct flow *match_mask) {
    if (mf->prereq != MFP_CT_VALID) {
        return mf_are_prereqs_ok(mf, match_flow, NULL);
    }
    // One of the bits that only a tracked packet has, or tracked and not invalid.
    const uint8_t implied =
        FLOW_CS_NEW | FLOW_CS_EST | FLOW_CS_REL | FLOW_CS_RPL | FLOW_CS_SNAT | FLOW_CS_DNAT;
    return match_flow->ct_state & implied ||
           (match_flow->ct_state & FLOW_CS_TRK && match_mask &&
            match_mask->ct_state & FLOW_CS_INV && !(match_flow->ct_state & FLOW_CS_INV));
}
