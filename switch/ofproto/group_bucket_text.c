// The buckets of a group as text.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/group_private.h"

static int parse_watch_port(struct group_parser *p, const char *value, struct group_bucket *b) {
    if (port_names_parse(p->names, value, &b->watch_port) < 0 ||
        (b->watch_port >= OFPP_MAX && b->watch_port != OFPP_NONE)) {
        return ofp_error_set(p->err, EINVAL, "watch_port", "a port's number or name",
                             "there is no port '%s' to watch", value);
    }
    return 0;
}

// A word of the bucket itself. *mine = false: it is an action.
static int parse_word(struct group_parser *p, struct group_bucket *b, const char *key,
                      const char *value, bool *mine) {
    *mine = true;
    if (strcasecmp(key, "weight") == 0) {
        return group_parse_u32("weight", value, UINT16_MAX, &b->weight, p->err);
    }
    if (strcasecmp(key, "watch_group") == 0) {
        return group_parse_u32("watch_group", value, OFPG_MAX, &b->watch_group, p->err);
    }
    if (strcasecmp(key, "bucket_id") == 0) {
        return group_parse_u32("bucket_id", value, OFPG_BUCKET_MAX, &b->id, p->err);
    }
    if (strcasecmp(key, "watch_port") == 0) {
        return parse_watch_port(p, value, b);
    }
    *mine = false;
    return 0;
}

// Takes the bucket's own words; leaves its actions in `actions`, as long as `text`. *n: their length.
static int parse_words(struct group_parser *p, struct group_bucket *b, char *text,
                       const char *original, char *actions, size_t *n) {
    char *pos = text, *key, *value;
    *n = 0;
    while (act_next(&pos, &key, &value)) {
        bool mine;
        int error = parse_word(p, b, key, value, &mine);
        if (error) {
            return error;
        }
        bool named = strcasecmp(key, "actions") == 0 || strcasecmp(key, "action") == 0;
        size_t from = (size_t)((named ? value : key) - text);
        size_t len = mine ? 0 : (size_t)(pos - text) - from;
        memcpy(actions + *n, original + from, len);
        *n += len;
        if (len > 0 && actions[*n - 1] != ',') { // The last one, or one before a blank.
            actions[(*n)++] = ',';
        }
    }
    actions[*n] = '\0';
    return 0;
}

static int check_bucket(struct group_parser *p, const struct group_bucket *b, bool has_actions) {
    const struct group_mod *gm = p->gm;
    bool known = gm->command != GROUP_INSERT_BUCKET; // The type.
    if (!has_actions) {
        return ofp_error_set(p->err, EINVAL, "bucket", "write actions=drop for none",
                             "a bucket needs actions");
    }
    if (known && gm->type != GROUP_SELECT && b->weight != 0) {
        return ofp_error_set(p->err, EINVAL, "weight", "leave it out, or make it type=select",
                             "only the buckets of a select group have one");
    }
    if (known && gm->type == GROUP_FF && b->watch_port == OFPP_ANY && b->watch_group == OFPG_ANY) {
        return ofp_error_set(p->err, EINVAL, "bucket", "add watch_port or watch_group",
                             "a bucket of a fast failover group watches a port or a group");
    }
    return 0;
}

static struct group_bucket *bucket_put(struct group_mod *gm) {
    if ((gm->n_buckets & (gm->n_buckets - 1)) == 0) { // A power of two: full.
        uint32_t cap = gm->n_buckets ? gm->n_buckets * 2 : 1;
        struct group_bucket *more = realloc(gm->buckets, cap * sizeof *more);
        if (!more) {
            return NULL;
        }
        gm->buckets = more;
    }
    struct group_bucket *b = &gm->buckets[gm->n_buckets++];
    *b = (struct group_bucket){.id = OFPG_BUCKET_ALL,
                               .weight = gm->type == GROUP_SELECT,
                               .watch_port = OFPP_ANY,
                               .watch_group = OFPG_ANY};
    return b;
}

int group_parse_bucket(struct group_parser *p, char *text) {
    size_t len = strlen(text);
    char *copy = malloc(3 * len + 3); // The text as it was, and the actions with a comma for each.
    struct group_bucket *b = copy ? bucket_put(p->gm) : NULL;
    if (!b) {
        free(copy);
        return ofp_error_set(p->err, ENOMEM, "bucket", NULL, "no memory");
    }
    memcpy(copy, text, len + 1);
    char *actions = copy + len + 1;
    size_t n;
    int error = parse_words(p, b, text, copy, actions, &n);
    error = error ? error : check_bucket(p, b, n > 0 || strstr(copy, "action"));
    struct ofpacts list = {.len = 0};
    error = error ? error : ofpacts_parse(actions, p->names, &list, p->err);
    error = error ? error : ofpacts_check_set(list.data, list.len, p->err);
    if (error) {
        ofpacts_destroy(&list);
    } else {
        b->actions = list.data;
        b->actions_len = list.len;
    }
    free(copy);
    return error;
}

static int id_compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void group_number_buckets(struct group_mod *gm) {
    uint32_t *ids = malloc((gm->n_buckets + 1) * sizeof *ids);
    uint32_t n = 0, next = 0;
    for (uint32_t i = 0; ids && i < gm->n_buckets; i++) {
        if (gm->buckets[i].id != OFPG_BUCKET_ALL) {
            ids[n++] = gm->buckets[i].id;
        }
    }
    if (ids) { // Else they keep the id that is none, and the group is refused for it.
        qsort(ids, n, sizeof *ids, id_compare);
    }
    for (uint32_t i = 0, taken = 0; ids && i < gm->n_buckets; i++) {
        if (gm->buckets[i].id != OFPG_BUCKET_ALL) {
            continue;
        }
        while (taken < n && ids[taken] <= next) {
            next += ids[taken] == next;
            taken++;
        }
        gm->buckets[i].id = next++;
    }
    free(ids);
}

void group_format_buckets(const struct group *g, const struct port_names *names, struct text *out) {
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        text_put(out, ",bucket=bucket_id:%u,", b->id);
        if (g->type == GROUP_SELECT && b->weight != 1) {
            text_put(out, "weight:%u,", b->weight);
        }
        if (b->watch_port != OFPP_ANY) {
            text_put(out, "watch_port:");
            port_names_format(names, b->watch_port, out);
            text_put(out, ",");
        }
        if (b->watch_group != OFPG_ANY) {
            text_put(out, "watch_group:%u,", b->watch_group);
        }
        text_put(out, "actions=");
        ofpacts_format(b->actions, b->actions_len, names, out);
    }
}
