// Megaflows, what keeps them true, and the caches in front of them.

#include <errno.h>

#include "api/api_private.h"
#include "ofproto/packet_in.h"

enum { SLOTS_AT_A_TIME = 512 };

struct megaflow_dump {
    rs_switch *sw;
    const struct match *filter; // NULL = all.
    bool names, more, no_memory;
    uint64_t now_ms;
    const struct megaflow *megaflow;
    struct api_text text;
};

static void put_megaflow(struct text *t, void *arg) {
    const struct megaflow_dump *d = arg;
    megaflow_format(d->megaflow, d->names ? &d->sw->bridge.names : NULL, d->sw->bridge.pins,
                    d->more, d->now_ms, t);
    text_put(t, "\n");
}

static bool could_hit(const struct megaflow_dump *d, const struct megaflow *m) {
    struct match match;
    if (!d->filter) {
        return true;
    }
    miniflow_expand(&m->key, &match.flow);
    miniflow_expand(m->mask, &match.mask);
    match.flow.in_port = port_names_ofp(&d->sw->bridge.names, match.flow.in_port);
    return match_overlaps(d->filter, &match);
}

static bool dump_one(struct megaflow *m, void *arg) {
    struct megaflow_dump *d = arg;
    d->megaflow = m;
    if (could_hit(d, m)) {
        d->no_memory = api_text_put(&d->text, put_megaflow, d) < 0;
    }
    return !d->no_memory;
}

int rs_megaflow_dump(rs_switch *sw, uint64_t *cursor, const char *filter, bool names, bool more,
                     struct rs_text *out, struct rs_error *err) {
    struct match match;
    struct flow_text extra;
    struct ofp_error why;
    if (!sw || !cursor || !filter || !out || *cursor > UINT32_MAX) {
        return api_error(err, EINVAL, "megaflow", NULL, "no switch, cursor, filter or result");
    }
    if (match_parse(filter, &sw->bridge.names, &match, &extra, &why) < 0) {
        return api_error_from(err, &why);
    }
    struct megaflow_dump d = {.sw = sw, .names = names, .more = more, .now_ms = api_now_ms(sw)};
    d.filter = filter[0] ? &match : NULL;
    api_enter();
    *cursor =
        megaflow_slice(pmd_megaflows(sw->pmd), (uint32_t)*cursor, SLOTS_AT_A_TIME, dump_one, &d);
    api_leave();
    if (d.no_memory || api_text_give(&d.text, out) < 0) {
        api_text_destroy(&d.text);
        return api_error(err, ENOMEM, "megaflow", NULL, "no memory for the text");
    }
    return 0;
}

int rs_megaflow_flush(rs_switch *sw) {
    if (!sw) {
        return -EINVAL;
    }
    if (!sw->config.threaded) {
        api_enter(); // The round is ours.
    }
    uint32_t n = revalidator_flush(sw->revalidator);
    api_leave();
    return (int)n;
}

void rs_revalidator_stats(rs_switch *sw, struct rs_revalidator_stats *out) {
    struct revalidator_stats s;
    if (!sw || !out) {
        return;
    }
    revalidator_stats(sw->revalidator, &s);
    *out = (struct rs_revalidator_stats){
        .rounds = s.rounds,
        .revalidated = s.revalidated,
        .killed_changed = s.killed_changed,
        .killed_idle = s.killed_idle,
        .killed_limit = s.killed_limit,
        .refitted = s.refitted,
        .last_round_us = s.last_round_us,
        .longest_round_us = s.longest_round_us,
        .last_change_us = s.last_change_us,
        .longest_change_us = s.longest_change_us,
        .last_change_cpu_us = s.last_change_cpu_us,
        .flow_limit = s.flow_limit,
        .n_megaflows = s.n_megaflows,
        .n_frozen = frozen_count(sw->bridge.frozen),
        .n_pins = pin_count(sw->bridge.pins),
    };
}

int rs_revalidator_set(rs_switch *sw, uint32_t limit, uint32_t max_idle_ms, struct rs_error *err) {
    if (!sw) {
        return api_error(err, EINVAL, "limit", NULL, "no switch");
    }
    if (limit == 0 || limit > MEGAFLOW_LIMIT_MAX) {
        return api_error(err, EINVAL, "limit", "1 to 1048576", "%u found", limit);
    }
    if (max_idle_ms < 100) {
        return api_error(err, EINVAL, "max_idle_ms", "at least 100", "%u found", max_idle_ms);
    }
    revalidator_set(sw->revalidator, limit, max_idle_ms);
    return 0;
}

int rs_cache_set(rs_switch *sw, const struct rs_cache_config *config, struct rs_error *err) {
    if (!sw || !config) {
        return api_error(err, EINVAL, "cache", NULL, "no switch or no configuration");
    }
    struct lookup_config lookup = {
        .emc = config->emc, .smc = config->smc, .emc_insert_every = config->emc_insert_every};
    int error = pmd_set_lookup(sw->pmd, &lookup);
    if (error < 0) {
        return api_error(err, -error, "smc", NULL, "no memory for the cache");
    }
    sw->lookup = lookup;
    return 0;
}

void rs_cache_get(rs_switch *sw, struct rs_cache_config *out) {
    if (sw && out) {
        *out = (struct rs_cache_config){.emc = sw->lookup.emc,
                                        .smc = sw->lookup.smc,
                                        .emc_insert_every = sw->lookup.emc_insert_every};
    }
}
