// A bridge: ports with their VLANs, the OpenFlow state, the MAC table, frozen states, packet-ins.
//
// Threads: PMDs and the revalidator read ports and tables under RCU; the control side changes ports only
// through the functions below, in pmd_run() while the revalidator is held (revalidator_hold()). The MAC table has a lock of its own (spinlock: held for a few
// instructions). Whatever changes answers says so to ofproto.log.

#ifndef RINGSIDE_OFPROTO_BRIDGE_H
#define RINGSIDE_OFPROTO_BRIDGE_H

#include "ofproto/frozen.h"
#include "ofproto/mac_table.h"
#include "ofproto/ofproto.h"
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

enum ofp_port_config { // OpenFlow's.
    OFPPC_PORT_DOWN = 1 << 0,
    OFPPC_NO_RECV = 1 << 2,
    OFPPC_NO_FLOOD = 1 << 4,
    OFPPC_NO_FWD = 1 << 5,
    OFPPC_NO_PACKET_IN = 1 << 6,
};

struct bridge_port {
    bool exists;
    bool trunks_all; // vlan.trunks is all zero.
    atomic_bool up;  // Carrier: of fast failover, bundle active_backup. Writer: control.
    uint32_t config; // enum ofp_port_config.
    struct vlan_config vlan;
};

struct packet_ins; // packet_in.h

struct bridge {
    char name[16];
    struct port_names names;                 // Writer: control, in pmd_run(). By datapath id.
    struct bridge_port ports[OFP_MAX_PORTS]; // Writer: control, in pmd_run(). By datapath id.
    struct ofproto ofproto;
    struct mac_table macs;
    struct frozen_table *frozen;
    struct packet_ins *pins;
};

int bridge_init(struct bridge *b, const char *name, uint32_t mac_entries, uint64_t mac_ageing_ms,
                uint64_t (*now_ms)(void *aux), void *now_aux);
void bridge_destroy(struct bridge *b);

// To be called in pmd_run(): A port gets its name first (rules can be written for it), and carries
// packets from bridge_add_port() on.
void bridge_name_port(struct bridge *b, uint32_t id, const char *name, bool internal);
void bridge_add_port(struct bridge *b, uint32_t id, const struct vlan_config *vlan);
void bridge_remove_port(struct bridge *b, uint32_t id); // Forgets its name and its addresses too.
void bridge_set_vlan(struct bridge *b, uint32_t id, const struct vlan_config *vlan);
void bridge_set_port_up(struct bridge *b, uint32_t id, bool up);
void bridge_set_port_config(struct bridge *b, uint32_t id,
                            uint32_t config); // enum ofp_port_config.

// All answers given so far may be wrong.
static inline void bridge_changed(struct bridge *b) {
    ofproto_changed(&b->ofproto);
}

// Where this address is has changed.
static inline void bridge_mac_changed(struct bridge *b, const uint8_t mac[6], uint16_t vlan) {
    struct change_note note = {.kind = CHANGE_MAC, .vlan = vlan};
    memcpy(note.mac, mac, sizeof note.mac);
    ofproto_changed_by(&b->ofproto, &note, 1);
}

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
