#include "ofproto/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int bridge_init(struct bridge *b, const char *name, uint32_t mac_entries, uint64_t mac_ageing_ms) {
    memset(b, 0, sizeof *b);
    snprintf(b->name, sizeof b->name, "%s", name);
    atomic_init(&b->generation, 1);
    b->table = oftable_empty();
    int error = b->table ? mac_table_init(&b->macs, mac_entries, mac_ageing_ms) : -ENOMEM;
    if (error < 0) {
        free(b->table);
        b->table = NULL;
    }
    return error;
}

void bridge_destroy(struct bridge *b) {
    if (b->table) {
        oftable_retire(b->table, &(struct oftable){0});
    }
    mac_table_destroy(&b->macs);
    memset(b, 0, sizeof *b);
}

void bridge_changed(struct bridge *b) {
    // After the change itself: whoever sees the new number sees the change.
    atomic_fetch_add_explicit(&b->generation, 1, memory_order_release);
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

struct oftable *bridge_set_table(struct bridge *b, struct oftable *table) {
    struct oftable *old = b->table;
    b->table = table;
    bridge_changed(b);
    return old;
}
