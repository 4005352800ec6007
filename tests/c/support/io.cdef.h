#define RS_BATCH_MAX 32
#define UMEM_CACHE_SIZE 256
#define UMEM_CACHE_BURST 128
#define UMEM_OWNER_TX ...
#define PKT_CSUM_MAYBE_PARTIAL ...
#define RS_OFS_NONE ...
#define DROP_N_REASONS ...
#define DROP_RUNT ...
#define DROP_BAD_DESC ...
#define DROP_NO_FRAME ...
#define DROP_TX_RING_FULL ...
#define DROP_TX_TOO_LONG ...
#define DROP_TX_DOWN ...
#define DROP_SINK_FULL ...

struct umem_cache {
    uint32_t count;
    uint32_t frames[256];
    ...;
};

struct dp_packet {
    uint8_t *data;
    uint32_t frame;
    uint16_t len, l3_ofs, l4_ofs;
    uint8_t flags, l4_proto;
    uint32_t in_port;
    struct umem *umem;
    ...;
};

struct umem {
    uint8_t *base;
    uint32_t frame_size, n_frames;
    struct dp_packet *meta;
    uint16_t *owner;
    bool zero_copy;
    uint32_t *stock;
    uint32_t n_stock;
    unsigned n_sockets;
    struct xsk_socket *sockets;
    struct umem_cache *pmd_cache;
    ...;
};

const char *drop_reason_name(unsigned reason);
const char *drop_reason_meaning(unsigned reason);

int umem_create(uint32_t n_frames, uint32_t frame_size, int numa_node, struct umem **out);
void umem_destroy(struct umem *umem);
uint32_t umem_free_frames(struct umem *umem);
unsigned umem_stock_take(struct umem *umem, uint32_t *frames, unsigned n);
void umem_stock_give(struct umem *umem, const uint32_t *frames, unsigned n);
bool umem_cache_get(struct umem_cache *cache, uint32_t *frame);
void umem_cache_put(struct umem_cache *cache, uint32_t frame);
unsigned umem_cache_get_many(struct umem_cache *cache, uint32_t *frames, unsigned n);
void umem_cache_flush(struct umem_cache *cache);
uint32_t umem_reclaim(struct umem *umem, uint16_t tag);

struct dp_packet *dp_packet_alloc(struct umem *umem, struct umem_cache *cache);
struct dp_packet *dp_packet_clone(const struct dp_packet *p, struct umem *umem, struct umem_cache *cache);
void dp_packet_free(struct dp_packet *p);
struct dp_packet *io_packet(struct umem *umem, const void *data, size_t len);
bool io_csum_complete(uint8_t *frame, size_t len, uint16_t l3, uint16_t l4, uint8_t proto);

uint64_t csum_partial(const void *data, size_t len, uint64_t sum);
uint16_t csum_fold(uint64_t sum);

struct io_ring {
    uint32_t producer, consumer, flags;
    uint64_t *entries;
    ...;
};
struct io_ring *io_ring_new(uint32_t size, uint32_t start);
void io_ring_free(struct io_ring *r);
uint32_t io_prod_free(struct io_ring *r, uint32_t want);
void io_fill_set(struct io_ring *r, uint32_t i, uint64_t addr);
void io_tx_set(struct io_ring *r, uint32_t i, uint64_t addr, uint32_t len);
void io_prod_submit(struct io_ring *r, uint32_t n);
uint32_t io_prod_pending(struct io_ring *r);
uint32_t io_cons_peek(struct io_ring *r, uint32_t max);
uint64_t io_comp_get(struct io_ring *r, uint32_t i);
uint64_t io_rx_addr(struct io_ring *r, uint32_t i);
uint32_t io_rx_len(struct io_ring *r, uint32_t i);
void io_cons_release(struct io_ring *r, uint32_t n);
bool io_needs_wakeup(struct io_ring *r);
void io_forget_flags(struct io_ring *r);

enum port_type { PORT_AFXDP, PORT_TAP, PORT_INTERNAL, PORT_DUMMY };
enum bind_mode { BIND_AUTO, BIND_ZERO_COPY, BIND_COPY };
enum csum_policy { CSUM_COMPLETE, CSUM_SOFTWARE };

struct port_config {
    char name[16];
    enum port_type type;
    char device[16];
    uint32_t ifindex;
    uint16_t queues[64];
    unsigned n_queues;
    enum bind_mode bind_mode;
    bool force_generic;
    enum csum_policy csum;
    uint16_t mtu;
    uint32_t ring_size;
};

struct port_open_error {
    int error;
    const char *what;
    uint16_t queue;
};

struct port {
    uint32_t id;
    unsigned n_rxq;
    bool tx_pending;
    ...;
};

struct umem_set {
    struct umem *umems[...];
    unsigned n_umems;
    uint32_t frames;
    bool share;
    bool share_refused;
};

struct dp_packet_batch {
    unsigned count;
    struct dp_packet *packets[32];
};

struct xsk_statistics {
    uint64_t rx_dropped, rx_invalid_descs, tx_invalid_descs, rx_ring_full, rx_fill_ring_empty_descs,
        tx_ring_empty_descs;
};

struct xsk_socket {
    int fd;
    bool zero_copy, need_wakeup;
    uint32_t rx_held, tx_held;
    bool net_down;
    struct umem *umem;
    struct xsk_socket *next;
    ...;
};

int port_open(const struct port_config *config, uint32_t id, struct umem_set *umems, struct port **out,
              struct port_open_error *err);
void port_close(struct port *port);
int port_xsk_fd(const struct port *port, unsigned q);
int port_xsk_statistics(const struct port *port, unsigned q, struct xsk_statistics *out);
bool port_xsk_zero_copy(const struct port *port);
int port_xsk_zero_copy_errno(const struct port *port);
bool port_xsk_shares_umem(const struct port *port);
unsigned port_xsk_bind_wait_ms(const struct port *port);
int port_dummy_inject(struct port *port, const void *frame, size_t len);
int port_dummy_take(struct port *port, void *buffer, size_t cap);
struct umem *umem_set_default(struct umem_set *set);
struct umem *umem_set_add(struct umem_set *set, uint32_t n_frames, int numa_node);
void umem_set_destroy(struct umem_set *set);
int xsk_probe_zero_copy(uint32_t ifindex, uint16_t queue);

struct io_counts {
    uint64_t received, received_bytes, copies, sent, delivered, bad_frames;
    uint64_t tx_packets, tx_bytes, dropped;
    uint64_t drops[...];
};
void io_counts(const struct port *port, struct io_counts *out);
bool io_up(const struct port *port);
void io_set_up(struct port *port, bool up);
void io_batch_rx(struct port *port, unsigned q, struct dp_packet_batch *batch);
void io_batch_tx(struct port *port, struct dp_packet_batch *batch, struct port *from);
void io_batch_free(struct dp_packet_batch *batch);
void io_flush(struct port *port);
int io_rx_fd(const struct port *port, unsigned q);
struct xsk_socket *io_socket(const struct umem_set *set, int fd);
void io_forge_rx(struct xsk_socket *s, uint64_t addr, uint32_t len);

struct io_loop {
    struct port *ports[8];
    uint32_t to[8];
    uint32_t n;
    uint64_t packets, iterations;
    bool stop;
    ...;
};
void io_loop_run(struct io_loop *loop);
uint64_t io_loop_until_idle(struct io_loop *loop, uint32_t idle, uint32_t max);

void io_hook_install(void);
uint32_t io_hook_calls(void);
uint32_t io_hook_reason(void);
void io_packet_set_capture(struct dp_packet *p, bool on);
