// Groups: all, indirect, fast failover, select.
//
// Each bucket is an action set, executed on the packet as it is here: what it does to the packet, and that it exits or
// freezes, is over when the bucket is.

#include "ofproto/xlate_private.h"

enum { MAX_LIVENESS_DEPTH = 128 };
#define NO_BUCKET UINT32_MAX

// -- liveness --

static uint32_t first_live(const struct xlate *x, const struct group *g, unsigned depth);

static bool group_is_live(const struct xlate *x, uint32_t id, unsigned depth) {
    const struct group *g = ofproto_group(&x->bridge->ofproto, x->version, id);
    return g && first_live(x, g, depth) != NO_BUCKET;
}

static bool bucket_is_live(const struct xlate *x, const struct group *g,
                           const struct group_bucket *b, unsigned depth) {
    if (depth >= MAX_LIVENESS_DEPTH) {
        xlate_error(x, "bucket chaining exceeded %d links", MAX_LIVENESS_DEPTH);
        return false;
    }
    if (g->type == GROUP_SELECT && b->weight == 0) {
        return false;
    }
    return (b->watch_port == OFPP_ANY && b->watch_group == OFPG_ANY) ||
           (b->watch_port != OFPP_ANY && xlate_port_alive(x, b->watch_port)) ||
           (b->watch_group != OFPG_ANY && group_is_live(x, b->watch_group, depth + 1));
}

static void say_not_live(const struct xlate *x, const struct group_bucket *b) {
    char room[64];
    struct text t;
    if (likely(!x->trace)) {
        return;
    }
    text_init(&t, room, sizeof room);
    if (b->watch_port != OFPP_ANY) {
        text_put(&t, "port ");
        port_names_format(NULL, b->watch_port, &t);
    }
    if (b->watch_group != OFPG_ANY) {
        text_put(&t, "%sport %u", t.len ? " and " : "", b->watch_group);
    }
    xlate_detail(x, "bucket %u: not live due to %s", b->id, room);
}

static uint32_t first_live(const struct xlate *x, const struct group *g, unsigned depth) {
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        if (bucket_is_live(x, g, &g->buckets[i], depth)) {
            return i;
        }
        say_not_live(x, &g->buckets[i]);
    }
    return NO_BUCKET;
}

// -- select --

// Each bucket draws by hash and weight; the highest draw wins, so that one that dies moves its own packets only.
static uint32_t best_live(const struct xlate *x, const struct group *g, uint32_t basis) {
    uint32_t best = NO_BUCKET, best_score = 0;
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        if (!bucket_is_live(x, g, b, 0)) {
            say_not_live(x, b);
            continue;
        }
        uint32_t score = (xlate_hash_2words(b->id, basis) & 0xffff) * b->weight;
        if (score >= best_score) {
            best = i;
            best_score = score;
        }
        xlate_detail(x, "bucket %u: score %u", b->id, score);
    }
    return best;
}

static uint32_t select_default(struct xlate *x, const struct group *g) {
    enum { SYMMETRIC_L4 = 1 };
    xlate_mask_hash_fields(x->flow, x->wc, SYMMETRIC_L4);
    return best_live(x, g, xlate_hash_symmetric_l4(x->flow, 0));
}

static uint32_t hash_field(struct xlate *x, const struct group_hash_field *field, uint32_t basis) {
    const struct mf_field *mf = field->field;
    union mf_value value;
    if (!mf_are_prereqs_ok(mf, x->flow, x->wc)) {
        return basis;
    }
    mf_get_value(mf, x->flow, &value);
    for (unsigned i = 0; i < mf->n_bytes; i++) {
        value.b[i] &= field->mask.b[i];
    }
    basis = xlate_hash_bytes(&value, mf->n_bytes, basis);
    if (mf->id >= MFF_TUN_METADATA0 && mf->id <= MFF_TUN_METADATA63) {
        unsigned i = (unsigned)(mf->id - MFF_TUN_METADATA0);
        basis = xlate_hash_boolean(x->flow->tunnel.opts_present >> i & 1, basis);
    }
    mf_mask_field_masked(mf, &field->mask, x->wc);
    return basis;
}

static uint32_t select_by_fields(struct xlate *x, const struct group *g) {
    uint32_t basis = xlate_hash_uint64(g->selection_param);
    for (unsigned i = 0; i < g->n_hash_fields; i++) {
        basis = hash_field(x, &g->hash_fields[i], basis);
    }
    return best_live(x, g, basis);
}

// The datapath hashes and comes back; then the hash picks from a table filled by weight.
static uint32_t select_by_dp_hash(struct xlate *x, const struct group *g) {
    if (x->flow->dp_hash == 0) {
        xlate_freeze(x);
        x->hash_first = true;
        x->hash_alg = g->hash_alg;
        x->hash_basis = (uint32_t)g->selection_param;
        return NO_BUCKET;
    }
    x->wc->dp_hash |= g->hash_mask;
    for (uint32_t i = 0; i <= g->hash_mask; i++) {
        uint32_t bucket = g->hash_map[(x->flow->dp_hash + i) & g->hash_mask];
        if (bucket_is_live(x, g, &g->buckets[bucket], 0)) {
            return bucket;
        }
    }
    return NO_BUCKET;
}

static uint32_t select_bucket(struct xlate *x, const struct group *g) {
    if (x->was_mpls) {
        xlate_freeze(x);
        return NO_BUCKET;
    }
    switch ((enum group_selection)g->selection) {
    case GROUP_SEL_HASH: return select_by_fields(x, g);
    case GROUP_SEL_DP_HASH: return select_by_dp_hash(x, g);
    case GROUP_SEL_DEFAULT: break;
    }
    return select_default(x, g);
}

// -- buckets --

// Is the action set already in the order in which it is executed? Those are: sets and moves, then one end.
static bool is_in_order(const void *actions, size_t n) {
    OFPACT_FOR_EACH(a, actions, n) {
        bool last = (const uint8_t *)ofpact_next(a) == (const uint8_t *)actions + n;
        switch ((enum ofpact_type)a->type) {
        case OFPACT_SET_FIELD:
        case OFPACT_REG_MOVE:
            if (last) {
                return false;
            }
            break;
        case OFPACT_CT:
        case OFPACT_RESUBMIT:
        case OFPACT_OUTPUT:
        case OFPACT_GROUP: return last;
        default: return false;
        }
    }
    return false;
}

static void bucket_actions(struct xlate *x, const struct group_bucket *b, bool last) {
    if (is_in_order(b->actions, b->actions_len)) {
        xlate_actions(x, b->actions, b->actions_len, last, true);
        return;
    }
    struct ofpacts list = {0};
    if (ofpacts_execute_action_set(&list, b->actions, b->actions_len) == 0) {
        xlate_actions(x, list.data, list.len, last, true);
    } else {
        xlate_fail(x, XLATE_NO_MEMORY);
    }
    ofpacts_destroy(&list);
}

static void run_bucket(struct xlate *x, const struct group_bucket *b, bool last) {
    struct flow before = *x->flow;
    bool was_mpls = x->was_mpls;
    xlate_commit_layer(x);
    xlate_say(x, XNODE_BUCKET, "bucket %u", b->id);
    uint32_t level = xlate_enter(x);
    x->depth++;
    bucket_actions(x, b, last);
    x->depth--;
    if (x->freezing) {
        xlate_finish_freezing(x);
    }
    xlate_leave(x, level);
    *x->flow = before;
    x->layer = (struct xlayer){0}; // What the bucket began and did not end.
    x->was_mpls = was_mpls;
    x->exit = false;
    if (x->error == XLATE_TOO_MANY_MPLS_LABELS || x->error == XLATE_UNSUPPORTED_PACKET_TYPE) {
        x->error = XLATE_OK; // Of this bucket's packet, not of the others'.
    }
}

static void run_all(struct xlate *x, const struct group *g, bool last) {
    for (uint32_t i = 0; i < g->n_buckets; i++) {
        run_bucket(x, &g->buckets[i], last && i + 1 == g->n_buckets);
    }
    credits_group(x, g, NO_BUCKET);
}

static void run_one(struct xlate *x, const struct group *g, bool last) {
    uint32_t i = g->type == GROUP_SELECT ? select_bucket(x, g) : first_live(x, g, 0);
    if (i == NO_BUCKET) {
        xlate_detail(x, "no live bucket");
        xlate_refuse(x, DROP_NO_BUCKET);
        return;
    }
    xlate_detail(x, "using bucket %u", g->buckets[i].id);
    run_bucket(x, &g->buckets[i], last);
    credits_group(x, g, i);
}

enum xstep xlate_do_group(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    uint32_t id = ((const struct ofpact_u32 *)(const void *)a)->value;
    if (!xlate_resources_ok(x)) {
        return XSTEP_NEXT;
    }
    const struct group *g = ofproto_group(&x->bridge->ofproto, x->version, id);
    if (!g) {
        xlate_warn(x, "output to nonexistent group %u", id);
        xlate_refuse(x, DROP_NO_OUTPUT);
        return XSTEP_STOP;
    }
    if (g->type == GROUP_ALL || g->type == GROUP_INDIRECT) {
        run_all(x, g, at->last);
    } else {
        run_one(x, g, at->last);
    }
    return XSTEP_NEXT;
}
