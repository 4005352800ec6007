#define PMD_MAX_RECIRC ...
#define MEGAFLOW_LIMIT_MAX ...
#define EMC_SLOTS ...
#define EMC_WORDS ...
#define DPCLS_SHAPES ...
#define LOOK_OWNERS ...
#define DROP_RECIRC_DEPTH ...
#define DROP_TOO_MANY_ACTIONS ...

struct megaflow;
struct megaflow_table;

uint32_t megaflow_count(const struct megaflow_table *t);
void megaflow_set_limit(struct megaflow_table *t, uint32_t limit);
uint32_t megaflow_limit(const struct megaflow_table *t);
void megaflow_kill(struct megaflow *m);

struct look_owner {
    uint32_t released;
    uint32_t executed_once;
    uint64_t packets, bytes;
    uint16_t tcp_flags;
};

struct look;
struct look *look_new(bool emc, bool smc, uint32_t every, bool weak);
void look_free(struct look *l);
void look_configure(struct look *l, bool emc, bool smc, uint32_t every);
uint64_t look_smc_hits(const struct look *l);
struct look_owner look_owner(const struct look *l, uint32_t owner);
uint32_t look_owners_released(struct look *l);
void look_end(struct look *l);
struct megaflow *look_install(struct look *l, const uint64_t *flow, const uint64_t *mask,
                              uint32_t owner, uint32_t port, uint64_t now_ms);
void look_find(struct look *l, unsigned n, const uint64_t *flows, const uint64_t *maps, uint32_t hash,
               uint32_t *owners);
uint32_t look_key_hash(struct look *l, const uint64_t *flow);
uint32_t look_device_hash(struct look *l, uint32_t rx_hash, uint32_t in_port, uint32_t recirc_id);
void look_emc_put(struct look *l, const uint64_t *flow, uint32_t hash, struct megaflow *m);
void look_chores(struct look *l, uint64_t now_ms, uint32_t some);
void look_count(struct megaflow *m, uint64_t packets, uint64_t bytes);
uint32_t look_emc_entries(const struct look *l);
uint32_t look_subtables(const struct look *l);
uint32_t look_subtable_words(const struct look *l, uint32_t rank);
uint64_t look_emc_hits(const struct look *l);
uint64_t look_megaflow_hits(const struct look *l);
uint64_t look_searched(const struct look *l);
struct megaflow_table *look_table(const struct look *l);
uint32_t look_walk(const struct megaflow_table *t, uint32_t slice, uint32_t *owners, uint32_t cap);
struct megaflow *look_megaflow(const struct megaflow_table *t, uint32_t owner);
uint32_t look_megaflow_output(const struct megaflow *m);
int look_set_output(struct megaflow *m, uint32_t port);
void look_megaflow_words(const struct megaflow *m, uint64_t *key, uint64_t *mask);
uint64_t look_megaflow_id(const struct megaflow *m);
void look_megaflow_counts(const struct megaflow *m, uint64_t *packets, uint64_t *bytes,
                          uint64_t *used_ms, uint16_t *tcp_flags);
uint64_t look_harass(const struct megaflow_table *t, uint32_t n, uint32_t port, const bool *stop);

struct pmd;
struct lookup_config {
    bool emc, smc;
    uint32_t emc_insert_every;
};
struct pmd_stats {
    uint64_t iterations, busy_iterations, sleeps, packets, recirculated;
    uint64_t cache_hits, emc_hits, smc_hits, megaflow_hits, subtables_searched, upcalls, executed_once;
    uint64_t cycles_busy, cycles_idle;
};
struct odp_list {
    uint8_t *data;
    uint32_t len, cap;
    bool overflow;
    bool owned;
};
struct pmd_packet_out {
    struct umem *umem;
    uint32_t in_port;
    const void *frame;
    size_t len;
    const struct odp_list *actions;
};
int pmd_add_port(struct pmd *pmd, struct port *port);
int pmd_remove_port(struct pmd *pmd, struct port *port);
unsigned pmd_poll(struct pmd *pmd);
void pmd_warp(struct pmd *pmd, uint64_t ms);
struct megaflow_table *pmd_megaflows(struct pmd *pmd);
uint32_t pmd_cache_entries(const struct pmd *pmd);
int pmd_set_lookup(struct pmd *pmd, const struct lookup_config *config);
int pmd_execute(struct pmd *pmd, const struct pmd_packet_out *out);

enum odp_action_type {
    ODP_OUTPUT, ODP_DROP, ODP_PUSH_VLAN, ODP_POP_VLAN, ODP_RECIRC, ODP_CLONE, ODP_CONTROLLER, ODP_TRUNC, ODP_SET, ...
};

#define ODP_KEY_TUNNEL ...

struct box_rule {
    uint64_t value[...], mask[...];
    uint8_t actions[1024];
    uint32_t len;
    bool install, overflow;
};
struct box;
int box_new(bool threaded, struct box **out);
void box_free(struct box *b);
struct pmd *box_pmd(struct box *b);
struct box_rule *box_add_rule(struct box *b);
void box_clear_rules(struct box *b);
uint64_t box_translated(const struct box *b);
uint64_t box_owners_made(const struct box *b);
uint64_t box_owners_ended(const struct box *b);
uint64_t box_packets_ended(const struct box *b);
uint64_t box_pins(const struct box *b);
uint32_t box_last_pin(const struct box *b);
void box_pmd_stats(struct box *b, struct pmd_stats *out);
void box_control_counts(struct box *b, struct io_counts *out);
unsigned box_reap(void);
struct megaflow *look_any_megaflow(const struct megaflow_table *t);
void look_kill_some(const struct megaflow_table *t, uint32_t n);
