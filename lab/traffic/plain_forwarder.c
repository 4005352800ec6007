// A plain AF_XDP forwarder: the yardstick beside which bench.smoke puts our switch.
//
// What comes in on one device leaves by the other; no header is read and nothing is looked up. Both
// sockets share one umem, so a frame's address moves from the rx ring to the other device's tx ring
// and no byte is copied in userspace. It busy-polls on one core. A switch that forwards by a table
// cannot be quicker than this by its own merit: what the two have in common is the kernel's cost.
//
//     in: XDP redirect → rx ring → [ this program ] → tx ring → sendto() → out
//
// It stands alone (no header of the switch, no libxdp, no libbpf), so that a fault of the switch
// cannot become a fault of the yardstick. The XDP programs are attached by whoever starts it; it gets
// their socket maps as inherited descriptors and enters its sockets.
//
//     plain_forwarder --port DEVICE:MAP_FD --port DEVICE:MAP_FD [--batch N] [--ready-fd N]
//
// SIGUSR1 prints the counters as one line of JSON; SIGTERM and SIGINT end it. One thread; every
// variable here is that thread's own but the flags that the signal handler sets.
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_PORTS     2
#define FRAME_SIZE  2048u
#define RING_SIZE   2048u           // Entries of each ring; a power of two.
#define N_FRAMES    (6 * RING_SIZE) // Fill, rx and tx rings of both ports can be full at once.
#define BATCH_MAX   256u
#define HUGE_PAGE   ((size_t)2 << 20)
#define KICK_FRAMES 32u

// One ring that the kernel shares with us. `local` is our own index: the next entry to use.
struct ring {
    uint32_t *producer, *consumer, *flags; // Writer of each index: its side. Flags: kernel.
    void *entries;
    uint32_t local;
};

struct port {
    char device[IF_NAMESIZE];
    int map_fd, fd;
    struct ring rx, tx, fill, completion;
    uint32_t in_tx; // Frames handed to the tx ring and not yet completed.
    uint64_t received, sent, tx_full, kicks, refused_kicks;
};

static struct port ports[N_PORTS];
static uint8_t *umem_area;
static uint64_t free_frames[N_FRAMES];
static uint32_t n_free;
static volatile sig_atomic_t stop_asked, report_asked;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...) {
    int error = errno;
    va_list args;

    va_start(args, format);
    fputs("plain_forwarder: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, ": %s\n", strerror(error));
    exit(1);
}

static void signal_handle(int number) {
    if (number == SIGUSR1)
        report_asked = 1;
    else
        stop_asked = 1;
}

// ---- rings -----------------------------------------------------------------------------------

static void ring_map(int fd, off_t where, const struct xdp_ring_offset *offset, size_t entry_size,
                     struct ring *ring) {
    size_t length = offset->desc + RING_SIZE * entry_size;
    uint8_t *base =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, where);

    if (base == MAP_FAILED)
        die("mmap of a ring");
    ring->producer = (uint32_t *)(base + offset->producer);
    ring->consumer = (uint32_t *)(base + offset->consumer);
    ring->flags = (uint32_t *)(base + offset->flags);
    ring->entries = base + offset->desc;
}

// Entries that the kernel has put in and we have not taken out (rx, completion).
static uint32_t ring_available(const struct ring *ring) {
    return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->local;
}

// Entries that we may put in (fill, tx).
static uint32_t ring_room(const struct ring *ring) {
    return RING_SIZE - (ring->local - __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE));
}

static uint32_t ring_slot(uint32_t index) {
    return index & (RING_SIZE - 1);
}

static void ring_publish(uint32_t *index, uint32_t value) {
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

// ---- setting up ------------------------------------------------------------------------------

static void option_set(const struct port *port, int option, const void *value, socklen_t size,
                       const char *name) {
    if (setsockopt(port->fd, SOL_XDP, option, value, size))
        die("%s: setsockopt %s", port->device, name);
}

static void rings_create(struct port *port) {
    struct xdp_mmap_offsets offsets;
    socklen_t size = sizeof(offsets);
    int entries = RING_SIZE;

    option_set(port, XDP_UMEM_FILL_RING, &entries, sizeof(entries), "XDP_UMEM_FILL_RING");
    option_set(port, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries),
               "XDP_UMEM_COMPLETION_RING");
    option_set(port, XDP_RX_RING, &entries, sizeof(entries), "XDP_RX_RING");
    option_set(port, XDP_TX_RING, &entries, sizeof(entries), "XDP_TX_RING");
    if (getsockopt(port->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) || size != sizeof(offsets))
        die("%s: getsockopt XDP_MMAP_OFFSETS (kernel before 5.4?)", port->device);
    ring_map(port->fd, XDP_PGOFF_RX_RING, &offsets.rx, sizeof(struct xdp_desc), &port->rx);
    ring_map(port->fd, XDP_PGOFF_TX_RING, &offsets.tx, sizeof(struct xdp_desc), &port->tx);
    ring_map(port->fd, (off_t)XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, sizeof(uint64_t), &port->fill);
    ring_map(port->fd, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr, sizeof(uint64_t),
             &port->completion);
}

// The first port registers the umem, the second one binds to it by the first one's socket.
static void socket_open(struct port *port, const struct port *first) {
    struct xdp_umem_reg region = {.addr = (uintptr_t)umem_area,
                                  .len = (uint64_t)N_FRAMES * FRAME_SIZE,
                                  .chunk_size = FRAME_SIZE};
    struct sockaddr_xdp address = {.sxdp_family = AF_XDP,
                                   .sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
                                   .sxdp_ifindex = if_nametoindex(port->device)};

    if (!address.sxdp_ifindex)
        die("%s: no such device", port->device);
    port->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (port->fd < 0)
        die("AF_XDP socket");
    if (port == first)
        option_set(port, XDP_UMEM_REG, &region, sizeof(region), "XDP_UMEM_REG");
    rings_create(port);
    if (port != first) {
        address.sxdp_flags = XDP_SHARED_UMEM; // Mode flags are the first socket's.
        address.sxdp_shared_umem_fd = (uint32_t)first->fd;
    }
    if (bind(port->fd, (const struct sockaddr *)&address, sizeof(address)))
        die("%s: bind", port->device);
}

static void map_enter(const struct port *port) {
    uint32_t key = 0, value = (uint32_t)port->fd;
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_fd = (uint32_t)port->map_fd;
    attr.key = (uintptr_t)&key;
    attr.value = (uintptr_t)&value;
    if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
        die("%s: socket into map %d", port->device, port->map_fd);
}

// The frames lie in huge pages where the kernel has some to spare, so that the yardstick does not pay
// for translations that a switch may have done away with. It is no error when there are none.
static void umem_create(void) {
    size_t length = (size_t)N_FRAMES * FRAME_SIZE;
    uint8_t *base =
        mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        die("mmap of %u frames", N_FRAMES);
    umem_area = (uint8_t *)(((uintptr_t)base + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    (void)madvise(umem_area, length, MADV_HUGEPAGE);
    memset(umem_area, 0, length); // Touched before the first packet, after the advice.
    while (n_free < N_FRAMES) {
        free_frames[n_free] = (uint64_t)n_free * FRAME_SIZE;
        n_free++;
    }
}

// ---- forwarding ------------------------------------------------------------------------------

static void completions_take(struct port *port) {
    uint32_t n = ring_available(&port->completion);
    const uint64_t *entries = port->completion.entries;

    for (uint32_t i = 0; i < n; i++)
        free_frames[n_free++] = entries[ring_slot(port->completion.local++)];
    port->in_tx -= n;
    ring_publish(port->completion.consumer, port->completion.local);
}

static void fill_give(struct port *port) {
    uint32_t n = ring_room(&port->fill);
    uint64_t *entries = port->fill.entries;

    n = n < n_free ? n : n_free;
    for (uint32_t i = 0; i < n; i++)
        entries[ring_slot(port->fill.local++)] = free_frames[--n_free];
    ring_publish(port->fill.producer, port->fill.local);
}

// Moves up to `batch` frames from one port's rx ring to the other's tx ring; returns how many came.
static uint32_t batch_move(struct port *from, struct port *to, uint32_t batch) {
    uint32_t n = ring_available(&from->rx), room = ring_room(&to->tx);
    const struct xdp_desc *in = from->rx.entries;
    struct xdp_desc *out = to->tx.entries;

    n = n < batch ? n : batch;
    for (uint32_t i = 0; i < n; i++) {
        const struct xdp_desc *frame = &in[ring_slot(from->rx.local++)];

        if (i < room) {
            struct xdp_desc *slot = &out[ring_slot(to->tx.local++)];

            *slot = (struct xdp_desc){.addr = frame->addr, .len = frame->len};
        } else {
            free_frames[n_free++] = frame->addr - frame->addr % FRAME_SIZE;
        }
    }
    ring_publish(from->rx.consumer, from->rx.local);
    ring_publish(to->tx.producer, to->tx.local);
    from->received += n;
    from->sent += n < room ? n : room;
    from->tx_full += n < room ? 0 : n - room;
    to->in_tx += n < room ? n : room;
    return n;
}

static void port_kick(struct port *port) {
    if (!(__atomic_load_n(port->tx.flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP))
        return;
    port->kicks++;
    if (sendto(port->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0) {
        if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR)
            die("%s: sendto", port->device);
        port->refused_kicks++;
    }
}

// Sends what is in the tx ring. In copy mode one call sends at most 32 frames (KICK_FRAMES), then says
// EAGAIN; a device that takes no more is asked again in the main loop's next turn.
static void port_send(struct port *port, uint32_t batch) {
    for (uint32_t calls = 0; port->in_tx && calls * KICK_FRAMES < batch; calls++) {
        port_kick(port);
        completions_take(port);
    }
}

static void counters_print(void) {
    printf("{");
    for (int i = 0; i < N_PORTS; i++) {
        const struct port *p = &ports[i];

        printf("%s\"%s\": {\"received\": %llu, \"sent\": %llu, \"tx_full\": %llu, \"kicks\": %llu, "
               "\"refused_kicks\": %llu}",
               i ? ", " : "", p->device, (unsigned long long)p->received,
               (unsigned long long)p->sent, (unsigned long long)p->tx_full,
               (unsigned long long)p->kicks, (unsigned long long)p->refused_kicks);
    }
    printf("}\n");
    fflush(stdout);
}

static void forward(uint32_t batch) {
    while (!stop_asked) {
        for (int i = 0; i < N_PORTS; i++) {
            struct port *from = &ports[i], *to = &ports[1 - i];

            if (batch_move(from, to, batch))
                fill_give(from);
            port_send(to, batch);
        }
        if (report_asked) {
            report_asked = 0;
            counters_print();
        }
    }
}

// ---- command line ----------------------------------------------------------------------------

static void usage(const char *found) {
    fprintf(stderr,
            "plain_forwarder: %s\nusage: plain_forwarder --port DEVICE:MAP_FD --port DEVICE:MAP_FD "
            "[--batch 1..%u] [--ready-fd N]\n",
            found, BATCH_MAX);
    exit(2);
}

static long number_parse(const char *text, long low, long high, const char *what) {
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < low || value > high)
        usage(what);
    return value;
}

static void port_parse(struct port *port, const char *text) {
    const char *colon = strrchr(text, ':');

    if (!colon || colon == text || (size_t)(colon - text) >= sizeof(port->device))
        usage("--port takes DEVICE:MAP_FD");
    memcpy(port->device, text, (size_t)(colon - text));
    port->map_fd = (int)number_parse(colon + 1, 0, 1 << 20, "--port: MAP_FD is no descriptor");
}

int main(int argc, char **argv) {
    int n_ports = 0, ready_fd = -1;
    uint32_t batch = 32;
    struct sigaction action = {.sa_handler = signal_handle};

    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (!strcmp(argv[i], "--port") && n_ports < N_PORTS)
            port_parse(&ports[n_ports++], value);
        else if (!strcmp(argv[i], "--batch"))
            batch = (uint32_t)number_parse(value, 1, BATCH_MAX, "--batch is out of range");
        else if (!strcmp(argv[i], "--ready-fd"))
            ready_fd = (int)number_parse(value, 0, 1 << 20, "--ready-fd is no descriptor");
        else
            usage(argv[i]);
    }
    if (n_ports != N_PORTS)
        usage("two --port are needed");
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    umem_create();
    for (int i = 0; i < N_PORTS; i++) {
        socket_open(&ports[i], &ports[0]);
        fill_give(&ports[i]);
        map_enter(&ports[i]);
    }
    if (ready_fd >= 0 && write(ready_fd, "READY\n", 6) != 6)
        die("write to the ready descriptor");
    forward(batch);
    return 0;
}
