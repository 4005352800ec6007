// Read-copy-update by quiescent states: readers pay nothing, writers wait or defer.
//
// A thread that reads shared structures registers once and says rcu_quiesce() whenever it holds no
// pointer into any of them (a PMD: once an iteration). A thread that sleeps goes offline first
// (rcu_offline(), rcu_online()), or every writer would wait for it. What was unlinked is freed when
// each registered thread has been quiescent or offline since.
//
//     writer                        epoch     reader (seen)          reaper
//     unlink(x), postpone(free, x)    7         7  reads x
//                                     8                               takes x: due at 8
//                                     8         8  rcu_quiesce()
//                                                                     all have seen 8: free(x)
//
// The epoch moves when deferred calls are collected, not when they are made: a postponing PMD
// touches no line that readers read. A quiescent state costs two loads, and a store when the epoch
// has moved since the last one.
//
// A thread that never registers must not read RCU structures without their writer lock. One that
// ends without unregistering is unregistered by the C library's thread clean-up.

#ifndef RINGSIDE_BASE_RCU_H
#define RINGSIDE_BASE_RCU_H

#include "datapath/base/compiler.h"

void rcu_register(void);   // The calling thread. It is online from here on. Twice is once.
void rcu_unregister(void); // Runs nothing; its deferred calls go to whoever reaps next.
void rcu_quiesce(void);    // No-op for a thread that is offline or not registered.
void rcu_offline(void);
void rcu_online(void); // No-op for a thread that is not registered.

// Runs fn(arg) once all registered threads have been quiescent; a later rcu_reap() or
// rcu_synchronize() of a thread other than a PMD runs it. Calls made by one thread run in their
// order. Never blocks, never fails: without memory for the note there is a reserve, and behind that
// what `arg` holds is lost for good and counted (rcu_lost()). Any thread. fn() may take locks, but none
// that anybody holds while calling rcu_reap() or rcu_synchronize().
void rcu_postpone(void (*fn)(void *arg), void *arg);
// Runs what may run by now; returns how many are still waiting. Any thread but a PMD. fn() may
// postpone; a reap from within fn() does nothing.
unsigned rcu_reap(void);
// Waits until all other registered threads have been quiescent, then reaps: on return everything
// that was postponed before has been run. The caller holds no pointer into RCU structures across
// it. Not from a PMD, nor from a deferred call.
void rcu_synchronize(void);

uint64_t rcu_lost(void); // Deferred calls that will never run. 0 unless memory ran out.

#define rcu_get(p)        atomic_load_explicit(&(p), memory_order_acquire)
#define rcu_set(p, value) atomic_store_explicit(&(p), (value), memory_order_release)

#endif
