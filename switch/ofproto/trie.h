// Prefix trie: which prefix lengths of a field the rules use for an address, and how many of its bits
// it takes to know.
//
//     rules 10/8, 10.1/16, 10.2/16; address 10.9.0.1:
//     lengths {8}; 12 bits looked at (10.9 leaves 10.1 and 10.2 at the 12th)
//
// A binary trie with the bits of a run of lone nodes in one node (32 at most). Nodes are constant but for the
// count and the edges: a change of shape makes new ones, so that readers under RCU see the trie before or
// after a change.
//
// Threads: one writer, under the ofproto's lock; readers under RCU.

#ifndef RINGSIDE_OFPROTO_TRIE_H
#define RINGSIDE_OFPROTO_TRIE_H

#include "datapath/base/compiler.h"

struct trie_node {
    uint32_t bits;            // From the highest; n_bits of them.
    uint8_t n_bits;           // 0 … 32. 0 only at the root.
    _Atomic uint32_t n_rules; // That end here.
    struct trie_node *_Atomic edge[2];
};
struct trie {
    struct trie_node *_Atomic root;
};

struct trie_key { // Up to 128 bits, the first one in front.
    uint64_t hi, lo;
};
struct trie_result {
    uint64_t lengths[2]; // Bit n - 1: a prefix of n bits that covers the key is in the trie.
    unsigned looked_at;  // Bits of the key that this depends on.
};

static inline bool trie_has_length(const struct trie_result *r, unsigned n) {
    return r->lengths[(n - 1) / 64] >> (n - 1) % 64 & 1;
}

int trie_insert(struct trie *t, struct trie_key key, unsigned n_bits); // n_bits ≥ 1. 0 or -ENOMEM.
void trie_remove(struct trie *t, struct trie_key key, unsigned n_bits); // One that was inserted.
void trie_lookup(const struct trie *t, struct trie_key key, unsigned n_bits,
                 struct trie_result *out);
void trie_destroy(struct trie *t); // No readers left.
size_t trie_bytes(const struct trie *t);

#endif
