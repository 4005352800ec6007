// Meters made, replaced, read: the control thread's part.

#include <errno.h>
#include <stdlib.h>

#include "datapath/action/odp_meter_private.h"

int odp_meters_create(struct odp_meters **out) {
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void odp_meters_destroy(struct odp_meters *m) {
    if (!m) {
        return;
    }
    for (unsigned i = 0; i < RS_ARRAY_SIZE(m->pages); i++) {
        struct meter_page *page = m->pages[i];
        for (unsigned j = 0; page && j < METER_PAGE; j++) {
            free(page->meters[j]);
        }
        free(page);
    }
    free(m);
}

static bool config_ok(const struct odp_meter_config *config) {
    if (config->n_bands > ODP_METER_MAX_BANDS) {
        return false;
    }
    for (unsigned i = 0; i < config->n_bands; i++) {
        if (config->bands[i].type > ODP_BAND_DSCP_REMARK || config->bands[i].rate == 0) {
            return false;
        }
    }
    return true;
}

static struct meter *meter_make(const struct odp_meter_config *config, uint64_t now_ns) {
    struct meter *m = aligned_alloc(RS_CACHE_LINE, sizeof *m);
    if (!m) {
        return NULL;
    }
    memset(m, 0, sizeof *m);
    m->config = *config;
    spin_init(&m->lock);
    m->filled_ms = now_ns / 1000000;
    m->stats.created_ns = now_ns;
    m->stats.n_bands = config->n_bands;
    for (unsigned i = 0; i < config->n_bands; i++) {
        const struct odp_meter_band *band = &config->bands[i];
        uint64_t burst = band->burst ? band->burst : band->rate;
        m->bands[i].size = m->bands[i].bucket = burst * 1000; // Bits, or thousandths of packets.
        m->bands[i].full_ms = burst * 1000 / band->rate + 1;
    }
    return m;
}

int odp_meter_set(struct odp_meters *m, uint32_t id, const struct odp_meter_config *config,
                  uint64_t now_ns) {
    if (id > ODP_METER_MAX_ID || !config_ok(config)) {
        return -EINVAL;
    }
    struct meter *new = meter_make(config, now_ns);
    if (!new) {
        return -ENOMEM;
    }
    struct meter_page *page = rcu_get(m->pages[id / METER_PAGE]);
    if (!page) {
        page = calloc(1, sizeof *page);
        if (!page) {
            free(new);
            return -ENOMEM;
        }
        rcu_set(m->pages[id / METER_PAGE], page);
    }
    struct meter *old = rcu_get(page->meters[id % METER_PAGE]);
    if (old) { // What the old one counts from here on, until every PMD has seen the new one, is lost.
        spin_lock(&old->lock);
        new->stats = old->stats;
        spin_unlock(&old->lock);
        new->stats.n_bands = config->n_bands;
    }
    rcu_set(page->meters[id % METER_PAGE], new);
    if (old) {
        rcu_postpone(free, old);
    }
    return 0;
}

int odp_meter_delete(struct odp_meters *m, uint32_t id) {
    struct meter *old = meter_find(m, id);
    if (!old) {
        return -ENOENT;
    }
    rcu_set(m->pages[id / METER_PAGE]->meters[id % METER_PAGE], NULL);
    rcu_postpone(free, old);
    return 0;
}

int odp_meter_stats(struct odp_meters *m, uint32_t id, struct odp_meter_stats *out) {
    struct meter *meter = meter_find(m, id);
    if (!meter) {
        return -ENOENT;
    }
    spin_lock(&meter->lock);
    *out = meter->stats;
    spin_unlock(&meter->lock);
    return 0;
}
