// Settings and statistics of flow tables; the MAC table.

#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"

int rs_table_set(rs_switch *sw, uint32_t table, const struct rs_table_config *config,
                 struct rs_error *err) {
    if (!sw || !config) {
        return api_error(err, EINVAL, "table", NULL, "no switch or no configuration");
    }
    if (table >= OFP_N_TABLES) {
        return api_error(err, EINVAL, "table", "0 to 254", "%u found", table);
    }
    if (config->miss > 3) {
        return api_error(err, EINVAL, "miss", "0 to 3", "%u found", config->miss);
    }
    if (!api_is_terminated(config->name, sizeof config->name)) {
        return api_error(err, EINVAL, "name", "at most 31 bytes", "not terminated");
    }
    struct ofproto *p = &sw->bridge.ofproto;
    struct oftable *t = &p->tables[table];
    api_enter();
    ofproto_lock(p);
    t->max_flows = config->max_flows;
    t->evict = config->evict;
    t->miss = config->miss;
    memcpy(t->name, config->name, sizeof t->name);
    ofproto_unlock(p);
    ofproto_changed(p);
    api_leave();
    return 0;
}

int rs_table_stats(rs_switch *sw, uint32_t table, struct rs_table_stats *out) {
    if (!sw || !out || table >= OFP_N_TABLES) {
        return -EINVAL;
    }
    struct ofproto *p = &sw->bridge.ofproto;
    const struct oftable *t = &p->tables[table];
    struct classifier_stats cs = {0};
    api_enter();
    ofproto_lock(p);
    if (t->cls) {
        classifier_stats(t->cls, &cs);
    }
    *out = (struct rs_table_stats){
        .table = table,
        .n_flows = t->n_flows,
        .n_lookup = atomic_load_explicit(&t->n_lookup, memory_order_relaxed),
        .n_matched = atomic_load_explicit(&t->n_matched, memory_order_relaxed),
        .n_subtables = cs.n_subtables,
        .n_tries = cs.n_tries,
        .bytes = cs.bytes,
        .config = {.max_flows = t->max_flows, .evict = t->evict, .miss = t->miss},
    };
    memcpy(out->config.name, t->name, sizeof out->config.name);
    ofproto_unlock(p);
    api_leave();
    return 0;
}

static int by_age(const void *a_, const void *b_) {
    const struct mac_entry *a = a_, *b = b_;
    return a->seen_ms == b->seen_ms ? 0 : a->seen_ms > b->seen_ms ? -1 : 1;
}

uint32_t rs_fdb_list(rs_switch *sw, struct rs_fdb_entry *entries, uint32_t cap) {
    if (!sw) {
        return 0;
    }
    uint64_t now_ms = api_now_ms(sw);
    struct mac_table *t = &sw->bridge.macs;
    struct mac_entry *list = entries && cap ? malloc(cap * sizeof *list) : NULL;
    uint32_t n = mac_list(t, now_ms, list, list ? cap : 0);
    uint32_t given = !list ? 0 : n < cap ? n : cap;
    if (list) {
        qsort(list, given, sizeof *list, by_age); // Newest first.
    }
    for (uint32_t i = 0; i < given; i++) {
        const struct mac_entry *e = &list[i];
        entries[i] = (struct rs_fdb_entry){
            .ofport = e->port, .vlan = e->vlan, .age_ms = (uint32_t)(now_ms - e->seen_ms)};
        memcpy(entries[i].mac, e->mac, sizeof entries[i].mac);
    }
    free(list);
    return n;
}

uint32_t rs_fdb_flush(rs_switch *sw) {
    if (!sw) {
        return 0;
    }
    mac_expire(&sw->bridge.macs, api_now_ms(sw)); // Those are not counted.
    uint32_t n = mac_flush(&sw->bridge.macs, 0);
    bridge_changed(&sw->bridge);
    return n;
}
