struct act_answer {
    char text[...];
    int code;
    const char *ofperr;
    char field[64], message[256], hint[256];
    int first_type;
    uint32_t len;
    uint8_t table, command;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags, out_port;
    uint64_t cookie, cookie_mask, new_cookie;
    bool modify_cookie;
    uint32_t out_group;
    ...;
};
void act_tun_map(bool mapped);
void act_parse(const char *text, bool instructions, bool with_names, struct act_answer *out);
void act_flow_mod(const char *text, uint8_t command, struct act_answer *out);
void act_check(const char *match, const char *actions, uint8_t table, uint8_t n_tables,
               uint32_t max_ports, bool strict, struct act_answer *out);
void act_check_set(const char *actions, struct act_answer *out);
void act_execute_set(const char *actions, struct act_answer *out);
bool act_outputs_to_port(const char *actions, uint16_t port);
bool act_outputs_to_group(const char *actions, uint32_t group);
bool act_finds(const char *actions, int type);
bool act_equal(const char *a, const char *b);
uint64_t act_time_flows(const char *const *texts, unsigned n, unsigned *n_bad);
int ofpact_count(void);
const char *ofpact_name_of(int type);
int ofperr_find(const char *name);
unsigned ofperr_count(void);
const char *ofperr_name_of(int e);
int ofperr_errno_of(int e);
bool ofperr_code_of(int e, uint8_t version, uint16_t *type, uint16_t *code, uint32_t *vendor);
#define OFPACT_OUTPUT     ...
#define OFPACT_GOTO_TABLE ...
#define OFPACT_METER      ...
#define OFPACT_UNROLL ...
