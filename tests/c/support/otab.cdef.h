struct otab;
struct otab *otab_new(void);
void otab_free(struct otab *t);
void otab_time(struct otab *t, uint64_t now_ms);
const char *otab_flow_mod(struct otab *t, uint8_t command, const char *text, uint32_t *n_affected);
const char *otab_group_mod(struct otab *t, uint8_t command, const char *text);
const char *otab_meter_mod(struct otab *t, uint8_t command, const char *text);
void otab_table(struct otab *t, uint8_t table, uint32_t max_flows, bool evict);
void otab_expire(struct otab *t);
uint64_t otab_change_seq(const struct otab *t);
bool otab_bundle_open(struct otab *t);
void otab_bundle_end(struct otab *t, bool commit);
int otab_find(struct otab *t, uint8_t table, const char *fields);
void otab_credit(struct otab *t, int handle, uint64_t packets, uint64_t bytes, uint64_t used_ms);
void otab_fin_timeout(struct otab *t, int handle, uint16_t idle, uint16_t hard);
void otab_drop_all(struct otab *t);
int otab_learn(struct otab *t, const char *text, uint32_t limit, bool busy, bool *limited);
struct otab_rule {
    uint8_t table;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags;
    uint64_t cookie, packets, bytes, created_ms, modified_ms, used_ms;
    char text[480]; 
};
int otab_rules(struct otab *t, const char *filter, struct otab_rule *out, uint32_t cap);
const char *otab_events(struct otab *t);
bool otab_groups(struct otab *t, bool names, char *out, size_t cap); 
bool otab_meters(struct otab *t, char *out, size_t cap);
void otab_group_credit(struct otab *t, uint32_t id, uint32_t bucket, uint64_t packets);
uint64_t otab_group_packets(struct otab *t, uint32_t id,
                            uint32_t bucket); 
uint64_t otab_group_created(struct otab *t, uint32_t id);
uint32_t otab_group_map(struct otab *t, uint32_t id, uint16_t *map, uint32_t cap,
                        uint8_t *hash_alg);
uint64_t otab_race(uint32_t n, uint64_t seed);
