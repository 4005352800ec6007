// How a port class ends a packet that it could not send: counted by name, seen by the capture,
// freed.

#ifndef RINGSIDE_PORT_PORT_DROP_H
#define RINGSIDE_PORT_PORT_DROP_H

#include "datapath/port/port.h"

static inline void port_drop(struct dp_packet *p, enum drop_reason reason,
                             struct port_counters *from) {
    counter_add(&from->drops[reason], 1);
    if (unlikely(p->capture) && port_drop_hook) {
        port_drop_hook(p, reason);
    }
    dp_packet_free(p);
}

#endif
