// Where a field lies in struct flow, as mf_fields.def says. For the mf_*.c files alone.
//
// Most fields are some bits of one member of at most eight bytes: value = (member & mask) >> shift. Reading,
// writing and masking them is three lines, and a new field is one row of the table.

#ifndef RINGSIDE_OFPROTO_MF_PLACE_H
#define RINGSIDE_OFPROTO_MF_PLACE_H

#include "ofproto/mf.h"

enum mf_place_kind {
    PLACE_NET,     // Bits of a member in network byte order.
    PLACE_HOST,    // Bits of a member in host byte order.
    PLACE_BYTES,   // More bytes than a word holds, network byte order, all of the member.
    PLACE_VLAN,    // Bits of vlans[0].tci.
    PLACE_TAGGED,  // The same of a tag that must be there: the CFI bit goes along.
    PLACE_PORT32,  // A port number that OpenFlow 1.1+ widens.
    PLACE_REGS,    // n_bytes / 4 registers.
    PLACE_TUN_OPT, // By mf_tun_map; shift is the option's number.
};

struct mf_place {
    uint8_t kind; // enum mf_place_kind.
    uint8_t size; // Bytes of the member.
    uint8_t shift;
    uint16_t offset; // In struct flow.
    uint64_t mask;   // Bits of the member that are the field's.
};

extern const struct mf_place mf_places[MFF_N_IDS];

// The member as a number, and the other way. PLACE_NET, PLACE_HOST, PLACE_VLAN, PLACE_TAGGED, PLACE_PORT32.
uint64_t mf_load(const struct mf_place *p, const struct flow *flow);
void mf_store(const struct mf_place *p, uint64_t member, struct flow *flow);

// A value of at most eight bytes as a number, and the other way.
uint64_t mf_value_number(const struct mf_field *mf, const union mf_value *value);
void mf_value_from_number(const struct mf_field *mf, uint64_t number, union mf_value *value);

// mf_from_name() of a name that is not terminated.
const struct mf_field *mf_from_name_n(const char *name, size_t len);

// OpenFlow 1.1+ port numbers: 0xff00 … 0xffff are 0xffffff00 … 0xffffffff there.
uint32_t mf_port_to_32(uint32_t port16);
bool mf_port_from_32(uint32_t port32, uint32_t *port16); // False: no 16-bit number.

#endif
