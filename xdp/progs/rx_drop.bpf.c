// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Counts and drops: the sink of a measurement, and task A of the paper's Table 5. What arrives here
// has been delivered to the device; nothing behind it can slow the sender down.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "stats.h"

RS_COUNTER_MAP(rs_count, 1);

SEC("xdp")
int rs_rx_drop(struct xdp_md *ctx) {
    counter_add(&rs_count, 0, frame_length(ctx));
    return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
