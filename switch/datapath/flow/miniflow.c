// Between the full form of a flow and the compressed one. Per-miss and control-side code: the fast
// path makes its keys in flow_extract() and never expands them.

#include "datapath/flow/miniflow.h"

static_assert(FLOW_TNL_WORDS <= 64 && FLOW_WORDS - FLOW_TNL_WORDS <= 64, "two bitmap words");

static uint64_t map_of(const uint64_t *words, unsigned n) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < n; i++) {
        bits |= (uint64_t)(words[i] != 0) << i;
    }
    return bits;
}

struct flowmap flow_map(const struct flow *flow) {
    const uint64_t *words = flow_words_const(flow);
    return (struct flowmap){{map_of(words, FLOW_TNL_WORDS),
                             map_of(words + FLOW_TNL_WORDS, FLOW_WORDS - FLOW_TNL_WORDS)}};
}

// Copies the words of a flow that are in the map; returns behind the last one written.
static uint64_t *gather(const uint64_t *words, uint64_t bits, uint64_t *out) {
    for (; bits; bits &= bits - 1) {
        *out++ = words[__builtin_ctzll(bits)];
    }
    return out;
}

void miniflow_from_flow(const struct flow *flow, struct miniflow *out) {
    out->map = flow_map(flow);
    const uint64_t *words = flow_words_const(flow);
    uint64_t *end = gather(words, out->map.bits[0], out->values);
    gather(words + FLOW_TNL_WORDS, out->map.bits[1], end);
}

void miniflow_expand(const struct miniflow *mf, struct flow *out) {
    memset(out, 0, sizeof *out);
    flow_or_miniflow(out, mf);
}

void flow_or_miniflow(struct flow *wc, const struct miniflow *mask) {
    uint64_t *words = flow_words(wc);
    const uint64_t *value = mask->values;
    for (uint64_t bits = mask->map.bits[0]; bits; bits &= bits - 1) {
        words[__builtin_ctzll(bits)] |= *value++;
    }
    words += FLOW_TNL_WORDS;
    for (uint64_t bits = mask->map.bits[1]; bits; bits &= bits - 1) {
        words[__builtin_ctzll(bits)] |= *value++;
    }
}

bool miniflow_equal(const struct miniflow *a, const struct miniflow *b) {
    if (a->map.bits[0] == b->map.bits[0] && a->map.bits[1] == b->map.bits[1]) {
        return memcmp(a->values, b->values, flowmap_count(a->map) * sizeof a->values[0]) == 0;
    }
    const uint64_t *x = a->values, *y = b->values;
    for (unsigned i = 0; i < 2; i++) {
        for (uint64_t all = a->map.bits[i] | b->map.bits[i]; all; all &= all - 1) {
            uint64_t bit = all & -all;
            uint64_t v = a->map.bits[i] & bit ? *x++ : 0;
            uint64_t w = b->map.bits[i] & bit ? *y++ : 0;
            if (v != w) {
                return false;
            }
        }
    }
    return true;
}
