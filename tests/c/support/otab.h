// The OpenFlow state with its texts, opened for tests only. Errors are texts ("OFPFMFC_OVERLAP flow: …"), NULL = none.

#ifndef RINGSIDE_TESTS_OTAB_H
#define RINGSIDE_TESTS_OTAB_H

#include "ofproto/ofproto.h"

struct otab;
struct otab *otab_new(void);
void otab_free(struct otab *t);
void otab_time(struct otab *t, uint64_t now_ms);
const char *otab_flow_mod(struct otab *t, uint8_t command, const char *text, uint32_t *n_affected);
const char *otab_group_mod(struct otab *t, uint8_t command, const char *text);
const char *otab_meter_mod(struct otab *t, uint8_t command, const char *text);
void otab_table(struct otab *t, uint8_t table, uint32_t max_flows, bool evict);
void otab_expire(struct otab *t);
uint64_t otab_change_seq(const struct otab *t);

// From here on flow and group mods go into a bundle.
bool otab_bundle_open(struct otab *t);
void otab_bundle_end(struct otab *t, bool commit);

// The rule that a packet with these fields finds in the table; with credits. -1: none, else a handle that holds it
// until otab_drop_all().
int otab_find(struct otab *t, uint8_t table, const char *fields);
void otab_credit(struct otab *t, int handle, uint64_t packets, uint64_t bytes, uint64_t used_ms);
void otab_fin_timeout(struct otab *t, int handle, uint16_t idle, uint16_t hard);
void otab_drop_all(struct otab *t);
// As a learn action of a PMD; `busy`: somebody else holds the lock meanwhile. The result of ofproto_learn().
int otab_learn(struct otab *t, const char *text, uint32_t limit, bool busy, bool *limited);

struct otab_rule {
    uint8_t table;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags;
    uint64_t cookie, packets, bytes, created_ms, modified_ms, used_ms;
    char text[480]; // Of rule_format().
};
// Rules in the order of ofproto_for_each(), those of the filter's text ("" = all); how many there are.
int otab_rules(struct otab *t, const char *filter, struct otab_rule *out, uint32_t cap);
// "added TEXT\n", "removed REASON TEXT\n" … since the last call.
const char *otab_events(struct otab *t);
bool otab_groups(struct otab *t, bool names, char *out, size_t cap); // A line each; false: cut off.
bool otab_meters(struct otab *t, char *out, size_t cap);
void otab_group_credit(struct otab *t, uint32_t id, uint32_t bucket, uint64_t packets);
uint64_t otab_group_packets(struct otab *t, uint32_t id,
                            uint32_t bucket); // bucket as group_credit().
uint64_t otab_group_created(struct otab *t, uint32_t id);
// Bucket of each hash value; their number, 0 = it hashes otherwise.
uint32_t otab_group_map(struct otab *t, uint32_t id, uint16_t *map, uint32_t cap,
                        uint8_t *hash_alg);

// Writers in this thread and a reader in another: n changes of rules, at each of which exactly one of two rules is
// there. How often the reader found none or a wrong one.
uint64_t otab_race(uint32_t n, uint64_t seed);

#endif
