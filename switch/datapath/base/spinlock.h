// A spinlock (the paper's O2): held for a handful of instructions, never across a system call.

#ifndef RINGSIDE_BASE_SPINLOCK_H
#define RINGSIDE_BASE_SPINLOCK_H

#include "datapath/base/compiler.h"
#include "datapath/base/cycles.h"

struct spinlock {
    atomic_bool locked;
};

static inline void spin_init(struct spinlock *l) {
    atomic_init(&l->locked, false);
}

static inline void spin_lock(struct spinlock *l) {
    while (atomic_exchange_explicit(&l->locked, true, memory_order_acquire)) {
        while (atomic_load_explicit(&l->locked, memory_order_relaxed)) {
            cpu_pause();
        }
    }
}

static inline void spin_unlock(struct spinlock *l) {
    atomic_store_explicit(&l->locked, false, memory_order_release);
}

#endif
