// Between the parts of the groups' text.

#ifndef RINGSIDE_OFPROTO_GROUP_PRIVATE_H
#define RINGSIDE_OFPROTO_GROUP_PRIVATE_H

#include "ofproto/ofpact_private.h"
#include "ofproto/ofproto.h"

struct group_parser {
    struct group_mod *gm;
    const struct port_names *names;
    struct ofp_error *err;
    bool has_id, has_type, has_bucket_id;
};

// A number from 0 to max and nothing else. 0 or -EINVAL.
int group_parse_number(const char *what, const char *text, uint64_t max, uint64_t *out,
                       struct ofp_error *err);
int group_parse_u32(const char *what, const char *text, uint32_t max, uint32_t *out,
                    struct ofp_error *err);
// "weight:2,actions=output:1,…": appends a bucket. `text` is cut up.
int group_parse_bucket(struct group_parser *p, char *text);
void group_number_buckets(
    struct group_mod *gm); // Those without an id get the lowest that are free.
void group_format_buckets(const struct group *g, const struct port_names *names, struct text *out);

#endif
