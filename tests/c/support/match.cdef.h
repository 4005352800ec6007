#define MFF_N_IDS ...
#define MFM_NONE ...
#define MFM_FULLY ...
#define MFP_NONE ...

union mf_value {
    uint8_t b[128];
    uint64_t be64;
};

struct mf_field {
    int id;
    const char *name;
    const char *extra_name;
    uint16_t n_bytes, n_bits;
    int maskable, string, prereq;
    bool writable;
    uint64_t nxm_header, oxm_header;
    const char *nxm_name, *oxm_name;
    ...;
};

struct mf_subfield {
    const struct mf_field *field;
    uint16_t ofs, n_bits;
};

struct ofp_error {
    int code;
    int ofperr;
    char field[64];
    char message[256];
    char hint[256];
};

struct match {
    struct flow flow;
    struct flow mask;
};

struct flow_text {
    uint32_t priority;
    bool has_priority;
    uint8_t table;
    uint16_t idle_timeout, hard_timeout, importance;
    uint16_t flags;
    uint64_t cookie, cookie_mask;
    uint64_t new_cookie;
    bool has_cookie;
    uint32_t out_port, out_group;
    uint64_t n_packets, n_bytes;
    const char *actions;
    ...;
};

struct port_names;
const struct port_names *match_test_ports(void);

const struct mf_field *mf_from_id(int id);
const struct mf_field *mf_from_name(const char *name);
const struct mf_field *mf_from_header(uint64_t header);
void mf_get_value(const struct mf_field *mf, const struct flow *flow, union mf_value *value);
void mf_set_flow_value(const struct mf_field *mf, const union mf_value *value, struct flow *flow);
void mf_set_flow_value_masked(const struct mf_field *mf, const union mf_value *value,
                              const union mf_value *mask, struct flow *flow);
void mf_mask_field(const struct mf_field *mf, struct flow *wc);
void mf_mask_field_masked(const struct mf_field *mf, const union mf_value *mask, struct flow *wc);
bool mf_is_zero(const struct mf_field *mf, const struct flow *flow);
bool mf_are_prereqs_ok(const struct mf_field *mf, const struct flow *flow, struct flow *wc);
bool mf_is_value_valid(const struct mf_field *mf, const union mf_value *value);
void mf_all_bits(const struct mf_field *mf, union mf_value *bits);
bool mf_is_mask_exact(const struct mf_field *mf, const union mf_value *mask);
bool mf_is_mapped(const struct mf_field *mf);
bool mf_is_pipeline_field(const struct mf_field *mf);
void mf_read_subfield(const struct mf_subfield *sf, const struct flow *flow, union mf_value *value);
uint64_t mf_get_subfield(const struct mf_subfield *sf, const struct flow *flow);
void mf_write_subfield(const struct mf_subfield *sf, const union mf_value *value, struct flow *flow);
void mf_set_subfield(const struct mf_subfield *sf, uint64_t value, struct flow *flow);
void mf_mask_subfield(const struct mf_subfield *sf, struct flow *wc);
int mf_check_src(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, struct ofp_error *err);
int mf_check_dst(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, struct ofp_error *err);
void bits_copy(const void *src, size_t src_len, unsigned src_ofs, void *dst, size_t dst_len,
               unsigned dst_ofs, unsigned n_bits);
bool bits_all(const void *src, size_t len, unsigned ofs, unsigned n_bits, bool value);
const char *ofperr_name(int e);

void match_set_field(struct match *m, const struct mf_field *mf, const union mf_value *value,
                     const union mf_value *mask);
bool match_equal(const struct match *a, const struct match *b);
bool match_covers_flow(const struct match *m, const struct flow *flow);
bool match_covers(const struct match *general, const struct match *specific);
bool match_overlaps(const struct match *a, const struct match *b);
void match_from_flow(const struct flow *flow, struct match *out);
void match_from_wc(const struct flow *flow, const struct flow *wc, struct match *out);
int match_check_rule(const struct match *m, struct ofp_error *err);

uint32_t port_names_find(const struct port_names *names, const char *name);
int port_names_parse(const struct port_names *names, const char *text, uint32_t *ofp_port);

int match_test_tun_map(const char *text, struct ofp_error *err);
void match_test_tun_map_text(char *out, size_t cap);
int match_test_tun_map_remove(const char *text, struct ofp_error *err);
int match_test_parse(const char *text, struct match *out, struct flow_text *extra,
                     struct ofp_error *err);
bool match_test_actions(const char *text, char *out, size_t cap);
bool match_test_format(const struct match *m, uint32_t priority, bool names, char *out, size_t cap);
bool match_test_flow_text(const struct flow *flow, char *out, size_t cap);
bool match_test_field_text(const struct mf_field *mf, const union mf_value *value,
                           const union mf_value *mask, char *out, size_t cap);
bool match_test_subfield_text(const struct mf_subfield *sf, char *out, size_t cap);
bool match_test_port_text(uint32_t ofp_port, bool names, char *out, size_t cap);
int match_test_field(const struct mf_field *mf, const char *text, union mf_value *value,
                     union mf_value *mask, struct ofp_error *err);
int match_test_subfield(const char *text, struct mf_subfield *sf, struct ofp_error *err);
void match_test_mini(const struct match *m, struct match *again);
bool match_test_mini_equal(const struct match *a, const struct match *b);
bool match_test_mini_covers(const struct match *m, const struct flow *flow);
