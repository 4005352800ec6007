// Does a match say of its packets that they have the fields that it matches?

#include "ofproto/match_private.h"

static bool is_type(const struct flow *f, uint16_t type) {
    uint32_t packet_type = ntoh32(f->packet_type);
    return packet_type ? packet_type == (1u << 16 | type) : f->dl_type == hton16(type);
}

static bool is_icmp_any(const struct match *m) {
    return mf_are_match_prereqs_ok(mf_from_id(MFF_ICMPV4_TYPE), &m->flow, &m->mask) ||
           mf_are_match_prereqs_ok(mf_from_id(MFF_ICMPV6_TYPE), &m->flow, &m->mask);
}

static bool is_arp(const struct match *m) {
    return mf_are_match_prereqs_ok(mf_from_id(MFF_ARP_OP), &m->flow, &m->mask);
}

// What Open vSwitch lets through beside a field's prerequisite, because one place has two names:
// nw_src of ARP is arp_spa, and dumps call ICMPv6's type icmp_type.
static bool is_other_name(const struct mf_field *mf, const struct match *m) {
    switch (mf->id) {
    case MFF_IPV4_SRC:
    case MFF_IPV4_DST:
    case MFF_IP_PROTO: return is_arp(m);
    case MFF_ICMPV4_TYPE:
    case MFF_ICMPV4_CODE:
    case MFF_ICMPV6_TYPE:
    case MFF_ICMPV6_CODE: return is_icmp_any(m);
    default: return false;
    }
}

// Prerequisites that ovs-fields(7) has in its prose. NULL: met.
static const char *missing_beside(const struct mf_field *mf, const struct match *m) {
    switch (mf->id) {
    case MFF_CT_NW_SRC:
    case MFF_CT_NW_DST: return is_type(&m->flow, 0x0800) ? NULL : "add ip";
    case MFF_CT_IPV6_SRC:
    case MFF_CT_IPV6_DST: return is_type(&m->flow, 0x86dd) ? NULL : "add ipv6";
    case MFF_CT_NW_PROTO:
        return is_type(&m->flow, 0x0800) || is_type(&m->flow, 0x86dd) ? NULL : "add ip or ipv6";
    case MFF_CT_TP_SRC:
    case MFF_CT_TP_DST: return m->mask.ct_nw_proto ? NULL : "add ct_nw_proto=6, or 17";
    case MFF_NSH_C1:
    case MFF_NSH_C2:
    case MFF_NSH_C3:
    case MFF_NSH_C4: return m->flow.nsh.mdtype == 1 ? NULL : "add nsh_mdtype=1";
    default: return NULL;
    }
}

static int missing(const char *name, const char *hint, struct ofp_error *err) {
    return ofp_error_of(err, OFPERR_OFPBMC_BAD_PREREQ, name, hint,
                        "the match does not say that packets have this field");
}

static int check_field(const struct mf_field *mf, const char *name, const struct match *m,
                       struct ofp_error *err) {
    if (!mf_are_match_prereqs_ok(mf, &m->flow, &m->mask) && !is_other_name(mf, m)) {
        return missing(name, mf_prereq_hint(mf), err);
    }
    const char *hint = missing_beside(mf, m);
    return hint ? missing(name, hint, err) : 0;
}

// tp_src and tp_dst are ports of any protocol that has some, types and codes of ICMP.
static bool has_tp(const struct match *m) {
    return mf_are_match_prereqs_ok(mf_from_id(MFF_TCP_SRC), &m->flow, &m->mask) ||
           mf_are_match_prereqs_ok(mf_from_id(MFF_UDP_SRC), &m->flow, &m->mask) ||
           mf_are_match_prereqs_ok(mf_from_id(MFF_SCTP_SRC), &m->flow, &m->mask) || is_icmp_any(m);
}

int match_check_prereqs(const struct match *m, const struct match_used *used,
                        struct ofp_error *err) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(used->fields); i++) {
        for (uint64_t bits = used->fields[i]; bits; bits &= bits - 1) {
            unsigned id = (unsigned)(64 * i) + (unsigned)__builtin_ctzll(bits);
            const struct mf_field *mf = mf_from_id((enum mf_id)id);
            int error = mf->prereq == MFP_NONE ? 0 : check_field(mf, used->names[id], m, err);
            if (error) {
                return error;
            }
        }
    }
    if ((used->tp_src || used->tp_dst) && !has_tp(m)) {
        return missing(used->tp_src ? "tp_src" : "tp_dst",
                       "add tcp, udp or sctp, tcp6, udp6 or sctp6 (not of later fragments)", err);
    }
    return 0;
}

int match_check_rule(const struct match *m, struct ofp_error *err) {
    static const struct {
        enum mf_id id;
        enum ofperr ofperr;
    } internal[] = {
        {MFF_RECIRC_ID, OFPERR_OFPBRC_EPERM},        {MFF_DP_HASH, OFPERR_OFPBRC_EPERM},
        {MFF_SKB_PRIORITY, OFPERR_OFPBMC_BAD_FIELD}, {MFF_TUN_TOS, OFPERR_OFPBMC_BAD_FIELD},
        {MFF_TUN_TTL, OFPERR_OFPBMC_BAD_FIELD},
    };
    for (size_t i = 0; i < RS_ARRAY_SIZE(internal); i++) {
        const struct mf_field *mf = mf_from_id(internal[i].id);
        if (!mf_is_zero(mf, &m->mask)) {
            return ofp_error_of(err, internal[i].ofperr, mf->name, "leave it out",
                                "the switch's own rules match it, others cannot");
        }
    }
    return 0;
}
