// A port: where packets come in and leave. Behind one struct of functions stand
//
//     afxdp     an AF_XDP socket for each queue of a network device
//     tap       a tap device: the other end is a VM or a program
//     internal  the bridge's own interface in the kernel, over tap; what it takes is "delivered"
//     dummy     packets are injected and read by tests
//
// Life: port_open() (control thread; may take long: binds, waits out EBUSY) → published to the PMD,
// which polls rxqs and sends → unpublished (the PMD has passed a quiescent point) → port_close()
// (control thread).
//
// Conservation. All counters of `struct port_counters` are charged to the port that the packet CAME
// IN on, by the PMD that polls it, so for each port, between two batches, exactly:
//
//     received + copies = sent + delivered + Σ drops[reason]

#ifndef RINGSIDE_PORT_PORT_H
#define RINGSIDE_PORT_PORT_H

#include "datapath/base/compiler.h"
#include "datapath/drop_reason.h"
#include "datapath/packet/dp_packet_batch.h"

#define RS_MAX_PORTS  1024u // Port ids are 1 … RS_MAX_PORTS - 1. 0 is no port.
#define RS_MAX_QUEUES 64u
#define RS_PORT_NAME  16 // IFNAMSIZ.

struct port_counters { // Writer: the PMD that polls the port. Readers: any.
    rs_counter received, received_bytes;
    rs_counter copies;    // Further packets made out of received ones (flood, several outputs).
    rs_counter sent;      // Handed to an afxdp, tap or dummy port's device.
    rs_counter delivered; // Handed to the kernel by the bridge's internal port.
    rs_counter drops[DROP_N_REASONS];
    rs_counter checksums_completed; // Unfinished L4 checksums completed in software.
    rs_counter bad_frames; // Addresses from the kernel that were not the socket's own. Not packets.
};

struct port_tx_counters { // Writer: the PMD thread. Readers: any.
    rs_counter packets, bytes;
};

enum port_type { PORT_AFXDP, PORT_TAP, PORT_INTERNAL, PORT_DUMMY };

enum bind_mode { BIND_AUTO, BIND_ZERO_COPY, BIND_COPY };

enum csum_policy {
    CSUM_COMPLETE, // Packets from this port carry finished checksums: nothing to do.
    CSUM_SOFTWARE, // They may be unfinished (veth peer with tx offload on): complete them here.
};

struct port_config {
    char name[RS_PORT_NAME];
    enum port_type type;
    char device[RS_PORT_NAME];      // afxdp: the netdev. tap, internal: the device to make.
    uint32_t ifindex;               // afxdp.
    uint16_t queues[RS_MAX_QUEUES]; // afxdp: which queues.
    unsigned n_queues;              // 1 for other types.
    enum bind_mode bind_mode;       // afxdp.
    bool force_generic; // afxdp: program is attached in generic mode: never try zero copy.
    enum csum_policy csum;
    uint16_t mtu;       // Bytes of L3 payload; frames over mtu + 18 + 4 are refused on tx.
    uint32_t ring_size; // Entries of each ring, a power of two; 0 = 2048.
};

struct umem_set;
struct port;

// Where a failed open stopped. `what` is a static string: the name of the port_config field that is
// at fault ("device", "mtu", "queues", …), or the step that the kernel refused ("socket(AF_XDP)",
// "XDP_UMEM_REG", "bind(zero-copy)", …). README.md of this folder has the list with the ways out.
struct port_open_error {
    int error; // Positive errno.
    const char *what;
    uint16_t queue; // afxdp: the device's queue, where the step concerns one.
};

struct port_class {
    const char *name;
    // Makes port->priv. 0 or -errno with *err filled. Leaves nothing behind on failure.
    int (*open)(struct port *port, const struct port_config *config, struct umem_set *umems,
                struct port_open_error *err);
    // Closes and frees port->priv and takes back all frames. The PMD no longer sees the port.
    void (*close)(struct port *port);
    // Appends up to RS_BATCH_MAX packets of rx queue index q (0 … n_rxq-1) to the empty `batch`,
    // with data, len, flags and in_port set. Counts received, received_bytes and rx drops. PMD
    // thread.
    void (*rx)(struct port *port, unsigned q, struct dp_packet_batch *batch);
    // Consumes the whole batch: sends, or drops by name. Charges `from` (sent or delivered or
    // drops) and port->tx. PMD thread.
    void (*tx)(struct port *port, struct dp_packet_batch *batch, struct port_counters *from);
    // Kicks the kernel if it needs it. May be NULL. Called at the end of each PMD iteration for
    // every port that tx was called for, or whose `tx_pending` is set.
    void (*flush)(struct port *port);
    // fd to sleep on until rx queue q has something (EPOLLIN); -1 if there is none.
    int (*rx_fd)(const struct port *port, unsigned q);
    // True if an empty poll costs a system call: the PMD then polls it less often while it is idle.
    bool rx_is_syscall;
};

#define PORT_TX_RETRY_MS 1

struct port {
    uint32_t id; // 1 … RS_MAX_PORTS-1. Constant while published.
    const struct port_class *class;
    struct port_config config; // Constant while published.
    unsigned n_rxq;
    void *priv; // The class's own.
    // The kernel has not taken all that was sent (its budget was spent, the device is busy or
    // down): call flush in every iteration, and sleep no longer than PORT_TX_RETRY_MS. Writer: tx
    // and flush. PMD thread only.
    bool tx_pending;
    atomic_bool up;      // Carrier and admin state. Writer: control. Reader: PMD.
    atomic_bool capture; // Packets are copied to the capture ring. Writer: control. Reader: PMD.
    RS_CACHE_ALIGNED struct port_counters counters;
    struct port_tx_counters tx;
};

// Bytes of the longest frame that the port sends: Ethernet header, two VLAN tags, mtu.
static inline uint32_t port_frame_max(const struct port *port) {
    return port->config.mtu + 22u;
}

// Told about each packet that a port's tx drops and that carries a capture record, before it is
// freed. NULL = nobody. Set once, before the first port is opened. Called in the PMD thread.
extern void (*port_drop_hook)(const struct dp_packet *p, enum drop_reason reason);

extern const struct port_class port_class_afxdp, port_class_tap, port_class_internal,
    port_class_dummy;

// Opens a port of config->type. 0, -errno with *err filled, -EINVAL for a config that contradicts
// itself.
int port_open(const struct port_config *config, uint32_t id, struct umem_set *umems,
              struct port **out, struct port_open_error *err);
void port_close(struct port *port);

// afxdp: fd of the socket of queue index q (for the XSKMAP); XDP_STATISTICS; was zero copy granted?
// -EINVAL for another class or queue.
int port_xsk_fd(const struct port *port, unsigned q);
struct xsk_statistics { // The six counters of XDP_STATISTICS (kernel >= 5.9; missing ones are 0).
    uint64_t rx_dropped, rx_invalid_descs, tx_invalid_descs, rx_ring_full, rx_fill_ring_empty_descs,
        tx_ring_empty_descs;
};
int port_xsk_statistics(const struct port *port, unsigned q, struct xsk_statistics *out);
bool port_xsk_zero_copy(const struct port *port);
// errno with which zero copy was refused under BIND_AUTO; 0 = not tried or granted.
int port_xsk_zero_copy_errno(const struct port *port);
bool port_xsk_shares_umem(const struct port *port);
// Time spent waiting for EBUSY at bind, milliseconds.
unsigned port_xsk_bind_wait_ms(const struct port *port);

// dummy: hands a frame to the port's rx side; -ENOBUFS when its queue is full, -EMSGSIZE, -EINVAL
// for another class.
int port_dummy_inject(struct port *port, const void *frame, size_t len);
// dummy: takes the oldest packet that the switch sent here: its length, -EAGAIN if none, -EMSGSIZE
// if cap is too small.
int port_dummy_take(struct port *port, void *buffer, size_t cap);

// The umems of one switch. Sharing is probed: the first bind that the kernel refuses to share sets
// `share_refused`, and later ports get a umem of their own. Control thread only.
struct umem_set {
    struct umem *umems[RS_MAX_PORTS];
    unsigned n_umems;
    uint32_t frames;    // Frames in each umem, 0 = 16384; more where one port needs more.
    bool share;         // Configuration: may ports share a umem? (tests and old kernels: false)
    bool share_refused; // The kernel cannot share a umem across devices (< 5.10).
};
// The umem for packets of ports without one of their own (tap, dummy): umems[0], made on first use.
// NULL without memory.
struct umem *umem_set_default(struct umem_set *set);
// Makes a umem with at least n_frames, and the set's. NULL without memory, or if the set is full.
struct umem *umem_set_add(struct umem_set *set, uint32_t n_frames, int numa_node);
void umem_set_destroy(struct umem_set *set);

#endif
