// All that Python may see of the switch, and nothing more. cffi reads this file as it stands: plain
// structs, opaque handles, functions. Strings are NUL-terminated UTF-8.
//
// Functions that can fail return 0 or a negative errno and fill `err` (which may be NULL). All of
// them may be called from any one thread at a time (the control thread); none may be called from a
// PMD.

#ifndef RINGSIDE_API_SWITCH_API_H
#define RINGSIDE_API_SWITCH_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rs_switch rs_switch;

struct rs_error {
    int code;          // Positive errno.
    char field[64];    // Which input is at fault ("priority", "nw_src", "bind"); may be empty.
    char message[256]; // What was found.
    char hint[256];    // The way out; may be empty.
};

struct rs_switch_config {
    char name[16];
    bool threaded; // false: no PMD thread; rs_switch_poll() runs an iteration (tests).
    bool busy;     // true: never sleep. false: sleep after spin_us without a packet.
    uint32_t spin_us;
    int cpu;                // Core that the PMD thread is pinned to, -1 = none.
    uint32_t umem_frames;   // Frames (4096 bytes each) of each umem; 0 = 16384.
    bool share_umem;        // Ports share a umem where the kernel can.
    uint32_t mac_ageing_ms; // 0 = 300000.
    uint32_t mac_entries;   // 0 = 8192.
};

int rs_switch_create(const struct rs_switch_config *config, rs_switch **out, struct rs_error *err);
// Removes all ports, stops the PMD, frees everything.
void rs_switch_destroy(rs_switch *sw);
// One PMD iteration in the caller's thread; returns packets received. Only when not threaded.
int rs_switch_poll(rs_switch *sw);
// Moves the switch's idea of time forward (tests of ageing). Only when not threaded.
void rs_switch_warp(rs_switch *sw, uint64_t ms);

// ---- ports -----------------------------------------------------------------------------------

enum rs_port_type { RS_PORT_AFXDP, RS_PORT_TAP, RS_PORT_INTERNAL, RS_PORT_DUMMY };
enum rs_bind_mode { RS_BIND_AUTO, RS_BIND_ZERO_COPY, RS_BIND_COPY };
enum rs_csum_policy { RS_CSUM_COMPLETE, RS_CSUM_SOFTWARE };
enum rs_vlan_mode { RS_VLAN_TRUNK, RS_VLAN_ACCESS, RS_VLAN_NATIVE };

struct rs_vlan_config {
    int mode;            // enum rs_vlan_mode.
    uint16_t tag;        // ACCESS: the VLAN. NATIVE: the VLAN of untagged packets. Else 0.
    uint8_t trunks[512]; // Bitmap of 4096 VLANs that a trunk carries; all zero = all.
};

struct rs_port_config {
    char name[16];
    int type; // enum rs_port_type.
    char device[16];
    uint32_t ifindex;    // afxdp.
    uint32_t ofport;     // 1 … 255, 0 = the first free one.
    uint16_t queues[64]; // afxdp.
    uint32_t n_queues;
    int bind_mode;      // enum rs_bind_mode.
    bool force_generic; // The XDP program is attached in generic mode.
    int csum;           // enum rs_csum_policy.
    uint16_t mtu;
    uint32_t ring_size; // 0 = 2048.
    struct rs_vlan_config vlan;
};

struct rs_port_info {
    char name[16];
    int type;
    uint32_t ofport;
    char device[16];
    uint32_t n_queues;
    uint16_t queues[64];
    int xsk_fds[64]; // afxdp: the sockets, for the XSKMAP. Owned by the switch. Else -1.
    bool zero_copy;
    int zero_copy_errno; // Why RS_BIND_AUTO did not get zero copy; 0 = granted or not tried.
    bool umem_shared;
    uint32_t bind_wait_ms; // Time waited for a queue that was still being freed.
    int csum;
    uint16_t mtu;
    bool up;
    struct rs_vlan_config vlan;
};

// Opens a port: sockets bound, device made. It neither receives nor sends before rs_port_start().
// err->field: the option or the step ("bind", "XDP_UMEM_REG", "ifindex", "name", "ofport" …).
int rs_port_open(rs_switch *sw, const struct rs_port_config *config, struct rs_port_info *info,
                 struct rs_error *err);
int rs_port_start(rs_switch *sw, uint32_t ofport, struct rs_error *err);
// Stops and closes a port. The other ports go on undisturbed.
int rs_port_close(rs_switch *sw, uint32_t ofport, struct rs_error *err);
int rs_port_info(rs_switch *sw, uint32_t ofport, struct rs_port_info *info, struct rs_error *err);
int rs_port_set_up(rs_switch *sw, uint32_t ofport, bool up, struct rs_error *err);
int rs_port_set_vlan(rs_switch *sw, uint32_t ofport, const struct rs_vlan_config *vlan,
                     struct rs_error *err);
int rs_port_set_csum(rs_switch *sw, uint32_t ofport, int csum, struct rs_error *err);
// Open ports, ascending; returns how many there are (may exceed cap).
uint32_t rs_port_list(rs_switch *sw, uint32_t *ofports, uint32_t cap);

// dummy ports.
int rs_dummy_inject(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len);
// Length of the oldest packet that was sent there, -EAGAIN if none.
int rs_dummy_take(rs_switch *sw, uint32_t ofport, uint8_t *buffer, size_t cap);

// ---- statistics ------------------------------------------------------------------------------

#define RS_N_DROPS 32 // Checked against drop_reason.h when compiled.

struct rs_xsk_stats {
    uint64_t rx_dropped, rx_invalid_descs, tx_invalid_descs, rx_ring_full, rx_fill_ring_empty_descs,
        tx_ring_empty_descs;
};

struct rs_port_stats {
    uint32_t ofport;
    uint64_t received, received_bytes, copies, sent, delivered;
    uint64_t drops[RS_N_DROPS];
    uint64_t checksums_completed, bad_frames;
    uint64_t tx_packets, tx_bytes;
    struct rs_xsk_stats xsk; // Sum over queues; all zero for other types.
};

struct rs_pmd_stats {
    uint64_t iterations, busy_iterations, sleeps, packets, cache_hits, upcalls;
    uint64_t cycles_busy, cycles_idle;
    uint32_t cache_entries;
    int cpu; // Pinned core or -1.
};

struct rs_umem_stats {
    uint32_t frames, free_frames, frame_size, sockets;
    bool zero_copy;
    int numa_node;
};

// Statistics of all ports, taken at one moment between two batches, so that they balance to the
// packet. Returns how many ports there are (may exceed cap).
uint32_t rs_stats(rs_switch *sw, struct rs_port_stats *ports, uint32_t cap,
                  struct rs_pmd_stats *pmd);
uint32_t rs_umem_list(rs_switch *sw, struct rs_umem_stats *umems, uint32_t cap);
// Name and meaning of drop counter i; NULL past the end.
const char *rs_drop_name(uint32_t i);
const char *rs_drop_meaning(uint32_t i);

// ---- flow table ------------------------------------------------------------------------------

// Adds a rule in ovs-ofctl syntax ("priority=10,in_port=1,ip,nw_dst=10.0.0.0/8,actions=output:2").
// Ports may be numbers or names. A rule with the same priority and match is replaced.
int rs_flow_add(rs_switch *sw, const char *text, struct rs_error *err);
// Deletes rules: non-strict as ovs-ofctl del-flows (every rule at least as specific), or, if
// `strict`, the one with exactly this priority and match. Returns how many, or a negative errno.
int rs_flow_del(rs_switch *sw, const char *text, bool strict, struct rs_error *err);
// Replaces the whole table at once by n rules: all or nothing. err->field names the rule
// ("flows[3].nw_src").
int rs_flow_replace(rs_switch *sw, const char *const *texts, uint32_t n, struct rs_error *err);

struct rs_flow_stats {
    uint64_t packets, bytes;
    uint32_t priority;
    double age_s; // Since it was added.
};
// Rule i in order of falling priority: its text in ovs-ofctl syntax (without statistics) in `text`.
// -ENOENT past the end.
int rs_flow_get(rs_switch *sw, uint32_t i, char *text, size_t cap, struct rs_flow_stats *stats);
uint32_t rs_flow_count(rs_switch *sw);

// ---- MAC table -------------------------------------------------------------------------------

struct rs_fdb_entry {
    uint32_t ofport;
    uint16_t vlan;
    uint8_t mac[6];
    uint32_t age_ms;
};
// Returns how many entries there are (may exceed cap).
uint32_t rs_fdb_list(rs_switch *sw, struct rs_fdb_entry *entries, uint32_t cap);
// Forgets all entries; returns how many.
uint32_t rs_fdb_flush(rs_switch *sw);

// ---- trace and capture -----------------------------------------------------------------------

// What would happen to a packet that is described by ovs-ofctl fields
// ("in_port=h1,tcp,nw_dst=10.0.0.2"): the text explains it step by step. Learns nothing, counts
// nothing, sends nothing. Returns the length, or a negative errno.
int rs_trace_flow(rs_switch *sw, const char *flow_text, char *out, size_t cap,
                  struct rs_error *err);
// The same for a whole frame that came in on a port.
int rs_trace_packet(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len, char *out,
                    size_t cap, struct rs_error *err);

struct rs_capture_packet {
    uint64_t time_ns; // CLOCK_REALTIME.
    uint32_t ofport;
    uint8_t outbound; // 0 = came in, 1 = sent.
    uint8_t drop;     // Drop counter index, 0xff = not dropped.
    uint16_t reserved;
    uint32_t len;    // On the wire.
    uint32_t caplen; // Copied to the buffer.
};
// Packets of a port (both directions, with the drop reason) are copied to a ring from now on.
int rs_capture_start(rs_switch *sw, uint32_t ofport, uint32_t snaplen, struct rs_error *err);
int rs_capture_stop(rs_switch *sw, uint32_t ofport, struct rs_error *err);
// Takes the oldest captured packet: 1, 0 if there is none. `data` holds at least the snaplen.
int rs_capture_read(rs_switch *sw, struct rs_capture_packet *packet, uint8_t *data, size_t cap);
// Packets that were not captured because the ring was full.
uint64_t rs_capture_lost(rs_switch *sw);

#endif
