// Network headers: ARP, RARP, IPv4, IPv6 with its extension headers, NSH. Layouts are RFC 826, 791,
// 8200, 8300; which packets are refused how is Open vSwitch's (miniflow_extract).

#include <netinet/in.h>

#include "datapath/flow/flow_extract_private.h"

static_assert(offsetof(struct flow, nw_src) % 8 == 0 &&
                  offsetof(struct flow, nw_dst) == offsetof(struct flow, nw_src) + 4,
              "IPv4 addresses are one word");
static_assert(offsetof(struct flow, ipv6_dst) == offsetof(struct flow, ipv6_src) + 16,
              "IPv6 addresses are four words in a row");
static_assert(offsetof(struct flow, arp_tha) == offsetof(struct flow, arp_sha) + 6,
              "hardware addresses in a row");

// ARP and RARP for IPv4 over Ethernet; anything else has no fields.
void extract_arp(struct cursor c, struct key_writer *w) {
    static const uint8_t head[6] = {0, 1, 0x08, 0x00, 6, 4};
    if (c.left < ARP_LEN || memcmp(c.at, head, sizeof head) != 0) {
        return;
    }
    const uint8_t *sha = c.at + 8, *spa = c.at + 14, *tha = c.at + 18, *tpa = c.at + 24;
    unsigned op = ntoh16(load_be16(c.at + 6));
    uint8_t macs[16] = {0};
    memcpy(macs, sha, 6);
    memcpy(macs + 6, tha, 6);
    put_word(w, FLOW_WORD(nw_src), word_of_32s(load_32(spa), load_32(tpa)));
    // Only opcodes of one byte can be matched.
    put_ip_fields(w, (struct ip_fields){.proto = op <= UINT8_MAX ? (uint8_t)op : 0});
    put_bytes(w, FLOW_WORD(arp_sha), macs, 2);
}

void extract_nsh(struct cursor c, struct key_writer *w) {
    if (c.left < NSH_LEN) {
        return;
    }
    unsigned head = ntoh16(load_be16(c.at)); // Version 2, flags 2, TTL 6, length 6 bits.
    size_t length = (head & 0x3fu) * 4;
    bool md1 = c.at[2] == 1;
    if (head >> 14 != 0 || length > c.left || (md1 && length != NSH_MD1_LEN) ||
        (c.at[2] == 2 && length < NSH_LEN)) {
        return;
    }
    struct flow_nsh nsh = {.flags = head >> 12 & 3,
                           .ttl = head >> 6 & 0x3f,
                           .mdtype = c.at[2],
                           .np = c.at[3],
                           .path_hdr = load_be32(c.at + 4)};
    if (md1) {
        memcpy(nsh.context, c.at + NSH_LEN, sizeof nsh.context);
    }
    static_assert(sizeof nsh % 8 == 0, "whole words");
    put_bytes(w, FLOW_WORD(nsh), &nsh, sizeof nsh / 8);
}

bool extract_ipv4(struct cursor *c, struct key_writer *w, struct ip_fields *ip) {
    const uint8_t *at = c->at;
    if (unlikely(c->left < IPV4_LEN)) {
        return false;
    }
    size_t header = (at[0] & 15u) * 4u;
    size_t total = ntoh16(load_be16(at + 2));
    if (unlikely(header < IPV4_LEN || total < header || total > c->left)) {
        return false;
    }
    c->left = total; // Cuts off the padding of short frames.
    unsigned frag = ntoh16(load_be16(at + 6));
    uint8_t nw_frag = 0;
    if (unlikely(frag & 0x3fffu)) { // More fragments, or an offset.
        nw_frag = FLOW_FRAG_ANY | (frag & 0x1fffu ? FLOW_FRAG_LATER : 0);
    }
    const struct ip_fields f = {.frag = nw_frag, .tos = at[1], .ttl = at[8], .proto = at[9]};
    put_word(w, FLOW_WORD(nw_src), load_word(at + 12)); // Both addresses.
    put_ip_fields(w, f);
    pull(c, header);
    *ip = f;
    return true;
}

static inline bool is_ipv6_extension(uint8_t proto) {
    return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
           proto == IPPROTO_AH || proto == IPPROTO_FRAGMENT;
}

// An IPv6 extension header at the cursor, `next` being its number. False: it is not whole.
static bool skip_ipv6_extension(struct cursor *c, uint8_t *next, uint8_t *frag) {
    if (c->left < 8) {
        return false;
    }
    size_t length = 8;
    if (*next == IPPROTO_FRAGMENT) {
        unsigned offset_flags = ntoh16(load_be16(c->at + 2));
        if (offset_flags != 0) {
            *frag = FLOW_FRAG_ANY;
        }
        if (offset_flags & 0xfff8u) {
            *frag |= FLOW_FRAG_LATER;
            pull(c, length);
            return true; // What follows is payload: the number stays.
        }
    } else if (*next == IPPROTO_AH) {
        length = (c->at[1] + 2u) * 4u;
    } else {
        length = (c->at[1] + 1u) * 8u;
    }
    if (c->left < length) {
        return false;
    }
    *next = c->at[0];
    pull(c, length);
    return true;
}

// The addresses are kept if only an extension header contradicts the frame.
bool extract_ipv6(struct cursor *c, struct key_writer *w, struct ip_fields *ip) {
    const uint8_t *at = c->at;
    if (unlikely(c->left < IPV6_LEN)) {
        return false;
    }
    size_t payload = ntoh16(load_be16(at + 4));
    if (unlikely(payload > c->left - IPV6_LEN)) {
        return false;
    }
    put_bytes(w, FLOW_WORD(ipv6_src), at + 8, 4); // Both addresses.
    pull(c, IPV6_LEN);
    c->left = payload; // Cuts off padding.
    uint8_t next = at[6], frag = 0;
    // Ends: each round takes at least 8 bytes, or was the last.
    while (unlikely(is_ipv6_extension(next)) && !(frag & FLOW_FRAG_LATER)) {
        if (!skip_ipv6_extension(c, &next, &frag)) {
            return false;
        }
    }
    be32 head = load_be32(at); // Version 4, traffic class 8, label 20 bits.
    const struct ip_fields f = {.label = head & hton32(0xfffff),
                                .frag = frag,
                                .tos = (uint8_t)(ntoh32(head) >> 20),
                                .ttl = at[7],
                                .proto = next};
    put_ip_fields(w, f);
    *ip = f;
    return true;
}
