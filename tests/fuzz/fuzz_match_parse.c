// Any text as a flow: it is refused with a reason, or it prints as a text that means the same. Its parts,
// as sub-fields and as a TLV map, too.
// Needs: ofproto/mf.c ofproto/mf_bits.c ofproto/mf_flags.c ofproto/mf_format.c ofproto/mf_hint.c ofproto/mf_number.c ofproto/mf_parse.c ofproto/mf_prereq.c ofproto/mf_subfield.c ofproto/mf_value.c ofproto/match.c ofproto/match_check.c ofproto/match_format.c ofproto/match_format_upper.c ofproto/match_from.c ofproto/match_parse.c ofproto/match_text.c ofproto/match_words.c ofproto/flow_format.c ofproto/tun_map.c ofproto/port_names.c ofproto/ofp_error.c datapath/flow

#include <stdlib.h>

#include "ofproto/match.h"

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static const struct port_names names = {
    .name = {[1] = "h1", [2] = "h2", [3] = "s1", [4] = "odd \" name"},
    .local = 3,
};

static struct tun_map map;

static void check_refusal(const struct ofp_error *err) {
    check(err->code > 0 && err->field[0] && err->message[0]);
}

static void check_zero_outside(const struct match *m) {
    const uint64_t *value = flow_words_const(&m->flow), *mask = flow_words_const(&m->mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        check(!(value[i] & ~mask[i]));
    }
}

static void check_minimatch(const struct match *m) {
    struct minimatch *mm = malloc(minimatch_bytes(m));
    struct match again;
    minimatch_from(m, mm);
    minimatch_expand(mm, &again);
    check(match_equal(m, &again) && minimatch_covers_flow(mm, &m->flow));
    free(mm);
}

static void check_match(const struct match *m, const struct flow_text *extra) {
    static char text[OFP_TEXT_MAX];
    struct match again;
    struct flow_text x;
    struct ofp_error err;
    struct text t;
    check_zero_outside(m);
    check_minimatch(m);
    check(match_covers_flow(m, &m->flow) && match_covers(m, m) && match_overlaps(m, m));

    text_init(&t, text, sizeof text);
    match_format(m, extra->priority, OFP_DEFAULT_PRIORITY, &names, &t);
    check(!t.cut);
    if (!m->mask.tunnel.ip_tos) { // Which Open vSwitch prints in hexadecimal, and reads in decimal.
        check(match_parse(text, &names, &again, &x, &err) == 0);
        if (m->flow.packet_type == 0) { // "eth" goes without saying, as there.
            again.mask.packet_type = m->mask.packet_type;
        }
        check(match_equal(m, &again) && x.priority == extra->priority);
    }

    match_from_flow(&m->flow, &again);
    check_zero_outside(&again);
    text_init(&t, text, sizeof text);
    flow_format(&m->flow, &names, &t);
    check(!t.cut);
}

// A sub-field at the text's begin is read and written under its own name.
static void check_subfield(const char *text) {
    struct ofp_error err = {0};
    struct mf_subfield sf;
    const char *end = text;
    if (mf_parse_subfield(&end, &sf, &err) != 0) {
        check(err.code > 0 && err.message[0]);
        return;
    }
    check(end > text && sf.n_bits > 0 && sf.ofs + sf.n_bits <= sf.field->n_bits);
    char printed[128];
    struct text t;
    text_init(&t, printed, sizeof printed);
    mf_format_subfield(&sf, &t);
    struct mf_subfield again;
    end = printed;
    check(mf_parse_subfield(&end, &again, &err) == 0 && *end == '\0');
    check(again.field == sf.field && again.ofs == sf.ofs && again.n_bits == sf.n_bits);
}

static void check_tun_map(const char *text) {
    struct ofp_error err = {0};
    struct tun_map other = {0}, again = {0};
    if (tun_map_parse(text, &other, &err) != 0) {
        check_refusal(&err);
        return;
    }
    char printed[8192];
    struct text t;
    text_init(&t, printed, sizeof printed);
    tun_map_format(&other, &t);
    check(!t.cut && tun_map_parse(printed, &again, &err) == 0);
    for (size_t i = 0; i < TUN_N_METADATA; i++) {
        check(again.entries[i].len == other.entries[i].len);
        check(other.entries[i].ofs + other.entries[i].len <= FLOW_TUN_OPTS_LEN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct match m;
    struct flow_text extra;
    struct ofp_error err = {0};
    if (!atomic_load(&mf_tun_map)) {
        const char *some =
            "{class=0x102,type=0x80,len=4}->tun_metadata0,{class=1,type=1,len=124}->tun_metadata9";
        check(tun_map_parse(some, &map, &err) == 0);
        atomic_store(&mf_tun_map, &map);
    }
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (match_parse(text, &names, &m, &extra, &err) == 0) {
        check_match(&m, &extra);
    } else {
        check_refusal(&err);
    }
    check_subfield(text);
    check_tun_map(text);
    free(text);
    return 0;
}
