#include "xlate.h"

#include <stdlib.h>
#include <time.h>

#include "datapath/action/odp_text.h"
#include "ofproto/xlate_private.h"

struct xl {
    struct bridge bridge;
    uint64_t now_ms;
    struct credits credits;
    struct ofp_error err;
    struct tun_map tun_map;
    char said[1024];
};

static uint64_t now_of(void *aux) {
    return ((struct xl *)aux)->now_ms;
}

static const char *say(struct xl *xl) {
    snprintf(xl->said, sizeof xl->said, "%s%s%s: %s",
             xl->err.ofperr ? ofperr_name(xl->err.ofperr) : "", xl->err.ofperr ? " " : "",
             xl->err.field, xl->err.message);
    return xl->said;
}

struct xl *xl_create(void) {
    struct xl *xl = calloc(1, sizeof *xl);
    xl->now_ms = 1000000;
    if (bridge_init(&xl->bridge, "br0", 1024, 300000, now_of, xl) < 0) {
        abort();
    }
    return xl;
}

void xl_destroy(struct xl *xl) {
    xl_forget(xl);
    bridge_destroy(&xl->bridge);
    atomic_store(&mf_tun_map, NULL);
    rcu_quiesce();
    rcu_reap();
    rcu_quiesce();
    rcu_reap();
    free(xl);
}

void xl_set_time(struct xl *xl, uint64_t now_ms) {
    xl->now_ms = now_ms;
}

void xl_port(struct xl *xl, uint32_t id, const char *name, bool internal, int mode, uint16_t tag,
             const uint16_t *trunks, unsigned n) {
    struct vlan_config vlan = {.mode = (enum vlan_mode)mode, .tag = tag};
    for (unsigned i = 0; i < n; i++) {
        vlan.trunks[trunks[i] / 8] |= (uint8_t)(1 << trunks[i] % 8);
    }
    bridge_name_port(&xl->bridge, id, name, internal);
    bridge_add_port(&xl->bridge, id, &vlan);
}

void xl_port_up(struct xl *xl, uint32_t id, bool up) {
    bridge_set_port_up(&xl->bridge, id, up);
}

void xl_port_config(struct xl *xl, uint32_t id, uint32_t config) {
    bridge_set_port_config(&xl->bridge, id, config);
}

// -- tables --

const char *xl_flow_mod(struct xl *xl, uint8_t command, const char *text) {
    struct flow_mod fm;
    uint32_t n;
    if (flow_mod_parse(text, command, &xl->bridge.names, &fm, &xl->err) < 0) {
        return say(xl);
    }
    int error = ofproto_flow_mod(&xl->bridge.ofproto, &fm, &n, &xl->err);
    ofpacts_destroy(&fm.ofpacts);
    return error < 0 ? say(xl) : NULL;
}

const char *xl_flow_mods(struct xl *xl, const char *const *texts, unsigned n, unsigned *n_done) {
    struct ofp_bundle *b = ofp_bundle_open(&xl->bridge.ofproto);
    for (*n_done = 0; *n_done < n; ++*n_done) {
        struct flow_mod fm;
        uint32_t affected;
        int error = flow_mod_parse(texts[*n_done], FLOW_ADD, &xl->bridge.names, &fm, &xl->err);
        if (error == 0) {
            error = ofp_bundle_flow_mod(b, &fm, &affected, &xl->err);
            ofpacts_destroy(&fm.ofpacts);
        }
        if (error < 0) {
            ofp_bundle_discard(b);
            return say(xl);
        }
    }
    ofp_bundle_commit(b);
    return NULL;
}

const char *xl_group_mod(struct xl *xl, uint8_t command, const char *text) {
    struct group_mod gm;
    if (group_mod_parse(text, command, &xl->bridge.names, &gm, &xl->err) < 0) {
        return say(xl);
    }
    int error = ofproto_group_mod(&xl->bridge.ofproto, &gm, &xl->err);
    group_mod_destroy(&gm);
    return error < 0 ? say(xl) : NULL;
}

const char *xl_meter_mod(struct xl *xl, const char *text) {
    struct meter_config m;
    if (meter_mod_parse(text, METER_ADD, &m, &xl->err) < 0 ||
        ofproto_meter_mod(&xl->bridge.ofproto, METER_ADD, &m, &xl->err) < 0) {
        return say(xl);
    }
    return NULL;
}

const char *xl_tun_map(struct xl *xl, const char *text) {
    if (tun_map_parse(text, &xl->tun_map, &xl->err) < 0) {
        return say(xl);
    }
    atomic_store(&mf_tun_map, &xl->tun_map);
    return NULL;
}

static bool dump_one(const struct rule *rule, void *arg) {
    struct text *t = arg;
    text_put(t, "n_packets=%llu, n_bytes=%llu,", (unsigned long long)rule->packets,
             (unsigned long long)rule->bytes);
    rule_format(rule, NULL, true, t);
    text_put(t, "\n");
    return true;
}

void xl_dump(struct xl *xl, char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    ofproto_for_each(&xl->bridge.ofproto, NULL, dump_one, &t);
}

void xl_table_miss(struct xl *xl, uint8_t table, uint8_t miss) {
    xl->bridge.ofproto.tables[table].miss = miss;
}

void xl_table_counts(struct xl *xl, uint8_t table, uint64_t *lookups, uint64_t *matches) {
    *lookups = xl->bridge.ofproto.tables[table].n_lookup;
    *matches = xl->bridge.ofproto.tables[table].n_matched;
}

uint64_t xl_bucket_packets(struct xl *xl, uint32_t group, uint32_t bucket) {
    const struct group *g =
        ofproto_group(&xl->bridge.ofproto, atomic_load(&xl->bridge.ofproto.version), group);
    return bucket == UINT32_MAX ? g->packets : g->buckets[bucket].packets;
}

uint32_t xl_mac(struct xl *xl, uint64_t mac, uint16_t vlan) {
    uint8_t bytes[6];
    for (unsigned i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
    }
    return mac_lookup(&xl->bridge.macs, bytes, vlan, xl->now_ms);
}

uint32_t xl_frozen_count(struct xl *xl) {
    return frozen_count(xl->bridge.frozen);
}

void xl_expire(struct xl *xl, uint64_t now_ms) {
    xl->now_ms = now_ms;
    ofproto_expire(&xl->bridge.ofproto, now_ms);
    frozen_expire(xl->bridge.frozen, now_ms);
    rcu_quiesce();
    rcu_reap();
}

// -- keys --

const char *xl_key(struct xl *xl, const char *text, struct flow *out) {
    struct match m;
    struct flow_text extra;
    if (match_parse(text, &xl->bridge.names, &m, &extra, &xl->err) < 0) {
        return say(xl);
    }
    *out = m.flow;
    for (unsigned i = 0; i < FLOW_MAX_VLANS;
         i++) { // A text need not name the TPID of a tag that it has.
        if (out->vlans[i].tci & hton16(FLOW_VLAN_CFI) && out->vlans[i].tpid == 0) {
            out->vlans[i].tpid = hton16(0x8100);
        }
    }
    if (out->in_port == 0 && m.mask.in_port == 0) {
        out->in_port = OFPP_NONE;
    } else {
        uint32_t id = port_names_id(&xl->bridge.names, out->in_port);
        out->in_port = id ? id : out->in_port;
    }
    return NULL;
}

void xl_key_text(struct xl *xl, const struct flow *key, char *out, size_t cap) {
    struct flow f = *key;
    struct text t;
    if (f.in_port < OFP_MAX_PORTS) {
        f.in_port = port_names_ofp(&xl->bridge.names, f.in_port);
    }
    text_init(&t, out, cap);
    flow_format(&f, NULL, &t);
}

// -- translation --

void xl_forget(struct xl *xl) {
    credits_destroy(&xl->credits);
}

void xl_push(struct xl *xl, uint64_t packets, uint64_t bytes, uint16_t tcp_flags) {
    credits_push(&xl->credits, packets, bytes, tcp_flags, xl->now_ms, &xl->bridge);
}

static void megaflow_text(struct xl *xl, const struct flow *key, const struct flow *wc, char *out) {
    struct match m;
    struct text t;
    struct flow f = *key, mask = *wc;
    text_init(&t, out, XL_TEXT);
    if (f.in_port < OFP_MAX_PORTS) {
        f.in_port = port_names_ofp(&xl->bridge.names, f.in_port);
    }
    xlate_wc_for_text(key, &mask);
    match_from_wc(&f, &mask, &m);
    match_format(&m, OFP_DEFAULT_PRIORITY, OFP_DEFAULT_PRIORITY, NULL, &t);
}

// As Open vSwitch prints what its handler needs to know.
static void put_controller(void *aux, uint32_t pin_id, struct text *t) {
    struct xl *xl = aux;
    const struct pin *pin = pin_find(xl->bridge.pins, pin_id);
    text_put(t,
             "controller(reason=%u,dont_send=1,continuation=%d,recirc_id=%u,rule_cookie=%#llx,"
             "controller_id=%u,max_len=%u)",
             pin->reason, pin->pause, pin->frozen_id, (unsigned long long)pin->cookie,
             pin->controller_id, pin->max_len);
}

// ofproto/trace takes the first address and port of a NAT range.
static void simulate_nat(struct flow *f, const struct ofpact_nat *n) {
    for (unsigned src = 0; src <= 1; src++) {
        if (!(n->flags & (src ? NAT_SRC : NAT_DST)) || n->range_af == 0) {
            continue;
        }
        if (n->range_af == 4) {
            memcpy(src ? &f->nw_src : &f->nw_dst, n->addr_min, 4);
        } else {
            memcpy(src ? f->ipv6_src : f->ipv6_dst, n->addr_min, 16);
        }
        if (n->port_min) {
            *(src ? &f->tp_src : &f->tp_dst) = hton16(n->port_min);
        }
    }
}

static void fill_in(struct xl *xl, const struct flow *key, const struct xlate_out *got,
                    const struct xlate_recircs *recircs, struct xl_answer *out) {
    struct text t;
    const struct odp_list *list = got->actions;
    const struct odp_text_names names = {.controller = put_controller, .aux = xl};
    memcpy(out->list, list->data, list->len);
    out->list_len = list->len;
    odp_check(out->list, out->list_len, &out->list_error);
    text_init(&t, out->actions, sizeof out->actions);
    odp_text_put(&t, list->data, list->len, &names);
    megaflow_text(xl, key, &out->wc, out->megaflow);
    out->final_flow = got->final_flow;
    text_init(&t, out->final, sizeof out->final);
    flow_format(&got->final_flow, NULL, &t);
    out->error = got->error;
    out->drop = got->drop == DROP_NONE ? -1 : (int)got->drop;
    out->slow = got->slow;
    out->n_credits = xl->credits.n;
    out->n_recircs =
        recircs->n < RS_ARRAY_SIZE(out->recircs) ? recircs->n : RS_ARRAY_SIZE(out->recircs);
    for (uint32_t i = 0; i < out->n_recircs; i++) {
        struct flow *f = &out->recircs[i].flow;
        out->recircs[i] = recircs->list[i];
        f->in_port = key->in_port;
        if (recircs->list[i].nat) {
            simulate_nat(f, recircs->list[i].nat);
        }
    }
}

const char *xl_run(struct xl *xl, const struct flow *key, const char *ofpacts, unsigned flags,
                   struct xl_answer *out) {
    struct ofpacts packet_out = {0};
    struct xlate_recircs recircs = {0};
    struct text report;
    uint64_t room[512];
    struct odp_list list = odp_list_on(room, sizeof room);
    if (ofpacts && ofpacts_parse(ofpacts, &xl->bridge.names, &packet_out, &xl->err) < 0) {
        return say(xl);
    }
    text_init(&report, out->report, sizeof out->report);
    struct xlate_in in = {
        .bridge = &xl->bridge,
        .flow = key,
        .now_ms = xl->now_ms,
        .side_effects = flags & XL_SIDE_EFFECTS,
        .tcp_flags = ntoh16(key->tcp_flags),
        .report = flags & XL_NO_REPORT ? NULL : &report,
        .recircs = &recircs,
        .ofpacts = ofpacts ? packet_out.data : NULL,
        .ofpacts_len = packet_out.len,
    };
    struct xlate_out got = {
        .actions = &list,
        .wc = flags & XL_NO_WC ? NULL : &out->wc,
        .credits = flags & XL_CREDITS ? &xl->credits : NULL,
    };
    xl_forget(xl);
    xlate_run(&in, &got);
    fill_in(xl, key, &got, &recircs, out);
    free(recircs.list);
    odp_list_destroy(&list);
    ofpacts_destroy(&packet_out);
    return NULL;
}

double xl_bench(struct xl *xl, const struct flow *keys, unsigned n, unsigned rounds) {
    struct timespec begin, end;
    struct xlate_out got;
    struct flow wc;
    uint64_t room[1024];
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < n; i++) {
            struct credits credits = {0};
            struct odp_list list = odp_list_on(room, sizeof room);
            struct xlate_in in = {.bridge = &xl->bridge,
                                  .flow = &keys[i],
                                  .now_ms = xl->now_ms,
                                  .side_effects = true};
            got.actions = &list;
            got.wc = &wc;
            got.credits = &credits;
            xlate_run(&in, &got);
            credits_destroy(&credits);
            odp_list_destroy(&list);
        }
        rcu_quiesce();
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
           ((double)n * rounds);
}

uint32_t xl_hash_fields(const struct flow *flow, uint8_t fields, uint16_t basis) {
    return xlate_hash_fields(flow, fields, basis);
}
