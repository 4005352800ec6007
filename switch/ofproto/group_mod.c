// Group mods: what each command does (OpenFlow 1.5.1, 6.7), prepared but not yet published.
//
// A bucket may send to a group that does not exist (it does nothing then), as in Open vSwitch; one that
// would come back to its own group is refused.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

#define GROUP_MAX_BUCKETS 65535u // Indexes in a hash map are 16 bits wide.

// -- what a group must be --

static int check_bucket(const struct group_mod *gm, const struct group_bucket *b,
                        struct ofp_error *err) {
    bool watches = b->watch_port != OFPP_ANY || b->watch_group != OFPG_ANY;
    if (watches && (gm->type == GROUP_ALL || gm->type == GROUP_INDIRECT)) {
        return ofp_error_of(err, OFPERR_OFPGMFC_WATCH_UNSUPPORTED, "watch_port",
                            "only select and fast failover groups watch ports or groups",
                            "bucket %u watches", b->id);
    }
    if (!watches && gm->type == GROUP_FF) {
        return ofp_error_of(err, OFPERR_OFPGMFC_INVALID_GROUP, "watch_port",
                            "each bucket of a fast failover group watches a port or a group",
                            "bucket %u watches nothing", b->id);
    }
    if (b->weight != 0 && gm->type != GROUP_SELECT) {
        return ofp_error_of(err, OFPERR_OFPGMFC_INVALID_GROUP, "weight",
                            "only the buckets of a select group have one",
                            "bucket %u has weight %u", b->id, b->weight);
    }
    if (b->id > OFPG_BUCKET_MAX) {
        return ofp_error_of(err, OFPERR_OFPGMFC_BAD_BUCKET, "bucket_id",
                            "use an id up to 0xffffff00", "no bucket can have the id 0x%x", b->id);
    }
    return 0;
}

static int id_compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int check_ids(const struct group_mod *gm, enum ofperr twice, struct ofp_error *err) {
    uint32_t *ids = malloc((gm->n_buckets + 1) * sizeof *ids);
    if (!ids) {
        return no_memory(err, "group");
    }
    for (uint32_t i = 0; i < gm->n_buckets; i++) {
        ids[i] = gm->buckets[i].id;
    }
    qsort(ids, gm->n_buckets, sizeof *ids, id_compare);
    int error = 0;
    for (uint32_t i = 1; i < gm->n_buckets && error == 0; i++) {
        if (ids[i] == ids[i - 1]) {
            error = ofp_error_of(err, twice, "bucket_id", "give each bucket an id of its own",
                                 "two buckets have the id %u", ids[i]);
        }
    }
    free(ids);
    return error;
}

static int check_group(const struct group_mod *gm, struct ofp_error *err) {
    if (gm->group_id > OFPG_MAX) {
        return ofp_error_of(err, OFPERR_OFPGMFC_INVALID_GROUP, "group_id",
                            "use an id up to 0xffffff00", "no group can have the id 0x%x",
                            gm->group_id);
    }
    if (gm->type > GROUP_FF) {
        return ofp_error_of(err, OFPERR_OFPGMFC_BAD_TYPE, "type",
                            "use all, select, indirect or fast_failover",
                            "there is no group type %u", gm->type);
    }
    if (gm->method != GROUP_SEL_DEFAULT && gm->type != GROUP_SELECT) {
        return ofp_error_of(err, OFPERR_OFPBPC_BAD_VALUE, "selection_method",
                            "only a select group has one", "group %u is not a select group",
                            gm->group_id);
    }
    if (gm->type == GROUP_INDIRECT && gm->n_buckets != 1) {
        return ofp_error_of(err, OFPERR_OFPGMFC_INVALID_GROUP, "bucket",
                            "an indirect group has exactly one bucket", "%u buckets",
                            gm->n_buckets);
    }
    if (gm->n_buckets > GROUP_MAX_BUCKETS) {
        return ofp_error_of(err, OFPERR_OFPGMFC_OUT_OF_BUCKETS, "bucket",
                            "a group has 65535 buckets at most", "%u buckets", gm->n_buckets);
    }
    for (uint32_t i = 0; i < gm->n_buckets; i++) {
        int error = check_bucket(gm, &gm->buckets[i], err);
        if (error) {
            return error;
        }
    }
    return 0;
}

// -- loops --

struct path { // Groups on the way from the one in question.
    const struct ofproto *p;
    uint32_t origin, *seen;
    uint32_t n, cap;
    int error; // -ELOOP, -ENOMEM.
};

static void path_visit(struct path *path, uint32_t id) {
    if (id == path->origin) {
        path->error = -ELOOP;
    }
    for (uint32_t i = 0; i < path->n && !path->error; i++) {
        if (path->seen[i] == id) {
            return;
        }
    }
    if (path->n == path->cap && !path->error) {
        uint32_t cap = path->cap ? path->cap * 2 : 16;
        uint32_t *seen = realloc(path->seen, cap * sizeof *seen);
        if (!seen) {
            path->error = -ENOMEM;
            return;
        }
        path->seen = seen;
        path->cap = cap;
    }
    if (!path->error) {
        path->seen[path->n++] = id;
    }
}

static void path_follow(struct path *path, const void *actions, size_t len) {
    OFPACT_FOR_EACH(a, actions, len) {
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        if (a->type == OFPACT_GROUP && !path->error) {
            path_visit(path, ((const struct ofpact_u32 *)(const void *)a)->value);
        }
        path_follow(path, nested, nested_len);
    }
}

static void path_buckets(struct path *path, const struct group_bucket *b, uint32_t n) {
    for (uint32_t i = 0; i < n && !path->error; i++) {
        path_follow(path, b[i].actions, b[i].actions_len);
    }
}

static int check_loop(const struct ofproto *p, const struct group_mod *gm, struct ofp_error *err) {
    struct path path = {.p = p, .origin = gm->group_id};
    path_buckets(&path, gm->buckets, gm->n_buckets);
    for (uint32_t i = 0; i < path.n && !path.error; i++) { // It grows meanwhile.
        const struct group *g = group_find(p, next_version(p), path.seen[i]);
        if (g) {
            path_buckets(&path, g->buckets, g->n_buckets);
        }
    }
    free(path.seen);
    if (path.error == -ELOOP) {
        return ofp_error_of(err, OFPERR_OFPGMFC_LOOP, "group_id",
                            "let no bucket lead back to its own group",
                            "group %u would send to itself", gm->group_id);
    }
    return path.error ? no_memory(err, "group") : 0;
}

// -- commands --

// A group like gm in the place of `old` (NULL: a new one).
static int group_put(struct ofproto *p, const struct group_mod *gm, struct group *old,
                     struct ofp_error *err) {
    int error = check_group(gm, err);
    error = error ? error : check_ids(gm, OFPERR_OFPGMFC_BAD_BUCKET, err);
    error = error ? error : check_loop(p, gm, err);
    if (error) {
        return error;
    }
    struct group *g = group_create(gm, old, p->now_ms(p->now_aux));
    struct change *c = g ? changes_push(p, err) : NULL;
    if (!c || group_link(p, g, next_version(p))) {
        internal(p)->changes.n -= c != NULL;
        free(g);
        return no_memory(err, "group");
    }
    *c = (struct change){.group = g, .old_group = old};
    if (old) {
        group_hide(old, next_version(p));
    }
    return 0;
}

static int unknown_group(uint32_t id, struct ofp_error *err) {
    return ofp_error_of(err, OFPERR_OFPGMFC_UNKNOWN_GROUP, "group_id", "add it first",
                        "no group %u", id);
}

static int unknown_bucket(const struct group_mod *gm, struct ofp_error *err) {
    return ofp_error_of(err, OFPERR_OFPGMFC_UNKNOWN_BUCKET, "command_bucket_id",
                        "name a bucket of the group, or first, last or all",
                        "group %u has no bucket %u", gm->group_id, gm->command_bucket_id);
}

// Index of the bucket that the command names; n_buckets = none.
static uint32_t bucket_find(const struct group *g, uint32_t id) {
    uint32_t i = 0;
    while (i < g->n_buckets && g->buckets[i].id != id) {
        i++;
    }
    return i;
}

// The group's settings with other buckets.
static struct group_mod with_buckets(const struct group *g, uint8_t command,
                                     struct group_bucket *buckets, uint32_t n) {
    return (struct group_mod){
        .command = command,
        .type = g->type,
        .method = g->method,
        .group_id = g->id,
        .n_hash_fields = g->n_hash_fields,
        .selection_param = g->selection_param,
        .hash_fields = (struct group_hash_field *)(uintptr_t)g->hash_fields,
        .n_buckets = n,
        .buckets = buckets,
    };
}

static void buckets_copy(struct group_bucket *to, const struct group_bucket *from, uint32_t n) {
    if (n) {
        memcpy((void *)to, from, n * sizeof *to); // Counters too.
    }
}

static int insert_buckets(struct ofproto *p, const struct group_mod *gm, struct group *old,
                          struct ofp_error *err) {
    uint32_t id = gm->command_bucket_id;
    uint32_t at = id == OFPG_BUCKET_FIRST  ? 0
                  : id == OFPG_BUCKET_LAST ? old->n_buckets
                                           : bucket_find(old, id) + 1; // Behind it.
    if (at > old->n_buckets) {
        return unknown_bucket(gm, err);
    }
    uint32_t n = old->n_buckets + gm->n_buckets;
    struct group_bucket *buckets = malloc((n + 1) * sizeof *buckets);
    if (!buckets) {
        return no_memory(err, "group");
    }
    buckets_copy(buckets, old->buckets, at);
    buckets_copy(buckets + at, gm->buckets, gm->n_buckets);
    buckets_copy(buckets + at + gm->n_buckets, old->buckets + at, old->n_buckets - at);
    struct group_mod all = with_buckets(old, GROUP_INSERT_BUCKET, buckets, n);
    int error = check_ids(&all, OFPERR_OFPGMFC_BUCKET_EXISTS, err);
    error = error ? error : group_put(p, &all, old, err);
    free(buckets);
    return error;
}

static int remove_buckets(struct ofproto *p, const struct group_mod *gm, struct group *old,
                          struct ofp_error *err) {
    if (gm->n_buckets > 0) {
        return ofp_error_of(err, OFPERR_OFPGMFC_BAD_BUCKET, "bucket",
                            "name the bucket to remove by command_bucket_id",
                            "remove_bucket takes no buckets");
    }
    uint32_t id = gm->command_bucket_id, n = old->n_buckets;
    uint32_t from = 0, to = n;
    if (id == OFPG_BUCKET_FIRST) {
        to = n ? 1 : 0;
    } else if (id == OFPG_BUCKET_LAST) {
        from = n ? n - 1 : 0;
    } else if (id != OFPG_BUCKET_ALL) {
        from = bucket_find(old, id);
        to = from + 1;
        if (from == n) {
            return unknown_bucket(gm, err);
        }
    }
    struct group_bucket *buckets = malloc((n + 1) * sizeof *buckets);
    if (!buckets) {
        return no_memory(err, "group");
    }
    buckets_copy(buckets, old->buckets, from);
    buckets_copy(buckets + from, old->buckets + to, n - to);
    struct group_mod rest = with_buckets(old, GROUP_REMOVE_BUCKET, buckets, n - (to - from));
    int error = group_put(p, &rest, old, err);
    free(buckets);
    return error;
}

// -- delete --

struct users {
    uint32_t group; // OFPG_ALL: of any.
    struct rule_set *rules;
    bool failed;
};

static bool take_user(struct cls_rule *cr, void *arg) {
    struct users *u = arg;
    struct rule *r = rule_of(cr);
    if ((r->uses & RULE_USES_GROUP) && (u->group == OFPG_ALL || rule_has_out_group(r, u->group))) {
        u->failed = rule_set_add(u->rules, r) != 0;
    }
    return !u->failed;
}

static int delete_users(struct ofproto *p, uint32_t group, struct ofp_error *err) {
    struct rule_set rules = {.n = 0};
    struct users users = {group, &rules, false};
    for (unsigned i = 0; i < OFP_N_TABLES && !users.failed; i++) {
        if (p->tables[i].cls) {
            classifier_for_each(p->tables[i].cls, next_version(p), NULL, take_user, &users);
        }
    }
    int error = users.failed ? no_memory(err, "group")
                             : rules_prepare_delete(p, &rules, REMOVED_GROUP_DELETE, err);
    free(rules.list);
    return error;
}

static int delete_one(struct ofproto *p, struct group *g, struct ofp_error *err) {
    struct change *c = changes_push(p, err);
    if (!c) {
        return -ENOMEM;
    }
    c->old_group = g;
    group_hide(g, next_version(p));
    return 0;
}

static int delete_groups(struct ofproto *p, const struct group_mod *gm, struct ofp_error *err) {
    if (gm->group_id != OFPG_ALL) {
        struct group *g = group_find(p, next_version(p), gm->group_id);
        if (!g) {
            return 0; // OpenFlow: no error.
        }
        int error = group_has_users(p, g->id) ? delete_users(p, g->id, err) : 0;
        return error ? error : delete_one(p, g, err);
    }
    int error = delete_users(p, OFPG_ALL, err);
    uint32_t at = 0;
    for (struct group *g; error == 0 && (g = group_next(p, next_version(p), &at));) {
        error = delete_one(p, g, err);
    }
    return error;
}

// -- the door --

int group_mod_prepare(struct ofproto *p, const struct group_mod *gm, struct ofp_error *err) {
    struct group *old = group_find(p, next_version(p), gm->group_id);
    switch (gm->command) {
    case GROUP_ADD:
        if (old) {
            return ofp_error_of(err, OFPERR_OFPGMFC_GROUP_EXISTS, "group_id", "modify it instead",
                                "group %u is there already", gm->group_id);
        }
        return group_put(p, gm, NULL, err);
    case GROUP_MODIFY: return old ? group_put(p, gm, old, err) : unknown_group(gm->group_id, err);
    case GROUP_ADD_OR_MODIFY: return group_put(p, gm, old, err);
    case GROUP_DELETE: return delete_groups(p, gm, err);
    case GROUP_INSERT_BUCKET:
        return old ? insert_buckets(p, gm, old, err) : unknown_group(gm->group_id, err);
    case GROUP_REMOVE_BUCKET:
        return old ? remove_buckets(p, gm, old, err) : unknown_group(gm->group_id, err);
    default:
        return ofp_error_of(err, OFPERR_OFPGMFC_BAD_COMMAND, "command",
                            "use add, modify, delete, add_or_mod, insert_bucket or remove_bucket",
                            "there is no group mod command %u", gm->command);
    }
}
