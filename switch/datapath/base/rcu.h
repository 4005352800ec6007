// Read-copy-update by quiescent states: readers pay nothing, writers wait or defer.
//
// A thread that reads shared structures registers once and says rcu_quiesce() whenever it holds no
// pointer into any of them (a PMD: once an iteration). A thread that sleeps goes offline first
// (rcu_offline(), rcu_online()), or every writer would wait for it. What was unlinked is freed when
// each registered thread has been quiescent or offline since.
//
// A thread that never registers must not read RCU structures without their writer lock.

#ifndef RINGSIDE_BASE_RCU_H
#define RINGSIDE_BASE_RCU_H

#include "datapath/base/compiler.h"

void rcu_register(void);   // The calling thread. It is online from here on.
void rcu_unregister(void); // Runs nothing; its deferred calls go to whoever comes next.
void rcu_quiesce(void);    // No-op for a thread that is not registered.
void rcu_offline(void);
void rcu_online(void);

// Runs fn(arg) once all registered threads have been quiescent; some later rcu_quiesce() or
// rcu_synchronize() of any thread other than a PMD runs it (rcu_reap()). Never blocks. Any thread.
void rcu_postpone(void (*fn)(void *arg), void *arg);
// Runs what may run by now; returns how many are still waiting. Any thread but a PMD.
unsigned rcu_reap(void);
// Waits until all other registered threads have been quiescent, then reaps. Not from a PMD.
void rcu_synchronize(void);

#define rcu_get(p)        atomic_load_explicit(&(p), memory_order_acquire)
#define rcu_set(p, value) atomic_store_explicit(&(p), (value), memory_order_release)

#endif
