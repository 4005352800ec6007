// Doors into datapath actions: an executor whose ports keep what they are given, for tests only.

#ifndef RINGSIDE_TESTS_ACTION_H
#define RINGSIDE_TESTS_ACTION_H

#include "datapath/action/odp_execute.h"
#include "datapath/action/odp_text.h"
#include "ofproto/odp_commit.h"

#define EXE_MAYBE_PARTIAL    PKT_CSUM_MAYBE_PARTIAL
#define EXE_NOT_ETHERNET     PKT_NOT_ETHERNET
#define EXE_HASH_VALID       PKT_HASH_VALID
#define EXE_HAS_TUNNEL       PKT_HAS_TUNNEL
#define EXE_BAND_DROP        ODP_BAND_DROP
#define EXE_BAND_DSCP_REMARK ODP_BAND_DSCP_REMARK

// ---- lists -------------------------------------------------------------------------------------

// Text to bytes: length, or -errno with the place and the reason. `out` has `cap` bytes.
int exe_parse(const char *text, uint8_t *out, uint32_t cap, uint32_t *error_at, char why[128]);
// Bytes to text, with or without names. Length.
uint32_t exe_print(const uint8_t *bytes, uint32_t len, char *out, uint32_t cap, bool names);
// NULL if the bytes are a list, else what is wrong. A copy of exactly `len` bytes is looked at.
const char *exe_check(const uint8_t *bytes, uint32_t len);
// Fills a list that begins in a buffer of `cap` bytes with `n` outputs; checks each; returns its length, or
// -1 - length on overflow.
int exe_list_grow(uint32_t cap, uint32_t n, bool *moved);

// odp_commit() (encap < 0), or odp_commit_encap() before it; and the tunnel's. Bytes in `out`, their number.
uint32_t exe_commit(const struct flow *flow, struct flow *base, struct flow *wc, int encap,
                    const uint8_t *md2, uint32_t md2_len, uint8_t *out, uint32_t cap);

// ---- execution ---------------------------------------------------------------------------------

enum exe_event_kind { EXE_SENT, EXE_RECIRC, EXE_CONTROLLER };

struct exe_event { // What became of a packet, in order.
    uint32_t kind, id;
    uint32_t batch; // Number of the call that brought it.
    uint32_t len, l2_5_ofs, l3_ofs, l4_ofs;
    uint32_t in_port, recirc_id, dp_hash, pkt_mark, skb_priority, packet_type, flags, tunnel_dst;
    bool intact; // Bytes of its frame behind it are as they were (unless it was cut).
    uint8_t data[4096];
};

struct exe_counts {
    uint64_t copies, checksums_completed;
    uint64_t drops[DROP_N_REASONS];
};

struct exe_packet {
    const uint8_t *data;
    uint32_t len, headroom;
    uint32_t flags; // enum dp_packet_flags.
    uint32_t in_port, rx_hash, packet_type;
};

struct exe_bench;
// Ports 1 … n_ports exist; umem of `frames` frames.
struct exe_bench *exe_new(uint32_t frames, uint32_t n_ports);
void exe_free(struct exe_bench *b); // With all meters.
// Runs the list on the packets (32 at most) and sends what is waiting; events and counts are of this run. Returns
// the number of events. -1 if frames are missing afterwards.
int exe_run(struct exe_bench *b, const uint8_t *actions, uint32_t len, bool blob,
            const struct exe_packet *packets, uint32_t n);
const struct exe_event *exe_event(const struct exe_bench *b, uint32_t i);
void exe_counts(const struct exe_bench *b, struct exe_counts *out);
void exe_set_time(struct exe_bench *b, uint64_t now_ns);
int exe_meter_set(struct exe_bench *b, uint32_t id, const struct odp_meter_config *config);
int exe_meter_delete(struct exe_bench *b, uint32_t id);
// Two PMDs run one meter, `rounds` times on 8 packets each, while a third thread reads its statistics and, if
// `replace`, makes it anew. Returns the packets that passed or were dropped; *counted: those in its statistics.
uint64_t exe_meter_threads(uint32_t rounds, bool replace, uint64_t *counted);
int exe_meter_stats(struct exe_bench *b, uint32_t id, struct odp_meter_stats *out);

#endif
