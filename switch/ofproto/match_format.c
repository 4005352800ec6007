// Matches in text, as ovs-ofctl dump-flows and ofproto/trace print them: the order of the fields, which
// of two names, decimal or hexadecimal are Open vSwitch's, so that what one prints the other reads.

#include "ofproto/match_private.h"

// What a printer of some layer needs. Each one appends "name=value," for what the mask names.
struct printer {
    const struct flow *f, *mask;
    const struct port_names *names;
    struct text *out;
    uint16_t type; // Ethernet type, host byte order; 0 = not told.
};

static void put_metadata(const struct printer *p) {
    const struct flow *f = p->f, *mask = p->mask;
    text_put_hex_masked(p->out, "pkt_mark", f->pkt_mark, mask->pkt_mark, UINT32_MAX);
    text_put_hex_masked(p->out, "recirc_id", f->recirc_id, mask->recirc_id, UINT32_MAX);
    text_put_hex_masked(p->out, "dp_hash", f->dp_hash, mask->dp_hash, UINT32_MAX);
    if (mask->conj_id) {
        text_put(p->out, "conj_id=%u,", f->conj_id);
    }
    if (mask->skb_priority) {
        text_put_hex_masked(p->out, "skb_priority", f->skb_priority, UINT32_MAX, UINT32_MAX);
    }
    if (mask->actset_output) {
        text_put(p->out, "actset_output=");
        port_names_format(p->names, f->actset_output, p->out);
        text_put(p->out, ",");
    }
}

static void put_conntrack(const struct printer *p) {
    const struct flow *f = p->f, *mask = p->mask;
    if (mask->ct_state) {
        text_put(p->out, "ct_state=");
        mf_flags_format(mf_flags_of(mf_from_id(MFF_CT_STATE)), f->ct_state, mask->ct_state,
                        UINT8_MAX, p->out);
        text_put(p->out, ",");
    }
    text_put_dec_masked(p->out, "ct_zone", f->ct_zone, mask->ct_zone, UINT16_MAX, 1);
    text_put_hex_masked(p->out, "ct_mark", f->ct_mark, mask->ct_mark, UINT32_MAX);
    if (!bits_all(mask->ct_label, 16, 0, 128, false)) {
        text_put(p->out, "ct_label=");
        text_put_hex(p->out, f->ct_label, 16);
        if (!bits_all(mask->ct_label, 16, 0, 128, true)) {
            text_put(p->out, "/");
            text_put_hex(p->out, mask->ct_label, 16);
        }
        text_put(p->out, ",");
    }
    text_put_ipv4_masked(p->out, "ct_nw_src", f->ct_nw_src, mask->ct_nw_src);
    text_put_ipv6_masked(p->out, "ct_ipv6_src", f->ct_ipv6_src, mask->ct_ipv6_src);
    text_put_ipv4_masked(p->out, "ct_nw_dst", f->ct_nw_dst, mask->ct_nw_dst);
    text_put_ipv6_masked(p->out, "ct_ipv6_dst", f->ct_ipv6_dst, mask->ct_ipv6_dst);
    if (mask->ct_nw_proto) {
        text_put(p->out, "ct_nw_proto=%u,", f->ct_nw_proto);
        text_put_be16_masked(p->out, "ct_tp_src", f->ct_tp_src, mask->ct_tp_src);
        text_put_be16_masked(p->out, "ct_tp_dst", f->ct_tp_dst, mask->ct_tp_dst);
    }
}

// The word for the protocol. Its type and protocol need not be said again: "type" and "proto" tell.
static void put_protocol(const struct printer *p, bool *type_said, bool *proto_said) {
    if (!p->mask->dl_type) {
        return;
    }
    const char *word = match_protocol_word(p->type, p->f->nw_proto, p->mask->nw_proto, proto_said);
    *type_said = word != NULL;
    if (word) {
        text_put(p->out, "%s,", word);
    }
}

static void put_packet_type(struct printer *p) {
    const struct flow *f = p->f, *mask = p->mask;
    bool is_eth = f->packet_type == 0 && mask->packet_type == UINT32_MAX;
    // That packets are Ethernet goes without saying, but in megaflows, which name the recirculation.
    if (!mask->packet_type || (is_eth && !mask->recirc_id)) {
        return;
    }
    if (is_eth) {
        text_put(p->out, "eth,");
        return;
    }
    text_put(p->out, "packet_type=");
    text_put_packet_type(p->out, f->packet_type);
    text_put(p->out, ",");
    if (ntoh32(f->packet_type) >> 16 == 1) {
        p->type = (uint16_t)ntoh32(f->packet_type);
    }
}

static void put_tunnel_options(const struct printer *p) {
    uint64_t present = p->mask->tunnel.opts_present;
    for (unsigned i = 0; i < TUN_N_METADATA; i++) {
        const struct mf_field *mf = mf_from_id((enum mf_id)(MFF_TUN_METADATA0 + i));
        if (!(present >> i & 1) || !mf_is_mapped(mf)) {
            continue;
        }
        union mf_value value, mask;
        mf_get_value(mf, p->f, &value);
        mf_get_value(mf, p->mask, &mask);
        text_put(p->out, "%s", mf->name);
        if (!(p->f->tunnel.opts_present >> i & 1)) {
            text_put(p->out, "=NP"); // Not present.
        } else if (!bits_all(&mask, mf->n_bytes, 0, mf->n_bits, false)) {
            text_put(p->out, "=");
            mf_format(mf, &value, &mask, NULL, p->out);
        }
        text_put(p->out, ",");
    }
}

// Open vSwitch prints no masks of these, and ERSPAN's only of the version they belong to. Matches say both
// here, lest a dump lose them; exact ones read the same.
static void put_headers(const struct flow_tnl *t, const struct flow_tnl *mask, struct text *out) {
    text_put_dec_masked(out, "tun_erspan_ver", t->erspan_ver, mask->erspan_ver & 0xf, 0xf, 1);
    text_put_hex_masked(out, "tun_erspan_idx", t->erspan_idx, mask->erspan_idx & 0xfffff, 0xfffff);
    text_put_dec_masked(out, "tun_erspan_dir", t->erspan_dir, mask->erspan_dir & 1, 1, 1);
    text_put_hex_masked(out, "tun_erspan_hwid", t->erspan_hwid, mask->erspan_hwid & 0x3f, 0x3f);
    text_put_hex_masked(out, "gtpu_flags", t->gtpu_flags, mask->gtpu_flags, UINT8_MAX);
    text_put_dec_masked(out, "gtpu_msgtype", t->gtpu_msgtype, mask->gtpu_msgtype, UINT8_MAX, 1);
}

static void put_tunnel(const struct printer *p) {
    const struct flow_tnl *t = &p->f->tunnel, *mask = &p->mask->tunnel;
    text_put_hex_masked(p->out, "tun_id", be64toh(t->tun_id), be64toh(mask->tun_id), UINT64_MAX);
    text_put_ipv4_masked(p->out, "tun_src", t->ip_src, mask->ip_src);
    text_put_ipv4_masked(p->out, "tun_dst", t->ip_dst, mask->ip_dst);
    text_put_ipv6_masked(p->out, "tun_ipv6_src", t->ipv6_src, mask->ipv6_src);
    text_put_ipv6_masked(p->out, "tun_ipv6_dst", t->ipv6_dst, mask->ipv6_dst);
    text_put_be16_masked(p->out, "tun_gbp_id", t->gbp_id, mask->gbp_id);
    text_put_hex_masked(p->out, "tun_gbp_flags", t->gbp_flags, mask->gbp_flags, UINT8_MAX);
    if (mask->ip_tos) {
        text_put(p->out, "tun_tos=%x,", t->ip_tos);
    }
    if (mask->ip_ttl) {
        text_put(p->out, "tun_ttl=%u,", t->ip_ttl);
    }
    put_headers(t, mask, p->out);
    uint32_t flags = mf_tnl_flags_to_text(mask->flags);
    if (flags) {
        text_put(p->out, "tun_flags=");
        mf_flags_format(&mf_tnl_flag_names, mf_tnl_flags_to_text(t->flags), flags, 0xf, p->out);
        text_put(p->out, ",");
    }
    put_tunnel_options(p);
}

static void put_vlan(const struct printer *p, unsigned i) {
    uint16_t tci = ntoh16(p->f->vlans[i].tci), mask = ntoh16(p->mask->vlans[i].tci);
    uint16_t vid = mask & 0xfff, pcp = mask & 0xe000;
    char number[2] = {i ? (char)('0' + i) : '\0', '\0'};
    bool is_tag = mask & FLOW_VLAN_CFI && tci & FLOW_VLAN_CFI;
    if (is_tag && (!vid || vid == 0xfff) && (!pcp || pcp == 0xe000) && (vid || pcp)) {
        if (vid) {
            text_put(p->out, "dl_vlan%s=%d,", number, tci & 0xfff);
        }
        if (pcp) {
            text_put(p->out, "dl_vlan_pcp%s=%d,", number, tci >> 13);
        }
    } else if (mask == 0xffff) {
        text_put(p->out, "vlan_tci%s=0x%04x,", number, tci);
    } else {
        text_put(p->out, "vlan_tci%s=0x%04x/0x%04x,", number, tci, mask);
    }
}

static void put_ethernet(const struct printer *p, bool type_said) {
    for (unsigned i = 0; i < FLOW_MAX_VLANS && p->mask->vlans[i].tci; i++) {
        put_vlan(p, i);
    }
    text_put_mac_masked(p->out, "dl_src", p->f->dl_src, p->mask->dl_src);
    text_put_mac_masked(p->out, "dl_dst", p->f->dl_dst, p->mask->dl_dst);
    if (!type_said && p->mask->dl_type) {
        text_put(p->out, "dl_type=0x%04x,", p->type);
    }
}

void match_format(const struct match *m, uint32_t priority, uint32_t hide_priority,
                  const struct port_names *names, struct text *out) {
    struct printer p = {&m->flow, &m->mask, names, out, ntoh16(m->flow.dl_type)};
    bool type_said = false, proto_said = false;
    if (priority != hide_priority) {
        text_put(out, "priority=%u,", priority);
    }
    put_metadata(&p);
    put_conntrack(&p);
    put_packet_type(&p);
    put_protocol(&p, &type_said, &proto_said);
    for (unsigned i = 0; i < FLOW_N_REGS; i++) {
        const struct mf_field *mf = mf_from_id((enum mf_id)(MFF_REG0 + i));
        text_put_hex_masked(out, mf->name, m->flow.regs[i], m->mask.regs[i], UINT32_MAX);
    }
    put_tunnel(&p);
    text_put_hex_masked(out, "metadata", be64toh(m->flow.metadata), be64toh(m->mask.metadata),
                        UINT64_MAX);
    if (m->mask.in_port) {
        text_put(out, "in_port=");
        port_names_format(names, m->flow.in_port, out);
        text_put(out, ",");
    }
    put_ethernet(&p, type_said);
    match_format_upper(&m->flow, &m->mask, p.type, proto_said, out);
    text_chomp(out, ',');
}
