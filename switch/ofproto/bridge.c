#include "ofproto/bridge.h"

#include <errno.h>
#include <stdio.h>

#include "ofproto/packet_in.h"

int bridge_init(struct bridge *b, const char *name, uint32_t mac_entries, uint64_t mac_ageing_ms,
                uint64_t (*now_ms)(void *aux), void *now_aux) {
    memset(b, 0, sizeof *b);
    snprintf(b->name, sizeof b->name, "%s", name);
    int error = ofproto_init(&b->ofproto, &b->names, now_ms, now_aux);
    if (error < 0) {
        return error;
    }
    error = mac_table_init(&b->macs, mac_entries, mac_ageing_ms);
    if (error == 0) {
        error = frozen_table_create(&b->frozen);
    }
    if (error == 0) {
        error = packet_ins_create(b->frozen, &b->pins);
    }
    if (error < 0) {
        bridge_destroy(b);
    }
    return error;
}

void bridge_destroy(struct bridge *b) {
    ofproto_destroy(&b->ofproto);
    packet_ins_destroy(b->pins); // It holds frozen states.
    frozen_table_destroy(b->frozen);
    mac_table_destroy(&b->macs);
    memset(b, 0, sizeof *b);
}

void bridge_name_port(struct bridge *b, uint32_t id, const char *name, bool internal) {
    assert(id > 0 && id < OFP_MAX_PORTS);
    snprintf(b->names.name[id], sizeof b->names.name[id], "%s", name);
    if (internal && b->names.local == 0) { // The first one stays LOCAL.
        b->names.local = id;
    }
}

void bridge_add_port(struct bridge *b, uint32_t id, const struct vlan_config *vlan) {
    assert(id > 0 && id < OFP_MAX_PORTS);
    b->ports[id].exists = true;
    atomic_store_explicit(&b->ports[id].up, true, memory_order_relaxed);
    bridge_set_vlan(b, id, vlan);
}

void bridge_remove_port(struct bridge *b, uint32_t id) {
    assert(id > 0 && id < OFP_MAX_PORTS);
    memset(&b->ports[id], 0, sizeof b->ports[id]);
    b->names.name[id][0] = '\0';
    if (b->names.local == id) {
        b->names.local = 0;
    }
    mac_flush(&b->macs, id);
    bridge_changed(b);
}

void bridge_set_vlan(struct bridge *b, uint32_t id, const struct vlan_config *vlan) {
    static const uint8_t none[sizeof vlan->trunks];
    assert(id > 0 && id < OFP_MAX_PORTS);
    b->ports[id].vlan = *vlan;
    b->ports[id].trunks_all = memcmp(vlan->trunks, none, sizeof none) == 0;
    mac_flush(&b->macs, id); // Its addresses may now be in other VLANs.
    bridge_changed(b);
}

void bridge_set_port_up(struct bridge *b, uint32_t id, bool up) {
    assert(id > 0 && id < OFP_MAX_PORTS);
    if (atomic_exchange_explicit(&b->ports[id].up, up, memory_order_relaxed) != up) {
        bridge_changed(b);
    }
}

void bridge_set_port_config(struct bridge *b, uint32_t id, uint32_t config) {
    assert(id > 0 && id < OFP_MAX_PORTS);
    if (b->ports[id].config != config) {
        b->ports[id].config = config;
        bridge_changed(b);
    }
}
