// Inside the OpenFlow state: how changes are prepared, published or undone, and what is kept beside the tables.
//
//     prepare:  rules made, inserted to be visible from version + 1 on; old ones hidden from there on
//     publish:  version + 1; counters handed on; events; old rules wait for a grace period
//     undo:     in reverse order; new rules out, old ones back
//
// Everything here is under the lock, but for the list of deferred changes.

#ifndef RINGSIDE_OFPROTO_OFPROTO_PRIVATE_H
#define RINGSIDE_OFPROTO_OFPROTO_PRIVATE_H

#include "ofproto/ofproto.h"

enum rule_removed_reason { // OpenFlow's OFPRR_*.
    REMOVED_IDLE,
    REMOVED_HARD,
    REMOVED_DELETE,
    REMOVED_GROUP_DELETE,
    REMOVED_METER_DELETE,
    REMOVED_EVICTION,
};

enum rule_event { RULE_ADDED, RULE_DELETED, RULE_MODIFIED };

// -- a change in the making --

struct change { // One step. Rules or groups, old and new: NULL = none.
    struct rule *rule, *old_rule;
    struct group *group, *old_group;
    uint8_t event; // enum rule_event, of rules.
    bool keep_counts;
};
struct changes {
    struct change *list;
    uint32_t n, cap;
};

// Rules by a key, the smallest first. Each rule knows its place.
struct rule_heap {
    struct heap_entry {
        uint64_t key;
        struct rule *rule;
    } * entries;
    uint32_t n, cap;
    bool eviction; // The rules' places are in eviction_at, else in expiry_at.
};
#define HEAP_NOWHERE UINT32_MAX

struct rule_set { // Rules that a request is about.
    struct rule **list;
    uint32_t n, cap;
};

// What readers may still look at: removed for good once a grace period has passed.
struct retired {
    struct retired *next;
    _Atomic int state;    // enum retired_state.
    struct rule *rules;   // By cookie_next.
    struct group *groups; // By retired_next.
};
enum retired_state { RETIRED_WAITS, RETIRED_READY, RETIRED_ORPHAN };

struct deferred { // A change that a thread which must not wait left for the lock's holder.
    struct deferred *next;
    struct rule *rule;  // fin_timeout of it (referenced), or NULL:
    struct flow_mod fm; // a learned flow. Its actions are owned.
    uint32_t limit;
    uint16_t idle, hard;
};
#define DEFERRED_MAX 65536u

struct learned_cookie { // Of learn(…,delete_learned) actions in the rules.
    uint64_t cookie;
    uint32_t n; // Rules' actions that name it.
    uint8_t table;
    bool used, dead; // dead: the flows that have it are to be deleted.
};
struct learned_cookies { // Hash table.
    struct learned_cookie *list;
    uint32_t n, cap;
    bool any_dead;
};

struct
    group_slots { // Hash table by id. Published as a whole; slots are filled and emptied in place.
    uint32_t mask, used;
    struct group_slot {
        _Atomic uint32_t id;         // OFPG_ANY = never used.
        struct group *_Atomic first; // Newest version first.
        uint32_t n_users;            // Rules' actions that send to it. Writers.
    } slots[];
};

struct ofproto_internal {
    struct changes changes;
    struct rule_heap expiry;
    struct rule_heap *eviction[OFP_N_TABLES]; // NULL unless the table evicts.
    struct rule **by_cookie;                  // Hash table of chains.
    uint32_t by_cookie_mask;
    uint32_t n_rules;                       // Linked.
    struct retired *retired, **retired_end; // Oldest first.
    struct retired *spare;                  // For the next publication.
    struct rule *stubborn;             // By cookie_next: to be removed when there is memory again.
    struct deferred *_Atomic deferred; // Newest first. Writers: any.
    _Atomic uint32_t n_deferred;
    struct learned_cookies learned;
    struct group_slots *_Atomic groups;
    uint32_t n_groups;
    struct meter_config *_Atomic meters[OFP_MAX_METERS + 1];
};

static inline struct ofproto_internal *internal(const struct ofproto *p) {
    return p->internal;
}
static inline struct rule *rule_of(const struct cls_rule *cr) {
    return (struct rule *)(uintptr_t)cr; // cr is first.
}
static inline uint64_t next_version(const struct ofproto *p) {
    return atomic_load_explicit(&((struct ofproto *)(uintptr_t)p)->version, memory_order_relaxed) +
           1;
}

// rule.c
struct rule_params { // What a new rule is made of, beside match and actions.
    uint64_t cookie;
    uint16_t priority, idle_timeout, hard_timeout, importance, flags;
    uint8_t table;
};
struct rule *rule_create(const struct rule_params *params, const struct match *match,
                         const void *actions, uint32_t actions_len, uint64_t now_ms);
struct rule *rule_clone(const struct rule *old, const struct rule_params *params,
                        const void *actions, uint32_t actions_len, uint64_t now_ms);
void rule_free(struct rule *r); // At once: nobody has seen it, or nobody is left.
bool rule_has_out_port(const struct rule *r, uint16_t port);
bool rule_has_out_group(const struct rule *r, uint32_t group);

// ofproto_change.c
int rule_prepare_add(struct ofproto *p, struct rule *rule, struct rule *old, uint8_t event,
                     bool keep_counts, struct ofp_error *err); // Takes the rule, on errors too.
int rule_prepare_delete(struct ofproto *p, struct rule *old, uint8_t reason, struct ofp_error *err);
struct change *changes_push(struct ofproto *p, struct ofp_error *err); // Zeroed. NULL: no memory.
void changes_publish(struct ofproto *p);
void changes_publish_one(struct ofproto *p); // Without what follows from it.
void changes_undo(struct ofproto *p);
int no_memory(struct ofp_error *err, const char *field);

// ofproto_retire.c
int retired_reserve(struct ofproto *p);
void retire(struct ofproto *p); // What the changes replace, after their publication.
void rule_discard(struct ofproto *p, struct rule *r); // No reader can find it.
void retired_collect(struct ofproto *p);              // Those whose grace period is over.
void retired_destroy(struct ofproto *p);

// flow_mod.c
int flow_mod_prepare(struct ofproto *p, const struct flow_mod *fm, uint32_t *n_affected,
                     struct ofp_error *err);
int rules_prepare_delete(struct ofproto *p, const struct rule_set *rules, uint8_t reason,
                         struct ofp_error *err);
int check_references(const struct ofproto *p, const void *actions, uint32_t len,
                     struct ofp_error *err);

// ofproto_find.c
struct criteria {
    uint8_t table; // 255 = all.
    uint16_t out_port;
    uint32_t out_group;
    uint64_t cookie, cookie_mask;
    const struct match *match;
};
// Of the rules that the next version shows. 0 or -ENOMEM.
int collect_loose(const struct ofproto *p, const struct criteria *c, struct rule_set *out);
int collect_strict(const struct ofproto *p, const struct criteria *c, uint16_t priority,
                   struct rule_set *out);
int rule_set_add(struct rule_set *set, struct rule *r); // 0 or -ENOMEM.
int cookies_reserve(struct ofproto *p);                 // Room for one more.
void cookies_add(struct ofproto *p, struct rule *r);
void cookies_remove(struct rule *r);
uint32_t cookies_count(const struct ofproto *p, uint8_t table, uint64_t cookie);

// rule_heap.c
int heap_reserve(struct rule_heap *h); // Room for one more. 0 or -ENOMEM.
void heap_add(struct rule_heap *h, struct rule *r, uint64_t key);
void heap_remove(struct rule_heap *h, struct rule *r); // Also one that is not in it.
void heap_change(struct rule_heap *h, struct rule *r, uint64_t key);

// ofproto_expire.c
int timers_reserve(struct ofproto *p, const struct rule *r);
void timers_add(struct ofproto *p, struct rule *r);
void timers_remove(struct ofproto *p, struct rule *r);
struct rule *eviction_choose(struct ofproto *p, uint8_t table); // NULL: none can go.

void timers_renew(struct ofproto *p, struct rule *r); // Its timeouts have been lowered.

// ofproto_learn.c
void defer_timers(struct ofproto *p, struct rule *r);
void deferred_run(struct ofproto *p);
void deferred_destroy(struct ofproto *p);

// learned_cookies.c
int learned_add(struct ofproto *p, const struct rule *r); // 0 or -ENOMEM.
void learned_remove(struct ofproto *p, const struct rule *r);
void learned_delete_dead(struct ofproto *p); // Flows with cookies that no learn action names now.
void learned_destroy(struct ofproto *p);

// group.c
struct group *group_create(const struct group_mod *gm, const struct group *old, uint64_t now_ms);
struct group *group_find(const struct ofproto *p, uint64_t version, uint32_t id);
int group_link(struct ofproto *p, struct group *g, uint64_t version); // 0 or -ENOMEM.
void group_unlink(struct ofproto *p, struct group *g);
void group_hide(struct group *g, uint64_t version);
// The next group at or behind place *at (0 at first) of the table; NULL at the end.
struct group *group_next(const struct ofproto *p, uint64_t version, uint32_t *at);
void groups_count_users(struct ofproto *p, const void *actions, size_t len, int change);
bool group_has_users(const struct ofproto *p, uint32_t id);
void groups_destroy(struct ofproto *p);

// group_mod.c
int group_mod_prepare(struct ofproto *p, const struct group_mod *gm, struct ofp_error *err);

// group_hash.c
size_t group_hash_bytes(const struct group_mod *gm);
void group_hash_fill(struct group *g, uint16_t *room); // group_hash_bytes(); its buckets are there.

#endif
