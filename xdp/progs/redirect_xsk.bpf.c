// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Every packet goes to the socket of the queue it came in on; where no socket is bound the kernel's
// stack gets it, so a device stays usable while the switch starts, re-binds or has left.
//
// The program looks at no header: classification is the switch's work, and each header read here
// costs every packet (the paper's Table 5 puts a figure on it).
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "stats.h"

RS_XSK_MAP(rs_xsks);
RS_COUNTER_MAP(rs_actions, RS_ACTIONS);

SEC("xdp")
int rs_redirect_xsk(struct xdp_md *ctx) {
    // The helper itself looks the queue up and answers XDP_REDIRECT, or, when nothing is bound, the
    // action in its last argument. Its answer is the decision; asking the map first would pay for
    // the same lookup twice and could disagree with it.
    __u32 action = bpf_redirect_map(&rs_xsks, ctx->rx_queue_index, XDP_PASS);

    counter_add(&rs_actions, action, frame_length(ctx));
    return action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
