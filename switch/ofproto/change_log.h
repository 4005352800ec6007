// What has changed lately, so that the revalidator need not translate every megaflow again for one rule.
//
// `seq` numbers the changes; a megaflow is true to the number that was read before it was translated. Each change
// leaves a note: a rule added or gone, an address that answers otherwise now; or none, and then any answer may be
// another (ports, groups, many rules at once). Notes say enough to find the translations that they cannot have
// touched:
//
//     rule added     looks in its table that found a rule of higher priority, had other metadata, or packets whose
//                    headers, as they came in and were still then, it does not match
//     rule gone      translations that did not find that very rule
//     address        translations that did not ask for it
//
// The registers and metadata of a look-up are the same for all packets of a megaflow: whatever they come from has
// been un-wildcarded.
//
// Threads: writers any, after the change itself; readers any. A spinlock, held for a note.

#ifndef RINGSIDE_OFPROTO_CHANGE_LOG_H
#define RINGSIDE_OFPROTO_CHANGE_LOG_H

#include <string.h>

#include "datapath/base/spinlock.h"
#include "datapath/flow/flow.h"

#define CHANGE_LOG_CAP 128u // Notes that are kept.

enum change_kind { CHANGE_RULE, CHANGE_MAC };
enum {                     // Of rules.
    CHANGE_ADDS = 1,       // There is one more of this priority.
    CHANGE_ANY_DOMAIN = 2, // It does not match on all bits of metadata.
    CHANGE_SOFT = 4,       // It is a part of a conjunction: priority says nothing.
};

// Words of the key that notes keep of a rule's match; what else it says is not looked at. in_port goes beside them.
#define CHANGE_WORDS   11u
#define CHANGE_IN_PORT (1u << CHANGE_WORDS) // Beside the words' bits.
static const uint8_t change_words[CHANGE_WORDS] = {
    FLOW_WORD(ct_state), FLOW_WORD(dl_dst),       FLOW_WORD(dl_dst) + 1,   FLOW_WORD(vlans),
    FLOW_WORD(nw_src),   FLOW_WORD(ipv6_src),     FLOW_WORD(ipv6_src) + 1, FLOW_WORD(ipv6_dst),
    FLOW_WORD(nw_proto), FLOW_WORD(ipv6_dst) + 1, FLOW_WORD(tp_src),
};

struct change_note {
    uint64_t seq;
    uint8_t kind; // enum change_kind.
    uint8_t table, flags;
    uint16_t priority;
    uint32_t domain;  // Of the metadata that it matches.
    const void *gone; // The rule that is no longer there. For comparing alone; NULL = none.
    uint64_t value[CHANGE_WORDS], mask[CHANGE_WORDS]; // Of the rule's match.
    uint32_t in_port, in_port_mask;                   // Likewise; an OpenFlow number.
    uint8_t mac[6];
    uint16_t vlan;
};

struct change_log {
    struct spinlock lock;
    _Atomic uint64_t seq; // Written under the lock.
    uint64_t all_seq;     // Of the newest change without a note. Under the lock.
    uint64_t lost_seq;    // Of the newest note that was overwritten. Under the lock.
    uint64_t n;           // Notes ever made. Under the lock.
    struct change_note notes[CHANGE_LOG_CAP];
};

static inline uint64_t change_log_seq(const struct change_log *log) {
    return atomic_load(&log->seq);
}

// One change that needs n notes. 0, or more than are kept: any answer may be another.
static inline void change_log_add(struct change_log *log, const struct change_note *notes,
                                  unsigned n) {
    spin_lock(&log->lock);
    uint64_t seq = atomic_load_explicit(&log->seq, memory_order_relaxed) + 1;
    if (n == 0 || n > CHANGE_LOG_CAP) {
        log->all_seq = seq;
        n = 0;
    }
    for (unsigned i = 0; i < n; i++) {
        struct change_note *note = &log->notes[log->n % CHANGE_LOG_CAP];
        if (log->n >= CHANGE_LOG_CAP) {
            log->lost_seq = note->seq;
        }
        *note = notes[i];
        note->seq = seq;
        log->n++;
    }
    atomic_store(&log->seq,
                 seq); // The lock has seen to the order; the revalidator looks without it, too.
    spin_unlock(&log->lock);
}

// Which metadata a look-up had, as notes and credits tell it.
static inline uint32_t change_domain(be64 metadata) {
    return (uint32_t)(metadata * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

// Bits of the words in which the flow is still what it was.
static inline uint16_t change_unchanged(const struct flow *now, const struct flow *before) {
    const uint64_t *a = flow_words_const(now), *b = flow_words_const(before);
    unsigned bits = 0;
    for (unsigned i = 0; i < CHANGE_WORDS; i++) {
        bits |= (unsigned)(a[change_words[i]] == b[change_words[i]]) << i;
    }
    return (uint16_t)bits;
}

#endif
