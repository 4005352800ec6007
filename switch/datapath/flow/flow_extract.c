// The extractor's door, and the straight runs behind it.
//
// What most packets are - Ethernet with one tag or none, IPv4 without options or IPv6 without extension
// headers, no fragments, UDP or TCP, with connection state or without - is tried first: a run with few
// branches that writes a key of known form. A packet that fails one of the conditions goes the
// long way (flow_extract_l2.c, _l3.c, _l4.c), with a function for each protocol. Both give the same key for
// the same packet.

#include <netinet/in.h>

#include "datapath/flow/flow_extract_private.h"

#define MAP1(field) (UINT64_C(1) << (FLOW_WORD(field) - FLOW_TNL_WORDS))

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

#define RUN static inline __attribute__((always_inline)) bool

// What a packet brings along from connection tracking. A label of zero is no word of the key.
enum tracking { UNTRACKED, TRACKED, LABELLED };

// What is known of a packet on its run.
struct run {
    struct dp_packet *p;
    const uint8_t *d; // The frame.
    struct dp_key *key;
    unsigned n;       // Words so far: known to the compiler, as is the map.
    uint64_t map;     // Bitmap word 1.
    unsigned len;     // Of the packet.
    unsigned l3;      // Where the network header begins.
    enum tracking ct; // Known to the compiler.
};

static inline void run_put(struct run *r, uint64_t map, uint64_t value) {
    r->map |= map;
    r->key->values[r->n++] = value;
}

// At the L4 header, whose first eight bytes are there. `left`: bytes of the IP packet from it on;
// `proto`: hton32() of the protocol. False: not whole, or neither UDP nor TCP.
RUN run_l4(struct run r, unsigned l4, be32 proto, int left) {
    const uint8_t *at = r.d + l4;
    bool udp = proto == hton32(IPPROTO_UDP);
    if (likely(udp)) {
        if (unlikely(left < UDP_LEN)) {
            return false;
        }
    } else {
        if (unlikely(proto != hton32(IPPROTO_TCP) || left < TCP_LEN)) {
            return false;
        }
        int header = (at[12] >> 4) * 4;
        if (unlikely(header < TCP_LEN || header > left)) {
            return false;
        }
        be16 flags = load_be16(at + 12) & hton16(0x0fff);
        run_put(&r, MAP1(tcp_flags), word_of_32s(0, word32_of_16s(flags, 0)));
    }
    run_put(&r, MAP1(tp_src), word_of_32s(load_32(at), r.ct == UNTRACKED ? 0 : load_ct_ports(r.p)));
    set_form(r.key, (struct flowmap){{0, r.map}}, r.n);
    set_offsets(r.p, (uint16_t)r.l3, (uint16_t)l4, udp ? IPPROTO_UDP : IPPROTO_TCP);
    return true;
}

// EtherType IPv4 and, behind it, a header of five words. Its version is not looked at.
static inline bool is_plain_ipv4(const uint8_t *ethertype) {
    return (load_be32(ethertype) & hton32(0xffff0f00)) == hton32(0x08000500);
}

RUN run_ipv4(struct run r) {
    const uint8_t *ip = r.d + r.l3;
    if (unlikely(r.len < r.l3 + IPV4_LEN + UDP_LEN)) {
        return false;
    }
    unsigned total = ntoh16(load_be16(ip + 2));
    if (unlikely(total > r.len - r.l3)) {
        return false;
    }
    be32 frag_ttl_proto = load_be32(ip + 6);
    run_put(&r, MAP1(nw_src), load_word(ip + 12)); // Both addresses.
    run_put(
        &r, MAP1(ipv6_label),
        word_of_32s(0, word32_of_bytes(0, ip[1], 0, 0) | (frag_ttl_proto & hton32(0x0000ffff))));
    // A fragment is of no protocol here: its bits stay in.
    be32 proto = frag_ttl_proto & hton32(0x3fff00ff);
    return run_l4(r, r.l3 + IPV4_LEN, proto, (int)total - IPV4_LEN);
}

RUN run_ipv6(struct run r) {
    const uint8_t *ip = r.d + r.l3;
    if (unlikely(r.len < r.l3 + IPV6_LEN + UDP_LEN)) {
        return false;
    }
    unsigned payload = ntoh16(load_be16(ip + 4));
    if (unlikely(payload > r.len - r.l3 - IPV6_LEN)) {
        return false;
    }
    be32 head = load_be32(ip);
    uint8_t tclass = (uint8_t)(ntoh32(head) >> 20);
    run_put(&r, MAP1(ipv6_src), load_word(ip + 8));
    run_put(&r, MAP1(ipv6_src) << 1, load_word(ip + 16));
    run_put(&r, MAP1(ipv6_dst), load_word(ip + 24));
    run_put(&r, MAP1(ipv6_dst) << 1, load_word(ip + 32));
    run_put(&r, MAP1(ipv6_label),
            word_of_32s(head & hton32(0xfffff), word32_of_bytes(0, tclass, ip[7], ip[6])));
    return run_l4(r, r.l3 + IPV6_LEN, hton32(ip[6]), (int)payload);
}

// Metadata and the Ethernet header with its one tag, if it has one.
RUN run_ethernet(struct run *r, bool tagged) {
    const struct dp_packet *p = r->p;
    run_put(r, MAP1(dp_hash), load_word(&p->dp_hash));
    run_put(r, MAP1(recirc_id), word_of_32s(p->recirc_id, r->ct == UNTRACKED ? 0 : load_ct(p)));
    if (r->ct != UNTRACKED) {
        run_put(r, MAP1(ct_mark), word_of_32s(p->ct_mark, 0));
    }
    if (r->ct == LABELLED) {
        run_put(r, MAP1(ct_label), load_word(p->ct_label));
        run_put(r, MAP1(ct_label) << 1, load_word(p->ct_label + 8));
    }
    run_put(r, MAP1(dl_dst), load_word(r->d));
    if (!tagged) {
        run_put(r, MAP1(dl_type), word_first6(load_word(r->d + 8)));
        r->l3 = ETH_LEN;
        return true;
    }
    run_put(r, MAP1(dl_type),
            word_of_32s(load_32(r->d + 8), word32_of_16s(load_be16(r->d + 16), 0)));
    run_put(r, MAP1(vlans),
            word_of_32s(load_32(r->d + 12) | word32_of_16s(0, hton16(FLOW_VLAN_CFI)), 0));
    r->l3 = ETH_LEN + VLAN_LEN;
    return true;
}

// True if one of the runs was this packet's; what else has been written then does not count.
RUN extract_straight(struct dp_packet *p, struct dp_key *key, enum tracking ct) {
    struct run r = {.p = p, .d = p->data, .key = key, .len = p->len, .ct = ct};
    if (unlikely(r.len < ETH_LEN + IPV4_LEN + UDP_LEN)) { // None of them is shorter.
        return false;
    }
    if (likely(is_plain_ipv4(r.d + 12))) {
        return run_ethernet(&r, false) && run_ipv4(r);
    }
    be16 type = load_be16(r.d + 12);
    if (type == ETHERTYPE_IPV6) {
        return run_ethernet(&r, false) && run_ipv6(r);
    }
    if (is_vlan_type(type)) {
        if (is_plain_ipv4(r.d + 16)) {
            return run_ethernet(&r, true) && run_ipv4(r);
        }
        if (load_be16(r.d + 16) == ETHERTYPE_IPV6) {
            return run_ethernet(&r, true) && run_ipv6(r);
        }
    }
    return false;
}

// Packets that come back from connection tracking; and all that goes the long way.
static __attribute__((noinline)) enum drop_reason extract_others(struct dp_packet *p,
                                                                 struct dp_key *key,
                                                                 unsigned baggage) {
    bool straight = false;
    if (baggage == PKT_HAS_CT && load_word(&p->skb_priority) == 0) {
        straight = has_ct_label(p) ? extract_straight(p, key, LABELLED)
                                   : extract_straight(p, key, TRACKED);
    }
    return straight ? DROP_NONE : extract_any(p, key);
}

enum drop_reason flow_extract(struct dp_packet *p, struct dp_key *key) {
    unsigned baggage = p->flags & (PKT_HAS_CT | PKT_HAS_TUNNEL | PKT_NOT_ETHERNET);
    if (likely(baggage == 0) && likely(load_word(&p->skb_priority) == 0) &&
        likely(extract_straight(p, key, UNTRACKED))) {
        return DROP_NONE;
    }
    return extract_others(p, key, baggage);
}

enum drop_reason flow_extract_full(struct dp_packet *p, struct flow *flow) {
    struct dp_key key;
    enum drop_reason reason = flow_extract(p, &key);
    miniflow_expand(dp_key_miniflow(&key), flow);
    return reason;
}
