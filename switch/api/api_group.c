// Groups.

#include <errno.h>

#include "api/api_private.h"

int rs_group_mod(rs_switch *sw, const char *text, int command, struct rs_error *err) {
    struct group_mod gm;
    struct ofp_error why;
    if (!sw || !text) {
        return api_error(err, EINVAL, "group", NULL, "no switch or no text");
    }
    if (command < RS_GROUP_ADD || command > RS_GROUP_REMOVE_BUCKET) {
        return api_error(err, EINVAL, "command", NULL, "%d found", command);
    }
    api_enter();
    int error = group_mod_parse(text, (uint8_t)command, &sw->bridge.names, &gm, &why);
    if (error == 0) {
        error = ofproto_group_mod(&sw->bridge.ofproto, &gm, &why);
        group_mod_destroy(&gm);
    }
    api_leave();
    return error < 0 ? api_error_from(err, &why) : 0;
}

struct group_dump {
    rs_switch *sw;
    uint32_t id; // OFPG_ALL = all of them.
    bool stats, names, no_memory;
    const struct group *group;
    uint64_t now_ms;
    uint32_t ref_count;
    struct api_text text;
};

static bool count_user(const struct rule *rule, void *arg) {
    struct group_dump *d = arg;
    d->ref_count += ofpacts_output_to_group(rule->actions, rule->actions_len, d->group->id);
    return true;
}

static void put_stats(struct text *t, const struct group_dump *d) {
    const struct group *g = d->group;
    uint64_t ms = d->now_ms > g->created_ms ? d->now_ms - g->created_ms : 0;
    text_put(t, "group_id=%u,duration=%llu.%03llus,ref_count=%u,packet_count=%llu,byte_count=%llu",
             g->id, (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000), d->ref_count,
             (unsigned long long)atomic_load(&g->packets),
             (unsigned long long)atomic_load(&g->bytes));
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        text_put(t, ",bucket%u:packet_count=%llu,byte_count=%llu", i,
                 (unsigned long long)atomic_load(&g->buckets[i].packets),
                 (unsigned long long)atomic_load(&g->buckets[i].bytes));
    }
}

static void put_line(struct text *t, void *arg) {
    const struct group_dump *d = arg;
    text_put(t, " ");
    if (d->stats) {
        put_stats(t, d);
    } else {
        group_format(d->group, d->names ? &d->sw->bridge.names : NULL, t);
    }
    text_put(t, "\n");
}

static bool dump_one(const struct group *g, void *arg) {
    struct group_dump *d = arg;
    if (d->id != OFPG_ALL && d->id != g->id) {
        return true;
    }
    d->group = g;
    d->ref_count = 0;
    if (d->stats) {
        ofproto_for_each(&d->sw->bridge.ofproto, NULL, count_user, d);
    }
    d->no_memory = api_text_put(&d->text, put_line, d) < 0;
    return !d->no_memory;
}

int rs_group_dump(rs_switch *sw, uint32_t group_id, bool stats, bool names, struct rs_text *out,
                  struct rs_error *err) {
    if (!sw || !out) {
        return api_error(err, EINVAL, "group", NULL, "no switch or no result");
    }
    struct group_dump d = {.sw = sw, .id = group_id, .stats = stats, .names = names};
    d.now_ms = api_now_ms(sw);
    api_enter();
    ofproto_for_each_group(&sw->bridge.ofproto, dump_one, &d);
    api_leave();
    if (d.no_memory || api_text_give(&d.text, out) < 0) {
        api_text_destroy(&d.text);
        return api_error(err, ENOMEM, "group", NULL, "no memory for the text");
    }
    return 0;
}
