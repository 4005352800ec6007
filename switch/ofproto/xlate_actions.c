// Walks a list of actions: each goes to its family's function by number.
//
// What stops the walk: an error, `exit`, freezing (what is left goes to the frozen actions), or the
// action itself.

#include "ofproto/xlate_private.h"

static xlate_fn *const families[OFPACT_N_TYPES] = {
    [OFPACT_OUTPUT] = xlate_do_output,
    [OFPACT_OUTPUT_REG] = xlate_do_output_reg,
    [OFPACT_OUTPUT_TRUNC] = xlate_do_output_trunc,
    [OFPACT_CONTROLLER] = xlate_do_controller,
    [OFPACT_ENQUEUE] = xlate_do_enqueue,
    [OFPACT_GROUP] = xlate_do_group,
    [OFPACT_BUNDLE] = xlate_do_bundle,
    [OFPACT_SET_FIELD] = xlate_do_set_field,
    [OFPACT_REG_MOVE] = xlate_do_reg_move,
    [OFPACT_STACK_PUSH] = xlate_do_stack_push,
    [OFPACT_STACK_POP] = xlate_do_stack_pop,
    [OFPACT_SET_VLAN_VID] = xlate_do_set_vlan_vid,
    [OFPACT_SET_VLAN_PCP] = xlate_do_set_vlan_pcp,
    [OFPACT_STRIP_VLAN] = xlate_do_strip_vlan,
    [OFPACT_PUSH_VLAN] = xlate_do_push_vlan,
    [OFPACT_SET_ETH_SRC] = xlate_do_set_eth,
    [OFPACT_SET_ETH_DST] = xlate_do_set_eth,
    [OFPACT_SET_IPV4_SRC] = xlate_do_set_ipv4,
    [OFPACT_SET_IPV4_DST] = xlate_do_set_ipv4,
    [OFPACT_SET_IP_DSCP] = xlate_do_set_ip,
    [OFPACT_SET_IP_ECN] = xlate_do_set_ip,
    [OFPACT_SET_IP_TTL] = xlate_do_set_ip,
    [OFPACT_SET_L4_SRC_PORT] = xlate_do_set_l4,
    [OFPACT_SET_L4_DST_PORT] = xlate_do_set_l4,
    [OFPACT_SET_TUNNEL] = xlate_do_set_tunnel,
    [OFPACT_SET_QUEUE] = xlate_do_set_queue,
    [OFPACT_POP_QUEUE] = xlate_do_pop_queue,
    [OFPACT_FIN_TIMEOUT] = xlate_do_fin_timeout,
    [OFPACT_PUSH_MPLS] = xlate_do_push_mpls,
    [OFPACT_POP_MPLS] = xlate_do_pop_mpls,
    [OFPACT_SET_MPLS_LABEL] = xlate_do_set_mpls,
    [OFPACT_SET_MPLS_TC] = xlate_do_set_mpls,
    [OFPACT_SET_MPLS_TTL] = xlate_do_set_mpls,
    [OFPACT_DEC_MPLS_TTL] = xlate_do_dec_mpls_ttl,
    [OFPACT_DEC_TTL] = xlate_do_dec_ttl,
    [OFPACT_DEC_NSH_TTL] = xlate_do_dec_nsh_ttl,
    [OFPACT_RESUBMIT] = xlate_do_resubmit,
    [OFPACT_LEARN] = xlate_do_learn,
    [OFPACT_CONJUNCTION] = xlate_do_conjunction,
    [OFPACT_MULTIPATH] = xlate_do_multipath,
    [OFPACT_NOTE] = xlate_do_note,
    [OFPACT_EXIT] = xlate_do_exit,
    [OFPACT_SAMPLE] = xlate_do_sample,
    [OFPACT_CT] = xlate_do_ct,
    [OFPACT_NAT] = xlate_do_nat,
    [OFPACT_CT_CLEAR] = xlate_do_ct_clear,
    [OFPACT_CLONE] = xlate_do_clone,
    [OFPACT_CHECK_PKT_LARGER] = xlate_do_check_pkt_larger,
    [OFPACT_ENCAP] = xlate_do_encap,
    [OFPACT_DECAP] = xlate_do_decap,
    [OFPACT_DELETE_FIELD] = xlate_do_delete_field,
    [OFPACT_DEBUG_RECIRC] = xlate_do_debug_recirc,
    [OFPACT_METER] = xlate_do_meter,
    [OFPACT_CLEAR_ACTIONS] = xlate_do_clear_actions,
    [OFPACT_WRITE_ACTIONS] = xlate_do_write_actions,
    [OFPACT_WRITE_METADATA] = xlate_do_write_metadata,
    [OFPACT_GOTO_TABLE] = xlate_do_goto_table,
    [OFPACT_UNROLL] = xlate_do_unroll,
};

// Once the last MPLS label is gone, most actions need to know what the packet is now: it has to go
// around once, so that the datapath looks at it anew. These can do without.
static bool can_do_after_mpls(const struct ofpact *a) {
    switch ((enum ofpact_type)a->type) {
    case OFPACT_OUTPUT:
    case OFPACT_OUTPUT_TRUNC:
    case OFPACT_ENQUEUE:
    case OFPACT_OUTPUT_REG:
    case OFPACT_SET_VLAN_VID:
    case OFPACT_SET_VLAN_PCP:
    case OFPACT_SET_ETH_SRC:
    case OFPACT_SET_ETH_DST:
    case OFPACT_SET_TUNNEL:
    case OFPACT_SET_QUEUE:
    case OFPACT_GROUP: // Its buckets find out for themselves.
        return true;
    case OFPACT_SET_FIELD:
        return !mf_is_l3_or_higher(((const struct ofpact_set_field *)(const void *)a)->field->id);
    default: return false;
    }
}

void xlate_actions(struct xlate *x, const void *ofpacts, size_t n, bool last, bool bucket) {
    if (n == 0) {
        xlate_say(x, XNODE_ACTION, "drop");
        xlate_refuse(x, DROP_RULE_DROP);
        return;
    }
    struct xplace at = {
        .end = (const struct ofpact *)(const void *)((const uint8_t *)ofpacts + n),
        .bucket = bucket,
    };
    OFPACT_FOR_EACH(a, ofpacts, n) {
        if (unlikely(x->error)) {
            return;
        }
        if (unlikely(x->was_mpls) && !x->exit && !can_do_after_mpls(a)) {
            xlate_freeze(x);
        }
        if (unlikely(x->exit)) {
            if (x->freezing) {
                xlate_freeze_rest(x, a, at.end);
            }
            return;
        }
        if (unlikely(x->trace)) {
            xlate_say_actions(x, XNODE_ACTION, NULL, a, a->len);
        }
        at.last = last && ofpact_next(a) >= at.end && x->action_set.len == 0;
        switch (families[a->type](x, a, &at)) {
        case XSTEP_NEXT: break;
        case XSTEP_AFTER: a = ofpact_next(a); break;
        case XSTEP_DONE: continue;
        case XSTEP_STOP: return;
        }
        if (unlikely(x->freezing) && !x->error && x->frozen.len == 0) {
            xlate_freeze_rest(x, a, at.end); // This very action froze.
            return;
        }
    }
}
