// The names of a bridge's ports, as the text of rules may use them.

#ifndef RINGSIDE_OFPROTO_PORT_NAMES_H
#define RINGSIDE_OFPROTO_PORT_NAMES_H

#include <stdint.h>
#include <string.h>

#define OFP_MAX_PORTS 256u // Ids are 1 … OFP_MAX_PORTS - 1. 0 is no port.

struct port_names {
    char name[OFP_MAX_PORTS][16]; // Empty = no such port.
    uint32_t local;               // The internal port, which LOCAL means; 0 = none.
};

// Id of the port with this name, 0 if there is none.
static inline uint32_t port_names_find(const struct port_names *names, const char *name) {
    for (uint32_t id = 1; name[0] != '\0' && id < OFP_MAX_PORTS; id++) {
        if (strcmp(names->name[id], name) == 0) {
            return id;
        }
    }
    return 0;
}

#endif
