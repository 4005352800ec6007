// MAC learning: VLAN and address -> port, with ageing.
//
// A fixed number of entries, allocated once: hash chains to find one, a list by last sight to evict
// the oldest when all are in use. An entry older than the ageing time counts as absent, whether or
// not it has been taken out.
//
// Threads: any. A spinlock guards it, held for one entry, or for a slice of the table where all of it is
// walked; the PMD waits for no more than that.

#ifndef RINGSIDE_OFPROTO_MAC_TABLE_H
#define RINGSIDE_OFPROTO_MAC_TABLE_H

#include "datapath/base/spinlock.h"

#define MAC_NONE UINT32_MAX // No entry.

struct mac_entry {
    uint8_t mac[6];
    uint16_t vlan;
    uint32_t port; // 0 = free.
    uint64_t seen_ms;
    uint32_t chain;        // Next entry of the same hash, or of the free list.
    uint32_t older, newer; // By last sight.
};

struct mac_table {
    struct spinlock lock;      // Of all that is not constant below.
    struct mac_entry *entries; // [cap]
    uint32_t *heads;           // [n_heads] First entry of each hash.
    uint32_t cap, n_heads;     // Constant.
    uint32_t n;
    uint32_t free_head, oldest, newest;
    uint64_t ageing_ms;
    uint64_t seed;
};

int mac_table_init(struct mac_table *t, uint32_t cap, uint64_t ageing_ms); // 0, -EINVAL, -ENOMEM.
void mac_table_destroy(struct mac_table *t);

// The address was seen on `port`. True if that changes what mac_lookup() answers: new, come back,
// or moved. Group addresses are nobody's source and are refused (false). A full table forgets its
// oldest entry.
bool mac_learn(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint32_t port,
               uint64_t now_ms);
// Port of the address, 0 if it is not known.
uint32_t mac_lookup(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint64_t now_ms);
// Takes out what is too old / what is on a port (0 = everything). Return how many.
uint32_t mac_expire(struct mac_table *t, uint64_t now_ms);
uint32_t mac_flush(struct mac_table *t, uint32_t port);
// Copies the entries that hold, in no order; returns how many there are (may exceed cap).
uint32_t mac_list(struct mac_table *t, uint64_t now_ms, struct mac_entry *out, uint32_t cap);

static inline bool mac_is_group(const uint8_t mac[6]) {
    return mac[0] & 1;
}

#endif
