// The TLV map of tunnel options: one for the process, as the fields are; replaced as a whole.

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/api_private.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static rs_switch *switches; // That share the map. Under the lock.

void api_switch_born(rs_switch *sw) {
    pthread_mutex_lock(&lock);
    sw->next = switches;
    switches = sw;
    pthread_mutex_unlock(&lock);
}

void api_switch_dies(rs_switch *sw) {
    pthread_mutex_lock(&lock);
    rs_switch **link = &switches;
    while (*link && *link != sw) {
        link = &(*link)->next;
    }
    if (*link) { // It may never have been born.
        *link = sw->next;
    }
    pthread_mutex_unlock(&lock);
}

static bool is_in_use(void) {
    bool used = false;
    for (const rs_switch *sw = switches; sw; sw = sw->next) {
        used |= ofproto_count(&sw->bridge.ofproto) > 0;
    }
    return used;
}

static int change(const char *text, int command, struct tun_map *map, struct ofp_error *why) {
    return command == RS_TLV_ADD ? tun_map_parse(text, map, why)
                                 : tun_map_remove(command == RS_TLV_CLEAR ? "" : text, map, why);
}

static int mod_locked(const char *text, int command, struct rs_error *err) {
    struct ofp_error why;
    const struct tun_map *old = atomic_load(&mf_tun_map);
    if (command != RS_TLV_ADD && is_in_use()) {
        ofp_error_of(&why, OFPERR_NXTTMFC_INVALID_TLV_DEL, "tlv-map", "delete all flows first",
                     "rules may use the mappings");
        return api_error_from(err, &why);
    }
    struct tun_map *map = calloc(1, sizeof *map);
    if (!map) {
        return api_error(err, ENOMEM, "tlv-map", NULL, "no memory for the map");
    }
    if (old) {
        *map = *old;
    }
    if (change(text, command, map, &why) < 0) {
        free(map);
        return api_error_from(err, &why);
    }
    rcu_set(mf_tun_map, map);
    if (old) {
        rcu_postpone(free, (void *)(uintptr_t)old);
    }
    return 0;
}

int rs_tlv_mod(rs_switch *sw, const char *text, int command, struct rs_error *err) {
    if (!sw || (!text && command != RS_TLV_CLEAR)) {
        return api_error(err, EINVAL, "tlv-map", NULL, "no switch or no text");
    }
    if (command < RS_TLV_ADD || command > RS_TLV_CLEAR) {
        return api_error(err, EINVAL, "command", NULL, "%d found", command);
    }
    pthread_mutex_lock(&lock);
    int error = mod_locked(text, command, err);
    pthread_mutex_unlock(&lock);
    return error;
}

static void put_map(struct text *t, void *arg) {
    const struct tun_map *map = arg;
    unsigned used = 0;
    for (unsigned i = 0; i < TUN_N_METADATA; i++) {
        used += map->entries[i].len;
    }
    text_put(t,
             " max option space=%u max fields=%u\n allocated option space=%u\n\n mapping table:\n"
             "  class  type  length  match field\n ------  ----  ------  --------------\n",
             FLOW_TUN_OPTS_LEN, TUN_N_METADATA, used);
    for (unsigned i = 0; i < TUN_N_METADATA; i++) {
        const struct tun_map_entry *e = &map->entries[i];
        if (e->len > 0) {
            text_put(t, " %#6x  %#4x  %6u  tun_metadata%u\n", e->option_class, e->option_type,
                     e->len, i);
        }
    }
}

int rs_tlv_dump(rs_switch *sw, struct rs_text *out) {
    struct api_text text = {0};
    struct tun_map map = {0};
    if (!sw || !out) {
        return -EINVAL;
    }
    pthread_mutex_lock(&lock);
    const struct tun_map *current = atomic_load(&mf_tun_map);
    if (current) {
        map = *current;
    }
    pthread_mutex_unlock(&lock);
    int error = api_text_put(&text, put_map, &map);
    if (error == 0) {
        error = api_text_give(&text, out);
    }
    api_text_destroy(&text);
    return error;
}
