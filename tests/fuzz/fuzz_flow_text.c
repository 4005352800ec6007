// Any text as a flow mod: it is refused with a reason, or it prints as a text that means the same. The first byte is the
// command; bit 7 of it maps a tunnel option, so that tun_metadata0 is there.

#include <stdlib.h>

#include "ofproto/ofproto.h"

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static const struct port_names names = {
    .name = {[1] = "h1", [2] = "h2", [3] = "s1", [4] = "IN_PORT"},
    .local = 3};
static struct tun_map map = {
    .entries = {[0] = {.option_class = 0x102, .option_type = 0x80, .len = 4}}};

static void put_number(struct text *t, const char *name, uint32_t number, uint32_t usual) {
    if (number != usual) {
        text_put(t, "%s=%u, ", name, number);
    }
}

// What a rule's dump has before its match.
static void settings_format(const struct flow_mod *fm, struct text *t) {
    static const char *const flags[] = {"send_flow_rem", "check_overlap", "reset_counts",
                                        "no_packet_counts", "no_byte_counts"};
    if (fm->modify_cookie) {
        text_put(t, "cookie=%#llx, ", (unsigned long long)fm->new_cookie);
    }
    if (fm->cookie_mask) {
        text_put(t, "cookie=%#llx/%#llx, ", (unsigned long long)fm->cookie,
                 (unsigned long long)fm->cookie_mask);
    }
    if (fm->table != 255) {
        text_put(t, "table=%u, ", fm->table);
    }
    put_number(t, "idle_timeout", fm->idle_timeout, 0);
    put_number(t, "hard_timeout", fm->hard_timeout, 0);
    put_number(t, "importance", fm->importance, 0);
    put_number(t, "out_group", fm->out_group, OFPG_ANY);
    for (unsigned i = 0; i < RS_ARRAY_SIZE(flags); i++) {
        if (fm->flags & 1 << i) {
            text_put(t, "%s ", flags[i]);
        }
    }
    if (fm->out_port != OFPP_ANY) {
        text_put(t, "out_port=");
        port_names_format(NULL, fm->out_port, t);
        text_put(t, ",");
    }
}

// "A packet with an Ethernet header" is what fields of one imply, and is not printed.
static struct match comparable(const struct match *m) {
    struct match out = *m;
    if (out.flow.packet_type == 0) {
        out.mask.packet_type = 0;
    }
    return out;
}

static bool equal(const struct flow_mod *a, const struct flow_mod *b) {
    struct match x = comparable(&a->match), y = comparable(&b->match);
    return a->command == b->command && a->table == b->table && a->priority == b->priority &&
           a->idle_timeout == b->idle_timeout && a->hard_timeout == b->hard_timeout &&
           a->importance == b->importance && a->flags == b->flags && a->cookie == b->cookie &&
           a->cookie_mask == b->cookie_mask && a->new_cookie == b->new_cookie &&
           a->modify_cookie == b->modify_cookie && a->out_port == b->out_port &&
           a->out_group == b->out_group && match_equal(&x, &y) &&
           ofpacts_equal(a->ofpacts.data, a->ofpacts.len, b->ofpacts.data, b->ofpacts.len);
}

static void check_round_trip(const struct flow_mod *fm, bool with_names) {
    static char text[1 << 20];
    static struct flow_mod again;
    struct ofp_error err;
    struct text t;
    text_init(&t, text, sizeof text);
    settings_format(fm, &t);
    // A loose deletion has no priority.
    match_format(&fm->match, fm->priority,
                 fm->command == FLOW_DELETE ? fm->priority : OFP_DEFAULT_PRIORITY,
                 with_names ? &names : NULL, &t);
    text_put(&t, " actions=");
    ofpacts_format(fm->ofpacts.data, fm->ofpacts.len, with_names ? &names : NULL, &t);
    check(!t.cut);
    if (t.len < OFP_TEXT_MAX) { // Actions grow as they print; a text may be too long for the door.
        check(flow_mod_parse(text, fm->command, &names, &again, &err) == 0);
        check(equal(fm, &again));
        ofpacts_destroy(&again.ofpacts);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct flow_mod fm;
    struct ofp_error err = {0};
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    mf_tun_map = data[0] & 0x80 ? &map : NULL;
    if (flow_mod_parse(text, (data[0] & 0x7f) % 5, &names, &fm, &err) == 0) {
        check_round_trip(&fm, false);
        check_round_trip(&fm, true);
        ofpacts_destroy(&fm.ofpacts);
    } else {
        check(err.code > 0 && err.field[0] && err.message[0]);
        check(!fm.ofpacts.data);
    }
    free(text);
    return 0;
}
