#include "match.h"

#include <stdlib.h>

static const struct port_names ports = {
    .name = {[1] = "h1", [2] = "h2", [3] = "br0", [4] = "odd name"},
    .local = 3,
};

const struct port_names *match_test_ports(void) {
    return &ports;
}

static struct tun_map map;

int match_test_tun_map(const char *text, struct ofp_error *err) {
    memset(&map, 0, sizeof map);
    atomic_store(&mf_tun_map, NULL);
    if (!text[0]) {
        return 0;
    }
    int error = tun_map_parse(text, &map, err);
    atomic_store(&mf_tun_map, error ? NULL : &map);
    return error;
}

int match_test_tun_map_remove(const char *text, struct ofp_error *err) {
    return tun_map_remove(text, &map, err);
}

static bool ended(const struct text *t) {
    return !t->cut;
}

void match_test_tun_map_text(char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    tun_map_format(&map, &t);
}

int match_test_parse(const char *text, struct match *out, struct flow_text *extra,
                     struct ofp_error *err) {
    return match_parse(text, &ports, out, extra, err);
}

bool match_test_actions(const char *text, char *out, size_t cap) {
    struct match m;
    struct flow_text extra;
    if (match_parse(text, NULL, &m, &extra, NULL) != 0 || !extra.actions) {
        return false;
    }
    struct text t;
    text_init(&t, out, cap);
    text_put(&t, "%s", extra.actions);
    return ended(&t);
}

bool match_test_format(const struct match *m, uint32_t priority, bool names, char *out,
                       size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    match_format(m, priority, OFP_DEFAULT_PRIORITY, names ? &ports : NULL, &t);
    return ended(&t);
}

bool match_test_flow_text(const struct flow *flow, char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    flow_format(flow, NULL, &t);
    return ended(&t);
}

bool match_test_field_text(const struct mf_field *mf, const union mf_value *value,
                           const union mf_value *mask, char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    mf_format(mf, value, mask, &ports, &t);
    return ended(&t);
}

bool match_test_subfield_text(const struct mf_subfield *sf, char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    mf_format_subfield(sf, &t);
    return ended(&t);
}

bool match_test_port_text(uint32_t ofp_port, bool names, char *out, size_t cap) {
    struct text t;
    text_init(&t, out, cap);
    port_names_format(names ? &ports : NULL, ofp_port, &t);
    return ended(&t);
}

int match_test_field(const struct mf_field *mf, const char *text, union mf_value *value,
                     union mf_value *mask, struct ofp_error *err) {
    return mf_parse(mf, text, &ports, value, mask, err);
}

int match_test_subfield(const char *text, struct mf_subfield *sf, struct ofp_error *err) {
    const char *end = text;
    int error = mf_parse_subfield(&end, sf, err);
    return error ? error : (int)(end - text);
}

static struct minimatch *compress(const struct match *m) {
    struct minimatch *mm = malloc(minimatch_bytes(m)); // No byte more: AddressSanitizer looks.
    minimatch_from(m, mm);
    return mm;
}

void match_test_mini(const struct match *m, struct match *again) {
    struct minimatch *mm = compress(m);
    minimatch_expand(mm, again);
    free(mm);
}

bool match_test_mini_equal(const struct match *a, const struct match *b) {
    struct minimatch *x = compress(a), *y = compress(b);
    bool equal = minimatch_equal(x, y);
    free(x);
    free(y);
    return equal;
}

bool match_test_mini_covers(const struct match *m, const struct flow *flow) {
    struct minimatch *mm = compress(m);
    bool covers = minimatch_covers_flow(mm, flow);
    free(mm);
    return covers;
}
