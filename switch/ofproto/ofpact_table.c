// All actions and instructions: their names, and the functions that parse, print and check them.

#include <strings.h>

#include "ofproto/mf_text.h"
#include "ofproto/ofpact_private.h"

#define F(name) act_##name##_format
#define V(name) act_##name##_validate
#define C(name) act_##name##_check

// The names are those of Open vSwitch, for texts and messages.
static const struct act_class classes[OFPACT_N_TYPES] = {
    [OFPACT_OUTPUT] = {"output", F(output), NULL, C(output)},
    [OFPACT_OUTPUT_REG] = {"output_reg", F(output_reg), V(output_reg), C(output_reg)},
    [OFPACT_OUTPUT_TRUNC] = {"output_trunc", F(output_trunc), V(output_trunc), C(output_trunc)},
    [OFPACT_CONTROLLER] = {"controller", F(controller), NULL, NULL},
    [OFPACT_ENQUEUE] = {"enqueue", F(enqueue), NULL, C(enqueue)},
    [OFPACT_GROUP] = {"group", F(number), NULL, NULL},
    [OFPACT_BUNDLE] = {"bundle", F(bundle), V(bundle), C(bundle)},
    [OFPACT_SET_FIELD] = {"set_field", F(set_field), V(set_field), C(set_field)},
    [OFPACT_REG_MOVE] = {"move", F(move), V(move), C(move)},
    [OFPACT_STACK_PUSH] = {"push", F(stack), V(stack), C(stack)},
    [OFPACT_STACK_POP] = {"pop", F(stack), V(stack), C(stack)},
    [OFPACT_SET_VLAN_VID] = {"set_vlan_vid", F(set_vlan), V(set_vlan), C(set_vlan)},
    [OFPACT_SET_VLAN_PCP] = {"set_vlan_pcp", F(set_vlan), V(set_vlan), C(set_vlan)},
    [OFPACT_STRIP_VLAN] = {"strip_vlan", F(strip_vlan), NULL, C(strip_vlan)},
    [OFPACT_PUSH_VLAN] = {"push_vlan", F(number), V(number), C(push_vlan)},
    [OFPACT_SET_ETH_SRC] = {"mod_dl_src", F(mac), NULL, NULL},
    [OFPACT_SET_ETH_DST] = {"mod_dl_dst", F(mac), NULL, NULL},
    [OFPACT_SET_IPV4_SRC] = {"mod_nw_src", F(ipv4), NULL, C(ipv4)},
    [OFPACT_SET_IPV4_DST] = {"mod_nw_dst", F(ipv4), NULL, C(ipv4)},
    [OFPACT_SET_IP_DSCP] = {"mod_nw_tos", F(number), V(number), C(ip)},
    [OFPACT_SET_IP_ECN] = {"mod_nw_ecn", F(number), V(number), C(ip)},
    [OFPACT_SET_IP_TTL] = {"mod_nw_ttl", F(number), V(number), C(ip)},
    [OFPACT_SET_L4_SRC_PORT] = {"mod_tp_src", F(number), NULL, C(l4)},
    [OFPACT_SET_L4_DST_PORT] = {"mod_tp_dst", F(number), NULL, C(l4)},
    [OFPACT_SET_TUNNEL] = {"set_tunnel", F(tunnel), NULL, NULL},
    [OFPACT_SET_QUEUE] = {"set_queue", F(number), NULL, NULL},
    [OFPACT_POP_QUEUE] = {"pop_queue", F(plain), NULL, NULL},
    [OFPACT_FIN_TIMEOUT] = {"fin_timeout", F(fin_timeout), NULL, C(fin_timeout)},
    [OFPACT_PUSH_MPLS] = {"push_mpls", F(number), V(number), C(push_mpls)},
    [OFPACT_POP_MPLS] = {"pop_mpls", F(number), NULL, C(pop_mpls)},
    [OFPACT_SET_MPLS_LABEL] = {"set_mpls_label", F(number), V(number), C(set_mpls)},
    [OFPACT_SET_MPLS_TC] = {"set_mpls_tc", F(number), V(number), C(set_mpls)},
    [OFPACT_SET_MPLS_TTL] = {"set_mpls_ttl", F(number), V(number), C(set_mpls)},
    [OFPACT_DEC_MPLS_TTL] = {"dec_mpls_ttl", F(plain), NULL, C(set_mpls)},
    [OFPACT_DEC_TTL] = {"dec_ttl", F(dec_ttl), NULL, C(ip)},
    [OFPACT_DEC_NSH_TTL] = {"dec_nsh_ttl", F(plain), NULL, C(dec_nsh_ttl)},
    [OFPACT_RESUBMIT] = {"resubmit", F(resubmit), NULL, C(resubmit)},
    [OFPACT_LEARN] = {"learn", F(learn), V(learn), C(learn)},
    [OFPACT_CONJUNCTION] = {"conjunction", F(conjunction), V(conjunction), NULL},
    [OFPACT_MULTIPATH] = {"multipath", F(multipath), V(multipath), C(multipath)},
    [OFPACT_NOTE] = {"note", F(note), NULL, NULL},
    [OFPACT_EXIT] = {"exit", F(plain), NULL, NULL},
    [OFPACT_SAMPLE] = {"sample", F(sample), V(sample), NULL},
    [OFPACT_CT] = {"ct", F(ct), V(ct), C(ct)},
    [OFPACT_NAT] = {"nat", F(nat), V(nat), C(nat)},
    [OFPACT_CT_CLEAR] = {"ct_clear", F(plain), NULL, NULL},
    [OFPACT_CLONE] = {"clone", F(nest), V(nest), C(clone)},
    [OFPACT_CHECK_PKT_LARGER] = {"check_pkt_larger", F(check_pkt_larger), V(check_pkt_larger),
                                 NULL},
    [OFPACT_ENCAP] = {"encap", F(encap), V(encap), C(encap)},
    [OFPACT_DECAP] = {"decap", F(decap), NULL, C(decap)},
    [OFPACT_DELETE_FIELD] = {"delete_field", F(delete_field), V(delete_field), NULL},
    [OFPACT_DEBUG_RECIRC] = {"debug_recirc", F(plain), NULL, NULL},
    [OFPACT_METER] = {"meter", F(number), V(number), C(meter)},
    [OFPACT_CLEAR_ACTIONS] = {"clear_actions", F(plain), NULL, NULL},
    [OFPACT_WRITE_ACTIONS] = {"write_actions", F(nest), V(nest), C(write_actions)},
    [OFPACT_WRITE_METADATA] = {"write_metadata", F(write_metadata), NULL, NULL},
    [OFPACT_GOTO_TABLE] = {"goto_table", F(goto_table), NULL, C(goto_table)},
    [OFPACT_UNROLL] = {"unroll_xlate", F(unroll), NULL, NULL},
};

#define W(name, type, parse) \
    { name, sizeof(name) - 1, OFPACT_##type, 0, act_##parse##_parse }
#define WV(name, type, parse, variant) \
    { name, sizeof(name) - 1, OFPACT_##type, variant, act_##parse##_parse }

// The words of texts, those of big rule sets first: they are looked for from the beginning.
static const struct act_word words[] = {
    W("conjunction", CONJUNCTION, conjunction),
    W("resubmit", RESUBMIT, resubmit),
    W("set_field", SET_FIELD, set_field),
    W("load", SET_FIELD, load),
    W("move", REG_MOVE, move),
    W("output", OUTPUT, output),
    W("ct", CT, ct),
    W("nat", NAT, nat),
    W("push", STACK_PUSH, stack),
    W("pop", STACK_POP, stack),
    W("controller", CONTROLLER, controller),
    W("clone", CLONE, nest),
    W("dec_ttl", DEC_TTL, dec_ttl),
    W("group", GROUP, number),
    W("learn", LEARN, learn),
    W("note", NOTE, note),
    W("exit", EXIT, plain),
    W("enqueue", ENQUEUE, enqueue),
    W("bundle", BUNDLE, bundle),
    WV("bundle_load", BUNDLE, bundle, 1),
    WV("mod_vlan_vid", SET_VLAN_VID, set_vlan, 1),
    WV("mod_vlan_pcp", SET_VLAN_PCP, set_vlan, 1),
    W("set_vlan_vid", SET_VLAN_VID, set_vlan),
    W("set_vlan_pcp", SET_VLAN_PCP, set_vlan),
    W("strip_vlan", STRIP_VLAN, strip_vlan),
    WV("pop_vlan", STRIP_VLAN, strip_vlan, 1),
    W("push_vlan", PUSH_VLAN, number),
    W("mod_dl_src", SET_ETH_SRC, mac),
    W("mod_dl_dst", SET_ETH_DST, mac),
    W("mod_nw_src", SET_IPV4_SRC, ipv4),
    W("mod_nw_dst", SET_IPV4_DST, ipv4),
    W("mod_nw_tos", SET_IP_DSCP, number),
    W("mod_nw_ecn", SET_IP_ECN, number),
    W("mod_nw_ttl", SET_IP_TTL, number),
    W("set_nw_ttl", SET_IP_TTL, number),
    W("mod_tp_src", SET_L4_SRC_PORT, number),
    W("mod_tp_dst", SET_L4_DST_PORT, number),
    W("set_tunnel", SET_TUNNEL, tunnel),
    WV("set_tunnel64", SET_TUNNEL, tunnel, 1),
    W("set_queue", SET_QUEUE, number),
    W("pop_queue", POP_QUEUE, plain),
    W("fin_timeout", FIN_TIMEOUT, fin_timeout),
    W("push_mpls", PUSH_MPLS, number),
    W("pop_mpls", POP_MPLS, number),
    W("set_mpls_label", SET_MPLS_LABEL, number),
    W("set_mpls_tc", SET_MPLS_TC, number),
    W("set_mpls_ttl", SET_MPLS_TTL, number),
    W("dec_mpls_ttl", DEC_MPLS_TTL, plain),
    W("dec_nsh_ttl", DEC_NSH_TTL, plain),
    W("multipath", MULTIPATH, multipath),
    W("sample", SAMPLE, sample),
    W("ct_clear", CT_CLEAR, plain),
    W("check_pkt_larger", CHECK_PKT_LARGER, check_pkt_larger),
    W("encap", ENCAP, encap),
    W("decap", DECAP, decap),
    W("delete_field", DELETE_FIELD, delete_field),
    W("debug_recirc", DEBUG_RECIRC, plain),
    W("meter", METER, number),
    W("clear_actions", CLEAR_ACTIONS, plain),
    W("write_actions", WRITE_ACTIONS, nest),
    W("write_metadata", WRITE_METADATA, write_metadata),
    W("goto_table", GOTO_TABLE, goto_table),
};

const struct act_class *act_class(enum ofpact_type type) {
    assert(type < OFPACT_N_TYPES);
    return &classes[type];
}

const struct act_word *act_word_find(const char *name) {
    size_t len = strlen(name);
    int first = name[0] | 0x20; // Letters alone begin a word: this is their small form.
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        const struct act_word *w = &words[i];
        if (w->len == len && w->name[0] == first && strcasecmp(w->name, name) == 0) {
            return w;
        }
    }
    return NULL;
}

const char *act_word_hint(const char *name, char *buf, size_t size) {
    struct mf_nearest nearest = {.distance = 3};
    for (size_t i = 0; i < RS_ARRAY_SIZE(words); i++) {
        mf_consider_name(name, words[i].name, &nearest);
    }
    return nearest.name ? mf_nearest_hint(&nearest, buf, size)
                        : "ovs-actions(7) has them all; a port goes by number or name";
}

const char *ofpact_name(enum ofpact_type type) {
    return (unsigned)type < OFPACT_N_TYPES ? classes[type].name : "unknown";
}
