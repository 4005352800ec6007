// The AF_XDP socket interface: <linux/if_xdp.h>, with what headers older than the running kernel
// lack.

#ifndef RINGSIDE_PORT_IF_XDP_COMPAT_H
#define RINGSIDE_PORT_IF_XDP_COMPAT_H

#include <linux/if_xdp.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef XDP_USE_NEED_WAKEUP // 5.4
#define XDP_USE_NEED_WAKEUP (1 << 3)
#endif
#ifndef XDP_RING_NEED_WAKEUP // 5.4
#define XDP_RING_NEED_WAKEUP (1 << 0)
#endif
#ifndef XDP_OPTIONS // 5.3
#define XDP_OPTIONS          8
#define XDP_OPTIONS_ZEROCOPY (1 << 0)
#endif
#ifndef XDP_MAX_TX_SKB_BUDGET // 6.17
#define XDP_MAX_TX_SKB_BUDGET 9
#endif

// XDP_MMAP_OFFSETS in both its forms, which only the length of the answer tells apart: 128 bytes
// since 5.4, 96 bytes, without `flags` and with it without need-wakeup, before.
struct xsk_ring_offset {
    uint64_t producer, consumer, desc, flags;
};

struct xsk_offsets {
    struct xsk_ring_offset rx, tx, fill, comp;
};

struct xsk_ring_offset_v1 {
    uint64_t producer, consumer, desc;
};

struct xsk_offsets_v1 {
    struct xsk_ring_offset_v1 rx, tx, fill, comp;
};

#endif
