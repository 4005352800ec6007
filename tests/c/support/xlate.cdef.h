struct xl;
struct xlate_recirc {
    uint32_t id;
    bool conntrack;
    uint16_t zone;
    struct flow flow;
    ...;
};

#define XL_SIDE_EFFECTS ...
#define XL_CREDITS ...
#define XL_NO_WC ...
#define XL_NO_REPORT ...

struct xl_answer {
    char actions[...];
    char megaflow[...];
    char report[...];
    char final[...];
    uint8_t list[...];
    uint32_t list_len;
    struct flow wc, final_flow;
    int error;
    int drop;
    bool slow;
    const char *list_error;
    uint32_t n_credits;
    uint32_t n_recircs;
    struct xlate_recirc recircs[64];
    ...;
};

struct xl *xl_create(void);
void xl_destroy(struct xl *xl);
void xl_set_time(struct xl *xl, uint64_t now_ms);
void xl_port(struct xl *xl, uint32_t id, const char *name, bool internal, int mode, uint16_t tag,
             const uint16_t *trunks, unsigned n);
void xl_port_up(struct xl *xl, uint32_t id, bool up);
void xl_port_config(struct xl *xl, uint32_t id, uint32_t config);
const char *xl_flow_mod(struct xl *xl, uint8_t command, const char *text);
const char *xl_group_mod(struct xl *xl, uint8_t command, const char *text);
const char *xl_meter_mod(struct xl *xl, const char *text);
const char *xl_tun_map(struct xl *xl, const char *text);
const char *xl_flow_mods(struct xl *xl, const char *const *texts, unsigned n, unsigned *n_done);
const char *xl_key(struct xl *xl, const char *text, struct flow *out);
void xl_key_text(struct xl *xl, const struct flow *key, char *out, size_t cap);
void xl_other_packet(const struct flow *key, const struct flow *wc, uint64_t seed, struct flow *out);
const char *xl_run(struct xl *xl, const struct flow *key, const char *ofpacts, unsigned flags,
                   struct xl_answer *out);
void xl_push(struct xl *xl, uint64_t packets, uint64_t bytes, uint16_t tcp_flags);
void xl_forget(struct xl *xl);
void xl_table_miss(struct xl *xl, uint8_t table, uint8_t miss);
void xl_table_counts(struct xl *xl, uint8_t table, uint64_t *lookups, uint64_t *matches);
uint64_t xl_bucket_packets(struct xl *xl, uint32_t group, uint32_t bucket);
uint32_t xl_mac(struct xl *xl, uint64_t mac, uint16_t vlan);
void xl_dump(struct xl *xl, char *out, size_t cap);
uint32_t xl_frozen_count(struct xl *xl);
void xl_expire(struct xl *xl, uint64_t now_ms);
double xl_bench(struct xl *xl, const struct flow *keys, unsigned n, unsigned rounds);
uint32_t xl_hash_fields(const struct flow *flow, uint8_t fields, uint16_t basis);
