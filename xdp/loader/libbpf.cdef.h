// The declarations of libbpf and of <linux/bpf.h> that the loader uses, for cffi. "..." stands for
// the members we do not touch: the compiler takes offsets and sizes from the installed headers, so
// the same text serves libbpf 1.1 and every later one.

// Our own shim.h.
void bpf_log_start(void);
char *bpf_log_stop(void);
void bpf_log_free(char *text);
struct bpf_link_facts {
    uint32_t id;
    uint32_t prog_id;
    uint32_t is_xdp;
    uint32_t ifindex;
};
int bpf_link_facts_read(int link_fd, struct bpf_link_facts *facts);

// Objects.
struct bpf_object;
struct bpf_program;
struct bpf_map;
struct bpf_object *bpf_object__open_file(const char *path, const void *opts);
int bpf_object__load(struct bpf_object *obj);
void bpf_object__close(struct bpf_object *obj);
struct bpf_program *bpf_object__next_program(const struct bpf_object *obj,
                                             struct bpf_program *prog);
const char *bpf_program__name(const struct bpf_program *prog);
int bpf_program__fd(const struct bpf_program *prog);
struct bpf_map *bpf_object__next_map(const struct bpf_object *obj, const struct bpf_map *map);
const char *bpf_map__name(const struct bpf_map *map);
int bpf_map__fd(const struct bpf_map *map);
const char *libbpf_version_string(void);
int libbpf_num_possible_cpus(void);

// Maps.
enum bpf_map_type {
    BPF_MAP_TYPE_HASH,
    BPF_MAP_TYPE_ARRAY,
    BPF_MAP_TYPE_PERCPU_HASH,
    BPF_MAP_TYPE_PERCPU_ARRAY,
    BPF_MAP_TYPE_LRU_HASH,
    BPF_MAP_TYPE_DEVMAP,
    BPF_MAP_TYPE_XSKMAP,
    BPF_MAP_TYPE_DEVMAP_HASH,
    ...
};
struct bpf_map_info {
    uint32_t type;
    uint32_t id;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t max_entries;
    char name[16];
    ...;
};
enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST, ... };
int bpf_map_lookup_elem(int fd, const void *key, void *value);
int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags);
int bpf_map_delete_elem(int fd, const void *key);
int bpf_map_get_next_key(int fd, const void *key, void *next_key);

// Programs and links, as the kernel lists them.
struct bpf_prog_info {
    uint32_t type;
    uint32_t id;
    char name[16];
    ...;
};
int bpf_obj_get_info_by_fd(int bpf_fd, void *info, uint32_t *info_len);
int bpf_prog_get_fd_by_id(uint32_t id);
int bpf_link_get_next_id(uint32_t start_id, uint32_t *next_id);
int bpf_link_get_fd_by_id(uint32_t id);

// Attaching.
#define XDP_FLAGS_SKB_MODE ...
#define XDP_FLAGS_DRV_MODE ...
enum bpf_attach_type { BPF_XDP, ... };
struct bpf_link_create_opts {
    size_t sz;
    uint32_t flags;
    ...;
};
int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type type,
                    const struct bpf_link_create_opts *opts);
struct bpf_xdp_query_opts {
    size_t sz;
    uint32_t prog_id;
    uint32_t drv_prog_id;
    uint32_t hw_prog_id;
    uint32_t skb_prog_id;
    uint8_t attach_mode;
    ...;
};
int bpf_xdp_query(int ifindex, int flags, struct bpf_xdp_query_opts *opts);

// Test runs.
#define BPF_F_TEST_XDP_LIVE_FRAMES ...
struct xdp_md {
    uint32_t data;
    uint32_t data_end;
    uint32_t data_meta;
    uint32_t ingress_ifindex;
    uint32_t rx_queue_index;
    ...;
};
struct bpf_test_run_opts {
    size_t sz;
    const void *data_in;
    void *data_out;
    uint32_t data_size_in;
    uint32_t data_size_out;
    const void *ctx_in;
    uint32_t ctx_size_in;
    uint32_t retval;
    int repeat;
    uint32_t duration;
    uint32_t flags;
    uint32_t batch_size;
    ...;
};
int bpf_prog_test_run_opts(int prog_fd, struct bpf_test_run_opts *opts);
