// Lookup and PMD, opened for tests only.
//
// struct look: caches and megaflows without a PMD. Flows and masks come as the 83 words of a struct flow.
// struct box: a PMD with a decider that goes by a list of rules.

#ifndef RINGSIDE_TESTS_LOOK_H
#define RINGSIDE_TESTS_LOOK_H

#include "datapath/lookup/lookup.h"
#include "datapath/pmd/pmd.h"
#include "io.h"

#define LOOK_OWNERS 4096u // Owners are numbers 1 … LOOK_OWNERS - 1.

// What a decider hears about its owners.
struct look_owner {
    uint32_t released;
    uint32_t executed_once;
    uint64_t packets, bytes; // Of both.
    uint16_t tcp_flags;
};

struct look;

// every: emc_insert_every. weak: the classifier's secret is zero, so that words that are zero in pairs all have
// one hash.
struct look *look_new(bool emc, bool smc, uint32_t every, bool weak);
void look_free(struct look *l); // The owners' records go too.
void look_configure(struct look *l, bool emc, bool smc, uint32_t every);
uint64_t look_smc_hits(const struct look *l);
struct look_owner look_owner(const struct look *l, uint32_t owner);
uint32_t look_owners_released(struct look *l); // How many have been released exactly once.
// Frees the lookup, not the records: what has not been released now never will be.
void look_end(struct look *l);

// NULL at the limit. The actions are one output to `port`.
struct megaflow *look_install(struct look *l, const uint64_t *flow, const uint64_t *mask,
                              uint32_t owner, uint32_t port, uint64_t now_ms);
// Looks up n flows at once (32 at most), of which flow i is at flows + i * 83. maps[2 * i], maps[2 * i + 1]: words
// that its key has even if they are zero. hash: 0 = computed. Owners of what is found go to owners[], 0 = miss.
void look_find(struct look *l, unsigned n, const uint64_t *flows, const uint64_t *maps,
               uint32_t hash, uint32_t *owners);
uint32_t look_key_hash(struct look *l, const uint64_t *flow);
uint32_t look_device_hash(struct look *l, uint32_t rx_hash, uint32_t in_port, uint32_t recirc_id);
void look_emc_put(struct look *l, const uint64_t *flow, uint32_t hash, struct megaflow *m);
void look_chores(struct look *l, uint64_t now_ms, uint32_t some);
void look_count(struct megaflow *m, uint64_t packets, uint64_t bytes);

uint32_t look_emc_entries(const struct look *l);
uint32_t look_subtables(const struct look *l);
uint32_t look_subtable_words(const struct look *l, uint32_t rank); // Words of its mask.
uint64_t look_emc_hits(const struct look *l);
uint64_t look_megaflow_hits(const struct look *l);
uint64_t look_searched(const struct look *l);
struct megaflow_table *look_table(const struct look *l);

// Megaflows of a table. Owners of live ones (cap at most); returns how many. `slice` slots at a time.
uint32_t look_walk(const struct megaflow_table *t, uint32_t slice, uint32_t *owners, uint32_t cap);
struct megaflow *look_megaflow(const struct megaflow_table *t, uint32_t owner); // NULL = none.
struct megaflow *look_any_megaflow(const struct megaflow_table *t);             // NULL = none.
void look_kill_some(const struct megaflow_table *t, uint32_t n); // Every n-th; 0 = none.
uint32_t look_megaflow_output(const struct megaflow *m);         // Of its only action.
int look_set_output(struct megaflow *m, uint32_t port);
void look_megaflow_words(const struct megaflow *m, uint64_t *key, uint64_t *mask); // 83 each.
uint64_t look_megaflow_id(const struct megaflow *m);
void look_megaflow_counts(const struct megaflow *m, uint64_t *packets, uint64_t *bytes,
                          uint64_t *used_ms, uint16_t *tcp_flags);
// Kills every n-th live megaflow, sets other actions on the rest, over and over until *stop, as a thread beside the
// PMD. Returns how many it killed.
uint64_t look_harass(const struct megaflow_table *t, uint32_t n, uint32_t port, const bool *stop);

// ---- a PMD ----

#define BOX_RULES 64u

struct box_rule {
    uint64_t value[FLOW_WORDS], mask[FLOW_WORDS]; // Of the flows that it answers.
    uint8_t actions[1024];
    uint32_t len;
    bool install, overflow;
};

struct box;

int box_new(bool threaded, struct box **out);
void box_free(struct box *b);
struct pmd *box_pmd(struct box *b);
// Rules are asked in the order of their numbers; the answer's mask is all bits looked at by then. Without a rule
// that fits: drop. Not while a thread may ask.
struct box_rule *box_add_rule(struct box *b);
void box_clear_rules(struct box *b);
uint64_t box_translated(const struct box *b);
uint64_t box_owners_made(const struct box *b);
uint64_t box_owners_ended(const struct box *b);  // Released or executed once.
uint64_t box_packets_ended(const struct box *b); // That these owners heard of.
uint64_t box_pins(const struct box *b);          // Packets for controllers.
uint32_t box_last_pin(const struct box *b);

// Between two batches, so that they balance.
void box_pmd_stats(struct box *b, struct pmd_stats *out);
void box_control_counts(struct box *b, struct io_counts *out);

// Frees what may be freed now. From a thread that is no PMD.
unsigned box_reap(void);

#endif
