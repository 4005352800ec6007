// Matches: setting fields, comparing, and the compressed form.

#include "ofproto/match.h"

#include "ofproto/mf_place.h"

void match_init_any(struct match *m) {
    memset(m, 0, sizeof *m);
}

// Makes the bits of a field 0, in a key or a mask.
static void clear_field(const struct mf_field *mf, struct flow *f) {
    static const union mf_value zero;
    const struct mf_place *p = &mf_places[mf->id];
    switch ((enum mf_place_kind)p->kind) {
    case PLACE_NET:
    case PLACE_HOST:
    case PLACE_PORT32:
    case PLACE_VLAN: mf_store(p, mf_load(p, f) & ~p->mask, f); break;
    case PLACE_TAGGED: {
        uint64_t tci = mf_load(p, f) & ~p->mask;
        mf_store(p, tci == FLOW_VLAN_CFI ? 0 : tci, f);
        break;
    }
    case PLACE_BYTES:
    case PLACE_REGS: mf_set_flow_value(mf, &zero, f); break;
    case PLACE_TUN_OPT:
        mf_set_flow_value(mf, &zero, f);
        f->tunnel.opts_present &= ~(UINT64_C(1) << p->shift);
        break;
    }
}

void match_set_field(struct match *m, const struct mf_field *mf, const union mf_value *value,
                     const union mf_value *mask) {
    union mf_value all, masked;
    if (!mask) {
        mf_all_bits(mf, &all);
        mask = &all;
    }
    if (mf->prereq != MFP_NONE && !m->mask.packet_type) {
        m->mask.packet_type = UINT32_MAX; // Ethernet, which is 0.
    }
    clear_field(mf, &m->flow);
    clear_field(mf, &m->mask);
    bool any = bits_all(mask, mf->n_bytes, 0, 8u * mf->n_bytes, false);
    if (any &&
        mf_places[mf->id].kind != PLACE_TUN_OPT) { // That one matches that the option is there.
        return;
    }
    if (mf->id == MFF_DL_VLAN && mf_value_number(mf, value) == 0xffff) { // "No tag."
        m->flow.vlans[0].tci = 0;
        m->mask.vlans[0].tci = UINT16_MAX;
        return;
    }
    for (size_t i = 0; i < mf->n_bytes; i++) {
        masked.b[i] = value->b[i] & mask->b[i];
    }
    mf_set_flow_value(mf, &masked, &m->flow);
    m->flow.vlans[0].tpid = 0; // Rules match tags of any type.
    mf_mask_field_masked(mf, mask, &m->mask);
}

bool match_equal(const struct match *a, const struct match *b) {
    return flow_equal(&a->mask, &b->mask) && flow_equal(&a->flow, &b->flow);
}

bool match_covers_flow(const struct match *m, const struct flow *flow) {
    const uint64_t *value = flow_words_const(&m->flow), *mask = flow_words_const(&m->mask);
    const uint64_t *found = flow_words_const(flow);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if ((value[i] ^ found[i]) & mask[i]) {
            return false;
        }
    }
    return true;
}

bool match_covers(const struct match *general, const struct match *specific) {
    const uint64_t *mask = flow_words_const(&general->mask);
    const uint64_t *narrower = flow_words_const(&specific->mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (mask[i] & ~narrower[i]) {
            return false;
        }
    }
    return match_covers_flow(general, &specific->flow);
}

bool match_overlaps(const struct match *a, const struct match *b) {
    const uint64_t *a_value = flow_words_const(&a->flow), *a_mask = flow_words_const(&a->mask);
    const uint64_t *b_value = flow_words_const(&b->flow), *b_mask = flow_words_const(&b->mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if ((a_value[i] ^ b_value[i]) & a_mask[i] & b_mask[i]) {
            return false;
        }
    }
    return true;
}

// -- the compressed form --

size_t minimatch_bytes(const struct match *m) {
    return sizeof(struct minimatch) + 2 * sizeof(uint64_t) * flowmap_count(flow_map(&m->mask));
}

void minimatch_from(const struct match *m, struct minimatch *out) {
    const uint64_t *value = flow_words_const(&m->flow), *mask = flow_words_const(&m->mask);
    out->map = flow_map(&m->mask);
    unsigned n = flowmap_count(out->map), i = 0;
    FLOWMAP_FOR_EACH(word, out->map) {
        out->words[i] = value[word];
        out->words[n + i] = mask[word];
        i++;
    }
}

void minimatch_expand(const struct minimatch *mm, struct match *out) {
    uint64_t *value = flow_words(&out->flow), *mask = flow_words(&out->mask);
    unsigned n = flowmap_count(mm->map), i = 0;
    match_init_any(out);
    FLOWMAP_FOR_EACH(word, mm->map) {
        value[word] = mm->words[i];
        mask[word] = mm->words[n + i];
        i++;
    }
}

bool minimatch_equal(const struct minimatch *a, const struct minimatch *b) {
    return memcmp(&a->map, &b->map, sizeof a->map) == 0 &&
           memcmp(a->words, b->words, 2 * sizeof(uint64_t) * flowmap_count(a->map)) == 0;
}

bool minimatch_covers_flow(const struct minimatch *mm, const struct flow *flow) {
    const uint64_t *found = flow_words_const(flow);
    unsigned n = flowmap_count(mm->map), i = 0;
    FLOWMAP_FOR_EACH(word, mm->map) {
        if ((mm->words[i] ^ found[word]) & mm->words[n + i]) {
            return false;
        }
        i++;
    }
    return true;
}
