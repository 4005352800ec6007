struct flow_vlan {
    uint16_t tpid, tci;
};

struct flow {
    uint32_t in_port;
    uint8_t dl_dst[6];
    uint8_t dl_src[6];
    uint16_t dl_type;
    struct flow_vlan vlans[2];
    uint8_t nw_proto, nw_tos, nw_frag, nw_ttl_unused;
    uint16_t pad;
    uint8_t nw_src[16];
    uint8_t nw_dst[16];
    uint16_t tp_src, tp_dst;
};

struct match {
    struct flow flow;
    struct flow mask;
};

struct ofp_error {
    int code;
    char field[64];
    char message[256];
    char hint[256];
};

struct flow_offsets {
    uint16_t l3_ofs, l4_ofs;
    uint8_t l4_proto;
};

unsigned flow_test_extract(const uint8_t *frame, size_t len, uint32_t in_port, struct flow *flow,
                           struct flow_offsets *offsets);
uint32_t flow_test_hash(const struct flow *flow, uint64_t seed);
int match_test_parse(const char *text, struct match *match, uint32_t *priority,
                     struct ofp_error *err);
int match_test_format(const struct match *match, uint32_t priority, char *out, size_t cap);
bool match_test_covers_flow(const struct match *match, const struct flow *flow);

#define EMC_SLOTS ...
#define EMC_ACTIONS ...
#define EMC_MAX_AGE_MS ...
struct emc *emc_test_new(void);
void emc_test_free(struct emc *emc);
void emc_test_insert(struct emc *emc, const struct flow *key, uint32_t hash, uint64_t generation,
                     uint64_t now_ms, uint32_t port, unsigned n);
uint32_t emc_test_lookup(const struct emc *emc, const struct flow *key, uint32_t hash,
                         uint64_t generation, uint64_t now_ms);
uint32_t emc_test_count(const struct emc *emc, uint64_t generation, uint64_t now_ms);

struct mac_table {
    uint32_t cap, n;
    ...;
};
struct mac_table *mac_test_new(uint32_t cap, uint64_t ageing_ms);
void mac_test_free(struct mac_table *t);
bool mac_learn(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint32_t port,
               uint64_t now_ms);
uint32_t mac_lookup(const struct mac_table *t, const uint8_t mac[6], uint16_t vlan,
                    uint64_t now_ms);
uint32_t mac_expire(struct mac_table *t, uint64_t now_ms);
uint32_t mac_flush(struct mac_table *t, uint32_t port);

struct table_test *table_test_new(void);
void table_test_free(struct table_test *t);
int table_test_add(struct table_test *t, const char *text);
int table_test_lookup(const struct table_test *t, const struct flow *flow);
int table_test_text(const struct table_test *t, uint32_t i, char *out, size_t cap);
