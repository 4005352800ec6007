// Freezing: a translation that cannot go on before the datapath has done something keeps what is left in a
// frozen state; and thawing, where the packet comes back and goes on.
//
//     xlate_freeze() ─▶ each list on the way out: xlate_freeze_rest() ─▶ xlate_finish_freezing() ─▶ recirc(id)
//     recirc_id ≠ 0 ─▶ xlate_thaw() ─▶ the actions kept, or a lookup in the table kept

#include "ofproto/xlate_private.h"

#include <stdlib.h>

void xlate_freeze(struct xlate *x) {
    x->exit = true;
    x->freezing = true;
}

void xlate_cancel_freeze(struct xlate *x) {
    x->freezing = false;
    x->hash_first = false;
    x->frozen.len = 0;
    x->has_unroll = false;
    x->pause = NULL;
}

// -- what is left to do --

// Actions that tell a controller where they come from need their table and cookie back.
static void put_unroll(struct xlate *x) {
    if (x->has_unroll && x->unroll_table == x->table && x->unroll_cookie == x->cookie) {
        return;
    }
    struct ofpact_unroll u;
    memset(&u, 0, sizeof u);
    u.ofpact = (struct ofpact){.type = OFPACT_UNROLL, .len = sizeof u};
    u.table = x->unroll_table = x->table;
    u.cookie = x->unroll_cookie = x->cookie;
    x->has_unroll = true;
    xbuf_put(x, &x->frozen, &u, sizeof u);
}

static void put_resubmit(struct xlate *x, uint8_t table) {
    struct ofpact_resubmit r;
    memset(&r, 0, sizeof r);
    r.ofpact = (struct ofpact){.type = OFPACT_RESUBMIT, .len = sizeof r};
    r.in_port = OFPP_IN_PORT;
    r.table = table;
    xbuf_put(x, &x->frozen, &r, sizeof r);
}

static void put_set_metadata(struct xlate *x, const struct ofpact_write_metadata *w) {
    union {
        struct ofpact_set_field sf;
        uint8_t room[sizeof(struct ofpact_set_field) + 2 * sizeof(be64)];
    } u;
    memset(&u, 0, sizeof u);
    u.sf.ofpact = (struct ofpact){.type = OFPACT_SET_FIELD, .len = sizeof u};
    u.sf.field = mf_from_id(MFF_METADATA);
    memcpy(u.room + offsetof(struct ofpact_set_field, data), &w->metadata, sizeof w->metadata);
    memcpy(u.room + offsetof(struct ofpact_set_field, data) + 8, &w->mask, sizeof w->mask);
    xbuf_put(x, &x->frozen, &u, sizeof u);
}

static_assert(sizeof(struct ofpact_resubmit) % 8 == 0 && sizeof(struct ofpact_unroll) % 8 == 0 &&
                  sizeof(struct ofpact_set_field) % 8 == 0,
              "actions are whole words");

void xlate_freeze_rest(struct xlate *x, const struct ofpact *a, const struct ofpact *end) {
    for (; a < end; a = ofpact_next(a)) {
        switch ((enum ofpact_type)a->type) {
        case OFPACT_OUTPUT:
        case OFPACT_OUTPUT_REG:
        case OFPACT_OUTPUT_TRUNC:
        case OFPACT_GROUP:
        case OFPACT_CONTROLLER:
        case OFPACT_DEC_MPLS_TTL:
        case OFPACT_DEC_NSH_TTL:
        case OFPACT_DEC_TTL: put_unroll(x); break;
        case OFPACT_RESUBMIT:
            if (((const struct ofpact_resubmit *)(const void *)a)->table == 255) {
                put_unroll(x); // "The same table" has to be known there.
            }
            break;
        // Instructions stand at fixed places of a list; as actions they may stand anywhere.
        case OFPACT_GOTO_TABLE:
            put_resubmit(x, ((const struct ofpact_goto *)(const void *)a)->table);
            continue;
        case OFPACT_WRITE_METADATA:
            put_set_metadata(x, (const struct ofpact_write_metadata *)(const void *)a);
            continue;
        case OFPACT_NOTE:
        case OFPACT_CONJUNCTION: continue;
        default: break;
        }
        xbuf_put(x, &x->frozen, a, a->len);
    }
}

// -- the state --

static uint32_t id_of_state(struct xlate *x, uint8_t table) {
    struct frozen_state s = {
        .table = table,
        .conntracked = x->conntracked,
        .was_mpls = x->was_mpls,
        .mirrors = x->mirrors,
        .metadata = x->flow->metadata,
        .in_port = x->flow->in_port,
        .tunnel = x->flow->tunnel,
        .stack = x->stack.data,
        .stack_len = x->stack.len,
        .ofpacts = x->frozen.data,
        .ofpacts_len = x->frozen.len,
        .action_set = x->action_set.data,
        .action_set_len = x->action_set.len,
    };
    memcpy(s.regs, x->flow->regs, sizeof s.regs);
    uint32_t id = frozen_get_id(x->bridge->frozen, &s);
    if (id == 0) {
        xlate_error(x, "Failed to allocate recirculation id");
        xlate_fail(x, XLATE_NO_RECIRCULATION_CONTEXT);
        x->why = DROP_RECIRC_FULL;
    } else if (x->credits) {
        credits_add(x, &(struct credit){.type = CREDIT_FROZEN, .arg = id});
    } else {
        frozen_unref(x->bridge->frozen, id); // It lingers: trace can still follow it.
    }
    return id;
}

static void note_recirc(struct xlate *x, uint32_t id, bool conntrack, uint16_t zone) {
    struct xlate_recircs *r = x->in->recircs;
    if (!r) {
        return;
    }
    if (r->n == r->cap) {
        uint32_t cap = r->cap ? 2 * r->cap : 4;
        struct xlate_recirc *list = realloc(r->list, cap * sizeof *list);
        if (!list) {
            return; // Trace follows one less.
        }
        r->list = list;
        r->cap = cap;
    }
    struct xlate_recirc *one = &r->list[r->n++];
    one->id = id;
    one->conntrack = conntrack;
    one->zone = zone;
    one->nat = conntrack ? x->nat : NULL;
    one->flow = *x->flow;
    one->flow.recirc_id = id;
    one->flow.ct_zone = conntrack ? zone : x->flow->ct_zone;
}

static void go_around(struct xlate *x) {
    uint32_t id = id_of_state(x, 0);
    if (id == 0) {
        return;
    }
    if (x->hash_first) {
        uint32_t *symmetric = odp_put(x->odp, ODP_HASH, x->hash_basis, sizeof *symmetric);
        if (symmetric) {
            *symmetric = x->hash_alg;
        }
    }
    odp_put_simple(x->odp, ODP_RECIRC, id);
    note_recirc(x, id, false, 0);
}

// Nothing left to do is something else than a lookup, which is what no actions mean in a frozen state.
static void pause_at_controller(struct xlate *x) {
    static const union {
        struct ofpact ofpact;
        uint64_t word;
    } nothing = {.ofpact = {.type = OFPACT_NOTE, .len = sizeof nothing}};
    if (x->frozen.len == 0) {
        xbuf_put(x, &x->frozen, &nothing, sizeof nothing);
    }
    uint32_t id = id_of_state(x, 0);
    if (id != 0) {
        xlate_packet_in(x, x->pause, x->pause->reason, id);
    }
}

void xlate_finish_freezing(struct xlate *x) {
    xlate_commit(x);
    if (x->pause) {
        pause_at_controller(x);
    } else {
        go_around(x);
    }
    xlate_cancel_freeze(x);
}

void xlate_fork(struct xlate *x, uint8_t table, uint16_t zone) {
    uint32_t id = id_of_state(x, table);
    if (id == 0) {
        return;
    }
    odp_put_simple(x->odp, ODP_RECIRC, id);
    note_recirc(x, id, true, zone);
    xlate_detail(x,
                 "A clone of the packet is forked to recirculate. The forked pipeline will be "
                 "resumed at table %u.",
                 table);
}

// -- back again --

bool xlate_thaw(struct xlate *x, const struct frozen_state **state) {
    struct flow *f = x->flow;
    const struct frozen_state *s = frozen_find(x->bridge->frozen, f->recirc_id);
    if (!s) {
        xlate_error(x, "Recirculation context not found for ID %x", f->recirc_id);
        xlate_fail(x, XLATE_NO_RECIRCULATION_CONTEXT);
        return false;
    }
    xlate_say(x, XNODE_THAW, "thaw");
    uint32_t level = xlate_enter(x);
    x->table = s->table;
    xlate_say(x, XNODE_THAW, "Resuming from table %u", s->table);
    x->conntracked = s->conntracked;
    if (!s->conntracked) {
        xlate_clear_conntrack(x);
    }
    f->tunnel = s->tunnel;
    f->metadata = s->metadata;
    memcpy(f->regs, s->regs, sizeof f->regs);
    f->in_port = s->in_port;
    x->mirrors = s->mirrors;
    xbuf_put(x, &x->stack, s->stack, s->stack_len);
    if (s->action_set_len > 0) {
        xlate_say_actions(x, XNODE_THAW, "Restoring action set: ", s->action_set,
                          s->action_set_len);
        xlate_add_to_action_set(x, s->action_set, s->action_set_len);
    }
    if (s->ofpacts_len > 0) {
        xlate_say_actions(x, XNODE_THAW, "Restoring actions: ", s->ofpacts, s->ofpacts_len);
    }
    xlate_leave(x, level);
    *state = s;
    return x->error == XLATE_OK;
}
