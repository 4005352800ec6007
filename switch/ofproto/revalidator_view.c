// Which megaflows a change concerns. Saying yes too often costs a translation; a wrong no would leave a stale one.

#include "ofproto/revalidator_private.h"

void reval_view_init(struct reval_view *v, struct change_log *log) {
    spin_lock(&log->lock);
    v->seq = change_log_seq(log);
    v->all_seq = log->all_seq > log->lost_seq ? log->all_seq : log->lost_seq;
    v->n = log->n < CHANGE_LOG_CAP ? (unsigned)log->n : CHANGE_LOG_CAP;
    memcpy(v->notes, log->notes, v->n * sizeof *v->notes);
    spin_unlock(&log->lock);
    memset(v->tables, 0, sizeof v->tables);
    memset(v->first, 0, sizeof v->first);
    v->macs = false;
    for (unsigned i = 0; i < v->n; i++) {
        const struct change_note *note = &v->notes[i];
        if (note->seq <= v->all_seq) {
            continue; // Whoever is that old is translated anyway.
        }
        if (note->kind == CHANGE_MAC) {
            v->macs = true;
            continue;
        }
        v->tables[note->table / 64] |= UINT64_C(1) << (note->table % 64);
        v->next[i] = v->first[note->table];
        v->first[note->table] = (uint8_t)(i + 1);
    }
}

static bool found_by_conjunction(const struct rule *rule) {
    return flowmap_has(rule->cr.match->map, FLOW_WORD(conj_id));
}

// Could the change be met by a look-up in its table that ended as the credit says?
static bool concerns_lookup(const struct change_note *note, const struct credit *c) {
    if (c->type == CREDIT_RULE && note->gone == c->rule) {
        return true;
    }
    if (!(note->flags & (CHANGE_ADDS | CHANGE_SOFT)) ||
        (!(note->flags & CHANGE_ANY_DOMAIN) && note->domain != c->arg)) {
        return false;
    }
    return note->flags & CHANGE_SOFT || c->type == CREDIT_TABLE_MISS ||
           note->priority >= c->rule->cr.priority || found_by_conjunction(c->rule);
}

static bool concerns_mac(const struct reval_view *v, const struct upcall_owner *owner,
                         const struct credit *c) {
    for (unsigned i = 0; i < v->n; i++) {
        const struct change_note *note = &v->notes[i];
        if (note->kind == CHANGE_MAC && note->seq > owner->seq && note->vlan == c->vlan &&
            memcmp(note->mac, c->mac, sizeof note->mac) == 0) {
            return true;
        }
    }
    return false;
}

static bool concerns_credit(const struct reval_view *v, const struct upcall_owner *owner,
                            const struct credit *c) {
    if (c->type == CREDIT_ASKED_MAC) {
        return v->macs && concerns_mac(v, owner, c);
    }
    if (c->type != CREDIT_RULE && c->type != CREDIT_TABLE_MISS) {
        return false;
    }
    for (unsigned i = v->first[c->table]; i != 0; i = v->next[i - 1]) {
        if (v->notes[i - 1].seq > owner->seq && concerns_lookup(&v->notes[i - 1], c)) {
            return true;
        }
    }
    return false;
}

bool reval_view_concerns(const struct reval_view *v, const struct upcall_owner *owner) {
    if (owner->seq < v->all_seq) {
        return true;
    }
    bool may = v->macs && owner->asked_macs;
    for (unsigned i = 0; i < RS_ARRAY_SIZE(v->tables); i++) {
        may |= (v->tables[i] & owner->tables[i]) != 0;
    }
    for (uint32_t i = 0; may && i < owner->credits.n; i++) {
        if (concerns_credit(v, owner, &owner->credits.list[i])) {
            return true;
        }
    }
    return false;
}
