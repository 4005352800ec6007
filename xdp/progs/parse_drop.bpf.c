// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Parses Ethernet, VLAN tags, IPv4 or IPv6 and the transport header, counts the packet under what it
// is, and drops it: task B of the paper's Table 5. Against rx_drop it shows what reading headers costs.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "parsing.h"
#include "stats.h"

// Keys of rs_kinds; counters.py knows the same order.
enum rs_kind {
    KIND_OTHER,     // not IP, or an IP protocol without a name here
    KIND_TRUNCATED, // some header does not fit the frame, or contradicts itself
    KIND_ARP,
    KIND_ICMP, // ICMP and ICMPv6
    KIND_TCP,
    KIND_UDP,
    KIND_FRAGMENT, // any fragment: the later ones have no transport header
    KIND_COUNT,
};

#define FRAGMENT_BITS 0x3fff // more fragments, and the offset

RS_COUNTER_MAP(rs_kinds, KIND_COUNT);

static __always_inline enum rs_kind kind_transport(struct rs_cursor *cursor, int protocol) {
    struct udphdr *udp;
    struct tcphdr *tcp;

    switch (protocol) {
    case -1: return KIND_TRUNCATED;
    case IPPROTO_UDP: return parse_udp(cursor, &udp) < 0 ? KIND_TRUNCATED : KIND_UDP;
    case IPPROTO_TCP: return parse_tcp(cursor, &tcp) < 0 ? KIND_TRUNCATED : KIND_TCP;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: return KIND_ICMP;
    case IPPROTO_FRAGMENT: return KIND_FRAGMENT;
    default: return KIND_OTHER;
    }
}

static __always_inline enum rs_kind kind_parse(struct rs_cursor *cursor) {
    struct ethhdr *eth;
    struct iphdr *ip;
    struct ipv6hdr *ip6;
    int next = parse_ethernet(cursor, &eth);

    next = parse_vlans(cursor, next);
    switch (next) {
    case -1: return KIND_TRUNCATED;
    case ETH_P_ARP: return KIND_ARP;
    case ETH_P_IP:
        next = parse_ipv4(cursor, &ip);
        if (next >= 0 && (bpf_ntohs(ip->frag_off) & FRAGMENT_BITS))
            return KIND_FRAGMENT;
        return kind_transport(cursor, next);
    case ETH_P_IPV6: return kind_transport(cursor, parse_ipv6(cursor, &ip6));
    default: return KIND_OTHER;
    }
}

SEC("xdp")
int rs_parse_drop(struct xdp_md *ctx) {
    struct rs_cursor cursor = cursor_start(ctx);

    counter_add(&rs_kinds, kind_parse(&cursor), frame_length(ctx));
    return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
