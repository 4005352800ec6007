// What odp_meter.c and odp_meter_config.c share.

#ifndef RINGSIDE_ACTION_ODP_METER_PRIVATE_H
#define RINGSIDE_ACTION_ODP_METER_PRIVATE_H

#include "datapath/action/odp_meter.h"
#include "datapath/base/rcu.h"
#include "datapath/base/spinlock.h"

struct meter_band { // Guarded by the meter's lock.
    uint64_t bucket;
    uint64_t size;    // Constant.
    uint64_t full_ms; // After which an empty bucket is full. Constant.
};

struct RS_CACHE_ALIGNED meter {
    struct odp_meter_config config; // Constant.
    struct spinlock lock;
    uint64_t filled_ms;                           // Guarded by lock.
    struct meter_band bands[ODP_METER_MAX_BANDS]; // Guarded by lock.
    struct odp_meter_stats stats;                 // Guarded by lock.
};

#define METER_PAGE 256u

struct meter_page {
    struct meter *_Atomic meters[METER_PAGE]; // Writer: control. Readers: PMDs, under RCU.
};

struct odp_meters { // Pages are made when a meter of theirs is, and stay.
    struct meter_page *_Atomic pages[(ODP_METER_MAX_ID + 1) / METER_PAGE];
};

static inline struct meter *meter_find(struct odp_meters *m, uint32_t id) {
    if (unlikely(id > ODP_METER_MAX_ID)) {
        return NULL;
    }
    struct meter_page *page = rcu_get(m->pages[id / METER_PAGE]);
    return page ? rcu_get(page->meters[id % METER_PAGE]) : NULL;
}

#endif
