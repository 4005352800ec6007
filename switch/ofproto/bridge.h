// A bridge: ports with their VLANs, the flow table, the MAC table, and the number that says when
// answers have gone stale.
//
// Threads: the PMD reads everything and writes the MAC table and the generation. The control side
// changes ports and table only through the functions below, in pmd_run() where they say so; what it
// alone changes it may read at any time.

#ifndef RINGSIDE_OFPROTO_BRIDGE_H
#define RINGSIDE_OFPROTO_BRIDGE_H

#include "ofproto/mac_table.h"
#include "ofproto/oftable.h"
#include "ofproto/port_names.h"

enum vlan_mode {
    VLAN_TRUNK,  // Tagged packets of the VLANs in `trunks`; untagged ones are VLAN 0.
    VLAN_ACCESS, // Untagged packets are VLAN `tag`, and it alone leaves here, untagged.
    VLAN_NATIVE, // A trunk, but untagged packets are VLAN `tag`, which also leaves untagged.
};

struct vlan_config {
    enum vlan_mode mode;
    uint16_t tag;
    uint8_t trunks[512]; // Bitmap of VLANs 0 … 4095; all zero = all of them.
};

struct bridge_port {
    bool exists;
    bool trunks_all; // vlan.trunks is all zero.
    struct vlan_config vlan;
};

struct bridge {
    char name[16];
    struct port_names names;                 // Writer: control, in pmd_run().
    struct bridge_port ports[OFP_MAX_PORTS]; // Writer: control, in pmd_run().
    struct oftable *table;                   // Writer: control, in pmd_run(). Never NULL.
    struct mac_table macs;                   // PMD only.
    _Atomic uint64_t generation; // Writers: PMD, and control in pmd_run(). Readers: any.
};

int bridge_init(struct bridge *b, const char *name, uint32_t mac_entries, uint64_t mac_ageing_ms);
void bridge_destroy(struct bridge *b);

// To be called in pmd_run(): A port gets its name first (rules can be written for it), and carries
// packets from bridge_add_port() on.
void bridge_name_port(struct bridge *b, uint32_t id, const char *name, bool internal);
void bridge_add_port(struct bridge *b, uint32_t id, const struct vlan_config *vlan);
void bridge_remove_port(struct bridge *b, uint32_t id); // Forgets its name and its addresses too.
void bridge_set_vlan(struct bridge *b, uint32_t id, const struct vlan_config *vlan);
// Publishes a table; returns the one before, to be retired after pmd_run().
struct oftable *bridge_set_table(struct bridge *b, struct oftable *table);

// All answers given so far may be wrong.
void bridge_changed(struct bridge *b);

static inline bool vlan_bit(const uint8_t bitmap[512], uint16_t vlan) {
    return bitmap[vlan / 8] >> (vlan % 8) & 1;
}

// Does the port carry this VLAN, tagged or not? A native port never carries VLAN 0: without a tag, its
// packets would be taken for the native VLAN's.
static inline bool bridge_port_carries(const struct bridge_port *port, uint16_t vlan) {
    const struct vlan_config *c = &port->vlan;
    if (c->mode == VLAN_ACCESS) {
        return vlan == c->tag;
    }
    if (c->mode == VLAN_NATIVE && vlan == 0) {
        return false;
    }
    return port->trunks_all || vlan_bit(c->trunks, vlan) ||
           (c->mode == VLAN_NATIVE && vlan == c->tag);
}

#endif
