// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A generator. Run by BPF_PROG_TEST_RUN with live frames, it sends each frame that the kernel hands
// it out of the device in rs_gen_out, after writing the next flow's addresses into it.
//
// The kernel recycles the frames' pages and never restores their content, so a frame may come back
// as the last receiver left it (addresses swapped, TTL lowered). Each frame's headers are therefore
// written whole, from the copy in rs_gen_config, and never changed relative to what is there.
//
// Flow number f of a run sends from source address BASE + f / 16384 and UDP source port
// 49152 + f % 16384, so each f up to 2^24 is another 5-tuple. The IPv4 checksum follows; the UDP
// checksum stays 0 ("none", allowed over IPv4), which a receiver must accept.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "stats.h"

#define FLOW_PORT_BASE 49152
#define FLOW_PORT_BITS 14

// The headers of flow 0, laid out as on the wire.
struct gen_headers {
    struct ethhdr eth;
    struct iphdr ip;
    struct udphdr udp;
} __attribute__((packed));

// Writer: loader, before the run. Reader: the program. generator.py packs the same 52 bytes.
struct gen_config {
    __u32 flows;                // 0 = send the frame as it is, whatever its protocol
    __u32 source;               // flow 0's IPv4 source, host byte order
    struct gen_headers headers; // its ip.check is the sum for flow 0; its udp.check is 0
    __u16 unused;
};

// Flow of the next frame on this CPU. One writer and reader: the program on this CPU.
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} rs_gen_next SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct gen_config);
} rs_gen_config SEC(".maps");

// Entry 0 = the device to send from. Writer: loader. The kernel empties it when the device goes.
struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} rs_gen_out SEC(".maps");

RS_COUNTER_MAP(rs_gen_count, 1);

// RFC 1624: the checksum after the 32-bit source address (host order) went from BEFORE to AFTER.
static __always_inline __u16 checksum_replace(__u16 check, __u32 before, __u32 after) {
    __u32 sum = (__u16)~bpf_ntohs(check);

    sum += (__u16) ~(before >> 16) + (__u32)(__u16)~before;
    sum += (after >> 16) + (after & 0xffff);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return bpf_htons((__u16)~sum);
}

static __always_inline __u32 flow_next(__u32 flows) {
    __u32 key = 0;
    __u32 *next = bpf_map_lookup_elem(&rs_gen_next, &key);
    __u32 flow;

    if (!next)
        return 0;
    flow = *next < flows ? *next : 0;
    *next = flow + 1;
    return flow;
}

static __always_inline void headers_write(struct gen_headers *to, const struct gen_config *config) {
    __u32 flow = flow_next(config->flows);
    __u32 source = config->source + (flow >> FLOW_PORT_BITS);
    __u16 port = FLOW_PORT_BASE + (flow & ((1 << FLOW_PORT_BITS) - 1));

    __builtin_memcpy(to, &config->headers, sizeof(*to));
    to->ip.saddr = bpf_htonl(source);
    to->ip.check = checksum_replace(config->headers.ip.check, config->source, source);
    to->udp.source = bpf_htons(port);
}

SEC("xdp")
int rs_generate(struct xdp_md *ctx) {
    void *data = (void *)(long)ctx->data;
    void *data_end = (void *)(long)ctx->data_end;
    __u32 key = 0;
    struct gen_config *config = bpf_map_lookup_elem(&rs_gen_config, &key);
    __u32 action;

    if (!config)
        return XDP_ABORTED;
    if (config->flows) {
        if (data + sizeof(struct gen_headers) > data_end)
            return XDP_ABORTED;
        headers_write(data, config);
    }
    action = bpf_redirect_map(&rs_gen_out, 0, XDP_ABORTED);
    if (action == XDP_REDIRECT)
        counter_add(&rs_gen_count, 0, frame_length(ctx));
    return action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
