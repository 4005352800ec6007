// A bridge driven by text, for tests of translation: ports, rules and groups in, actions, megaflow and report out.

#ifndef RINGSIDE_TEST_XLATE_H
#define RINGSIDE_TEST_XLATE_H

#include "ofproto/xlate.h"

enum { XL_TEXT = 1 << 18, XL_LIST = 1 << 16 };

struct xl; // A bridge and its clock.

struct xl *xl_create(void);
void xl_destroy(struct xl *xl);
void xl_set_time(struct xl *xl, uint64_t now_ms);

// mode: enum vlan_mode. trunks: n VLANs, none = all.
void xl_port(struct xl *xl, uint32_t id, const char *name, bool internal, int mode, uint16_t tag,
             const uint16_t *trunks, unsigned n);
void xl_port_up(struct xl *xl, uint32_t id, bool up);
void xl_port_config(struct xl *xl, uint32_t id, uint32_t config);

// NULL, or what was wrong. Good until the next call.
const char *xl_flow_mod(struct xl *xl, uint8_t command, const char *text);
const char *xl_group_mod(struct xl *xl, uint8_t command, const char *text);
const char *xl_meter_mod(struct xl *xl, const char *text);
const char *xl_tun_map(struct xl *xl, const char *text);
// All rules in one bundle. n_done = those before the one that was refused.
const char *xl_flow_mods(struct xl *xl, const char *const *texts, unsigned n, unsigned *n_done);

// A packet's key from the text of ofproto/trace, in the datapath's terms.
const char *xl_key(struct xl *xl, const char *text, struct flow *out);
// ofproto/trace's "Flow:" text of a key in the datapath's terms.
void xl_key_text(struct xl *xl, const struct flow *key, char *out, size_t cap);

// A packet that agrees with `key` in the bits of wc, the others of its protocols' fields drawn anew.
void xl_other_packet(const struct flow *key, const struct flow *wc, uint64_t seed,
                     struct flow *out);

enum { XL_SIDE_EFFECTS = 1, XL_CREDITS = 2, XL_NO_WC = 4, XL_NO_REPORT = 8 };

struct xl_answer {
    char actions[XL_TEXT]; // As dpctl/dump-flows prints them.
    char megaflow[XL_TEXT];
    char report[XL_TEXT];
    char final[XL_TEXT];
    uint8_t list[XL_LIST];
    uint32_t list_len;
    struct flow wc, final_flow;
    int error;
    int drop; // -1 = not dropped.
    bool slow;
    const char *list_error; // What odp_check() says.
    uint32_t n_credits;
    uint32_t n_recircs;
    struct xlate_recirc recircs[64];
};

// ofpacts: text of a packet-out's actions, NULL = the tables.
const char *xl_run(struct xl *xl, const struct flow *key, const char *ofpacts, unsigned flags,
                   struct xl_answer *out);
// The credits of the last xl_run(XL_CREDITS), pushed and kept, or let go.
void xl_push(struct xl *xl, uint64_t packets, uint64_t bytes, uint16_t tcp_flags);
void xl_forget(struct xl *xl);

void xl_table_miss(struct xl *xl, uint8_t table, uint8_t miss); // As oftable.miss.
void xl_table_counts(struct xl *xl, uint8_t table, uint64_t *lookups, uint64_t *matches);
uint64_t xl_bucket_packets(struct xl *xl, uint32_t group, uint32_t bucket); // UINT32_MAX: group's.
uint32_t xl_mac(struct xl *xl, uint64_t mac, uint16_t vlan);                // Port, 0 = not known.

// "n_packets=…" and the rules as dump-flows has them, a line each.
void xl_dump(struct xl *xl, char *out, size_t cap);
uint32_t xl_frozen_count(struct xl *xl);
void xl_expire(struct xl *xl, uint64_t now_ms); // Rules and frozen states; reaps what may be freed.

// Translates each key `rounds` times with wc and credits; nanoseconds of CPU time for one.
double xl_bench(struct xl *xl, const struct flow *keys, unsigned n, unsigned rounds);

uint32_t xl_hash_fields(const struct flow *flow, uint8_t fields, uint16_t basis);

#endif
