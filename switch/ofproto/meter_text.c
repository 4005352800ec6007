// Meters as text: ovs-ofctl(8), "Meter Syntax".
//
//     meter=1 kbps burst stats bands=type=drop rate=1000 burst_size=100

#include <errno.h>
#include <stdlib.h>

#include "ofproto/group_private.h"

static int parse_id(const char *value, uint32_t *id, struct ofp_error *err) {
    if (strcmp(value, "all") == 0) {
        *id = OFPM_ALL;
        return 0;
    }
    return group_parse_u32("meter", value, OFPM_ALL - 1, id, err);
}

static const struct {
    const char *name;
    uint16_t flag;
} flags[] = {{"kbps", METER_KBPS},
             {"pktps", METER_PKTPS},
             {"burst", METER_BURST},
             {"stats", METER_STATS}};

static int parse_setting(struct meter_config *m, const char *key, const char *value, bool *has_id,
                         struct ofp_error *err) {
    if (strcmp(key, "meter") == 0) {
        *has_id = true;
        return parse_id(value, &m->id, err);
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(flags); i++) {
        if (strcmp(key, flags[i].name) == 0) {
            m->flags |= flags[i].flag;
            return 0;
        }
    }
    return ofp_error_set(err, EINVAL, "meter", "meter, kbps, pktps, burst, stats, then bands=…",
                         "there is no '%s'", key);
}

static int band_put(struct meter_config *m, const char *type, struct ofp_error *err) {
    uint8_t number = strcmp(type, "drop") == 0 ? 1 : strcmp(type, "dscp_remark") == 0 ? 2 : 0;
    if (number == 0) {
        return ofp_error_set(err, EINVAL, "type", "use drop or dscp_remark",
                             "there is no band type '%s'", type);
    }
    if (m->n_bands == RS_ARRAY_SIZE(m->bands)) {
        return ofp_error_of(err, OFPERR_OFPMMFC_OUT_OF_BANDS, "bands", "a meter has 8 at most",
                            "more than %u bands", m->n_bands);
    }
    m->bands[m->n_bands++] = (struct meter_band){.type = number};
    return 0;
}

static int parse_band_word(struct meter_config *m, const char *key, const char *value,
                           struct ofp_error *err) {
    struct meter_band *b = m->n_bands ? &m->bands[m->n_bands - 1] : NULL;
    uint32_t level = 0;
    int error = 0;
    if (strcmp(key, "type") == 0) {
        return band_put(m, value, err);
    }
    if (!b) {
        return ofp_error_set(err, EINVAL, "bands", "begin each band with type=drop",
                             "'%s' stands before the band's type", key);
    }
    if (strcmp(key, "rate") == 0) {
        return group_parse_u32("rate", value, UINT32_MAX, &b->rate, err);
    }
    if (strcmp(key, "burst_size") == 0) {
        return group_parse_u32("burst_size", value, UINT32_MAX, &b->burst, err);
    }
    if (strcmp(key, "prec_level") == 0 && b->type == 2) {
        error = group_parse_u32("prec_level", value, UINT8_MAX, &level, err);
        b->prec_level = (uint8_t)level;
        return error;
    }
    return ofp_error_set(err, EINVAL, "bands", "type, rate, burst_size, prec_level (dscp_remark)",
                         "there is no '%s' here", key);
}

static int check_bands(const struct meter_config *m, struct ofp_error *err) {
    if (m->n_bands == 0) {
        return ofp_error_set(err, EINVAL, "bands", "add bands=type=drop,rate=1000",
                             "a meter needs one at least");
    }
    for (unsigned i = 0; i < m->n_bands; i++) {
        const struct meter_band *b = &m->bands[i];
        bool burst = m->flags & METER_BURST;
        if (b->rate == 0) {
            return ofp_error_set(err, EINVAL, "rate", "add rate=1000", "band %u has no rate", i);
        }
        if (burst != (b->burst != 0)) {
            return ofp_error_set(err, EINVAL, "burst_size",
                                 "give burst and a burst_size for each band, or none of them",
                                 burst
                                     ? "band %u has no burst_size, and the meter says burst"
                                     : "band %u has a burst_size, but the meter does not say burst",
                                 i);
        }
        if (b->type == 2 && b->prec_level == 0) {
            return ofp_error_set(err, EINVAL, "prec_level", "add prec_level=1",
                                 "band %u remarks by no level", i);
        }
    }
    return 0;
}

static int parse(char *text, uint8_t command, struct meter_config *m, struct ofp_error *err) {
    char *bands = strstr(text, "bands="), *pos = text, *key, *value;
    bool has_id = false;
    if (bands) {
        *bands = '\0';
    }
    while (act_next(&pos, &key, &value)) {
        int error = parse_setting(m, key, value, &has_id, err);
        if (error) {
            return error;
        }
    }
    if (!has_id && command != METER_DELETE) {
        return ofp_error_set(err, EINVAL, "meter", "write meter=1", "a meter needs its number");
    }
    pos = bands ? bands + strlen("bands=") : NULL;
    while (pos && act_next(&pos, &key, &value)) {
        int error = parse_band_word(m, key, value, err);
        if (error) {
            return error;
        }
    }
    return command == METER_DELETE ? 0 : check_bands(m, err);
}

int meter_mod_parse(const char *text, uint8_t command, struct meter_config *out,
                    struct ofp_error *err) {
    *out = (struct meter_config){.id = OFPM_ALL};
    size_t len = strnlen(text, OFP_TEXT_MAX);
    char *copy = len < OFP_TEXT_MAX ? malloc(len + 1) : NULL;
    if (!copy) {
        return ofp_error_set(err, len < OFP_TEXT_MAX ? ENOMEM : E2BIG, "meter", NULL,
                             len < OFP_TEXT_MAX ? "no memory" : "the text is too long");
    }
    memcpy(copy, text, len + 1);
    int error = parse(copy, command, out, err);
    free(copy);
    return error;
}

void meter_format(const struct meter_config *m, struct text *out) {
    text_put(out, "meter=%u ", m->id);
    for (size_t i = 0; i < RS_ARRAY_SIZE(flags); i++) {
        if (m->flags & flags[i].flag) {
            text_put(out, "%s ", flags[i].name);
        }
    }
    text_put(out, "bands=");
    for (unsigned i = 0; i < m->n_bands; i++) {
        const struct meter_band *b = &m->bands[i];
        text_put(out, "\ntype=%s rate=%u", b->type == 1 ? "drop" : "dscp_remark", b->rate);
        if (m->flags & METER_BURST) {
            text_put(out, " burst_size=%u", b->burst);
        }
        if (b->type == 2) {
            text_put(out, " prec_level=%u", b->prec_level);
        }
    }
}
