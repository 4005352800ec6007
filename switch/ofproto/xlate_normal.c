// The NORMAL action: a learning switch with VLANs, step by step as Open vSwitch takes them.
//
//     port's VLANs → packet's VLAN → reserved address? → learn source
//         → destination known? → one port, or flood
//
// Ways out without an output: vlan_ingress, reserved_mac, same_port; and no_output when nobody else
// is in the VLAN.

#include "ofproto/xlate.h"

enum { VID_MASK = 0xfff, PCP_MASK = 0xe000, TPID_8021Q = 0x8100 };

static uint16_t packet_vid(const struct xlate *x) {
    return ntoh16(x->flow->vlans[0].tci) & VID_MASK;
}

// May this packet come in here? A tag with VLAN 0 (priority only) counts as untagged.
static bool ingress_allows(struct xlate *x, const struct bridge_port *in) {
    uint16_t vid = packet_vid(x);
    const char *name = x->bridge->names.name[x->flow->in_port];
    if (x->flow->dl_type == hton16(TPID_8021Q) && x->flow->vlans[0].tpid == 0) {
        xlate_say(x, "     >> dropping packet with partial VLAN tag received on port %s", name);
        return false;
    }
    switch (in->vlan.mode) {
    case VLAN_ACCESS:
        if (vid != 0) {
            xlate_say(x,
                      "     >> dropping VLAN %u tagged packet received on port %s "
                      "configured as VLAN %u access port",
                      vid, name, in->vlan.tag);
        }
        return vid == 0;
    case VLAN_NATIVE:
        if (vid == 0) {
            return true;
        }
        break;
    case VLAN_TRUNK: break;
    }
    if (!bridge_port_carries(in, vid)) {
        xlate_say(x, "     >> dropping VLAN %u packet received on port %s not configured for it",
                  vid, name);
        return false;
    }
    return true;
}

// The VLAN that the packet belongs to in the bridge.
static uint16_t ingress_vlan(const struct xlate *x, const struct bridge_port *in) {
    uint16_t vid = packet_vid(x);
    bool own = in->vlan.mode == VLAN_ACCESS || (in->vlan.mode == VLAN_NATIVE && vid == 0);
    return own ? in->vlan.tag : vid;
}

// 802.1D: addresses that no bridge forwards.
static bool is_reserved(const uint8_t mac[6]) {
    static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
    return memcmp(mac, prefix, sizeof prefix) == 0 && mac[5] <= 0x0f;
}

// The tag with which a packet of this VLAN leaves by a port. Its priority stays what it was; in VLAN 0
// a tag is there for a priority other than 0 alone.
static struct flow_vlan egress_tag(const struct xlate *x, const struct bridge_port *out,
                                   uint16_t vlan) {
    uint16_t pcp = ntoh16(x->flow->vlans[0].tci) & PCP_MASK;
    bool untagged = (vlan == 0 && pcp == 0) || out->vlan.mode == VLAN_ACCESS ||
                    (out->vlan.mode == VLAN_NATIVE && vlan == out->vlan.tag);
    if (untagged) {
        return (struct flow_vlan){0, 0};
    }
    struct flow_vlan tag = x->flow->vlans[0];
    tag.tci = hton16((uint16_t)(pcp | FLOW_VLAN_CFI | vlan));
    tag.tpid = tag.tpid ? tag.tpid : hton16(TPID_8021Q);
    return tag;
}

static bool tag_equal(struct flow_vlan a, struct flow_vlan b) {
    return a.tpid == b.tpid && a.tci == b.tci;
}

// Ports that send the packet as it is come first, so that its tag changes at most once.
static void flood(struct xlate *x, uint16_t vlan) {
    struct flow_vlan before = x->tag;
    for (int changed = 0; changed <= 1; changed++) {
        for (uint32_t id = 1; id < OFP_MAX_PORTS; id++) {
            const struct bridge_port *port = &x->bridge->ports[id];
            if (!port->exists || id == x->flow->in_port || !bridge_port_carries(port, vlan)) {
                continue;
            }
            struct flow_vlan tag = egress_tag(x, port, vlan);
            if (tag_equal(tag, before) != changed) {
                xlate_output(x, id, tag);
            }
        }
    }
}

void xlate_normal(struct xlate *x) {
    struct bridge *b = x->bridge;
    const struct bridge_port *in = &b->ports[x->flow->in_port];
    if (!in->exists || !ingress_allows(x, in)) {
        xlate_refuse(x, in->exists ? DROP_VLAN_INGRESS : DROP_NO_OUTPUT);
        return;
    }
    if (is_reserved(x->flow->dl_dst)) {
        xlate_say(x, "     >> destination is a reserved address, not forwarded");
        xlate_refuse(x, DROP_RESERVED_MAC);
        return;
    }
    uint16_t vlan = ingress_vlan(x, in);
    if (x->learn && mac_learn(&b->macs, x->flow->dl_src, vlan, x->flow->in_port, x->now_ms)) {
        bridge_changed(b);
    }
    uint32_t out =
        mac_is_group(x->flow->dl_dst) ? 0 : mac_lookup(&b->macs, x->flow->dl_dst, vlan, x->now_ms);
    if (out == 0) {
        xlate_say(x, "     -> no learned MAC for destination, flooding VLAN %u", vlan);
        flood(x, vlan);
    } else if (out == x->flow->in_port) {
        xlate_say(x, "     -> learned port is input port, dropping");
        xlate_refuse(x, DROP_SAME_PORT);
    } else {
        xlate_say(x, "     -> forwarding to learned port %s", b->names.name[out]);
        xlate_output(x, out, egress_tag(x, &b->ports[out], vlan));
    }
}
