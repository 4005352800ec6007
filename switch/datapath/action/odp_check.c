// Is a row of bytes a list of actions that the executor may be given?
//
// One row of the table for each type: how long its payload is, and what must hold of it. What
// odp_put() and its siblings make from valid arguments passes; the executor asserts no more than this.

#include "datapath/action/odp_action.h"
#include "datapath/drop_reason.h"
#include "datapath/port/port.h"

#define TRUNC_MIN 14u // An Ethernet header.

struct checker {
    const char *why;
    unsigned depth;
};

static bool list_ok(struct checker *c, const uint8_t *bytes, size_t n);

static bool refuse(struct checker *c, const char *why) {
    c->why = why;
    return false;
}

static bool is_zero(const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (((const uint8_t *)bytes)[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool output_ok(struct checker *c, const struct odp_action *a) {
    return (a->arg > 0 && a->arg < RS_MAX_PORTS) || refuse(c, "port id out of range");
}

static bool drop_ok(struct checker *c, const struct odp_action *a) {
    return a->arg < DROP_N_REASONS || refuse(c, "unknown drop reason");
}

static bool recirc_ok(struct checker *c, const struct odp_action *a) {
    return a->arg != 0 || refuse(c, "recirculation id 0");
}

static bool trunc_ok(struct checker *c, const struct odp_action *a) {
    return a->arg >= TRUNC_MIN || refuse(c, "trunc shorter than an Ethernet header");
}

static bool vlan_ok(struct checker *c, const struct odp_action *a) {
    uint32_t tpid = a->arg >> 16;
    if (tpid != 0x8100 && tpid != 0x88a8) {
        return refuse(c, "TPID is neither 0x8100 nor 0x88a8");
    }
    return !(a->arg & FLOW_VLAN_CFI) || refuse(c, "CFI bit in push_vlan");
}

static bool push_mpls_ok(struct checker *c, const struct odp_action *a) {
    const struct odp_push_mpls *push = odp_payload(a);
    return flow_is_mpls(push->ethertype) || refuse(c, "push_mpls with a foreign EtherType");
}

static bool pop_mpls_ok(struct checker *c, const struct odp_action *a) {
    return a->arg <= UINT16_MAX || refuse(c, "EtherType over 16 bits");
}

static bool push_nsh_ok(struct checker *c, const struct odp_action *a) {
    size_t fixed = sizeof *a + sizeof(struct odp_key_nsh);
    const struct odp_key_nsh *key = odp_payload(a);
    if (a->len < fixed || a->len - fixed != ((a->arg + 7u) & ~7u) || a->arg > ODP_NSH_MD2_MAX ||
        a->arg % 4 != 0) {
        return refuse(c, "push_nsh metadata length");
    }
    if (key->nsh.mdtype != 1 && key->nsh.mdtype != 2) {
        return refuse(c, "NSH metadata type is neither 1 nor 2");
    }
    return key->nsh.mdtype == 2 || a->arg == 0 || refuse(c, "NSH type 1 with variable metadata");
}

static bool hash_ok(struct checker *c, const struct odp_action *a) {
    const struct odp_hash *hash = odp_payload(a);
    return hash->alg < ODP_HASH_N_ALGS || refuse(c, "unknown hash algorithm");
}

static bool nested_ok(struct checker *c, const struct odp_action *a) {
    return list_ok(c, odp_payload(a), a->len - sizeof *a);
}

static bool check_pkt_len_ok(struct checker *c, const struct odp_action *a) {
    const struct odp_check_pkt_len *sizes = odp_payload(a);
    size_t fixed = sizeof *a + sizeof *sizes;
    if (a->len < fixed || sizes->greater_len > a->len - fixed ||
        sizes->less_equal_len != a->len - fixed - sizes->greater_len) {
        return refuse(c, "check_pkt_len: lengths of the two lists");
    }
    const uint8_t *greater = (const uint8_t *)(sizes + 1);
    return list_ok(c, greater, sizes->greater_len) &&
           list_ok(c, greater + sizes->greater_len, sizes->less_equal_len);
}

static bool ct_ok(struct checker *c, const struct odp_action *a) {
    const struct odp_ct *ct = odp_payload(a);
    if (memchr(ct->helper, '\0', sizeof ct->helper) == NULL) {
        return refuse(c, "ct: helper's name has no end");
    }
    return ct->flags < 2 * ODP_CT_NAT_IPV6 || refuse(c, "ct: unknown flags");
}

// Fields that stand in a key for its shape alone must not be in the mask.
static bool set_mask_ok(struct checker *c, enum odp_key key, const void *mask) {
    const struct odp_key_ipv4 *ipv4 = mask;
    const struct odp_key_ipv6 *ipv6 = mask;
    const struct odp_key_nsh *nsh = mask;
    const uint8_t *bytes = mask;
    switch ((unsigned)key) {
    case ODP_KEY_IPV4:
        return (!ipv4->proto && !ipv4->frag) || refuse(c, "set(ipv4): proto and frag are fixed");
    case ODP_KEY_IPV6:
        if (ipv6->label & ~hton32(0xfffff)) {
            return refuse(c, "set(ipv6): a label has 20 bits");
        }
        return (!ipv6->proto && !ipv6->frag) || refuse(c, "set(ipv6): proto and frag are fixed");
    case ODP_KEY_NSH:
        return (!nsh->nsh.mdtype && !nsh->nsh.np) || refuse(c, "set(nsh): mdtype and np are fixed");
    case ODP_KEY_TUNNEL:
        for (size_t i = 0; i < sizeof(struct flow_tnl); i++) {
            if (bytes[i] != 0xff) {
                return refuse(c, "set(tunnel) sets the whole of it");
            }
        }
    }
    return true;
}

static bool set_ok(struct checker *c, const struct odp_action *a) {
    size_t len = a->arg < ODP_N_KEYS ? odp_key_len((enum odp_key)a->arg) : 0;
    if (len == 0) {
        return refuse(c, "set of an unknown key");
    }
    size_t used = sizeof *a + 2 * len;
    if (a->len != ((used + 7) & ~(size_t)7)) {
        return refuse(c, "set: length of key and mask");
    }
    const uint8_t *payload = odp_payload(a);
    return set_mask_ok(c, (enum odp_key)a->arg, payload + len) &&
           (is_zero(payload + 2 * len, a->len - used) || refuse(c, "set: padding is not zero"));
}

#define ANY UINT16_MAX // The check looks at the length itself.

static const struct {
    uint16_t payload;
    bool last; // Must end its list.
    bool (*ok)(struct checker *c, const struct odp_action *a);
} rules[ODP_N_TYPES] = {
    [ODP_OUTPUT] = {0, false, output_ok},
    [ODP_DROP] = {0, true, drop_ok},
    [ODP_SET] = {ANY, false, set_ok},
    [ODP_PUSH_VLAN] = {0, false, vlan_ok},
    [ODP_POP_VLAN] = {0, false, NULL},
    [ODP_PUSH_MPLS] = {sizeof(struct odp_push_mpls), false, push_mpls_ok},
    [ODP_POP_MPLS] = {0, false, pop_mpls_ok},
    [ODP_PUSH_ETH] = {(sizeof(struct odp_key_eth) + 7) & ~7u, false, NULL},
    [ODP_POP_ETH] = {0, false, NULL},
    [ODP_PUSH_NSH] = {ANY, false, push_nsh_ok},
    [ODP_POP_NSH] = {0, false, NULL},
    [ODP_TRUNC] = {0, false, trunc_ok},
    [ODP_HASH] = {sizeof(struct odp_hash), false, hash_ok},
    [ODP_RECIRC] = {0, false, recirc_ok},
    [ODP_CLONE] = {ANY, false, nested_ok},
    [ODP_SAMPLE] = {ANY, false, nested_ok},
    [ODP_CHECK_PKT_LEN] = {ANY, false, check_pkt_len_ok},
    [ODP_METER] = {0, false, NULL},
    [ODP_CONTROLLER] = {0, false, NULL},
    [ODP_CT] = {sizeof(struct odp_ct), false, ct_ok},
    [ODP_CT_CLEAR] = {0, false, NULL},
    [ODP_TUNNEL_PUSH] = {0, false, output_ok},
    [ODP_TUNNEL_POP] = {0, false, output_ok},
    [ODP_ADD_MPLS] = {sizeof(struct odp_push_mpls), false, push_mpls_ok},
};

static bool action_ok(struct checker *c, const struct odp_action *a, bool last) {
    if (a->type >= ODP_N_TYPES) {
        return refuse(c, "unknown action type");
    }
    if (rules[a->type].payload != ANY && a->len != sizeof *a + rules[a->type].payload) {
        return refuse(c, "payload of another length");
    }
    if (rules[a->type].last && !last) {
        return refuse(c, "actions behind drop");
    }
    return !rules[a->type].ok || rules[a->type].ok(c, a);
}

static bool list_ok(struct checker *c, const uint8_t *bytes, size_t n) {
    if (++c->depth > ODP_MAX_NESTING) {
        return refuse(c, "lists nested too deep");
    }
    while (n > 0) {
        const struct odp_action *a = (const struct odp_action *)(const void *)bytes;
        if (n < sizeof *a || a->len < sizeof *a || a->len > n || a->len % 8 != 0) {
            return refuse(c, "action length");
        }
        if (!action_ok(c, a, a->len == n)) {
            return false;
        }
        bytes += a->len;
        n -= a->len;
    }
    c->depth--;
    return true;
}

bool odp_check(const void *bytes, size_t n, const char **why) {
    struct checker c = {0};
    *why = NULL;
    if (((uintptr_t)bytes & 7) != 0) {
        *why = "list is not aligned to eight bytes";
        return false;
    }
    if (n > ODP_LIST_MAX) {
        *why = "list is longer than 65536 bytes";
        return false;
    }
    bool ok = list_ok(&c, bytes, n);
    *why = c.why;
    return ok;
}
