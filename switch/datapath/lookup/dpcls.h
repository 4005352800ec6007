// The megaflow classifier: tuple space search. Megaflows with the same mask share a subtable, a hash table
// of masked keys; a lookup tries one subtable after the other, those with most hits first, for all packets of
// the batch at once.
//
// Shapes. A key is compressed, so where a word lies depends on which words the packet has: its map. Few
// maps occur (IPv4 TCP without a tag is one), so each that does gets a number, its shape, and each subtable
// keeps a plan for each shape: the places of its words in such a key, and its mask with zeros for words
// that the packet has not. Masking and hashing is then, for each word: load an index, load a value, and
// with a mask, multiply. No bit is counted, nothing branches. With more than DPCLS_SHAPES maps at a time
// plans are made over and over, which is slow and right.
//
//     subtable:  hashes  [ 4 | 4 | 4 | 4 | … ]   a bucket is compared at once; almost every miss ends there
//                flows   [ 4 | 4 | 4 | 4 | … ]   looked at only where a hash agrees
//
// Origins. Decisions depend on in_port and recirc_id as a rule. A subtable whose mask has both whole knows
// for which of 64 classes of them it has megaflows, and is left out for the others.
//
// Killed megaflows are never found, though they may still be in here. Threads: all of it is one PMD's.

#ifndef RINGSIDE_LOOKUP_DPCLS_H
#define RINGSIDE_LOOKUP_DPCLS_H

#include "datapath/lookup/key_hash.h"
#include "datapath/lookup/megaflow.h"
#include "datapath/packet/dp_packet_batch.h"

#define DPCLS_SHAPES  32u
#define DPCLS_BUCKET  4u
#define DPCLS_ORIGINS 64u

// How a subtable's mask meets keys of one shape, its plan: an array of these, one for each word of the mask and one
// more, whose secret ends the hash; then, a byte for each word, where it lies in such a key. All in one
// piece, so that one register leads to it.
struct dpcls_word {
    uint64_t mask;   // Zero where keys of the shape have no such word.
    uint64_t secret; // Of the hash.
};

// Keys of one shape that have not been found yet.
struct dpcls_pending {
    unsigned n;
    const uint64_t *values[RS_BATCH_MAX];
    uint8_t place[RS_BATCH_MAX]; // Where in the result the answer goes.
};

struct dpcls_subtable;

// Searches a subtable for all pending keys; those that are not in it stay pending.
typedef void dpcls_search_fn(const struct dpcls_subtable *s, const struct dpcls_word *plan,
                             struct dpcls_pending *pending, struct megaflow **found);

struct dpcls_subtable {
    // -- read for each lookup --
    dpcls_search_fn *search;
    const uint32_t *hashes;  // [n_buckets][DPCLS_BUCKET] 0 = never used, 1 = no longer.
    struct megaflow **flows; // [n_buckets][DPCLS_BUCKET]
    uint64_t origins;     // Bit i: has megaflows of class i. All ones where the mask has not both.
    uint8_t *plans;       // [DPCLS_SHAPES][plan_bytes]
    uint32_t bucket_mask; // n_buckets - 1.
    uint32_t plan_bytes;
    uint32_t planned; // Bit i: the plan for shape i is made.
    uint32_t n_words; // Of the mask.
    uint32_t hits;    // Since the last ranking.
    // -- the rest --
    uint32_t n;                        // Megaflows.
    uint32_t taken;                    // Places whose hash is not 0.
    bool by_origin;                    // The mask has in_port and recirc_id whole.
    uint32_t of_origin[DPCLS_ORIGINS]; // Megaflows of each class.
    struct miniflow mask;              // Values behind it.
};

struct dpcls_shape {
    struct flowmap map;
    // Where in_port and recirc_id are: masks are zero where keys have no such word.
    uint64_t in_port_mask, recirc_mask;
    uint8_t in_port_index, recirc_index;
};

struct dpcls {
    unsigned n_subtables, cap;
    struct dpcls_subtable **subtables; // By rank.
    rs_counter searched;               // Keys × subtables. Writer: PMD. Readers: any.
    unsigned n_shapes, next_shape;     // The latter is the next one to be replaced.
    struct dpcls_shape shapes[DPCLS_SHAPES];
    uint64_t secret[KEY_SECRET_WORDS]; // Of the hashes, also of whole keys. Constant.
};

void dpcls_init(struct dpcls *c, uint64_t seed);
void dpcls_destroy(struct dpcls *c); // Megaflows that are in it stay as they are.

// Looks up keys[i] for each bit i of `want`, and writes to found[i] what it finds. Returns the bits of
// those that are in no subtable; their found[i] is left alone.
uint32_t dpcls_lookup(struct dpcls *c, const struct dp_key *keys, uint32_t want,
                      struct megaflow **found);

// Does the megaflow, which is in here, cover the key? For the signature cache, which guesses.
bool dpcls_covers(struct dpcls *c, const struct megaflow *m, const struct dp_key *key);

int dpcls_insert(struct dpcls *c, struct megaflow *m); // 0 or -ENOMEM.
void dpcls_remove(struct dpcls *c, struct megaflow *m);
// Sorts the subtables by their hits since the last time. To be called about once a second.
void dpcls_rank(struct dpcls *c);

// ---- what dpcls.c and dpcls_lookup.c share ----

enum { DPCLS_FREE = 0, DPCLS_REMOVED = 1 }; // Instead of a hash.

dpcls_search_fn *dpcls_search_for(unsigned n_words);
uint32_t dpcls_hash_masked(const uint64_t *secret, const uint64_t *values, unsigned n);
unsigned dpcls_origin(uint64_t in_port_word, uint64_t recirc_word); // Masked words.
uint64_t dpcls_in_port_mask(void);
uint64_t dpcls_recirc_mask(void);

static inline uint32_t dpcls_bucket(const struct dpcls_subtable *s, uint32_t hash) {
    return hash >> 7 & s->bucket_mask;
}

#endif
