// Meters: OpenFlow's configuration, and the datapath's buckets that follow it.

#include <errno.h>

#include "api/api_private.h"
#include "datapath/base/cycles.h"

static struct odp_meter_config datapath_config(const struct meter_config *m) {
    struct odp_meter_config out = {
        .packets = m->flags & METER_PKTPS,
        .n_bands = (uint8_t)m->n_bands,
    };
    for (unsigned i = 0; i < m->n_bands; i++) {
        const struct meter_band *b = &m->bands[i];
        out.bands[i] = (struct odp_meter_band){
            .type = b->type == 2 ? ODP_BAND_DSCP_REMARK : ODP_BAND_DROP,
            .prec_level = b->prec_level,
            .rate = b->rate,
            .burst = b->burst,
        };
    }
    return out;
}

struct find_meter {
    uint32_t id;
    bool found;
    struct meter_config config;
};

static bool find_one(const struct meter_config *m, void *arg) {
    struct find_meter *f = arg;
    if (m->id == f->id) {
        f->found = true;
        f->config = *m;
    }
    return !f->found;
}

// Adds or modifies on both sides; what was there before comes back if the datapath has no memory for it.
static int set_meter(rs_switch *sw, const struct meter_config *m, uint8_t command,
                     struct rs_error *err) {
    struct ofproto *p = &sw->bridge.ofproto;
    struct ofp_error why;
    struct find_meter before = {.id = m->id};
    ofproto_for_each_meter(p, find_one, &before);
    if (ofproto_meter_mod(p, command, m, &why) < 0) {
        return api_error_from(err, &why);
    }
    struct odp_meter_config config = datapath_config(m);
    int error = odp_meter_set(sw->meters, m->id, &config, time_ns());
    if (error < 0) {
        ofproto_meter_mod(p, before.found ? METER_MODIFY : METER_DELETE,
                          before.found ? &before.config : m, NULL);
        return api_error(err, -error, "meter", NULL, "the datapath did not take it: %s",
                         strerror(-error));
    }
    return 0;
}

static int delete_meter(rs_switch *sw, const struct meter_config *m, struct rs_error *err) {
    struct ofp_error why;
    if (ofproto_meter_mod(&sw->bridge.ofproto, METER_DELETE, m, &why) < 0) {
        return api_error_from(err, &why);
    }
    odp_meter_delete(sw->meters, m->id); // It need not have been there.
    return 0;
}

static bool first_meter(const struct meter_config *m, void *arg) {
    struct find_meter *f = arg;
    f->found = true;
    f->config = *m;
    return false;
}

static int delete_all(rs_switch *sw, struct rs_error *err) {
    for (;;) {
        struct find_meter f = {0};
        ofproto_for_each_meter(&sw->bridge.ofproto, first_meter, &f);
        int error = f.found ? delete_meter(sw, &f.config, err) : 0;
        if (!f.found || error < 0) {
            return error;
        }
    }
}

static int apply(rs_switch *sw, const char *text, int command, struct rs_error *err) {
    struct meter_config m;
    struct ofp_error why;
    if (command == RS_METER_DELETE && (text[0] == '\0' || strcmp(text, "meter=all") == 0)) {
        return delete_all(sw, err);
    }
    if (meter_mod_parse(text, (uint8_t)command, &m, &why) < 0) {
        return api_error_from(err, &why);
    }
    return command == RS_METER_DELETE ? delete_meter(sw, &m, err)
                                      : set_meter(sw, &m, (uint8_t)command, err);
}

int rs_meter_mod(rs_switch *sw, const char *text, int command, struct rs_error *err) {
    if (!sw || !text) {
        return api_error(err, EINVAL, "meter", NULL, "no switch or no text");
    }
    if (command < RS_METER_ADD || command > RS_METER_DELETE) {
        return api_error(err, EINVAL, "command", NULL, "%d found", command);
    }
    api_enter();
    int error = apply(sw, text, command, err);
    api_leave();
    return error;
}

struct meter_dump {
    rs_switch *sw;
    uint32_t id; // UINT32_MAX = all of them.
    bool stats, no_memory;
    const struct meter_config *meter;
    struct odp_meter_stats s;
    uint32_t flow_count;
    uint64_t now_ns;
    struct api_text text;
};

static bool count_user(const struct rule *rule, void *arg) {
    struct meter_dump *d = arg;
    const struct ofpact *a = ofpacts_find(rule->actions, rule->actions_len, OFPACT_METER);
    d->flow_count += a && ((const struct ofpact_u32 *)(const void *)a)->value == d->meter->id;
    return true;
}

static void put_stats(struct text *t, const struct meter_dump *d) {
    uint64_t ms = (d->now_ns - d->s.created_ns) / 1000000u;
    text_put(t,
             "meter:%u flow_count:%u packet_in_count:%llu byte_in_count:%llu "
             "duration:%llu.%03llus bands:\n",
             d->meter->id, d->flow_count, (unsigned long long)d->s.packets_in,
             (unsigned long long)d->s.bytes_in, (unsigned long long)(ms / 1000),
             (unsigned long long)(ms % 1000));
    for (unsigned i = 0; i < d->s.n_bands; i++) {
        text_put(t, "%u: packet_count:%llu byte_count:%llu\n", i,
                 (unsigned long long)d->s.bands[i].packets,
                 (unsigned long long)d->s.bands[i].bytes);
    }
}

static void put_meter(struct text *t, void *arg) {
    const struct meter_dump *d = arg;
    if (d->stats) {
        put_stats(t, d);
    } else {
        meter_format(d->meter, t);
    }
    text_put(t, "\n");
}

static bool dump_one(const struct meter_config *m, void *arg) {
    struct meter_dump *d = arg;
    if (d->id != UINT32_MAX && d->id != m->id) {
        return true;
    }
    d->meter = m;
    d->flow_count = 0;
    if (d->stats) {
        ofproto_for_each(&d->sw->bridge.ofproto, NULL, count_user, d);
        if (odp_meter_stats(d->sw->meters, m->id, &d->s) < 0) {
            return true;
        }
    }
    d->no_memory = api_text_put(&d->text, put_meter, d) < 0;
    return !d->no_memory;
}

int rs_meter_dump(rs_switch *sw, uint32_t meter_id, bool stats, struct rs_text *out,
                  struct rs_error *err) {
    if (!sw || !out) {
        return api_error(err, EINVAL, "meter", NULL, "no switch or no result");
    }
    struct meter_dump d = {.sw = sw, .id = meter_id, .stats = stats, .now_ns = time_ns()};
    api_enter();
    ofproto_for_each_meter(&sw->bridge.ofproto, dump_one, &d);
    api_leave();
    if (d.no_memory || api_text_give(&d.text, out) < 0) {
        api_text_destroy(&d.text);
        return api_error(err, ENOMEM, "meter", NULL, "no memory for the text");
    }
    return 0;
}
