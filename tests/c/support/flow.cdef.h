#define FLOW_WORDS ...
#define FLOW_TNL_WORDS ...
#define KEY_SECRET_WORDS ...
#define FLOW_STAGE_META ...
#define FLOW_STAGE_L2 ...
#define FLOW_STAGE_L3 ...
#define FLOW_STAGE_L4 ...
#define DROP_NONE ...
#define PKT_HAS_CT ...
#define PKT_HAS_TUNNEL ...
#define PKT_NOT_ETHERNET ...

struct flow_vlan {
    uint16_t tpid, tci;
};

struct flow_nsh {
    uint8_t flags, ttl, mdtype, np;
    uint32_t path_hdr;
    uint32_t context[4];
};

struct flow_tnl {
    uint32_t ip_src, ip_dst;
    uint8_t ipv6_src[16], ipv6_dst[16];
    uint64_t tun_id;
    uint16_t flags;
    uint8_t ip_tos, ip_ttl;
    uint16_t tp_src, tp_dst;
    uint16_t gbp_id;
    uint8_t gbp_flags, erspan_ver;
    uint32_t erspan_idx;
    uint8_t erspan_dir, erspan_hwid, gtpu_flags, gtpu_msgtype;
    uint32_t pad;
    uint64_t opts_present;
    uint8_t opts[256];
};

struct flow {
    struct flow_tnl tunnel;
    uint64_t metadata;
    uint32_t regs[16];
    uint32_t skb_priority, pkt_mark, dp_hash, in_port, recirc_id;
    uint8_t ct_state, ct_nw_proto;
    uint16_t ct_zone;
    uint32_t ct_mark;
    uint32_t packet_type;
    uint8_t ct_label[16];
    uint32_t conj_id, actset_output;
    uint8_t dl_dst[6];
    uint8_t dl_src[6];
    uint16_t dl_type;
    uint16_t pad1;
    struct flow_vlan vlans[2];
    uint32_t mpls_lse[3];
    uint32_t pad2;
    uint32_t nw_src, nw_dst, ct_nw_src, ct_nw_dst;
    uint8_t ipv6_src[16], ipv6_dst[16], ct_ipv6_src[16], ct_ipv6_dst[16];
    uint32_t ipv6_label;
    uint8_t nw_frag, nw_tos, nw_ttl, nw_proto;
    uint8_t nd_target[16];
    uint8_t arp_sha[6], arp_tha[6];
    uint16_t tcp_flags, pad3;
    struct flow_nsh nsh;
    uint16_t tp_src, tp_dst, ct_tp_src, ct_tp_dst;
    uint32_t igmp_group_ip4, pad4;
};

struct flowmap {
    uint64_t bits[2];
};

struct dp_key {
    uint32_t hash, words;
    struct flowmap map;
    uint64_t values[...];
};

struct flow_offsets {
    uint16_t l2_5_ofs, l3_ofs, l4_ofs;
    uint8_t l4_proto;
};

struct flow_metadata {
    uint32_t in_port, recirc_id, dp_hash, pkt_mark, skb_priority;
    uint8_t flags;
    uint8_t ct_state, ct_nw_proto;
    uint16_t ct_zone;
    uint32_t ct_mark;
    uint16_t ct_tp_src, ct_tp_dst;
    uint8_t ct_label[16];
    uint32_t packet_type;
    struct flow_tnl tunnel;
};

unsigned flow_test_extract(const uint8_t *frame, size_t len, const struct flow_metadata *md,
                           struct dp_key *key, struct flow_offsets *offsets);
unsigned flow_test_extract_full(const uint8_t *frame, size_t len, const struct flow_metadata *md,
                                struct flow *flow);
void flow_test_expand(const struct dp_key *key, struct flow *flow);
void flow_test_compress(const struct flow *flow, struct dp_key *key);
bool flow_test_equal(const struct dp_key *a, const struct dp_key *b);
void flow_test_or(struct flow *wc, const struct dp_key *mask);
uint64_t flow_test_get(const struct dp_key *key, unsigned word);
bool flow_test_is_subset(const struct dp_key *a, const struct dp_key *b);
unsigned flow_test_words(const struct dp_key *key, uint8_t words[83]);
uint32_t flow_test_hash(const struct dp_key *key, const uint64_t *secret);
