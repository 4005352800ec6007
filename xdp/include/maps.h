// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Map definitions that more than one program uses. A program names its maps rs_*: the kernel keeps
// 15 characters of a name, and the prefix is how our objects are told from other people's.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "stats.h"

// Receive queues that one device can feed to sockets. A queue with a higher number is passed to the
// kernel; the control plane refuses such a device before it comes to that.
#define RS_MAX_QUEUES 64

// Actions are counted under their own number, XDP_ABORTED (0) to XDP_REDIRECT (4).
#define RS_ACTIONS (XDP_REDIRECT + 1)

// A map of sockets: key = receive queue, value = AF_XDP socket bound to exactly that queue.
// Writer: control plane, when a socket is bound or about to be closed. Reader: the program.
#define RS_XSK_MAP(map_name)                \
    struct {                                \
        __uint(type, BPF_MAP_TYPE_XSKMAP);  \
        __uint(max_entries, RS_MAX_QUEUES); \
        __type(key, __u32);                 \
        __type(value, __u32);               \
    } map_name SEC(".maps")

// SIZE counters, one copy per CPU. Owners: see struct rs_counter.
#define RS_COUNTER_MAP(map_name, size)           \
    struct {                                     \
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
        __uint(max_entries, size);               \
        __type(key, __u32);                      \
        __type(value, struct rs_counter);        \
    } map_name SEC(".maps")
