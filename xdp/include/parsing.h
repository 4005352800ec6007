// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A cursor over a frame, and one helper per header.
//
// Each helper checks that its header lies within the frame, hands it out, moves the cursor behind it
// and answers what comes next: an EtherType or an IP protocol number in host byte order. When the
// header is cut off or not what it says, the answer is -1 and parsing is over. Nothing is read that
// was not checked: the verifier holds us to it, and a test feeds every length of many frames.
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

// Tags followed: a service tag and a customer's within (QinQ). A third is left for the caller to see.
#define RS_VLAN_DEPTH 2
// IPv6 extension headers followed. The switch's own extractor takes more; a program that only counts
// need not, and each turn of the loop is code for the verifier to walk.
#define RS_IPV6_EXTENSIONS 4

struct rs_cursor {
    void *at;  // the next byte not yet parsed
    void *end; // one behind the last byte of the frame
};

struct rs_vlan_header {
    __be16 tci;
    __be16 proto;
};

struct rs_ipv6_option_header {
    __u8 next;
    __u8 length; // in units of 8 bytes, the first 8 not counted
};

static __always_inline struct rs_cursor cursor_start(const struct xdp_md *ctx) {
    struct rs_cursor cursor = {
        .at = (void *)(long)ctx->data,
        .end = (void *)(long)ctx->data_end,
    };

    return cursor;
}

static __always_inline int parse_ethernet(struct rs_cursor *cursor, struct ethhdr **header) {
    struct ethhdr *eth = cursor->at;

    if ((void *)(eth + 1) > cursor->end)
        return -1;
    *header = eth;
    cursor->at = eth + 1;
    return bpf_ntohs(eth->h_proto);
}

// Takes the EtherType that came before, and passes through one that is no VLAN tag.
static __always_inline int parse_vlans(struct rs_cursor *cursor, int proto) {
    for (int depth = 0; depth < RS_VLAN_DEPTH; depth++) {
        struct rs_vlan_header *tag = cursor->at;

        if (proto != ETH_P_8021Q && proto != ETH_P_8021AD)
            break;
        if ((void *)(tag + 1) > cursor->end)
            return -1;
        cursor->at = tag + 1;
        proto = bpf_ntohs(tag->proto);
    }
    return proto;
}

// Whether the packet is a fragment behind the first is for the caller to ask of the header: what
// follows is then not the protocol's header.
static __always_inline int parse_ipv4(struct rs_cursor *cursor, struct iphdr **header) {
    struct iphdr *ip = cursor->at;
    __u32 length;

    if ((void *)(ip + 1) > cursor->end || ip->version != 4)
        return -1;
    length = ip->ihl * 4;
    if (length < sizeof(*ip) || cursor->at + length > cursor->end)
        return -1;
    *header = ip;
    cursor->at += length;
    return ip->protocol;
}

// Follows hop-by-hop, routing and destination headers. A fragment header ends the walk and is the
// answer (44), as is whatever stands behind the last header that we follow.
static __always_inline int parse_ipv6(struct rs_cursor *cursor, struct ipv6hdr **header) {
    struct ipv6hdr *ip = cursor->at;
    int next;

    if ((void *)(ip + 1) > cursor->end || ip->version != 6)
        return -1;
    next = ip->nexthdr;
    *header = ip;
    void *at = ip + 1;

    for (int i = 0; i < RS_IPV6_EXTENSIONS; i++) {
        struct rs_ipv6_option_header *option = at;

        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
            break;
        if ((void *)(option + 1) > cursor->end)
            return -1;
        next = option->next;
        at += (option->length + 1) * 8;
        if (at > cursor->end)
            return -1;
    }
    cursor->at = at;
    return next;
}

// The length field is for the caller: 0 is right in an IPv6 jumbogram.
static __always_inline int parse_udp(struct rs_cursor *cursor, struct udphdr **header) {
    struct udphdr *udp = cursor->at;

    if ((void *)(udp + 1) > cursor->end)
        return -1;
    *header = udp;
    cursor->at = udp + 1;
    return 0;
}

static __always_inline int parse_tcp(struct rs_cursor *cursor, struct tcphdr **header) {
    struct tcphdr *tcp = cursor->at;
    __u32 length;

    if ((void *)(tcp + 1) > cursor->end)
        return -1;
    length = tcp->doff * 4;
    if (length < sizeof(*tcp) || cursor->at + length > cursor->end)
        return -1;
    *header = tcp;
    cursor->at += length;
    return 0;
}
