// Groups as text: ovs-ofctl(8), "Group Syntax".
//
//     group_id=1,type=select,selection_method=hash,fields(ip_src,tcp_dst=0xff),bucket=weight:2,actions=output:1,bucket=2

#include <errno.h>
#include <stdlib.h>

#include "ofproto/group_private.h"

int group_parse_number(const char *what, const char *text, uint64_t max, uint64_t *out,
                       struct ofp_error *err) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno || end == text || *end || *out > max || text[0] == '-') {
        return ofp_error_set(err, EINVAL, what, "decimal, or hexadecimal with 0x",
                             "'%s' is not a number from 0 to %llu", text, (unsigned long long)max);
    }
    return 0;
}

int group_parse_u32(const char *what, const char *text, uint32_t max, uint32_t *out,
                    struct ofp_error *err) {
    uint64_t value = 0;
    int error = group_parse_number(what, text, max, &value, err);
    *out = (uint32_t)value;
    return error;
}

// -- selection: method and fields --

static int parse_method(struct group_parser *p, const char *value) {
    if (strcmp(value, "hash") == 0) {
        p->gm->method = GROUP_SEL_HASH;
    } else if (strcmp(value, "dp_hash") == 0) {
        p->gm->method = GROUP_SEL_DP_HASH;
    } else {
        return ofp_error_of(p->err, OFPERR_OFPBPC_BAD_VALUE, "selection_method",
                            "use hash or dp_hash", "there is no selection method '%s'", value);
    }
    return 0;
}

static int parse_mask(struct group_parser *p, const char *text, struct group_hash_field *f) {
    if (!*text) {
        memset(&f->mask, 0, sizeof f->mask);
        memset(&f->mask, 0xff, f->field->n_bytes);
        return 0;
    }
    int error = mf_parse_value(f->field, text, p->names, &f->mask, p->err);
    if (error) {
        return error;
    }
    if (bits_all(&f->mask, f->field->n_bytes, 0, f->field->n_bytes * 8u, false)) {
        return ofp_error_set(p->err, EINVAL, f->field->name,
                             "the value is a mask of the bits to hash; leave it out for all",
                             "a mask of zeros hashes nothing");
    }
    return 0;
}

static int field_place(struct group_parser *p, const struct mf_field *mf, uint8_t *place) {
    struct group_mod *gm = p->gm;
    uint8_t i = 0;
    while (i < gm->n_hash_fields && gm->hash_fields[i].field->id < mf->id) {
        i++;
    }
    if (i < gm->n_hash_fields && gm->hash_fields[i].field == mf) {
        return ofp_error_set(p->err, EINVAL, mf->name, "name each field once",
                             "the field is there twice");
    }
    if (gm->n_hash_fields == GROUP_MAX_HASH_FIELDS) {
        return ofp_error_set(p->err, E2BIG, "fields", "name fewer", "more than %u fields",
                             GROUP_MAX_HASH_FIELDS);
    }
    if (!gm->hash_fields) {
        gm->hash_fields = calloc(GROUP_MAX_HASH_FIELDS, sizeof *gm->hash_fields);
        if (!gm->hash_fields) {
            return ofp_error_set(p->err, ENOMEM, "fields", NULL, "no memory");
        }
    }
    memmove(gm->hash_fields + i + 1, gm->hash_fields + i,
            (gm->n_hash_fields - i) * sizeof *gm->hash_fields);
    gm->n_hash_fields++;
    *place = i;
    return 0;
}

static int parse_fields(struct group_parser *p, char *value) {
    char *key, *mask;
    while (act_next(&value, &key, &mask)) {
        const struct mf_field *mf = mf_from_name(key);
        if (!mf) {
            return ofp_error_set(p->err, EINVAL, "fields", "ovs-fields(7) has them all",
                                 "there is no field '%s'", key);
        }
        uint8_t place = 0;
        int error = field_place(p, mf, &place);
        if (error) {
            return error;
        }
        p->gm->hash_fields[place].field = mf;
        error = parse_mask(p, mask, &p->gm->hash_fields[place]);
        if (error) {
            return error;
        }
    }
    return 0;
}

// -- what stands before the buckets --

static int parse_type(struct group_parser *p, const char *value) {
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {{"all", GROUP_ALL},
                 {"select", GROUP_SELECT},
                 {"indirect", GROUP_INDIRECT},
                 {"ff", GROUP_FF},
                 {"fast_failover", GROUP_FF}};
    for (size_t i = 0; i < RS_ARRAY_SIZE(types); i++) {
        if (strcmp(value, types[i].name) == 0) {
            p->gm->type = types[i].type;
            p->has_type = true;
            return 0;
        }
    }
    return ofp_error_set(p->err, EINVAL, "type", "use all, select, indirect or fast_failover",
                         "there is no group type '%s'", value);
}

static int parse_bucket_name(struct group_parser *p, const char *value) {
    p->has_bucket_id = true;
    if (strcmp(value, "first") == 0) {
        p->gm->command_bucket_id = OFPG_BUCKET_FIRST;
    } else if (strcmp(value, "last") == 0) {
        p->gm->command_bucket_id = OFPG_BUCKET_LAST;
    } else if (strcmp(value, "all") == 0 && p->gm->command == GROUP_REMOVE_BUCKET) {
        p->gm->command_bucket_id = OFPG_BUCKET_ALL;
    } else {
        return group_parse_u32("command_bucket_id", value, OFPG_BUCKET_MAX,
                               &p->gm->command_bucket_id, p->err);
    }
    return 0;
}

static int parse_id(struct group_parser *p, const char *value) {
    p->has_id = true;
    if (strcmp(value, "all") == 0 && p->gm->command == GROUP_DELETE) {
        p->gm->group_id = OFPG_ALL;
        return 0;
    }
    return group_parse_u32("group_id", value, OFPG_MAX, &p->gm->group_id, p->err);
}

static int not_needed(struct group_parser *p, const char *key) {
    static const char *const commands[] = {"add",        "mod",           "del",
                                           "mod or add", "insert-bucket", "remove-bucket"};
    return ofp_error_set(p->err, EINVAL, key, "leave it out", "%s takes none",
                         commands[p->gm->command]);
}

static bool describes_group(const struct group_mod *gm) {
    return gm->command == GROUP_ADD || gm->command == GROUP_MODIFY ||
           gm->command == GROUP_ADD_OR_MODIFY;
}

static int parse_setting(struct group_parser *p, const char *key, char *value) {
    struct group_mod *gm = p->gm;
    bool describes = describes_group(gm);
    if (strcmp(key, "group_id") == 0) {
        return parse_id(p, value);
    }
    if (strcmp(key, "command_bucket_id") == 0) {
        bool names = gm->command == GROUP_INSERT_BUCKET || gm->command == GROUP_REMOVE_BUCKET;
        return names ? parse_bucket_name(p, value) : not_needed(p, key);
    }
    if (strcmp(key, "type") == 0) {
        return describes ? parse_type(p, value) : not_needed(p, key);
    }
    if (strcmp(key, "selection_method") == 0) {
        return describes ? parse_method(p, value) : not_needed(p, key);
    }
    if (strcmp(key, "selection_method_param") == 0) {
        return describes ? group_parse_number(key, value, UINT64_MAX, &gm->selection_param, p->err)
                         : not_needed(p, key);
    }
    if (strcmp(key, "fields") == 0) {
        return describes ? parse_fields(p, value) : not_needed(p, key);
    }
    return ofp_error_set(p->err, EINVAL, "group",
                         "group_id, type, selection_method, selection_method_param, fields, "
                         "command_bucket_id, then the buckets",
                         "there is no '%s'", key);
}

static int check_settings(struct group_parser *p) {
    struct group_mod *gm = p->gm;
    struct ofp_error *err = p->err;
    if (!p->has_id && gm->command != GROUP_DELETE) {
        return ofp_error_set(err, EINVAL, "group_id", "write group_id=1", "a group needs one");
    }
    if (describes_group(gm) && !p->has_type) {
        return ofp_error_set(err, EINVAL, "type", "use all, select, indirect or fast_failover",
                             "a group needs one");
    }
    if (gm->n_hash_fields > 0 && gm->method != GROUP_SEL_HASH) {
        return ofp_error_set(err, EINVAL, "fields", "add selection_method=hash",
                             "only that method takes fields");
    }
    if (gm->selection_param != 0 && gm->method == GROUP_SEL_DEFAULT) {
        return ofp_error_set(err, EINVAL, "selection_method_param", "add selection_method",
                             "it is a method's");
    }
    if (gm->command == GROUP_INSERT_BUCKET && !p->has_bucket_id) {
        return ofp_error_set(err, EINVAL, "command_bucket_id", "use first, last or a bucket's id",
                             "insert-bucket needs one");
    }
    return 0;
}

// -- the whole --

static char *next_bucket(char *text) {
    return strstr(text, "bucket=");
}

static int parse(struct group_parser *p, char *text) {
    struct group_mod *gm = p->gm;
    char *bucket = text, *key, *value, *pos = text;
    while ((bucket = next_bucket(bucket)) && bucket > text && bucket[-1] == '_') {
        bucket += strlen("bucket="); // …_bucket=: no word of ours, and no bucket.
    }
    if (bucket) {
        if (!describes_group(gm) && gm->command != GROUP_INSERT_BUCKET) {
            return not_needed(p, "bucket");
        }
        *bucket = '\0';
    }
    while (act_next(&pos, &key, &value)) {
        int error = parse_setting(p, key, value);
        if (error) {
            return error;
        }
    }
    int error = check_settings(p);
    while (error == 0 && bucket) {
        char *here = bucket + strlen("bucket=");
        bucket = next_bucket(here);
        if (bucket) {
            *bucket = '\0';
        }
        error = group_parse_bucket(p, here);
    }
    return error;
}

int group_mod_parse(const char *text, uint8_t command, const struct port_names *names,
                    struct group_mod *out, struct ofp_error *err) {
    *out = (struct group_mod){
        .command = command, .group_id = OFPG_ALL, .command_bucket_id = OFPG_BUCKET_ALL};
    if (command > GROUP_REMOVE_BUCKET) {
        return ofp_error_of(err, OFPERR_OFPGMFC_BAD_COMMAND, "command", NULL,
                            "there is no group mod command %u", command);
    }
    size_t len = strnlen(text, OFP_TEXT_MAX);
    if (len == OFP_TEXT_MAX) {
        return ofp_error_set(err, E2BIG, "group", "insert some of its buckets later",
                             "the text is longer than %u bytes", OFP_TEXT_MAX - 1);
    }
    char *copy = malloc(len + 1);
    if (!copy) {
        return ofp_error_set(err, ENOMEM, "group", NULL, "no memory");
    }
    memcpy(copy, text, len + 1);
    struct group_parser p = {.gm = out, .names = names, .err = err};
    int error = parse(&p, copy);
    free(copy);
    if (error) {
        group_mod_destroy(out);
        return error;
    }
    group_number_buckets(out);
    return 0;
}

void group_mod_destroy(struct group_mod *gm) {
    for (uint32_t i = 0; i < gm->n_buckets; i++) {
        free((void *)(uintptr_t)gm->buckets[i].actions);
    }
    free(gm->buckets);
    free(gm->hash_fields);
    gm->buckets = NULL;
    gm->hash_fields = NULL;
    gm->n_buckets = 0;
    gm->n_hash_fields = 0;
}

static void format_fields(const struct group *g, const struct port_names *names, struct text *out) {
    if (g->n_hash_fields == 0) {
        return;
    }
    text_put(out, g->n_hash_fields == 1 ? ",fields=" : ",fields(");
    for (unsigned i = 0; i < g->n_hash_fields; i++) {
        const struct group_hash_field *f = &g->hash_fields[i];
        text_put(out, "%s", f->field->name);
        if (!bits_all(&f->mask, f->field->n_bytes, 0, f->field->n_bytes * 8u, true)) {
            text_put(out, "=");
            mf_format(f->field, &f->mask, NULL, names, out);
        }
        text_put(out, ",");
    }
    text_chomp(out, ',');
    text_put(out, g->n_hash_fields == 1 ? "" : ")");
}

void group_format(const struct group *g, const struct port_names *names, struct text *out) {
    static const char *const types[] = {"all", "select", "indirect", "ff"};
    static const char *const methods[] = {NULL, "dp_hash", "hash"};
    text_put(out, "group_id=%u,type=%s", g->id, types[g->type]);
    if (g->method != GROUP_SEL_DEFAULT) {
        text_put(out, ",selection_method=%s", methods[g->method]);
        if (g->selection_param != 0) {
            text_put(out, ",selection_method_param=%llu", (unsigned long long)g->selection_param);
        }
        format_fields(g, names, out);
    }
    group_format_buckets(g, names, out);
}
