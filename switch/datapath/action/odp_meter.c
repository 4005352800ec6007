// Meters at work: PMDs fill the buckets by the time that has passed, and take out what packets need.

#include "datapath/action/odp_meter_private.h"
#include "datapath/action/odp_private.h"

#define NO_BAND UINT8_MAX

// A bucket counts thousandths of packets, or bits: milliseconds times rate is then what flows in.
static void fill(struct meter *m, uint64_t now_ns) {
    uint64_t now_ms = now_ns / 1000000;
    uint64_t passed = now_ms > m->filled_ms ? now_ms - m->filled_ms : 0;
    m->filled_ms = now_ms > m->filled_ms ? now_ms : m->filled_ms;
    for (unsigned i = 0; i < m->config.n_bands; i++) {
        struct meter_band *band = &m->bands[i];
        // After so long it is full; more would not fit into the product.
        uint64_t ms = passed < band->full_ms ? passed : band->full_ms;
        uint64_t bucket = band->bucket + ms * m->config.bands[i].rate;
        band->bucket = bucket < band->size ? bucket : band->size;
    }
}

// Index of the band that acts on a packet of this length.
static uint8_t charge(struct meter *m, uint32_t len) {
    uint64_t need = m->config.packets ? 1000 : (uint64_t)len * 8;
    uint32_t highest = 0;
    uint8_t acting = NO_BAND;
    for (unsigned i = 0; i < m->config.n_bands; i++) {
        struct meter_band *band = &m->bands[i];
        if (band->bucket >= need) {
            band->bucket -= need;
        } else if (m->config.bands[i].rate > highest) {
            highest = m->config.bands[i].rate;
            acting = (uint8_t)i;
        }
    }
    m->stats.packets_in++;
    m->stats.bytes_in += len;
    if (acting != NO_BAND) {
        m->stats.bands[acting].packets++;
        m->stats.bands[acting].bytes += len;
    }
    return acting;
}

// The DSCP of a higher drop precedence: AFcp, class c 1 … 4, precedence p 1 … 3, is 8c + 2p (RFC 2597).
static uint8_t remarked(uint8_t tos, unsigned levels) {
    unsigned dscp = tos >> 2, class = dscp >> 3, precedence = dscp >> 1 & 3;
    if (class < 1 || class > 4 || precedence == 0 || dscp & 1) {
        return tos;
    }
    precedence = precedence + levels < 3 ? precedence + levels : 3;
    return (uint8_t)((class << 3 | precedence << 1) << 2 | (tos & 3));
}

static void remark(struct dp_packet *p, unsigned levels) {
    const uint8_t *ip = l3_header(p, TYPE_IPV4, IPV4_LEN);
    if (ip) {
        struct odp_key_ipv4 key = {.tos = remarked(ip[1], levels)}, mask = {.tos = UINT8_MAX};
        struct dp_packet_batch one;
        batch_init(&one);
        batch_add(&one, p);
        odp_set_ipv4(&one, &key, &mask);
    } else if ((ip = l3_header(p, TYPE_IPV6, IPV6_LEN))) {
        uint8_t tclass = (uint8_t)(ip[0] << 4 | ip[1] >> 4);
        struct odp_key_ipv6 key = {.tclass = remarked(tclass, levels)};
        struct odp_key_ipv6 mask = {.tclass = UINT8_MAX};
        odp_set_ipv6(p, &key, &mask);
    }
}

void odp_meter_run(struct odp_env *env, uint32_t id, struct dp_packet_batch *batch) {
    struct meter *m = env->meters ? meter_find(env->meters, id) : NULL;
    uint8_t acting[RS_BATCH_MAX];
    if (!m) {
        return;
    }
    spin_lock(&m->lock);
    fill(m, env->now_ns);
    for (unsigned i = 0; i < batch->count; i++) {
        acting[i] = charge(m, batch->packets[i]->len);
    }
    spin_unlock(&m->lock);

    unsigned kept = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (acting[i] != NO_BAND) {
            const struct odp_meter_band *band = &m->config.bands[acting[i]];
            if (band->type == ODP_BAND_DROP) {
                port_drop(p, DROP_METER, env->from);
                continue;
            }
            remark(p, band->prec_level);
        }
        batch->packets[kept++] = p;
    }
    batch->count = kept;
}
