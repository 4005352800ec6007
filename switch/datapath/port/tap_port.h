// What the port classes "tap" and "internal" share: a tap device that this process makes and holds.

#ifndef RINGSIDE_PORT_TAP_PORT_H
#define RINGSIDE_PORT_TAP_PORT_H

#include "datapath/port/port.h"

int tap_open(struct port *port, const struct port_config *config, struct umem_set *umems,
             struct port_open_error *err);
void tap_close(struct port *port);
void tap_rx(struct port *port, unsigned q, struct dp_packet_batch *batch);
// Writes the whole batch; what the kernel took is counted in *taken (a counter of `from`), the rest
// dropped by name.
void tap_write(struct port *port, struct dp_packet_batch *batch, struct port_counters *from,
               rs_counter *taken);
int tap_rx_fd(const struct port *port, unsigned q);

#endif
