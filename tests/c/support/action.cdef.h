#define EXE_MAYBE_PARTIAL ...
#define EXE_NOT_ETHERNET ...
#define EXE_HASH_VALID ...
#define EXE_HAS_TUNNEL ...
#define EXE_BAND_DROP ...
#define EXE_BAND_DSCP_REMARK ...
struct odp_meter_band {
    uint8_t type, prec_level;
    uint32_t rate, burst;
};
struct odp_meter_config {
    bool packets;
    uint8_t n_bands;
    struct odp_meter_band bands[8];
};
struct odp_meter_stats {
    uint64_t packets_in, bytes_in;
    uint64_t created_ns;
    uint8_t n_bands;
    struct { uint64_t packets, bytes; } bands[8];
};
int exe_parse(const char *text, uint8_t *out, uint32_t cap, uint32_t *error_at, char why[128]);
uint32_t exe_print(const uint8_t *bytes, uint32_t len, char *out, uint32_t cap, bool names);
const char *exe_check(const uint8_t *bytes, uint32_t len);
int exe_list_grow(uint32_t cap, uint32_t n, bool *moved);
uint32_t exe_commit(const struct flow *flow, struct flow *base, struct flow *wc, int encap,
                    const uint8_t *md2, uint32_t md2_len, uint8_t *out, uint32_t cap);
enum exe_event_kind { EXE_SENT, EXE_RECIRC, EXE_CONTROLLER };
struct exe_event { 
    uint32_t kind, id;
    uint32_t batch; 
    uint32_t len, l2_5_ofs, l3_ofs, l4_ofs;
    uint32_t in_port, recirc_id, dp_hash, pkt_mark, skb_priority, packet_type, flags, tunnel_dst;
    bool intact; 
    uint8_t data[4096];
};
struct exe_counts {
    uint64_t copies, checksums_completed;
    uint64_t drops[...];
};
struct exe_packet {
    const uint8_t *data;
    uint32_t len, headroom;
    uint32_t flags; 
    uint32_t in_port, rx_hash, packet_type;
};
struct exe_bench;
struct exe_bench *exe_new(uint32_t frames, uint32_t n_ports);
void exe_free(struct exe_bench *b); 
int exe_run(struct exe_bench *b, const uint8_t *actions, uint32_t len, bool blob,
            const struct exe_packet *packets, uint32_t n);
const struct exe_event *exe_event(const struct exe_bench *b, uint32_t i);
void exe_counts(const struct exe_bench *b, struct exe_counts *out);
void exe_set_time(struct exe_bench *b, uint64_t now_ns);
int exe_meter_set(struct exe_bench *b, uint32_t id, const struct odp_meter_config *config);
int exe_meter_delete(struct exe_bench *b, uint32_t id);
uint64_t exe_meter_threads(uint32_t rounds, bool replace, uint64_t *counted);
int exe_meter_stats(struct exe_bench *b, uint32_t id, struct odp_meter_stats *out);
