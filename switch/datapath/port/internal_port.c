// Port class "internal": the bridge's own interface in the kernel. A tap device whose other end is
// the host's stack: what it takes is "delivered", for it leaves the switch but not the host.

#include "datapath/port/tap_port.h"

static void internal_tx(struct port *port, struct dp_packet_batch *batch,
                        struct port_counters *from) {
    tap_write(port, batch, from, &from->delivered);
}

const struct port_class port_class_internal = {
    .name = "internal",
    .open = tap_open,
    .close = tap_close,
    .rx = tap_rx,
    .tx = internal_tx,
    .rx_fd = tap_rx_fd,
    .rx_is_syscall = true,
};
