// Scenarios for ofproto/frozen.c, built by tests/c/test_frozen.py with ThreadSanitizer and with AddressSanitizer.
//
//     frozen_torture SCENARIO        0 = as it should be; else the line that is not, on standard error

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define FROZEN_CHUNKS 2
#include "datapath/base/rcu.c"
#include "ofproto/frozen.c"

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: %s\n", __LINE__, #x), exit(1)))

enum { GETTERS = 3, ROUNDS = 20000, STATES = 32, ALL_IDS = CHUNK * FROZEN_CHUNKS - 1 };

static struct frozen_table *table;
static atomic_bool stop;

static struct frozen_state state_of(unsigned n) {
    static const uint8_t bytes[64];
    struct frozen_state s = {.table = (uint8_t)(n % 3), .conntracked = n & 1};
    s.regs[n % FLOW_N_REGS] = n;
    s.stack = bytes;
    s.stack_len = n % 5;
    s.ofpacts = bytes;
    s.ofpacts_len = n % 7 * 8;
    return s;
}

static uint32_t get(unsigned n) {
    struct frozen_state s = state_of(n);
    return frozen_get_id(table, &s);
}

static bool is_state(uint32_t id, unsigned n) {
    struct frozen_state want = state_of(n);
    const struct frozen_state *found = frozen_find(table, id);
    return found && state_equal(found, &want);
}

static void reap(void) {
    rcu_quiesce();
    rcu_reap();
    rcu_quiesce();
    rcu_reap();
}

static void same_state_same_id(void) {
    uint32_t ids[STATES];
    for (unsigned i = 0; i < STATES; i++) {
        ids[i] = get(i);
        CHECK(ids[i] != 0 && is_state(ids[i], i));
        for (unsigned j = 0; j < i; j++) {
            CHECK(ids[j] != ids[i]);
        }
    }
    for (unsigned i = 0; i < STATES; i++) {
        CHECK(get(i) == ids[i]);
    }
    CHECK(frozen_count(table) == STATES);
    CHECK(!frozen_find(table, 0) && !frozen_find(table, ALL_IDS) &&
          !frozen_find(table, UINT32_MAX));
}

static void each_part_counts(void) {
    struct frozen_state s = state_of(6), other;
    uint32_t id = frozen_get_id(table, &s);
    uint8_t one = 1;
#define DIFFERS(change) \
    other = s;          \
    change;             \
    CHECK(frozen_get_id(table, &other) != id)
    DIFFERS(other.table++);
    DIFFERS(other.conntracked ^= 1);
    DIFFERS(other.was_mpls ^= 1);
    DIFFERS(other.mirrors++);
    DIFFERS(other.metadata++);
    DIFFERS(other.regs[15]++);
    DIFFERS(other.in_port++);
    DIFFERS(other.tunnel.tun_id++);
    DIFFERS(other.stack_len--);
    DIFFERS((other.stack = &one, other.stack_len = 1));
    DIFFERS(other.ofpacts_len -= 8);
    DIFFERS((other.action_set = other.ofpacts, other.action_set_len = 8));
}

static void unused_states_linger(void) {
    uint32_t id = get(1), held = get(2);
    frozen_unref(table, id);
    frozen_expire(table, 1000);
    CHECK(is_state(id, 1)); // Packets may be on their way round.
    frozen_expire(table, 1000 + FROZEN_LINGER_MS - 1);
    CHECK(is_state(id, 1));
    CHECK(get(1) == id); // Asked for again: it stays, and its time begins anew.
    frozen_unref(table, id);
    frozen_expire(table, 1000 + FROZEN_LINGER_MS);
    CHECK(is_state(id, 1));
    frozen_expire(table, 1000 + 2 * FROZEN_LINGER_MS);
    CHECK(!frozen_find(table, id));
    CHECK(is_state(held, 2));
    CHECK(frozen_count(table) == 1);
    reap();
    CHECK(get(1) != 0); // A new one.
}

static void ids_run_out_and_come_back(void) {
    static uint32_t ids[ALL_IDS];
    for (unsigned i = 0; i < ALL_IDS; i++) {
        ids[i] = get(i);
        CHECK(ids[i] != 0);
    }
    CHECK(get(ALL_IDS) == 0);
    CHECK(get(5) == ids[5]); // Those that are there are found.
    frozen_unref(table, ids[5]);
    for (unsigned i = 0; i < ALL_IDS; i++) {
        CHECK(is_state(ids[i], i));
        frozen_unref(table, ids[i]);
    }
    frozen_expire(table, 1);
    frozen_expire(table, 1 + FROZEN_LINGER_MS);
    CHECK(frozen_count(table) == 0);
    CHECK(get(ALL_IDS) != 0);
}

static void *getter(void *arg) {
    unsigned seed = (unsigned)(uintptr_t)arg;
    rcu_register();
    for (unsigned i = 0; i < ROUNDS; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned n = seed >> 16 & (STATES - 1);
        uint32_t id = get(n);
        struct frozen_state want = state_of(n);
        CHECK(id != 0 && is_state(id, n));
        const struct frozen_state *found = frozen_find(table, id);
        frozen_ref(table, id);
        frozen_unref(table, id);
        frozen_unref(table, id);
        CHECK(state_equal(found, &want)); // Under RCU, even if it is being taken out.
        rcu_quiesce();
    }
    rcu_unregister();
    return NULL;
}

static void *expirer(void *arg) {
    rcu_register();
    for (uint64_t now = 0; !atomic_load(&stop); now += FROZEN_LINGER_MS) {
        frozen_expire(table, now);
        rcu_quiesce();
        rcu_reap();
    }
    rcu_unregister();
    return arg;
}

static void torture(void) {
    pthread_t getters[GETTERS], other;
    pthread_create(&other, NULL, expirer, NULL);
    for (uintptr_t i = 0; i < GETTERS; i++) {
        pthread_create(&getters[i], NULL, getter, (void *)i);
    }
    rcu_offline();
    for (unsigned i = 0; i < GETTERS; i++) {
        pthread_join(getters[i], NULL);
    }
    atomic_store(&stop, true);
    pthread_join(other, NULL);
    rcu_online();
    frozen_expire(table, 1);
    frozen_expire(table, UINT64_MAX / 2);
    CHECK(frozen_count(table) == 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"same_state_same_id", same_state_same_id},
        {"each_part_counts", each_part_counts},
        {"unused_states_linger", unused_states_linger},
        {"ids_run_out_and_come_back", ids_run_out_and_come_back},
        {"torture", torture},
    };
    CHECK(argc == 2);
    rcu_register();
    CHECK(frozen_table_create(&table) == 0);
    for (unsigned i = 0; i < RS_ARRAY_SIZE(scenarios); i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            reap();
            frozen_table_destroy(table);
            return 0;
        }
    }
    return 2;
}
