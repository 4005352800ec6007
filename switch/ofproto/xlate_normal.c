// The NORMAL action: a learning switch with VLANs, step by step as Open vSwitch takes them.
//
//     port's VLANs → packet's VLAN → reserved address? → learn source
//         → destination known? → one port, or flood
//
// Ways out without an output: vlan_ingress, reserved_mac, same_port; and no_output when nobody else is
// in the VLAN. All that decides is un-wildcarded: both addresses and the outer VLAN.

#include "ofproto/xlate_private.h"

enum { VID_MASK = 0xfff, PCP_MASK = 0xe000, TPID_8021Q = 0x8100 };
enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct tag { // A VLAN header taken apart. All 0 = none.
    uint16_t tpid, vid, pcp;
};
struct tags {
    struct tag t[FLOW_MAX_VLANS];
};

static struct tags tags_of(const struct flow *f) {
    struct tags tags;
    memset(&tags, 0, sizeof tags);
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        uint16_t tci = ntoh16(f->vlans[i].tci);
        if (!tpid_is_vlan(f->vlans[i].tpid) || !(tci & FLOW_VLAN_CFI)) {
            break;
        }
        tags.t[i] = (struct tag){ntoh16(f->vlans[i].tpid), tci & VID_MASK, tci & PCP_MASK};
    }
    return tags;
}

// A tag of VLAN 0 is there for its priority alone.
static void put_tags(struct flow_vlan out[FLOW_MAX_VLANS], const struct tags *tags) {
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        const struct tag *t = &tags->t[i];
        out[i] = (struct flow_vlan){0, 0};
        if (t->vid || t->pcp) {
            out[i].tpid = hton16(t->tpid ? t->tpid : TPID_8021Q);
            out[i].tci = hton16(t->vid | t->pcp | FLOW_VLAN_CFI);
        }
    }
}

// What put_tags() and egress_carries() go by, beside the outer VLAN: the priority of a tag that has nothing else, and all
// of the inner one.
static void mask_tags(struct xlate *x, const struct tags *tags) {
    struct flow_vlan *wc = x->wc->vlans;
    if (tags->t[0].tpid) {
        wc[0].tci |= tags->t[0].vid ? 0 : hton16(PCP_MASK);
        wc[1].tci |= tags->t[1].tpid ? UINT16_MAX : hton16(FLOW_VLAN_CFI);
    }
}

// -- on the way in --

// May this packet come in here?
static bool ingress_allows(struct xlate *x, const struct bridge_port *in, uint32_t id,
                           uint16_t vid) {
    const char *name = x->bridge->names.name[id];
    if (in->vlan.mode == VLAN_ACCESS) {
        if (vid != 0) {
            xlate_error(x,
                        "dropping VLAN %u tagged packet received on port %s configured as VLAN %u "
                        "access port",
                        vid, name, in->vlan.tag);
        }
        return vid == 0;
    }
    if (in->vlan.mode == VLAN_NATIVE && vid == 0) {
        return true;
    }
    if (!bridge_port_carries(in, vid)) {
        xlate_error(x,
                    "dropping VLAN %u packet received on port %s not configured for trunking "
                    "VLAN %u",
                    vid, name, vid);
        return false;
    }
    return true;
}

// The VLANs that the packet belongs to in the bridge. Untagged, or tagged for its priority alone: the port's.
static struct tags ingress_tags(const struct bridge_port *in, const struct tags *tags) {
    struct tags inside = *tags;
    if (in->vlan.mode == VLAN_ACCESS) {
        memset(&inside.t[1], 0, sizeof inside - sizeof inside.t[0]);
    }
    if (in->vlan.mode == VLAN_ACCESS || (in->vlan.mode == VLAN_NATIVE && tags->t[0].vid == 0)) {
        inside.t[0] = (struct tag){tags->t[0].tpid ? tags->t[0].tpid : TPID_8021Q, in->vlan.tag,
                                   tags->t[0].pcp};
    }
    return inside;
}

// Addresses that no bridge forwards: 802.1D's, and those that vendors took for the same purpose.
static bool is_reserved(const uint8_t mac[6]) {
    static const struct {
        uint8_t prefix[5], from, to;
    } ranges[] = {
        {{0x01, 0x80, 0xc2, 0x00, 0x00}, 0x00, 0x0f}, // STP, pause frames, LACP, LLDP …
        {{0x00, 0xe0, 0x2b, 0x00, 0x00}, 0x00, 0x00}, // EDP
        {{0x00, 0xe0, 0x2b, 0x00, 0x00}, 0x04, 0x04}, // EAPS
        {{0x00, 0xe0, 0x2b, 0x00, 0x00}, 0x06, 0x06}, // EAPS
        {{0x01, 0x00, 0x0c, 0x00, 0x00}, 0x00, 0x00}, // ISL
        {{0x01, 0x00, 0x0c, 0xcc, 0xcc}, 0xcc, 0xcd}, // CDP, VTP, UDLD, PVST+
        {{0x01, 0x00, 0x0c, 0xcd, 0xcd}, 0xcd, 0xcd}, // Uplink Fast
        {{0x01, 0x00, 0x0c, 0xcc, 0xcc}, 0xc0, 0xc7}, // CFM
    };
    if (mac[0] > 0x01) {
        return false;
    }
    for (unsigned i = 0; i < RS_ARRAY_SIZE(ranges); i++) {
        if (memcmp(mac, ranges[i].prefix, 5) == 0 && mac[5] >= ranges[i].from &&
            mac[5] <= ranges[i].to) {
            return true;
        }
    }
    return false;
}

// Open vSwitch asks whether an ARP packet announces its sender, which matters to bonds alone, and un-wildcards what tells.
static void mask_gratuitous_arp(struct xlate *x) {
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct flow *f = x->flow;
    if (f->dl_type != hton16(0x0806) || memcmp(f->dl_dst, broadcast, sizeof broadcast) != 0) {
        return;
    }
    x->wc->nw_proto = UINT8_MAX;
    if (f->nw_proto == ARP_REQUEST) {
        x->wc->nw_src = x->wc->nw_dst = UINT32_MAX;
    }
}

static void learn(struct xlate *x, uint32_t in_id, uint16_t vlan) {
    const struct flow *f = x->flow;
    if (x->in->side_effects && f->packet_type == 0 &&
        mac_learn(&x->bridge->macs, f->dl_src, vlan, in_id, x->in->now_ms)) {
        bridge_mac_changed(x->bridge, f->dl_src, vlan);
        xlate_detail(x, "learned that %02x:%02x:%02x:%02x:%02x:%02x is on port %s in VLAN %u",
                     f->dl_src[0], f->dl_src[1], f->dl_src[2], f->dl_src[3], f->dl_src[4],
                     f->dl_src[5], x->bridge->names.name[in_id], vlan);
    }
    if (x->credits && f->packet_type == 0) {
        struct credit c = {.type = CREDIT_NORMAL, .vlan = vlan, .arg = in_id};
        memcpy(c.mac, f->dl_src, sizeof c.mac);
        credits_add(x, &c);
    }
}

// -- on the way out --

static bool egress_carries(const struct bridge_port *out, const struct tags *tags) {
    return bridge_port_carries(out, tags->t[0].vid) &&
           (out->vlan.mode != VLAN_ACCESS || tags->t[1].vid == 0);
}

static void egress_tags(const struct bridge_port *out, const struct tags *inside,
                        struct flow_vlan vlans[FLOW_MAX_VLANS]) {
    struct tags tags = *inside;
    if (out->vlan.mode == VLAN_ACCESS) {
        memset(&tags, 0, sizeof tags);
    } else if (out->vlan.mode == VLAN_NATIVE && tags.t[0].vid == out->vlan.tag) {
        memmove(&tags.t[0], &tags.t[1], sizeof tags - sizeof tags.t[0]);
        tags.t[FLOW_MAX_VLANS - 1] = (struct tag){0, 0, 0};
    }
    put_tags(vlans, &tags);
}

static void output(struct xlate *x, uint32_t id, const struct flow_vlan vlans[FLOW_MAX_VLANS]) {
    struct flow_vlan before[FLOW_MAX_VLANS];
    memcpy(before, x->flow->vlans, sizeof before);
    memcpy(x->flow->vlans, vlans, sizeof before);
    xlate_output_port(x, port_names_ofp(&x->bridge->names, id));
    memcpy(x->flow->vlans, before, sizeof before);
}

// Ports that send the packet with the tags it has come first, so that these change at most once.
static void flood(struct xlate *x, uint32_t in_id, const struct tags *tags) {
    struct flow_vlan now[FLOW_MAX_VLANS], vlans[FLOW_MAX_VLANS];
    memcpy(now, x->base->vlans, sizeof now);
    xlate_refuse(x, DROP_NO_OUTPUT); // Unless somebody is there.
    for (int changed = 0; changed <= 1; changed++) {
        for (uint32_t id = 1; id < OFP_MAX_PORTS; id++) {
            const struct bridge_port *port = &x->bridge->ports[id];
            if (!x->bridge->names.name[id][0] || id == in_id || !port->exists ||
                port->config & OFPPC_NO_FLOOD || !egress_carries(port, tags)) {
                continue;
            }
            egress_tags(port, tags, vlans);
            if ((memcmp(vlans, now, sizeof now) != 0) == changed) {
                output(x, id, vlans);
            }
        }
    }
}

// Where the address was learned, 0 = nowhere.
static uint32_t find_mac(struct xlate *x, const uint8_t mac[6], uint16_t vlan) {
    if (mac_is_group(mac)) {
        return 0;
    }
    if (x->credits) {
        struct credit c = {.type = CREDIT_ASKED_MAC, .vlan = vlan};
        memcpy(c.mac, mac, sizeof c.mac);
        credits_add(x, &c);
    }
    return mac_lookup(&x->bridge->macs, mac, vlan, x->in->now_ms);
}

static void forward(struct xlate *x, uint32_t in_id, const struct tags *tags) {
    struct bridge *b = x->bridge;
    struct flow_vlan vlans[FLOW_MAX_VLANS];
    uint32_t out = find_mac(x, x->flow->dl_dst, tags->t[0].vid);
    if (out == 0) {
        xlate_detail(x, "no learned MAC for destination, flooding");
        flood(x, in_id, tags);
    } else if (out == in_id) {
        xlate_detail(x, "learned port is input port, dropping");
        xlate_refuse(x, DROP_SAME_PORT);
    } else {
        xlate_detail(x, "forwarding to learned port");
        egress_tags(&b->ports[out], tags, vlans);
        output(x, out, vlans);
    }
}

// A packet that a controller made up comes from no port: as from a trunk of all VLANs, and nothing is learned.
static const struct bridge_port nowhere = {.exists = true, .trunks_all = true};

static const struct bridge_port *input_port(struct xlate *x, uint32_t *id) {
    uint32_t ofp_port = x->flow->in_port;
    const struct bridge_port *in = xlate_port(x, ofp_port, id);
    if (in) {
        return in;
    }
    *id = 0;
    if (ofp_port == OFPP_NONE || ofp_port == OFPP_CONTROLLER) {
        return &nowhere;
    }
    xlate_error(x, "received packet on unknown port %u", ofp_port);
    xlate_warn(x, "no input bundle, dropping");
    xlate_refuse(x, DROP_NO_OUTPUT);
    return NULL;
}

void xlate_normal(struct xlate *x) {
    const struct flow *f = x->flow;
    uint32_t in_id;
    memset(x->wc->dl_src, 0xff, sizeof x->wc->dl_src);
    memset(x->wc->dl_dst, 0xff, sizeof x->wc->dl_dst);
    x->wc->vlans[0].tci |= hton16(VID_MASK | FLOW_VLAN_CFI);
    const struct bridge_port *in = input_port(x, &in_id);
    if (!in) {
        return;
    }
    if (tpid_is_vlan(f->dl_type) && !flow_has_vlan(f)) {
        xlate_warn(x, "partial VLAN tag, dropping");
        xlate_refuse(x, DROP_VLAN_INGRESS);
        return;
    }
    struct tags tags = tags_of(f);
    mask_tags(x, &tags);
    if (in_id != 0 && !ingress_allows(x, in, in_id, tags.t[0].vid)) {
        xlate_warn(x, "disallowed VLAN VID for this input port, dropping");
        xlate_refuse(x, DROP_VLAN_INGRESS);
        return;
    }
    struct tags inside = ingress_tags(in, &tags);
    if (in_id != 0 && is_reserved(f->dl_dst)) {
        xlate_detail(x, "packet has reserved destination MAC, dropping");
        xlate_refuse(x, DROP_RESERVED_MAC);
        return;
    }
    mask_gratuitous_arp(x);
    if (in_id != 0) {
        learn(x, in_id, inside.t[0].vid);
    }
    forward(x, in_id, &inside);
}
