// The OpenFlow state of a bridge: 255 tables of rules, groups, meters, and the changes to them.
//
// Threads. Readers (translation in a PMD, the revalidator, trace) look rules, groups and meters up under
// RCU at the published version. Writers hold `lock`: the control thread's flow mods, the revalidator's
// timeouts, a PMD's `learn`. A PMD never waits for the lock: ofproto_learn() takes it if it is free and else
// leaves the change on `deferred`, which whoever holds the lock applies before he lets go.
//
// All or nothing: a change is prepared (checked, rules made, inserted invisibly), then published by moving
// `version`, or undone. A bundle is a row of changes with one publication.

#ifndef RINGSIDE_OFPROTO_OFPROTO_H
#define RINGSIDE_OFPROTO_OFPROTO_H

#include <pthread.h>
#include <sys/eventfd.h>

#include "datapath/base/cycles.h"
#include "datapath/base/rcu.h"
#include "ofproto/change_log.h"
#include "ofproto/classifier.h"
#include "ofproto/ofpact.h"

#define OFP_N_TABLES 255u // 0 … 254. 255 in a flow_mod: all (delete), or none given.

#define OFP_HIDDEN_TABLE 254u // Takes no flows, as in Open vSwitch, which keeps it for itself.

enum flow_mod_command { // OpenFlow's numbers.
    FLOW_ADD,
    FLOW_MODIFY,
    FLOW_MODIFY_STRICT,
    FLOW_DELETE,
    FLOW_DELETE_STRICT,
};

enum flow_mod_flags {
    FLOW_SEND_FLOW_REM = 1 << 0,
    FLOW_CHECK_OVERLAP = 1 << 1,
    FLOW_RESET_COUNTS = 1 << 2,
    FLOW_NO_PKT_COUNTS = 1 << 3,
    FLOW_NO_BYT_COUNTS = 1 << 4,
    FLOW_EMERG = 1 << 5, // Refused.
    FLOW_HIDDEN = 1 << 6,
    FLOW_NO_READONLY = 1 << 7,
};

struct flow_mod {
    uint8_t command; // enum flow_mod_command.
    uint8_t table;
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout, importance, flags;
    uint64_t cookie, cookie_mask; // Which rules (modify, delete): (rule ^ cookie) & mask == 0.
    uint64_t new_cookie;          // Add; modify if modify_cookie.
    bool modify_cookie;
    uint16_t out_port; // OFPP_ANY = no filter.
    uint32_t out_group;
    uint8_t delete_reason; // enum ofp_flow_removed_reason, for those that it deletes.
    struct match match;
    struct ofpacts ofpacts; // The caller's.
};

struct rule {
    struct cls_rule cr; // First.
    uint8_t table;
    uint8_t removed_reason;
    uint8_t uses;           // enum rule_uses.
    bool drops_late_counts; // Writer: publication. Readers: any, having seen successor.
    uint16_t flags;         // enum flow_mod_flags.
    uint16_t importance;
    _Atomic uint16_t idle_timeout, hard_timeout; // Seconds; lowered by fin_timeout.
    uint32_t actions_len;
    const void *actions; // Packed ofpacts. Constant. Rule, match and actions are one allocation.
    uint64_t cookie;     // Constant: modify makes a new rule.
    uint64_t created_ms; // Constant once published.
    _Atomic uint64_t modified_ms, used_ms;
    _Atomic uint64_t packets, bytes; // Writer: any (rule_credit).
    struct rule
        *_Atomic successor; // What it was modified into, which gets late counts. Referenced.
    _Atomic uint32_t refs;  // rule_ref / rule_unref.
    uint32_t expiry_at, eviction_at;         // In these heaps. Writers.
    struct rule *cookie_next, **cookie_link; // Rules with the same hash of the cookie. Writers.
};
enum rule_uses { RULE_USES_GROUP = 1, RULE_USES_METER = 2, RULE_USES_LEARN = 4 };

static inline void rule_ref(const struct rule *r) {
    atomic_fetch_add_explicit(&((struct rule *)(uintptr_t)r)->refs, 1, memory_order_relaxed);
}
// For readers under RCU, who may have found it while its last reference went: false = too late.
static inline bool rule_try_ref(const struct rule *r) {
    _Atomic uint32_t *refs = &((struct rule *)(uintptr_t)r)->refs;
    uint32_t n = atomic_load_explicit(refs, memory_order_relaxed);
    while (n != 0) {
        if (atomic_compare_exchange_weak_explicit(refs, &n, n + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}
void rule_unref(const struct rule *r); // The last one frees it, after a grace period.
void rule_credit(const struct rule *r, uint64_t packets, uint64_t bytes,
                 uint64_t used_ms); // Any thread.

enum group_type { GROUP_ALL, GROUP_SELECT, GROUP_INDIRECT, GROUP_FF };
enum group_selection { GROUP_SEL_DEFAULT, GROUP_SEL_DP_HASH, GROUP_SEL_HASH };

struct group_hash_field { // fields(ip_src=255.255.255.0): what of a field the hash takes.
    const struct mf_field *field;
    union mf_value mask; // n_bytes of ones if none was given.
};
#define GROUP_MAX_HASH_FIELDS 32u

struct group_bucket {
    uint32_t id, weight;
    uint32_t watch_port, watch_group; // OFPP_ANY, OFPG_ANY.
    uint32_t actions_len;
    const void *actions;
    _Atomic uint64_t packets, bytes;
};
struct group { // Constant but for counters; a change makes a new one.
    uint32_t id;
    uint8_t type;      // enum group_type.
    uint8_t method;    // enum group_selection as it was asked for; DEFAULT = not at all.
    uint8_t selection; // enum group_selection that it comes to (group_hash.c).
    uint8_t hash_alg;  // dp_hash: 0 = L4, 1 = symmetric L4. Its basis: (uint32_t)selection_param.
    uint64_t selection_param;
    uint8_t n_hash_fields;                      // Selection "hash"; 0 = the usual ones.
    const struct group_hash_field *hash_fields; // By rising field->id.
    uint32_t hash_mask;                         // dp_hash: entries of hash_map - 1.
    uint16_t *hash_map;                         // dp_hash -> bucket index, by weight.
    _Atomic uint64_t add_version, remove_version;
    _Atomic uint32_t refs;
    _Atomic uint64_t packets, bytes;
    uint64_t created_ms;
    struct group *_Atomic chain; // Older versions of the same id.
    struct group *retired_next;  // Writers.
    uint32_t n_buckets;
    struct group_bucket buckets[];
};
static inline bool group_try_ref(const struct group *g) { // As rule_try_ref().
    _Atomic uint32_t *refs = &((struct group *)(uintptr_t)g)->refs;
    uint32_t n = atomic_load_explicit(refs, memory_order_relaxed);
    while (n != 0) {
        if (atomic_compare_exchange_weak_explicit(refs, &n, n + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}
void group_unref(const struct group *g); // The last one frees it, after a grace period.
// bucket: index, UINT32_MAX = the group alone. Any thread.
void group_credit(const struct group *g, uint32_t bucket, uint64_t packets, uint64_t bytes);

enum group_mod_command {
    GROUP_ADD,
    GROUP_MODIFY,
    GROUP_DELETE,
    GROUP_ADD_OR_MODIFY,
    GROUP_INSERT_BUCKET,
    GROUP_REMOVE_BUCKET
};
enum { // In place of a bucket's id.
    OFPG_BUCKET_MAX = 0xffffff00u,
    OFPG_BUCKET_FIRST = 0xfffffffdu,
    OFPG_BUCKET_LAST = 0xfffffffeu,
    OFPG_BUCKET_ALL = 0xffffffffu, // Of a new bucket: none given.
};
struct group_mod {
    uint8_t command;            // enum group_mod_command.
    uint8_t type;               // enum group_type.
    uint8_t method;             // enum group_selection.
    uint32_t group_id;          // OFPG_ALL for delete.
    uint32_t command_bucket_id; // insert, remove: a bucket's id or OFPG_BUCKET_*.
    uint8_t n_hash_fields;
    uint64_t selection_param;
    struct group_hash_field *hash_fields; // On the heap.
    uint32_t n_buckets;
    struct group_bucket *buckets; // The caller's; actions on the heap.
};
// "group_id=1,type=select,bucket=weight:1,actions=output:1,…" as ovs-ofctl(8) group syntax. Free with _destroy.
int group_mod_parse(const char *text, uint8_t command, const struct port_names *names,
                    struct group_mod *out, struct ofp_error *err);
void group_mod_destroy(struct group_mod *gm);
void group_format(const struct group *g, const struct port_names *names, struct text *out);

struct meter_band {
    uint8_t type;         // 1 = drop, 2 = DSCP remark.
    uint8_t prec_level;   // Remark.
    uint32_t rate, burst; // kbit/s or packets/s; burst in the same unit, 0 = one second's worth.
};
enum { METER_KBPS = 1, METER_PKTPS = 2, METER_BURST = 4, METER_STATS = 8 };
struct meter_config {
    uint32_t id; // 1 … OFP_MAX_METERS.
    uint16_t flags;
    uint16_t n_bands;
    struct meter_band bands[8];
};
#define OFP_MAX_METERS 4096u
#define OFPM_ALL       0xffffffffu // To delete.
enum meter_mod_command { METER_ADD, METER_MODIFY, METER_DELETE };
// "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100". To delete, "meter=1", "meter=all" or "".
int meter_mod_parse(const char *text, uint8_t command, struct meter_config *out,
                    struct ofp_error *err);
// "meter=1 kbps bands=" and a line for each band, as ovs-ofctl dump-meters; without a newline at the end.
void meter_format(const struct meter_config *m, struct text *out);

struct oftable {
    struct classifier *_Atomic cls; // NULL until its first rule. Writer: under the lock.
    uint32_t n_flows;
    uint32_t max_flows; // UINT32_MAX = no limit.
    bool evict;         // Over the limit: evict the least important instead of refusing.
    // 0 = as the version says (drop here), 1 = controller, 2 = continue, 3 = drop. Writer: control. Readers: any.
    _Atomic uint8_t miss;
    char name[32];
    uint8_t apart[RS_CACHE_LINE]; // Lookups read what is above; any thread writes this:
    _Atomic uint64_t n_lookup, n_matched;
    uint8_t apart_too[RS_CACHE_LINE];
};

struct
    ofproto_events { // What the channel will tell controllers. Called under the lock; must not block.
    void *aux;
    void (*rule_changed)(void *aux, const struct rule *rule,
                         int event /* 0 added, 1 deleted, 2 modified */);
    void (*flow_removed)(void *aux, const struct rule *rule, uint8_t reason);
};

struct ofproto {
    pthread_mutex_t lock;
    _Atomic uint64_t version; // That lookups use.
    struct change_log
        log; // Moves when any answer may have changed. By ofproto_changed() and _by() alone.
    _Atomic uint64_t
        changed_ns; // When the first change came that the revalidator has not seen; 0 = none.
    _Atomic int
        waker; // eventfd + 1 of a revalidator that sleeps until the next change; 0 = none does.
    struct oftable tables[OFP_N_TABLES];
    const struct port_names *names;
    struct ofproto_events events; // NULL functions = nobody listens.
    void *internal;               // ofproto.c: groups, meters, expiry queues, deferred learn.
    uint64_t (*now_ms)(void *aux);
    void *now_aux;
};

// Whoever holds the lock and calls nothing but readers may take it directly; writers use these: letting go
// applies what was left on `deferred` meanwhile.
void ofproto_lock(struct ofproto *p);
void ofproto_unlock(struct ofproto *p);

int ofproto_init(struct ofproto *p, const struct port_names *names, uint64_t (*now_ms)(void *),
                 void *now_aux);
void ofproto_destroy(struct ofproto *p);

// What changes have replaced stays in the tables for a grace period; until then look-ups may un-wildcard bits for
// its sake. Waits until it is gone. Not from a PMD.
void ofproto_settle(struct ofproto *p);

// -- changes: control thread, or any that may wait for the lock --
int ofproto_flow_mod(struct ofproto *p, const struct flow_mod *fm, uint32_t *n_affected,
                     struct ofp_error *err);
int ofproto_group_mod(struct ofproto *p, const struct group_mod *gm, struct ofp_error *err);
int ofproto_meter_mod(struct ofproto *p, uint8_t command, const struct meter_config *m,
                      struct ofp_error *err);

// A bundle: nothing shows before the commit, everything at once after it. Changes are checked as they are
// added against the state that those before them leave. The first error is final: the bundle can only be discarded.
struct ofp_bundle;
struct ofp_bundle *ofp_bundle_open(
    struct ofproto *p); // Takes the lock until commit or discard. NULL without memory.
int ofp_bundle_flow_mod(struct ofp_bundle *b, const struct flow_mod *fm, uint32_t *n_affected,
                        struct ofp_error *err);
int ofp_bundle_group_mod(struct ofp_bundle *b, const struct group_mod *gm, struct ofp_error *err);
int ofp_bundle_commit(struct ofp_bundle *b); // 0, or -EINVAL: a change had failed; discarded.
void ofp_bundle_discard(struct ofp_bundle *b);

// -- look-ups under RCU --
// wc may be NULL. matched_conj_id as in classifier_lookup.
const struct rule *ofproto_lookup(const struct ofproto *p, uint64_t version, uint8_t table,
                                  const struct flow *flow, struct flow *wc,
                                  uint32_t *matched_conj_id);
const struct group *ofproto_group(const struct ofproto *p, uint64_t version, uint32_t id);
bool ofproto_has_meter(const struct ofproto *p, uint32_t id);

// A rule made by a `learn` action: add or modify, or just refresh if it is there and the same (then only
// modified_ms moves, so that its hard timeout starts anew). Never waits; may be deferred. PMD thread.
// *limited: the learn's limit forbade it. Returns 0, or -EAGAIN when it was left to the lock's holder.
struct ofpact_learn;
int ofproto_learn(struct ofproto *p, const struct flow_mod *fm, uint32_t limit, bool *limited);

// -- the revalidator's --
// Idle and hard timeouts. Cost follows what is due. Never waits: while somebody has the lock, rules live a round longer.
void ofproto_expire(struct ofproto *p, uint64_t now_ms);
void ofproto_fin_timeout(struct ofproto *p, const struct rule *r, uint16_t idle, uint16_t hard);
// What notes tell has changed; without any, all answers may be others now (ports, groups). After the change itself.
// Any thread. A system call only if the revalidator sleeps, which it then no longer does.
static inline void ofproto_changed_by(struct ofproto *p, const struct change_note *notes,
                                      unsigned n) {
    uint64_t none = 0;
    if (atomic_load_explicit(&p->changed_ns, memory_order_relaxed) == 0) {
        atomic_compare_exchange_strong(&p->changed_ns, &none, time_ns());
    }
    // Sequentially consistent, as is the sleeper's side: it sees the change, or we see it asleep.
    change_log_add(&p->log, notes, n);
    int waker = atomic_load(&p->waker);
    if (waker != 0 && (waker = atomic_exchange(&p->waker, 0)) != 0) {
        eventfd_write(waker - 1, 1);
    }
}
static inline void ofproto_changed(struct ofproto *p) {
    ofproto_changed_by(p, NULL, 0);
}

// -- reading --
struct flow_filter { // As dump-flows takes it.
    uint8_t table;   // 255 = all.
    uint16_t out_port;
    uint32_t out_group;
    uint64_t cookie, cookie_mask;
    struct match match;
};
// NULL = all. By table, then falling priority. Under RCU or the lock. 0, or -ENOMEM before the end.
int ofproto_for_each(const struct ofproto *p, const struct flow_filter *filter,
                     bool (*fn)(const struct rule *rule, void *arg), void *arg);
uint32_t ofproto_count(const struct ofproto *p);
int ofproto_for_each_group(const struct ofproto *p, bool (*fn)(const struct group *g, void *arg),
                           void *arg); // By id. Under RCU or the lock. 0 or -ENOMEM.
void ofproto_for_each_meter(const struct ofproto *p,
                            bool (*fn)(const struct meter_config *m, void *arg), void *arg);
// "cookie=0x0, duration=…" is the caller's; this is " table=1, priority=10,ip actions=…" of ovs-ofctl dump-flows.
void rule_format(const struct rule *rule, const struct port_names *names, bool show_table,
                 struct text *out);

// A flow's text ("table=1,priority=10,ip,actions=…") as a flow_mod, checked (ofpacts_check too). The ofpacts are the
// caller's to destroy. `command` as given; for deletes actions may be missing.
int flow_mod_parse(const char *text, uint8_t command, const struct port_names *names,
                   struct flow_mod *out, struct ofp_error *err);

#endif
