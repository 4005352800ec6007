// The long way: any packet, whatever it brings along. Here what lies before the network header:
// metadata, Ethernet, VLAN tags, MPLS.

#include "datapath/flow/flow_extract_private.h"

static_assert(offsetof(struct flow, vlans) % 8 == 0 && sizeof((struct flow *)0)->vlans == 8,
              "two tags are one word");
static_assert(offsetof(struct flow, mpls_lse) % 8 == 0, "labels begin at a word");

// Words of the tunnel that are not zero; returns their map.
static uint64_t put_tunnel(const struct flow_tnl *tunnel, uint64_t **at) {
    uint64_t map = 0;
    const uint64_t *words = (const uint64_t *)(const void *)tunnel;
    for (unsigned i = 0; i < FLOW_TNL_WORDS; i++) {
        if (words[i] != 0) {
            map |= UINT64_C(1) << i;
            *(*at)++ = words[i];
        }
    }
    return map;
}

static void put_metadata(const struct dp_packet *p, struct key_writer *w) {
    bool ct = p->flags & PKT_HAS_CT;
    be32 packet_type = p->flags & PKT_NOT_ETHERNET ? p->packet_type : 0;
    if (p->skb_priority | p->pkt_mark) {
        put_word(w, FLOW_WORD(skb_priority), load_word(&p->skb_priority));
    }
    put_word(w, FLOW_WORD(dp_hash), load_word(&p->dp_hash));
    if (likely(!ct)) {
        put_word(w, FLOW_WORD(recirc_id), word_of_32s(p->recirc_id, 0));
        if (packet_type) {
            put_word(w, FLOW_WORD(ct_mark), word_of_32s(0, packet_type));
        }
        return;
    }
    put_word(w, FLOW_WORD(recirc_id), word_of_32s(p->recirc_id, load_ct(p)));
    put_word(w, FLOW_WORD(ct_mark), word_of_32s(p->ct_mark, packet_type));
    if (has_ct_label(p)) {
        put_bytes(w, FLOW_WORD(ct_label), p->ct_label, 2);
    }
}

// At the EtherType field. Tags are taken while the EtherType behind them is there too.
static inline unsigned read_vlans(struct cursor *c, struct flow_vlan vlans[FLOW_MAX_VLANS]) {
    unsigned n = 0;
    while (n < FLOW_MAX_VLANS && is_vlan_type(load_be16(c->at)) && c->left >= VLAN_LEN + 2) {
        vlans[n].tpid = load_be16(c->at);
        vlans[n].tci = load_be16(c->at + 2) | hton16(FLOW_VLAN_CFI);
        pull(c, VLAN_LEN);
        n++;
    }
    return n;
}

// At the EtherType field: EtherType, or 802.3 length with LLC/SNAP behind it.
static inline be16 read_dl_type(struct cursor *c) {
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    be16 type = load_be16(c->at);
    pull(c, 2);
    if (likely(ntoh16(type) >= ETHERTYPE_MIN)) {
        return type;
    }
    if (c->left < SNAP_LEN || memcmp(c->at, snap, sizeof snap) != 0) {
        return hton16(FLOW_DL_TYPE_NONE);
    }
    type = load_be16(c->at + 6);
    pull(c, SNAP_LEN);
    return ntoh16(type) >= ETHERTYPE_MIN ? type : hton16(FLOW_DL_TYPE_NONE);
}

// A frame of ETH_LEN bytes or more. Returns its EtherType, with the cursor behind it.
static be16 extract_ethernet(struct cursor *c, struct key_writer *w) {
    const uint8_t *macs = c->at;
    struct flow_vlan vlans[FLOW_MAX_VLANS] = {0};
    pull(c, 12);
    unsigned n_vlans = read_vlans(c, vlans);
    be16 dl_type = read_dl_type(c);
    put_word(w, FLOW_WORD(dl_dst), load_word(macs));
    put_word(w, FLOW_WORD(dl_type), word_of_32s(load_32(macs + 8), word32_of_16s(dl_type, 0)));
    if (n_vlans > 0) {
        put_bytes(w, FLOW_WORD(vlans), vlans, 1);
    }
    return dl_type;
}

// All labels down to the bottom of the stack are passed, the first ones are in the key. What they
// carry is not looked at.
static void extract_mpls(struct cursor *c, struct key_writer *w) {
    be32 lse[FLOW_MAX_MPLS + 1] = {0};
    unsigned n = 0;
    bool bottom = false;
    for (; c->left >= MPLS_LEN && !bottom; n++) {
        bottom = c->at[2] & 1;
        if (n < FLOW_MAX_MPLS) {
            lse[n] = load_be32(c->at);
        }
        pull(c, MPLS_LEN);
    }
    if (n > 0) {
        put_bytes(w, FLOW_WORD(mpls_lse), lse, n > 2 ? 2 : 1);
    }
}

static inline uint16_t offset_of(const struct dp_packet *p, const struct cursor *c) {
    return (uint16_t)(c->at - p->data);
}

// At the network header.
static void extract_network(struct dp_packet *p, struct cursor c, be16 dl_type,
                            struct key_writer *w) {
    struct ip_fields ip;
    bool good;
    if (dl_type == ETHERTYPE_IPV4) {
        good = extract_ipv4(&c, w, &ip);
    } else if (dl_type == ETHERTYPE_IPV6) {
        good = extract_ipv6(&c, w, &ip);
    } else {
        if (dl_type == ETHERTYPE_ARP || dl_type == ETHERTYPE_RARP) {
            extract_arp(c, w);
        } else if (dl_type == ETHERTYPE_NSH) {
            extract_nsh(c, w);
        }
        return;
    }
    if (unlikely(!good)) {
        return;
    }
    p->l4_proto = ip.proto;
    uint32_t ct_ports = p->flags & PKT_HAS_CT ? load_ct_ports(p) : 0;
    if (likely(!(ip.frag & FLOW_FRAG_LATER)) && extract_l4(c, w, ip.proto, ct_ports) &&
        likely(ip.frag == 0)) {
        p->l4_ofs = offset_of(p, &c);
    }
}

static void extract_headers(struct dp_packet *p, struct key_writer *w) {
    struct cursor c = {.at = p->data, .left = p->len};
    be16 dl_type;
    if (likely(!(p->flags & PKT_NOT_ETHERNET))) {
        dl_type = extract_ethernet(&c, w);
    } else {
        dl_type = hton16((uint16_t)ntoh32(p->packet_type));
        put_word(w, FLOW_WORD(dl_type), word_of_32s(0, word32_of_16s(dl_type, 0)));
    }
    if (flow_is_mpls(dl_type)) {
        p->l2_5_ofs = offset_of(p, &c);
        extract_mpls(&c, w);
    }
    p->l3_ofs = offset_of(p, &c);
    extract_network(p, c, dl_type, w);
}

enum drop_reason extract_any(struct dp_packet *p, struct dp_key *key) {
    struct flowmap map = {{0, 0}};
    struct key_writer w = {.at = key->values, .map = 0};
    set_offsets(p, RS_OFS_NONE, RS_OFS_NONE, 0);
    if (p->flags & PKT_HAS_TUNNEL) {
        map.bits[0] = put_tunnel(p->tunnel, &w.at);
    }
    put_metadata(p, &w);
    bool runt = p->len < ETH_LEN && !(p->flags & PKT_NOT_ETHERNET);
    if (likely(!runt)) {
        extract_headers(p, &w);
    }
    map.bits[1] = w.map;
    set_form(key, map, (unsigned)(w.at - key->values));
    return runt ? DROP_RUNT : DROP_NONE;
}
