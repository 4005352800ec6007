// Which bucket of a select group a datapath hash means, by weight; and whether that can be said at all.
//
// Webster's method, as Open vSwitch has it: the hash values are given out one by one, each to the bucket with the
// largest weight / (2 * values it has + 1), the first of equals. So the shares are as near to the weights as n
// values allow, and the same buckets always get the same values.

#include "ofproto/ofproto_private.h"

#define MAP_MIN 16u
#define MAP_MAX 256u // More would make too many megaflows.

// Values that it takes for the bucket with the least weight to get one; 0 = too many, or no bucket has a weight.
static uint32_t map_size(const struct group_bucket *buckets, uint32_t n) {
    uint64_t total = 0;
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        total += buckets[i].weight;
        if (buckets[i].weight > 0 && buckets[i].weight < least) {
            least = buckets[i].weight;
        }
    }
    uint64_t needed = total ? (total + least - 1) / least : 0;
    uint32_t size = MAP_MIN;
    while (size < needed && size <= MAP_MAX) {
        size *= 2;
    }
    return needed == 0 || size > MAP_MAX ? 0 : size;
}

static void map_fill(const struct group *g, uint16_t *map, uint32_t size) {
    struct {
        uint32_t bucket, divisor;
        double value;
    } rivals[MAP_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        if (g->buckets[i].weight > 0) { // Not more of them than there are values.
            rivals[n].bucket = i;
            rivals[n].divisor = 1;
            rivals[n++].value = g->buckets[i].weight;
        }
    }
    for (uint32_t hash = 0; hash < size; hash++) {
        uint32_t winner = 0;
        for (uint32_t i = 1; i < n; i++) {
            winner = rivals[i].value > rivals[winner].value ? i : winner;
        }
        uint32_t bucket = rivals[winner].bucket;
        map[hash] = (uint16_t)bucket;
        rivals[winner].divisor += 2;
        rivals[winner].value = (double)g->buckets[bucket].weight / rivals[winner].divisor;
    }
}

size_t group_hash_bytes(const struct group_mod *gm) {
    bool may = gm->type == GROUP_SELECT && gm->method != GROUP_SEL_HASH;
    return may ? map_size(gm->buckets, gm->n_buckets) * sizeof(uint16_t) : 0;
}

void group_hash_fill(struct group *g, uint16_t *room) {
    uint32_t size = g->type == GROUP_SELECT && g->method != GROUP_SEL_HASH
                        ? map_size(g->buckets, g->n_buckets)
                        : 0;
    g->selection = GROUP_SEL_DEFAULT;
    if (size != 0) {
        map_fill(g, room, size);
        g->selection = GROUP_SEL_DP_HASH;
        g->hash_map = room;
        g->hash_mask = size - 1;
        uint64_t algorithm = g->selection_param >> 32;
        g->hash_alg = g->method == GROUP_SEL_DEFAULT ? 1 : algorithm > 1 ? 0 : (uint8_t)algorithm;
    } else if (g->method == GROUP_SEL_HASH && g->n_hash_fields > 0) {
        g->selection = GROUP_SEL_HASH;
    }
}
