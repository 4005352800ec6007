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
    char ofperr[40];   // OpenFlow's name for it ("OFPFMFC_TABLE_FULL"); may be empty.
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
// One PMD iteration in the caller's thread, then whatever the revalidator has due; returns packets
// received. Only when not threaded.
int rs_switch_poll(rs_switch *sw);
// Moves the switch's idea of time forward (tests of ageing). Only when not threaded.
void rs_switch_warp(rs_switch *sw, uint64_t ms);

// A text of any length, made by a call and freed with rs_text_free().
struct rs_text {
    char *data; // NUL-terminated; NULL when there is none.
    size_t len;
};
void rs_text_free(struct rs_text *text);

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
    uint32_t ofport;     // 1 … 1023, 0 = the first free one.
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
// Bits of OpenFlow's port configuration: 1 port down, 4 no receive, 16 no flood, 32 no forward, 64 no
// packet-in.
int rs_port_set_ofp_config(rs_switch *sw, uint32_t ofport, uint32_t config, struct rs_error *err);
int rs_port_set_csum(rs_switch *sw, uint32_t ofport, int csum, struct rs_error *err);
// Open ports, ascending; returns how many there are (may exceed cap).
uint32_t rs_port_list(rs_switch *sw, uint32_t *ofports, uint32_t cap);

// dummy ports.
int rs_dummy_inject(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len);
// Length of the oldest packet that was sent there, -EAGAIN if none.
int rs_dummy_take(rs_switch *sw, uint32_t ofport, uint8_t *buffer, size_t cap);

// ---- statistics ------------------------------------------------------------------------------

#define RS_N_DROPS 36 // Checked against drop_reason.h when compiled.

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

struct rs_pmd_stats { // See struct pmd_stats in datapath/pmd/pmd.h for what they mean.
    uint64_t iterations, busy_iterations, sleeps, packets, recirculated;
    uint64_t cache_hits, emc_hits, smc_hits, megaflow_hits, subtables_searched, upcalls,
        executed_once;
    uint64_t cycles_busy, cycles_idle;
    uint32_t cache_entries, megaflows;
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

// ---- flow tables -----------------------------------------------------------------------------
//
// Texts are ovs-ofctl's. The bridge's own (internal) port is LOCAL in them, 65534; other ports have
// their ofport or their name. A change is in force for new translations when the call returns; megaflows
// made before are true to it within 500 ms, or when rs_sync() returns.

enum rs_flow_command {
    RS_FLOW_ADD,
    RS_FLOW_MODIFY,
    RS_FLOW_MODIFY_STRICT,
    RS_FLOW_DELETE,
    RS_FLOW_DELETE_STRICT
};

// Waits until every change made before is true in the datapath, and what it has carried is counted.
void rs_sync(rs_switch *sw);

// One change ("table=1,priority=10,in_port=1,ip,nw_dst=10.0.0.0/8,actions=output:2"); returns how many
// rules it touched, or a negative errno.
int rs_flow_mod(rs_switch *sw, const char *text, int command, struct rs_error *err);
int rs_flow_add(rs_switch *sw, const char *text, struct rs_error *err);
// Non-strict as ovs-ofctl del-flows (every rule at least as specific), or, if `strict`, the one with
// exactly this priority and match. Returns how many.
int rs_flow_del(rs_switch *sw, const char *text, bool strict, struct rs_error *err);
// Many changes, a line each; "#" begins a comment. A line may begin with "add", "modify",
// "modify_strict", "delete" or "delete_strict"; `command` is for those that do not. bundle: all at once
// or none. Else in order, up to the first that is refused. err->field names the line
// ("flows[3].nw_src", counted from 0 without empty ones). Returns the number of lines.
int rs_flows_apply(rs_switch *sw, const char *text, size_t len, int command, bool bundle,
                   struct rs_error *err);
// Makes these rules, a line each, the only ones, at once or not at all; those that stay the same keep
// their counters and their age. Returns the number of rules that were added, modified or deleted.
int rs_flow_replace(rs_switch *sw, const char *text, size_t len, struct rs_error *err);
uint32_t rs_flow_count(rs_switch *sw);

// A look at the rules of one moment, which lasts until it is closed. Order: table, then falling
// priority.
typedef struct rs_flow_dump rs_flow_dump;
struct rs_flow_stats {
    uint64_t cookie, packets, bytes;
    uint8_t table;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags;
    uint64_t duration_ms; // Since it was added.
    uint64_t idle_ms;     // Since it was last used (or added).
    uint64_t hard_ms;     // Since it was last modified (or added).
};
// filter: ovs-ofctl's for dump-flows ("table=1,ip", "cookie=0x1/-1", "out_port=2"); "" = all.
// names: ports by name in the texts.
int rs_flow_dump_open(rs_switch *sw, const char *filter, bool names, rs_flow_dump **out,
                      struct rs_error *err);
uint32_t rs_flow_dump_count(const rs_flow_dump *d);
// The next n rules as lines of `ovs-ofctl dump-flows` (show_stats false: `--no-stats`), fewer at the
// end. Returns how many. The text lives until the next call.
int rs_flow_dump_lines(rs_flow_dump *d, uint32_t n, bool show_stats, struct rs_text *out);
// The next rule: its text without statistics ("table=1,priority=10,ip actions=output:2"; the table
// only if it is not 0). 1, or 0 at the end. The text lives until the next call.
int rs_flow_dump_next(rs_flow_dump *d, struct rs_text *out, struct rs_flow_stats *stats);
void rs_flow_dump_close(rs_flow_dump *d);

struct rs_table_config {
    uint32_t max_flows; // 0xffffffff = no limit.
    bool evict;         // Over the limit: evict the least important instead of refusing.
    uint8_t miss;       // 0 = drop here, 1 = controller, 2 = continue, 3 = drop.
    char name[32];
};
struct rs_table_stats {
    uint32_t table, n_flows;
    uint64_t n_lookup, n_matched;
    uint32_t n_subtables, n_tries; // Of its classifier.
    uint64_t bytes;
    struct rs_table_config config;
};
int rs_table_set(rs_switch *sw, uint32_t table, const struct rs_table_config *config,
                 struct rs_error *err);
// Tables 0 … 254. 0 or -EINVAL.
int rs_table_stats(rs_switch *sw, uint32_t table, struct rs_table_stats *out);

// ---- groups, meters, tunnel options ----------------------------------------------------------

enum rs_group_command {
    RS_GROUP_ADD,
    RS_GROUP_MODIFY,
    RS_GROUP_DELETE,
    RS_GROUP_ADD_OR_MODIFY,
    RS_GROUP_INSERT_BUCKET,
    RS_GROUP_REMOVE_BUCKET
};
// ovs-ofctl(8), "Group Syntax". An empty text deletes all groups.
int rs_group_mod(rs_switch *sw, const char *text, int command, struct rs_error *err);
// Lines of dump-groups, or of dump-group-stats. group_id: one of them, 0xfffffffc = all.
int rs_group_dump(rs_switch *sw, uint32_t group_id, bool stats, bool names, struct rs_text *out,
                  struct rs_error *err);

enum rs_meter_command { RS_METER_ADD, RS_METER_MODIFY, RS_METER_DELETE };
// "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100". "meter=all" deletes all.
int rs_meter_mod(rs_switch *sw, const char *text, int command, struct rs_error *err);
// Lines of dump-meters, or of meter-stats. meter_id: one of them, 0xffffffff = all.
int rs_meter_dump(rs_switch *sw, uint32_t meter_id, bool stats, struct rs_text *out,
                  struct rs_error *err);

enum rs_tlv_command { RS_TLV_ADD, RS_TLV_DELETE, RS_TLV_CLEAR };
// The TLV map of tunnel options, of all switches of the process: "{class=0xffff,type=0,len=4}->tun_metadata0",
// several with commas between them.
int rs_tlv_mod(rs_switch *sw, const char *text, int command, struct rs_error *err);
int rs_tlv_dump(rs_switch *sw, struct rs_text *out);

// ---- packets to and from controllers ---------------------------------------------------------

struct rs_packet_in {
    uint8_t
        reason; // OpenFlow's: 0 no match, 1 action, 2 invalid TTL, 3 action set, 4 group, 5 packet-out.
    uint8_t table;
    uint16_t max_len, controller_id;
    uint64_t cookie;
    uint32_t meter_id;
    uint32_t in_port; // OpenFlow number.
    uint32_t len;     // Bytes copied to `data`.
    uint32_t total_len;
    bool pause; // rs_packet_resume() with `continuation` goes on.
    uint32_t continuation;
    uint32_t userdata_len;
    const uint8_t *userdata; // Until the next call.
    const char *metadata;    // Pipeline fields that are not 0, as a match; until the next call.
};
// Takes the oldest: 1, or 0 if there is none. cap: at least 4096.
int rs_packet_in_take(rs_switch *sw, struct rs_packet_in *out, uint8_t *data, size_t cap);
// Packets a second and burst, for each reason; 0 = no limit (the default).
int rs_packet_in_rate(rs_switch *sw, uint32_t rate, uint32_t burst, struct rs_error *err);
struct rs_packet_in_stats {
    uint64_t queued, no_room, rate_limited;
};
void rs_packet_in_stats(rs_switch *sw, struct rs_packet_in_stats *out);
// Readable when there is one to take; -1 without. Owned by the switch.
int rs_packet_in_fd(rs_switch *sw);

// Runs actions ("resubmit(,1)", "output:2") on a frame, as if it had come in on in_port (an OpenFlow
// number; 0xfffd = controller, 0xffff = none).
int rs_packet_out(rs_switch *sw, uint32_t in_port, const char *actions, const uint8_t *frame,
                  size_t len, struct rs_error *err);
// Goes on with a paused packet; in_port as rs_packet_in gave it.
int rs_packet_resume(rs_switch *sw, uint32_t continuation, uint32_t in_port, const uint8_t *frame,
                     size_t len, struct rs_error *err);

// ---- megaflows -------------------------------------------------------------------------------

// A part of the megaflows as lines of `ovs-appctl dpctl/dump-flows`. *cursor: 0 to begin with, 0 again
// at the end. filter: a match; only megaflows that some packet of it could hit. more: with ufid and
// the fields that are wildcarded (`-m`).
int rs_megaflow_dump(rs_switch *sw, uint64_t *cursor, const char *filter, bool names, bool more,
                     struct rs_text *out, struct rs_error *err);
// Takes all megaflows back (revalidator/purge); those in use are made again. Returns how many.
int rs_megaflow_flush(rs_switch *sw);

struct rs_revalidator_stats {
    uint64_t rounds, revalidated, killed_changed, killed_idle, killed_limit, refitted;
    uint64_t last_round_us, longest_round_us;
    uint64_t last_change_us,
        longest_change_us;       // From a change to the moment that it was true everywhere.
    uint64_t last_change_cpu_us; // Of the revalidator's, for that.
    uint32_t flow_limit, n_megaflows;
    uint32_t n_frozen, n_pins;
};
void rs_revalidator_stats(rs_switch *sw, struct rs_revalidator_stats *out);
// limit: megaflows at most, 1 … 1048576 (upcall/set-flow-limit; the default is 200000); max_idle_ms: a
// megaflow that nothing hits lives so long (default 10000).
int rs_revalidator_set(rs_switch *sw, uint32_t limit, uint32_t max_idle_ms, struct rs_error *err);

struct rs_cache_config {
    bool emc, smc; // Exact match, signature match. Off: looked up in the next one.
    uint32_t
        emc_insert_every; // One of so many misses enters the exact match cache; 1 = each, 0 = none.
};
int rs_cache_set(rs_switch *sw, const struct rs_cache_config *config, struct rs_error *err);
void rs_cache_get(rs_switch *sw, struct rs_cache_config *out);

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

struct rs_trace_options {
    const uint8_t *ct_next; // ct_state bits of each recirculation through ct; then trk|new.
    uint32_t n_ct_next;
    const char *actions; // To run instead of the tables; NULL = the tables.
    bool names;          // Ports by name.
    bool all_recircs;    // Follow recirculations of pop_mpls and groups too.
};
// What would happen to a packet that is described by ovs-ofctl fields
// ("in_port=h1,tcp,nw_dst=10.0.0.2"), in the words of `ovs-appctl ofproto/trace`. Learns nothing, counts
// nothing, sends nothing. options may be NULL.
int rs_trace_flow(rs_switch *sw, const char *flow_text, const struct rs_trace_options *options,
                  struct rs_text *out, struct rs_error *err);
// The same for a whole frame that came in on a port (its ofport).
int rs_trace_packet(rs_switch *sw, uint32_t ofport, const uint8_t *frame, size_t len,
                    const struct rs_trace_options *options, struct rs_text *out,
                    struct rs_error *err);

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
