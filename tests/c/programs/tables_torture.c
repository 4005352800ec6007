// Scenarios for the classifier and the OpenFlow state, built by tests/c/test_tables_torture.py with ThreadSanitizer
// and with AddressSanitizer; malloc and its kin are wrapped so that they can fail.
//
//     tables_torture SCENARIO        0 = as it should be; else the line that is not, on standard error

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"
#include "tables.h"

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: %s\n", __LINE__, #x), exit(1)))

// -- memory that runs out --

static long fail_in = -1; // Allocations until one fails, and all behind it; < 0: never.
static bool failed;

static bool fails(void) {
    if (fail_in < 0) {
        return false;
    }
    if (fail_in > 0) {
        fail_in--;
        return false;
    }
    failed = true;
    return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

void *__wrap_malloc(size_t n) {
    return fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    return fails() ? NULL : __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t alignment, size_t n) {
    return fails() ? NULL : __real_aligned_alloc(alignment, n);
}

// -- flow mods without text --

static uint64_t now_of(void *aux) {
    (void)aux;
    return 1000;
}

static bool is_soft(unsigned n) {
    return n % 6 == 5;
}

static struct flow_mod mod_of(uint8_t command, unsigned n) {
    struct flow_mod fm = {.command = command,
                          .table = (uint8_t)(n % 2),
                          // No two hard ones have the same: which of them wins is anyone's guess.
                          .priority = (uint16_t)(is_soft(n) ? 1000 + n % 3 : n),
                          .out_port = OFPP_ANY,
                          .out_group = OFPG_ANY,
                          .new_cookie = n,
                          .modify_cookie = true,
                          .idle_timeout = n % 3 == 0 ? 10 : 0};
    fm.match.mask.dl_type = UINT16_MAX;
    fm.match.flow.dl_type = hton16(0x0800);
    if (n % 4 != 0) {
        fm.match.mask.nw_dst = hton32(UINT32_MAX << (n % 4 * 8));
        fm.match.flow.nw_dst = hton32(n * 0x01010101u) & fm.match.mask.nw_dst;
    }
    if (n % 3 == 1) {
        fm.match.mask.tp_dst = UINT16_MAX;
        fm.match.flow.tp_dst = hton16((uint16_t)(n % 50));
    }
    if (n % 7 == 0) {
        fm.match.mask.metadata = UINT64_MAX;
        fm.match.flow.metadata = n % 21;
    }
    if (n > 380 && !is_soft(n)) {
        fm.match.mask.conj_id = UINT32_MAX;
        fm.match.flow.conj_id = 1 + n % 3;
    }
    return fm;
}

static void put_actions(struct ofpacts *list, unsigned n) {
    if (is_soft(n)) {
        struct ofpact_conjunction *c = ofpact_put(list, OFPACT_CONJUNCTION, sizeof *c);
        c->id = 1 + n % 3;
        c->clause = (uint8_t)(n % 2);
        c->n_clauses = 2;
    } else if (n % 6 == 4) {
        struct ofpact_u32 *group = ofpact_put(list, OFPACT_GROUP, sizeof *group);
        group->value = 1;
    } else {
        struct ofpact_output *output = ofpact_put(list, OFPACT_OUTPUT, sizeof *output);
        output->port = (uint16_t)n;
    }
}

struct seen { // What the tables show.
    uint64_t hash;
    uint32_t n;
};

static bool see(const struct rule *r, void *arg) {
    struct seen *s = arg;
    uint64_t row = (r->table * 31u + r->cr.priority) * 1000003u + r->cookie * 7919u;
    row ^= (uintptr_t)r * UINT64_C(0x9e3779b97f4a7c15); // The very same rules.
    s->hash += row ^ row >> 29;
    s->n++;
    return true;
}

static bool see_group(const struct group *g, void *arg) {
    struct seen *s = arg;
    s->hash += (uintptr_t)g * UINT64_C(0xd6e8feb86659fd93);
    s->n++;
    return true;
}

static struct seen seen_of(const struct ofproto *p) {
    struct seen s = {.n = 0};
    long keep = fail_in;
    fail_in = -1;
    CHECK(ofproto_for_each(p, NULL, see, &s) == 0);
    CHECK(ofproto_count(p) == s.n);
    CHECK(ofproto_for_each_group(p, see_group, &s) == 0);
    for (unsigned i = 0; i < 200; i++) { // And packets find the same.
        struct flow flow = {.dl_type = hton16(0x0800), .nw_dst = hton32(i * 0x01010101u)};
        flow.tp_dst = hton16((uint16_t)(i % 50));
        flow.metadata = i % 21;
        uint32_t conj;
        const struct rule *r = ofproto_lookup(p, p->version, i % 2, &flow, NULL, &conj);
        s.hash += ((uintptr_t)r ^ conj) * (i * 2 + 1);
    }
    fail_in = keep;
    return s;
}

static void settle(void) {
    long keep = fail_in;
    fail_in = -1;
    rcu_quiesce();
    rcu_reap();
    rcu_quiesce();
    rcu_reap();
    fail_in = keep;
}

// -- one step of a long history, in which any allocation may be the one that fails --

static int flow_step(struct ofproto *p, unsigned n) {
    static const uint8_t commands[] = {FLOW_ADD, FLOW_ADD, FLOW_ADD,    FLOW_MODIFY_STRICT,
                                       FLOW_ADD, FLOW_ADD, FLOW_MODIFY, FLOW_DELETE_STRICT};
    struct flow_mod fm = mod_of(commands[n % 8], n * 7 % 400);
    long keep = fail_in;
    fail_in = -1;
    put_actions(&fm.ofpacts, n * 7 % 400);
    fail_in = keep;
    if (n % 50 == 49) {
        fm.command = FLOW_DELETE;
        fm.match.mask.nw_dst = fm.match.flow.nw_dst = 0;
    }
    int error = ofproto_flow_mod(p, &fm, NULL, NULL);
    ofpacts_destroy(&fm.ofpacts);
    return error;
}

static int group_step(struct ofproto *p, unsigned n) {
    struct group_bucket buckets[3];
    for (unsigned i = 0; i < 3; i++) {
        buckets[i] = (struct group_bucket){
            .id = i, .weight = 1 + n % 4, .watch_port = OFPP_ANY, .watch_group = OFPG_ANY};
    }
    struct group_mod gm = {.command = n % 90 == 89 ? GROUP_DELETE : GROUP_ADD_OR_MODIFY,
                           .type = GROUP_SELECT,
                           .group_id = n % 90 == 89 ? 1 + n % 30 : n % 31,
                           .n_buckets = 1 + n % 3,
                           .buckets = buckets};
    return gm.group_id == 1 && gm.command == GROUP_DELETE ? 0 : ofproto_group_mod(p, &gm, NULL);
}

static int bundle_step(struct ofproto *p, unsigned n) {
    struct ofp_bundle *b = ofp_bundle_open(p);
    int error = b ? 0 : -ENOMEM;
    for (unsigned i = 0; i < 6 && error == 0; i++) {
        struct flow_mod fm = mod_of(i == 4 ? FLOW_DELETE_STRICT : FLOW_ADD, (n + i * 3) % 400);
        error = ofp_bundle_flow_mod(b, &fm, NULL, NULL);
    }
    if (b && error) {
        ofp_bundle_discard(b);
    } else if (b) {
        error = ofp_bundle_commit(b);
    }
    return error;
}

static int step(struct ofproto *p, unsigned n) {
    return n % 9 == 3 ? group_step(p, n) : n % 13 == 5 ? bundle_step(p, n) : flow_step(p, n);
}

static void no_memory_changes_nothing(void) {
    static struct port_names names;
    struct ofproto p;
    rcu_register();
    CHECK(ofproto_init(&p, &names, now_of, NULL) == 0);
    CHECK(group_step(&p, 1) == 0); // Which flows send to.
    unsigned errors = 0;
    for (unsigned n = 0; n < 700; n++) {
        for (long at = n % 3;; at++) {
            struct seen before = seen_of(&p);
            failed = false;
            fail_in = at;
            int error = step(&p, n);
            fail_in = -1;
            if (error != -ENOMEM) {
                CHECK(error == 0);
                break;
            }
            CHECK(failed);
            errors++;
            struct seen after = seen_of(&p);
            CHECK(before.n == after.n && before.hash == after.hash);
            settle();
        }
        settle();
    }
    CHECK(errors > 1000);
    ofproto_destroy(&p);
    settle();
    settle();
}

static void a_reader_beside_a_writer(void) {
    uint64_t lookups;
    CHECK(cls_box_churn(1500, 1, &lookups) == 0);
    CHECK(lookups > 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {{"no_memory_changes_nothing", no_memory_changes_nothing},
                     {"a_reader_beside_a_writer", a_reader_beside_a_writer}};
    for (size_t i = 0; argc > 1 && i < RS_ARRAY_SIZE(scenarios); i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    }
    fprintf(stderr, "no such scenario\n");
    return 2;
}
