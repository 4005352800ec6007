// Small words for the compiler: branch hints, alignment, static assertions, counters.

#ifndef RINGSIDE_BASE_COMPILER_H
#define RINGSIDE_BASE_COMPILER_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define RS_CACHE_LINE    64
#define RS_CACHE_ALIGNED __attribute__((aligned(RS_CACHE_LINE)))
#define RS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define RS_UNUSED        __attribute__((unused))

// A 64-bit statistic with one writing thread and any number of readers.
// The writer pays a plain load and store (no locked instruction); readers never see a torn value.
typedef _Atomic uint64_t rs_counter;

static inline void counter_add(rs_counter *c, uint64_t n) {
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline uint64_t counter_get(const rs_counter *c) {
    return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
