// OpenFlow port numbers, and the names of a bridge's ports as texts may use them.

#ifndef RINGSIDE_OFPROTO_PORT_NAMES_H
#define RINGSIDE_OFPROTO_PORT_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define OFP_MAX_PORTS 1024u // Datapath ids are 1 … OFP_MAX_PORTS - 1. 0 is no port.

// Reserved numbers, 16 bits as in OpenFlow 1.0 and everywhere inside; the channel widens them.
enum {
    OFPP_MAX = 0xff00,
    OFPP_UNSET = 0xfff7,
    OFPP_IN_PORT = 0xfff8,
    OFPP_TABLE = 0xfff9,
    OFPP_NORMAL = 0xfffa,
    OFPP_FLOOD = 0xfffb,
    OFPP_ALL = 0xfffc,
    OFPP_CONTROLLER = 0xfffd,
    OFPP_LOCAL = 0xfffe,
    OFPP_NONE = 0xffff, // Also ANY.
};
#define OFPP_ANY OFPP_NONE
#define OFPG_MAX 0xffffff00u
#define OFPG_ALL 0xfffffffcu
#define OFPG_ANY 0xffffffffu

struct port_names {
    char name[OFP_MAX_PORTS][16]; // By datapath id. Empty = no such port.
    uint32_t local; // Id of the internal port, whose OpenFlow number is OFPP_LOCAL; 0 = none.
};

// OpenFlow number <-> datapath id. 0 / OFPP_NONE: there is none.
static inline uint32_t port_names_id(const struct port_names *names, uint32_t ofp_port) {
    if (ofp_port == OFPP_LOCAL) {
        return names->local;
    }
    return ofp_port < OFP_MAX_PORTS && names->name[ofp_port][0] && ofp_port != names->local
               ? ofp_port
               : 0;
}
static inline uint32_t port_names_ofp(const struct port_names *names, uint32_t id) {
    return id == 0 ? OFPP_NONE : id == names->local ? (uint32_t)OFPP_LOCAL : id;
}

// OpenFlow number of the port with this name, OFPP_NONE if there is none.
uint32_t port_names_find(const struct port_names *names, const char *name);
// "1", "65534", "LOCAL", "IN_PORT", "h1", "\"h1\"" … 0 or -EINVAL. names may be NULL.
int port_names_parse(const struct port_names *names, const char *text, uint32_t *ofp_port);
// "LOCAL", "IN_PORT", or a name when names are given and it has one, else the number.
struct text;
void port_names_format(const struct port_names *names, uint32_t ofp_port, struct text *out);

#endif
