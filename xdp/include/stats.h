// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The counters that the programs keep and Python reads (xdp/loader/counters.py).
//
// Each counter lives in a per-CPU array, so that counting takes no lock and shares no cache line:
// the one writer of an entry is the CPU that runs the program, in softirq; the one reader is the
// loader, which sums the CPUs' copies. A sum taken while packets flow may be a few packets old, and
// its two fields may be one packet apart: never torn, never negative.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

// Changing this changes counters.py: both sides know 16 bytes, packets first.
struct rs_counter {
    __u64 packets; // writer: this CPU's program; reader: loader
    __u64 bytes;   // from the first byte of Ethernet to the last of payload, no FCS; same owners
};

static __always_inline __u64 frame_length(const struct xdp_md *ctx) {
    return (__u64)ctx->data_end - (__u64)ctx->data;
}

// Adds one packet to entry KEY. A key outside the map counts nothing: the verifier wants the check,
// and every caller's key is below the map's size by construction.
static __always_inline void counter_add(void *map, __u32 key, __u64 bytes) {
    struct rs_counter *counter = bpf_map_lookup_elem(map, &key);

    if (counter) {
        counter->packets++;
        counter->bytes += bytes;
    }
}
