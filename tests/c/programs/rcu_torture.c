// Scenarios for datapath/base/rcu.c, built by tests/c/test_rcu.py with ThreadSanitizer and with
// AddressSanitizer. The file is included so that its memory can be made to run out.
//
//     rcu_torture SCENARIO        0 = as it should be; else the line that is not, on standard error

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *test_malloc(size_t n);
#define malloc test_malloc
#include "datapath/base/rcu.c"
#undef malloc

static bool no_memory;

static void *test_malloc(size_t n) {
    return no_memory ? NULL : malloc(n);
}

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "line %d: %s\n", __LINE__, #x), exit(1)))

enum { READERS = 3, ROUNDS = 3000, ALIVE = 0x600d };

struct node {
    int state; // ALIVE until it is freed: plain, so that a race is seen.
    int value;
};

static struct node *_Atomic shared;
static atomic_bool stop;
static atomic_uint freed, ready;
static int order[4096];
static unsigned n_order;

static void node_free(void *arg) {
    struct node *n = arg;
    CHECK(n->state == ALIVE);
    n->state = 0;
    free(n);
    atomic_fetch_add(&freed, 1);
}

static struct node *node_new(int value) {
    struct node *n = malloc(sizeof *n);
    *n = (struct node){.state = ALIVE, .value = value};
    return n;
}

static void note_order(void *arg) {
    order[n_order++] = (int)(intptr_t)arg;
}

static void postpone_again(void *arg) {
    CHECK(rcu_reap() == 0); // Does nothing from in here.
    rcu_postpone(note_order, arg);
}

// Reads, and goes offline now and then. Reader 0 is a PMD that also replaces the node.
static void *reader(void *arg) {
    bool writes = arg != NULL;
    rcu_register();
    atomic_fetch_add(&ready, 1);
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        struct node *n = rcu_get(shared);
        CHECK(n->state == ALIVE);
        CHECK(n->value >= 0);
        if (writes && i % 8 == 0) {
            rcu_postpone(node_free, atomic_exchange(&shared, node_new((int)i & 0xffff)));
        }
        CHECK(n->state == ALIVE); // Still: this thread has not been quiescent since.
        rcu_quiesce();
        if (i % 64 == 0) {
            rcu_offline();
            rcu_quiesce(); // Leaves it offline.
            rcu_online();
        }
    }
    rcu_unregister();
    return NULL;
}

static void torture(void) {
    pthread_t t[READERS];
    rcu_set(shared, node_new(0));
    for (intptr_t i = 0; i < READERS; i++) {
        CHECK(pthread_create(&t[i], NULL, reader, i == 0 ? &shared : NULL) == 0);
    }
    while (atomic_load(&ready) < READERS) {
    }
    unsigned made = 0;
    for (int i = 0; i < ROUNDS; i++) {
        rcu_postpone(node_free, atomic_exchange(&shared, node_new(i)));
        made++;
        if (i % 3 == 0) {
            rcu_reap();
        } else if (i % 100 == 1) {
            rcu_synchronize();
            CHECK(atomic_load(&freed) >= made);
        }
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(t[i], NULL);
    }
    rcu_synchronize();
    CHECK(rcu_reap() == 0);
    CHECK(atomic_load(&freed) >= made);
    free(shared);
}

// Two threads that read and synchronise do not wait for each other.
static void *synchronizer(void *arg) {
    (void)arg;
    rcu_register();
    for (unsigned i = 0; i < 200; i++) {
        rcu_postpone(node_free, node_new(0));
        rcu_synchronize();
        rcu_quiesce();
    }
    rcu_unregister();
    return NULL;
}

static void synchronizers(void) {
    pthread_t t[2];
    for (unsigned i = 0; i < 2; i++) {
        CHECK(pthread_create(&t[i], NULL, synchronizer, NULL) == 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(atomic_load(&freed) == 400);
}

static void alone(void) {
    rcu_quiesce(); // Nobody is registered: nothing to do, nothing to wait for.
    rcu_postpone(node_free, node_new(0));
    CHECK(rcu_reap() == 0 && atomic_load(&freed) == 1);

    rcu_register();
    rcu_register();
    rcu_postpone(node_free, node_new(0));
    CHECK(rcu_reap() == 1 && atomic_load(&freed) == 1); // This thread may still read it.
    CHECK(rcu_reap() == 1);
    rcu_quiesce();
    CHECK(rcu_reap() == 0 && atomic_load(&freed) == 2);
    rcu_postpone(node_free, node_new(0));
    rcu_offline();
    rcu_quiesce(); // Stays offline.
    CHECK(rcu_reap() == 0 && atomic_load(&freed) == 3);
    rcu_online();
    rcu_postpone(node_free, node_new(0));
    rcu_synchronize();
    CHECK(atomic_load(&freed) == 4);
    rcu_postpone(node_free, node_new(0));
    CHECK(rcu_reap() == 1); // Online again behind rcu_synchronize().
    rcu_unregister();
    rcu_unregister();
    CHECK(rcu_reap() == 0 && atomic_load(&freed) == 5);
}

static void in_order(void) {
    rcu_register();
    for (intptr_t i = 0; i < 100; i++) {
        rcu_postpone(note_order, (void *)i);
        if (i % 10 == 0) {
            rcu_reap();
        }
    }
    CHECK(n_order == 0);
    rcu_synchronize();
    CHECK(n_order == 100);
    for (int i = 0; i < 100; i++) {
        CHECK(order[i] == i);
    }
    rcu_postpone(postpone_again, (void *)100);
    rcu_quiesce();
    rcu_synchronize();
    CHECK(n_order == 100);
    rcu_synchronize();
    CHECK(n_order == 101 && order[100] == 100);
    rcu_unregister();
}

static void without_memory(void) {
    no_memory = true;
    for (intptr_t i = 0; i < RESERVE + 3; i++) {
        rcu_postpone(note_order, (void *)i);
    }
    CHECK(rcu_lost() == 3);
    CHECK(rcu_reap() == 0 && n_order == RESERVE);
    for (intptr_t i = 0; i < RESERVE; i++) { // The reserve is whole again.
        rcu_postpone(note_order, (void *)i);
    }
    CHECK(rcu_lost() == 3);
    CHECK(rcu_reap() == 0 && n_order == 2 * RESERVE);
}

static void *ends_registered(void *arg) {
    (void)arg;
    rcu_register();
    return NULL;
}

static void forgotten_thread(void) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, ends_registered, NULL) == 0);
    pthread_join(t, NULL);
    rcu_postpone(node_free, node_new(0));
    rcu_synchronize();
    CHECK(atomic_load(&freed) == 1);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"alone", alone},
        {"in_order", in_order},
        {"torture", torture},
        {"synchronizers", synchronizers},
        {"without_memory", without_memory},
        {"forgotten_thread", forgotten_thread},
    };
    for (size_t i = 0; argc == 2 && i < RS_ARRAY_SIZE(scenarios); i++) {
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    }
    fprintf(stderr, "no such scenario\n");
    return 2;
}
