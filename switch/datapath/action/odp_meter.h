// Meters: token buckets that drop or remark what comes faster than a rate.
//
// A meter has bands; each band is a bucket that fills at the band's rate and holds its burst. A packet that
// finds too little in a bucket exceeds that band; of the bands it exceeds, the one with the highest rate acts.
// A full bucket is what a meter begins with.
//
// Threads. A meter is shared by PMDs: buckets and statistics are guarded by a spinlock in it. The table is read
// under RCU; one control thread at a time changes it, and what it replaced is freed after a grace period.

#ifndef RINGSIDE_ACTION_ODP_METER_H
#define RINGSIDE_ACTION_ODP_METER_H

#include "datapath/packet/dp_packet_batch.h"

#define ODP_METER_MAX_ID    0xffffu // Ids are 0 … this (ofproto maps OpenFlow's numbers to them).
#define ODP_METER_MAX_BANDS 8u

enum odp_meter_band_type {
    ODP_BAND_DROP,
    ODP_BAND_DSCP_REMARK, // Raises the drop precedence of an AF code point (RFC 2597); leaves others.
};

struct odp_meter_band {
    uint8_t type;       // enum odp_meter_band_type.
    uint8_t prec_level; // DSCP_REMARK: steps of drop precedence.
    uint32_t rate;      // Kilobits or packets a second, > 0.
    uint32_t burst;     // Kilobits or packets; 0 = as much as one second brings.
};

struct odp_meter_config {
    bool packets; // Rates count packets; else kilobits (of whole frames, without preamble and FCS).
    uint8_t n_bands;
    struct odp_meter_band bands[ODP_METER_MAX_BANDS];
};

struct odp_meter_stats {
    uint64_t packets_in, bytes_in;
    uint64_t created_ns;
    uint8_t n_bands;
    struct {
        uint64_t packets, bytes; // That the band acted upon.
    } bands[ODP_METER_MAX_BANDS];
};

struct odp_meters;
struct odp_env;

int odp_meters_create(struct odp_meters **out); // 0 or -ENOMEM.
void odp_meters_destroy(struct odp_meters *m);  // No PMD may use it any more. NULL is fine.

// Makes or replaces a meter; buckets are full afterwards, statistics of a replaced meter go on. 0, -EINVAL
// (id, bands, a rate of 0), -ENOMEM. Control thread.
int odp_meter_set(struct odp_meters *m, uint32_t id, const struct odp_meter_config *config,
                  uint64_t now_ns);
int odp_meter_delete(struct odp_meters *m, uint32_t id); // 0 or -ENOENT. Control thread.
int odp_meter_stats(struct odp_meters *m, uint32_t id,
                    struct odp_meter_stats *out); // 0 or -ENOENT.

// Takes the packets that are over the rate out of the batch and drops them (`meter`), or remarks them. A
// meter that does not exist lets all pass. PMD.
void odp_meter_run(struct odp_env *env, uint32_t id, struct dp_packet_batch *batch);

#endif
