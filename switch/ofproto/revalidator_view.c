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

// What a note's match can be held against: the megaflow's key and mask, read when they are needed.
struct concern {
    const struct megaflow *m;
    const struct upcall_owner *owner;
    const struct port_names *names;
    bool read;
    uint64_t key[CHANGE_WORDS], mask[CHANGE_WORDS];
    uint32_t in_port; // OpenFlow number.
};

static void read_key(struct concern *c) {
    for (unsigned i = 0; i < CHANGE_WORDS; i++) {
        c->key[i] = miniflow_get(&c->m->key, change_words[i]);
        c->mask[i] = miniflow_get(c->m->mask, change_words[i]);
    }
    struct flow word; // in_port shares one.
    flow_words(&word)[FLOW_WORD(in_port)] = miniflow_get(&c->m->key, FLOW_WORD(in_port));
    c->in_port = port_names_ofp(c->names, word.in_port);
    c->read = true;
}

// Does the rule ask for headers that no packet of the megaflow had at the look-up?
static bool excludes(const struct change_note *note, const struct credit *lookup,
                     struct concern *c) {
    if (!c->read) {
        read_key(c);
    }
    for (unsigned i = 0; i < CHANGE_WORDS; i++) {
        if (lookup->vlan >> i & 1 && (note->value[i] ^ c->key[i]) & note->mask[i] & c->mask[i]) {
            return true;
        }
    }
    return lookup->vlan & CHANGE_IN_PORT && (note->in_port ^ c->in_port) & note->in_port_mask;
}

static bool found_by_conjunction(const struct rule *rule) {
    return flowmap_has(rule->cr.match->map, FLOW_WORD(conj_id));
}

// Could the change be met by a look-up in its table that ended as the credit says?
static bool concerns_lookup(const struct change_note *note, const struct credit *lookup,
                            struct concern *c) {
    if (lookup->type == CREDIT_RULE && note->gone == lookup->rule) {
        return true;
    }
    if (!(note->flags & (CHANGE_ADDS | CHANGE_SOFT)) ||
        (!(note->flags & CHANGE_ANY_DOMAIN) && note->domain != lookup->arg)) {
        return false;
    }
    bool outranked = !(note->flags & CHANGE_SOFT) && lookup->type == CREDIT_RULE &&
                     note->priority < lookup->rule->cr.priority &&
                     !found_by_conjunction(lookup->rule);
    return !outranked && !excludes(note, lookup, c);
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

static bool concerns_credit(const struct reval_view *v, const struct credit *credit,
                            struct concern *c) {
    if (credit->type == CREDIT_ASKED_MAC) {
        return v->macs && concerns_mac(v, c->owner, credit);
    }
    if (credit->type != CREDIT_RULE && credit->type != CREDIT_TABLE_MISS &&
        credit->type != CREDIT_LEARN_FULL) {
        return false;
    }
    for (unsigned i = v->first[credit->table]; i != 0; i = v->next[i - 1]) {
        const struct change_note *note = &v->notes[i - 1];
        if (note->seq > c->owner->seq &&
            (credit->type == CREDIT_LEARN_FULL || concerns_lookup(note, credit, c))) {
            return true;
        }
    }
    return false;
}

bool reval_view_concerns(const struct reval_view *v, const struct megaflow *m,
                         const struct port_names *names) {
    const struct upcall_owner *owner = m->owner;
    if (owner->seq < v->all_seq) {
        return true;
    }
    bool may = v->macs && owner->asked_macs;
    for (unsigned i = 0; i < RS_ARRAY_SIZE(v->tables); i++) {
        may |= (v->tables[i] & owner->tables[i]) != 0;
    }
    if (!may) {
        return false;
    }
    struct concern c = {.m = m, .owner = owner, .names = names};
    for (uint32_t i = 0; i < owner->credits.n; i++) {
        if (concerns_credit(v, &owner->credits.list[i], &c)) {
            return true;
        }
    }
    return false;
}
