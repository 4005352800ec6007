// clone, which like write_actions has a list of its own; write_metadata, goto_table.

#include <inttypes.h>

#include "ofproto/ofpact_private.h"

ACT_PARSE(nest) {
    uint32_t offset = p->out->len;
    enum ofpact_type type = (enum ofpact_type)p->word->type;
    if (!act_put(p, sizeof(struct ofpact_nest))) {
        return act_full(p);
    }
    int error = act_parse_list(p, value, false, type);
    ofpact_close(p->out, offset);
    return error;
}

ACT_FORMAT(nest) {
    size_t n;
    const void *list = ofpact_nested(a, &n);
    text_put(f->out, "%s(", ofpact_name((enum ofpact_type)a->type));
    act_format_list(f, list, n);
    text_put(f->out, ")");
}

ACT_VALIDATE(nest) {
    size_t n;
    const void *list = ofpact_nested(a, &n);
    return act_verify(list, n, false, (enum ofpact_type)a->type, err);
}

ACT_CHECK(clone) {
    return act_check_list(c, (uint8_t *)a + sizeof(struct ofpact_nest),
                          a->len - sizeof(struct ofpact_nest));
}

// What a packet is when its action set is executed, nobody knows here: a misfit is none.
ACT_CHECK(write_actions) {
    const struct ofpact *misfit = c->misfit;
    int error = act_clone_check(c, a);
    c->misfit = misfit;
    return error;
}

ACT_PARSE(write_metadata) {
    char *slash = strchr(value, '/');
    uint64_t metadata = 0, mask = UINT64_MAX;
    if (slash) {
        *slash = '\0';
    }
    int error = slash ? act_number(p, "mask", slash + 1, UINT64_MAX, &mask) : 0;
    error = error ? error : act_number(p, "metadata", value, UINT64_MAX, &metadata);
    if (error < 0) {
        return error;
    }
    struct ofpact_write_metadata *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->metadata = htobe64(metadata);
    a->mask = htobe64(mask);
    return 0;
}

ACT_FORMAT(write_metadata) {
    const struct ofpact_write_metadata *w = (const void *)a;
    text_put(f->out, "write_metadata:%#" PRIx64, (uint64_t)be64toh(w->metadata));
    if (w->mask != UINT64_MAX) {
        text_put(f->out, "/%#" PRIx64, (uint64_t)be64toh(w->mask));
    }
}

ACT_PARSE(goto_table) {
    uint64_t table = 0;
    int error = act_number(p, "table", value, 255, &table);
    struct ofpact_goto *a = error ? NULL : act_put(p, sizeof *a);
    if (a) {
        a->table = (uint8_t)table;
    }
    return a ? 0 : error ? error : act_full(p);
}

ACT_FORMAT(goto_table) {
    text_put(f->out, "goto_table:%u", ((const struct ofpact_goto *)(const void *)a)->table);
}

ACT_CHECK(goto_table) {
    uint8_t to = ((const struct ofpact_goto *)(const void *)a)->table;
    if (to < c->n_tables && (c->table == 255 || to > c->table)) {
        return 0;
    }
    return ofp_error_of(
        c->err, OFPERR_OFPBIC_BAD_TABLE_ID, "goto_table", "a later table; resubmit goes anywhere",
        to < c->n_tables ? "table %u is not behind the rule's own" : "there is no table %u", to);
}
