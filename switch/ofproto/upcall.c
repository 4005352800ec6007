// The door to the datapath, from this side: a miss is translated, what its megaflow carries is credited.

#include <stdlib.h>

#include "ofproto/packet_in.h"
#include "ofproto/revalidator_private.h"

void upcall_owner_destroy(struct upcall_owner *owner) {
    if (owner) {
        credits_destroy(&owner->credits);
        free(owner);
    }
}

// How many tags a packet has, and of which kind, is always part of its megaflow, as in Open vSwitch's datapath:
// translation says of tags that are not there nothing.
static void match_tags(const struct flow *flow, struct flow *wc) {
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        wc->vlans[i].tci |= hton16(FLOW_VLAN_CFI);
        if (!flow->vlans[i].tpid) {
            break;
        }
        wc->vlans[i].tpid = UINT16_MAX;
    }
}

void upcall_owner_index(struct upcall_owner *owner) {
    memset(owner->tables, 0, sizeof owner->tables);
    owner->asked_macs = false;
    for (uint32_t i = 0; i < owner->credits.n; i++) {
        const struct credit *c = &owner->credits.list[i];
        if (c->type == CREDIT_RULE || c->type == CREDIT_TABLE_MISS ||
            c->type == CREDIT_LEARN_FULL) {
            owner->tables[c->table / 64] |= UINT64_C(1) << (c->table % 64);
        }
        owner->asked_macs |= c->type == CREDIT_ASKED_MAC;
    }
}

static void translate(void *aux, const struct dp_packet *packet, const struct flow *flow,
                      uint64_t now_ms, struct upcall_answer *answer) {
    struct revalidator *r = aux;
    struct upcall_owner *owner = calloc(1, sizeof *owner);
    if (owner) { // Before the translation: what changes during it makes the answer an old one.
        owner->seq = change_log_seq(&r->bridge->ofproto.log);
    }
    struct xlate_in in = {
        .bridge = r->bridge,
        .flow = flow,
        .packet = packet,
        .now_ms = now_ms,
        .side_effects = true,
        .tcp_flags = ntoh16(flow->tcp_flags),
    };
    struct xlate_out out = {
        .actions = &answer->actions,
        .wc = &answer->wc,
        .credits = owner ? &owner->credits : NULL,
    };
    xlate_run(&in, &out);
    match_tags(flow, &answer->wc);
    if (owner) {
        upcall_owner_index(owner);
    }
    answer->install = owner && !out.slow; // Without memory to count with, no megaflow.
    answer->owner = owner;
}

static void executed_once(void *aux, void *owner_, uint64_t packets, uint64_t bytes,
                          uint16_t tcp_flags, uint64_t now_ms) {
    struct revalidator *r = aux;
    struct upcall_owner *owner = owner_;
    if (owner) {
        credits_push(&owner->credits, packets, bytes, tcp_flags, now_ms, r->bridge);
        upcall_owner_destroy(owner);
    }
}

static void release(void *aux, void *owner_, uint64_t packets, uint64_t bytes, uint16_t tcp_flags,
                    uint64_t used_ms) {
    struct revalidator *r = aux;
    struct upcall_owner *owner = owner_;
    if (owner) {
        credits_push(&owner->credits, packets - owner->packets, bytes - owner->bytes, tcp_flags,
                     used_ms, r->bridge);
        upcall_owner_destroy(owner);
    }
}

static void packet_in(void *aux, uint32_t pin_id, const struct dp_packet *packet, uint64_t now_ms) {
    struct revalidator *r = aux;
    packet_ins_put(r->bridge->pins, pin_id, packet, now_ms);
}

struct upcall_ops revalidator_upcall_ops(struct revalidator *r) {
    return (struct upcall_ops){
        .aux = r,
        .translate = translate,
        .executed_once = executed_once,
        .release = release,
        .packet_in = packet_in,
    };
}
