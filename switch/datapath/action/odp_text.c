#include "datapath/action/odp_text_private.h"

static void text_controller(struct text *t, uint32_t pin, const struct odp_text_names *names) {
    text_put(t, "userspace(pid=0,");
    if (names && names->controller) {
        names->controller(names->aux, pin, t);
    } else {
        text_put(t, "controller(pin=%u)", pin);
    }
    text_put(t, ")");
}

static void text_port(struct text *t, uint32_t port, const struct odp_text_names *names) {
    if (names && names->port) {
        names->port(names->aux, port, t);
    } else {
        text_put(t, "%u", port);
    }
}

static void text_push_vlan(struct text *t, uint32_t tpid_tci) {
    text_put(t, "push_vlan(");
    if (tpid_tci >> 16 != 0x8100) {
        text_put(t, "tpid=0x%04x,", tpid_tci >> 16);
    }
    text_put(t, "vid=%u,pcp=%u)", tpid_tci & 0xfff, tpid_tci >> 13 & 7);
}

static void text_push_mpls(struct text *t, const struct odp_action *a) {
    const struct odp_push_mpls *push = odp_payload(a);
    text_put(t, a->type == ODP_ADD_MPLS ? "add_mpls(" : "push_mpls(");
    text_mpls(t, a->arg);
    text_put(t, ",eth_type=0x%x)", ntoh16(push->ethertype));
}

static void text_push_eth(struct text *t, const struct odp_key_eth *eth) {
    text_put(t, "push_eth(src=");
    text_mac(t, eth->src);
    text_put(t, ",dst=");
    text_mac(t, eth->dst);
    text_put(t, ")");
}

static void text_sample(struct text *t, const struct odp_action *a,
                        const struct odp_text_names *names) {
    text_put(t, "sample(sample=%.1f%%,actions(", 100.0 * a->arg / UINT32_MAX);
    odp_text_put(t, odp_payload(a), a->len - sizeof *a, names);
    text_put(t, "))");
}

static void text_check_pkt_len(struct text *t, const struct odp_action *a,
                               const struct odp_text_names *names) {
    const struct odp_check_pkt_len *sizes = odp_payload(a);
    const uint8_t *greater = (const uint8_t *)(sizes + 1);
    text_put(t, "check_pkt_len(size=%u,gt(", a->arg);
    odp_text_put(t, greater, sizes->greater_len, names);
    text_put(t, "),le(");
    odp_text_put(t, greater + sizes->greater_len, sizes->less_equal_len, names);
    text_put(t, "))");
}

static void text_action(struct text *t, const struct odp_action *a,
                        const struct odp_text_names *names) {
    const uint8_t *payload = odp_payload(a);
    switch ((enum odp_action_type)a->type) {
    case ODP_OUTPUT: text_port(t, a->arg, names); break;
    case ODP_DROP: text_put(t, "drop"); break;
    case ODP_SET:
        text_put(t, "set(");
        text_set(t, (enum odp_key)a->arg, payload, payload + odp_key_len((enum odp_key)a->arg));
        break;
    case ODP_PUSH_VLAN: text_push_vlan(t, a->arg); break;
    case ODP_POP_VLAN: text_put(t, "pop_vlan"); break;
    case ODP_PUSH_MPLS:
    case ODP_ADD_MPLS: text_push_mpls(t, a); break;
    case ODP_POP_MPLS: text_put(t, "pop_mpls(eth_type=0x%x)", a->arg); break;
    case ODP_PUSH_ETH: text_push_eth(t, odp_payload(a)); break;
    case ODP_POP_ETH: text_put(t, "pop_eth"); break;
    case ODP_PUSH_NSH: text_push_nsh(t, a); break;
    case ODP_POP_NSH: text_put(t, "pop_nsh()"); break;
    case ODP_TRUNC: text_put(t, "trunc(%u)", a->arg); break;
    case ODP_HASH: {
        const struct odp_hash *hash = odp_payload(a);
        text_put(t, "hash(%s(%u))", hash->alg == ODP_HASH_SYM_L4 ? "sym_l4" : "l4", a->arg);
        break;
    }
    case ODP_RECIRC: text_put(t, "recirc(%#x)", a->arg); break;
    case ODP_CLONE:
        text_put(t, "clone(");
        odp_text_put(t, payload, a->len - sizeof *a, names);
        text_put(t, ")");
        break;
    case ODP_SAMPLE: text_sample(t, a, names); break;
    case ODP_CHECK_PKT_LEN: text_check_pkt_len(t, a, names); break;
    case ODP_METER: text_put(t, "meter(%u)", a->arg); break;
    case ODP_CONTROLLER: text_controller(t, a->arg, names); break;
    case ODP_CT: text_ct(t, odp_payload(a)); break;
    case ODP_CT_CLEAR: text_put(t, "ct_clear"); break;
    case ODP_TUNNEL_PUSH:
        text_put(t, "tnl_push(tnl_port(");
        text_port(t, a->arg, names);
        text_put(t, "))");
        break;
    case ODP_TUNNEL_POP:
        text_put(t, "tnl_pop(");
        text_port(t, a->arg, names);
        text_put(t, ")");
        break;
    case ODP_N_TYPES: break;
    }
}

void odp_text_put(struct text *t, const void *bytes, size_t len,
                  const struct odp_text_names *names) {
    if (len == 0) {
        text_put(t, "drop");
        return;
    }
    ODP_FOR_EACH(a, bytes, len) {
        if (a != bytes) {
            text_put(t, ",");
        }
        text_action(t, a, names);
    }
}
