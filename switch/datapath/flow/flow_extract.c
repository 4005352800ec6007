// The extractor's door, and what lies before the network header: metadata, Ethernet, VLAN tags, MPLS.
//
// Two ways through. What most packets are - Ethernet without tags, IPv4 without options or
// fragments, UDP or TCP - is tried first, in one straight run that writes a key of known form. Everything
// else, that is all that fails one of its conditions, goes through the functions for each protocol with
// a cursor and a writer. Both ways give the same key for the same packet: it is the second way's form.

#include <netinet/in.h>

#include "datapath/flow/flow_extract_private.h"

#define MAP1(field) (UINT64_C(1) << (FLOW_WORD(field) - FLOW_TNL_WORDS))

// The straight run's map: every packet's metadata, Ethernet, IPv4, ports; TCP has its flags on top.
#define MAP_UDP                                                                      \
    (MAP1(dp_hash) | MAP1(recirc_id) | MAP1(dl_dst) | MAP1(dl_type) | MAP1(nw_src) | \
     MAP1(ipv6_label) | MAP1(tp_src))
#define MAP_TCP (MAP_UDP | MAP1(tcp_flags))

enum { UDP_WORDS = 7, TCP_WORDS = 8 };

static_assert(offsetof(struct flow, skb_priority) % 8 == 0 &&
                  FLOW_WORD(pkt_mark) == FLOW_WORD(skb_priority) &&
                  offsetof(struct flow, dp_hash) % 8 == 0 &&
                  FLOW_WORD(in_port) == FLOW_WORD(dp_hash) &&
                  offsetof(struct flow, recirc_id) % 8 == 0 &&
                  offsetof(struct flow, ct_mark) % 8 == 0 &&
                  FLOW_WORD(packet_type) == FLOW_WORD(ct_mark),
              "metadata comes in pairs");
static_assert(offsetof(struct dp_packet, skb_priority) % 8 == 0 &&
                  offsetof(struct dp_packet, pkt_mark) ==
                      offsetof(struct dp_packet, skb_priority) + 4 &&
                  offsetof(struct dp_packet, dp_hash) % 8 == 0 &&
                  offsetof(struct dp_packet, in_port) == offsetof(struct dp_packet, dp_hash) + 4,
              "and so it does in struct dp_packet");
static_assert(offsetof(struct flow, dl_dst) % 8 == 0 &&
                  offsetof(struct flow, dl_type) == offsetof(struct flow, dl_dst) + 12,
              "the Ethernet header lies in struct flow as on the wire");
static_assert(offsetof(struct flow, vlans) % 8 == 0 && sizeof((struct flow *)0)->vlans == 8,
              "two tags are one word");
static_assert(offsetof(struct flow, mpls_lse) % 8 == 0, "labels begin at a word");

static inline void set_form(struct dp_key *key, struct flowmap map, unsigned words) {
    key->hash = 0;
    key->words = words;
    key->map = map;
}

static inline void set_offsets(struct dp_packet *p, uint16_t l3, uint16_t l4, uint8_t proto) {
    p->l2_5_ofs = RS_OFS_NONE;
    p->l3_ofs = l3;
    p->l4_ofs = l4;
    p->l4_proto = proto;
}

// ---- the straight run ---------------------------------------------------------------------------

// True if the packet was of that kind; nothing else that is written then counts.
static inline bool extract_common(struct dp_packet *p, struct dp_key *key) {
    enum { IP = ETH_LEN, L4 = ETH_LEN + IPV4_LEN };
    const uint8_t *d = p->data;
    uint64_t *v = key->values;
    if (unlikely(p->len < L4 + UDP_LEN)) {
        return false;
    }
    bool plain = (p->flags & (PKT_HAS_CT | PKT_HAS_TUNNEL | PKT_NOT_ETHERNET)) == 0 &&
                 load_word(&p->skb_priority) == 0;
    // EtherType IPv4, and a header of five words (the version is not looked at).
    bool ipv4 = (load_be32(d + 12) & hton32(0xffff0f00)) == hton32(0x08000500);
    bool whole = (load_be16(d + IP + 6) & hton16(0x3fff)) == 0;
    unsigned total = ntoh16(load_be16(d + IP + 2));
    if (unlikely(!plain || !ipv4 || !whole || total > p->len - (unsigned)ETH_LEN)) {
        return false;
    }
    v[0] = load_word(&p->dp_hash);
    v[1] = word_of_32s(p->recirc_id, 0);
    v[2] = load_word(d);
    v[3] = word_first6(load_word(d + 8));
    v[4] = load_word(d + IP + 12);
    uint8_t proto = d[IP + 9];
    const uint8_t fields[8] = {0, 0, 0, 0, 0, d[IP + 1], d[IP + 8], proto};
    v[5] = load_word(fields);
    if (likely(proto == IPPROTO_UDP)) {
        if (unlikely(total < IPV4_LEN + UDP_LEN)) {
            return false;
        }
        v[6] = word_of_32s(load_32(d + L4), 0);
        set_form(key, (struct flowmap){{0, MAP_UDP}}, UDP_WORDS);
    } else {
        if (unlikely(proto != IPPROTO_TCP || total < IPV4_LEN + TCP_LEN)) {
            return false;
        }
        size_t header = (d[L4 + 12] >> 4) * 4u;
        if (unlikely(header < TCP_LEN || header > total - IPV4_LEN)) {
            return false;
        }
        be16 flags[2] = {load_be16(d + L4 + 12) & hton16(0x0fff), 0};
        v[6] = word_of_32s(0, load_32(flags));
        v[7] = word_of_32s(load_32(d + L4), 0);
        set_form(key, (struct flowmap){{0, MAP_TCP}}, TCP_WORDS);
    }
    set_offsets(p, IP, L4, proto);
    return true;
}

// ---- any packet ---------------------------------------------------------------------------------

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
    struct {
        uint32_t recirc_id;
        uint8_t state, nw_proto;
        uint16_t zone;
    } tracked = {p->recirc_id, p->ct_state, p->ct_nw_proto, p->ct_zone};
    static_assert(sizeof tracked == 8 &&
                      offsetof(struct flow, ct_state) == offsetof(struct flow, recirc_id) + 4,
                  "a word");
    put_bytes(w, FLOW_WORD(recirc_id), &tracked, 1);
    put_word(w, FLOW_WORD(ct_mark), word_of_32s(p->ct_mark, packet_type));
    put_bytes(w, FLOW_WORD(ct_label), p->ct_label, 2);
}

static inline bool is_vlan_type(be16 type) {
    return type == hton16(0x8100) || type == hton16(0x88a8);
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
    be16 type[2] = {dl_type, 0};
    put_word(w, FLOW_WORD(dl_dst), load_word(macs));
    put_word(w, FLOW_WORD(dl_type), word_of_32s(load_32(macs + 8), load_32(type)));
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
    uint32_t ct_ports = 0;
    if (p->flags & PKT_HAS_CT) {
        be16 ports[2] = {p->ct_tp_src, p->ct_tp_dst};
        ct_ports = load_32(ports);
    }
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
        be16 type[2] = {dl_type, 0};
        put_word(w, FLOW_WORD(dl_type), word_of_32s(0, load_32(type)));
    }
    if (flow_is_mpls(dl_type)) {
        p->l2_5_ofs = offset_of(p, &c);
        extract_mpls(&c, w);
    }
    p->l3_ofs = offset_of(p, &c);
    extract_network(p, c, dl_type, w);
}

static __attribute__((noinline)) enum drop_reason extract_any(struct dp_packet *p,
                                                              struct dp_key *key) {
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

enum drop_reason flow_extract(struct dp_packet *p, struct dp_key *key) {
    return likely(extract_common(p, key)) ? DROP_NONE : extract_any(p, key);
}

enum drop_reason flow_extract_full(struct dp_packet *p, struct flow *flow) {
    struct dp_key key;
    enum drop_reason reason = flow_extract(p, &key);
    miniflow_expand(dp_key_miniflow(&key), flow);
    return reason;
}
