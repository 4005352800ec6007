// A datapath key's metadata as text: what is not in the packet's bytes.

#include "ofproto/odp_key_text.h"

// "name(VALUE/MASK),": an attribute of its own.
static void put_attribute(const struct key_text *k, const char *name, uint64_t value, uint64_t mask,
                          uint64_t all) {
    if (!mask && !k->more) {
        return;
    }
    text_put(k->out, "%s(%#llx", name, (unsigned long long)value);
    if (mask != all) {
        text_put(k->out, "/%#llx", (unsigned long long)mask);
    }
    text_put(k->out, "),");
}

static uint64_t be64_number(be64 value) {
    uint8_t b[8];
    memcpy(b, &value, sizeof b);
    return (uint64_t)ntoh32(load_be32(b)) << 32 | ntoh32(load_be32(b + 4));
}

static void put_tunnel(const struct key_text *k) {
    const struct flow_tnl *t = &k->key->tunnel, *m = &k->mask->tunnel;
    if (!key_any(m, sizeof *m)) {
        return;
    }
    size_t before = key_begin(k, "tunnel");
    key_put_number(k, "tun_id", true, be64_number(t->tun_id), be64_number(m->tun_id), UINT64_MAX);
    key_put_ipv4(k, "src", t->ip_src, m->ip_src);
    key_put_ipv4(k, "dst", t->ip_dst, m->ip_dst);
    key_put_ipv6(k, "ipv6_src", t->ipv6_src, m->ipv6_src);
    key_put_ipv6(k, "ipv6_dst", t->ipv6_dst, m->ipv6_dst);
    key_put_number(k, "tos", true, t->ip_tos, m->ip_tos, UINT8_MAX);
    key_put_number(k, "ttl", false, t->ip_ttl, m->ip_ttl, UINT8_MAX);
    key_put_number(k, "tp_src", false, ntoh16(t->tp_src), ntoh16(m->tp_src), UINT16_MAX);
    key_put_number(k, "tp_dst", false, ntoh16(t->tp_dst), ntoh16(m->tp_dst), UINT16_MAX);
    if (m->flags) {
        text_put(k->out, "flags(");
        mf_flags_format(&mf_tnl_flag_names, mf_tnl_flags_to_text(t->flags),
                        mf_tnl_flags_to_text(m->flags), UINT32_MAX, k->out);
        text_put(k->out, ")");
    }
    key_end(k, before, "tunnel");
}

static void put_label(const struct key_text *k) {
    const uint8_t *label = k->key->ct_label, *mask = k->mask->ct_label;
    uint8_t all[16];
    memset(all, 0xff, sizeof all);
    if (!key_any(mask, 16) && !k->more) {
        return;
    }
    text_put(k->out, "ct_label(");
    if (key_any(label, 16)) {
        text_put_hex(k->out, label, 16);
    } else {
        text_put(k->out, "0");
    }
    if (memcmp(mask, all, 16) != 0) {
        text_put(k->out, "/");
        if (key_any(mask, 16)) {
            text_put_hex(k->out, mask, 16);
        } else {
            text_put(k->out, "0");
        }
    }
    text_put(k->out, "),");
}

static void put_ct_tuple(const struct key_text *k) {
    const struct flow *f = k->key, *m = k->mask;
    bool v6 = key_any(m->ct_ipv6_src, 16) || key_any(m->ct_ipv6_dst, 16);
    const char *name = v6 ? "ct_tuple6" : "ct_tuple4";
    if (!m->ct_nw_proto && !m->ct_nw_src && !m->ct_nw_dst && !v6 && !m->ct_tp_src &&
        !m->ct_tp_dst) {
        return;
    }
    size_t before = key_begin(k, name);
    if (v6) {
        key_put_ipv6(k, "src", f->ct_ipv6_src, m->ct_ipv6_src);
        key_put_ipv6(k, "dst", f->ct_ipv6_dst, m->ct_ipv6_dst);
    } else {
        key_put_ipv4(k, "src", f->ct_nw_src, m->ct_nw_src);
        key_put_ipv4(k, "dst", f->ct_nw_dst, m->ct_nw_dst);
    }
    key_put_number(k, "proto", false, f->ct_nw_proto, m->ct_nw_proto, UINT8_MAX);
    key_put_number(k, "tp_src", false, ntoh16(f->ct_tp_src), ntoh16(m->ct_tp_src), UINT16_MAX);
    key_put_number(k, "tp_dst", false, ntoh16(f->ct_tp_dst), ntoh16(m->ct_tp_dst), UINT16_MAX);
    key_end(k, before, name);
}

void key_put_metadata(const struct key_text *k) {
    const struct flow *f = k->key, *m = k->mask;
    put_attribute(k, "skb_priority", f->skb_priority, m->skb_priority, UINT32_MAX);
    put_tunnel(k);
    put_attribute(k, "skb_mark", f->pkt_mark, m->pkt_mark, UINT32_MAX);
    key_put_flags(k, "ct_state", MFF_CT_STATE, f->ct_state, m->ct_state, UINT8_MAX);
    put_attribute(k, "ct_zone", f->ct_zone, m->ct_zone, UINT16_MAX);
    put_attribute(k, "ct_mark", f->ct_mark, m->ct_mark, UINT32_MAX);
    put_label(k);
    put_ct_tuple(k);
    put_attribute(k, "recirc_id", f->recirc_id, m->recirc_id, UINT32_MAX);
    put_attribute(k, "dp_hash", f->dp_hash, m->dp_hash, UINT32_MAX);
    const char *port = k->names && f->in_port < OFP_MAX_PORTS ? k->names->name[f->in_port] : "";
    if (port[0]) {
        text_put(k->out, "in_port(%s),", port);
    } else {
        text_put(k->out, "in_port(%u),", f->in_port);
    }
    uint32_t type = ntoh32(f->packet_type);
    text_put(k->out, "packet_type(ns=%u,id=%#x),", type >> 16, type & 0xffff);
}
