// Building lists of actions: in a buffer of the caller's, on the heap once they grow out of it.
//
// The one file of this room that allocates: lists grow in the slow path alone. The executor reads
// them and builds none.

#include <stdlib.h>

#include "datapath/action/odp_action.h"

#define FIRST_HEAP_BYTES 1024u

static_assert(sizeof(struct odp_action) == 8, "a header is one word");

struct odp_list odp_list_on(void *buffer, uint32_t cap) {
    assert(((uintptr_t)buffer & 7) == 0); // Actions are read as they lie there.
    return (struct odp_list){.data = buffer, .cap = buffer ? cap & ~7u : 0};
}

void odp_list_destroy(struct odp_list *list) {
    if (list->owned) {
        free(list->data);
    }
    *list = (struct odp_list){0};
}

void odp_list_clear(struct odp_list *list) {
    list->len = 0;
    list->overflow = false;
}

static bool list_reserve(struct odp_list *list, uint32_t bytes) {
    if (likely(bytes <= list->cap - list->len)) {
        return true;
    }
    uint32_t need = list->len + bytes;
    if (need > ODP_LIST_MAX) {
        return false;
    }
    uint32_t cap = list->cap < FIRST_HEAP_BYTES ? FIRST_HEAP_BYTES : list->cap;
    while (cap < need) {
        cap *= 2;
    }
    uint8_t *data = realloc(list->owned ? list->data : NULL, cap);
    if (!data) {
        return false;
    }
    if (!list->owned && list->len > 0) {
        memcpy(data, list->data, list->len);
    }
    list->data = data;
    list->cap = cap;
    list->owned = true;
    return true;
}

void *odp_put(struct odp_list *list, enum odp_action_type type, uint32_t arg, size_t payload_len) {
    size_t len = sizeof(struct odp_action) + ((payload_len + 7) & ~(size_t)7);

    if (unlikely(list->overflow || len > UINT16_MAX || !list_reserve(list, (uint32_t)len))) {
        list->overflow = true;
        return NULL;
    }
    struct odp_action *a = (struct odp_action *)(void *)(list->data + list->len);
    memset(a, 0, len); // Equal lists are equal bytes.
    *a = (struct odp_action){.type = (uint16_t)type, .len = (uint16_t)len, .arg = arg};
    list->len += (uint32_t)len;
    return a + 1;
}

size_t odp_key_len(enum odp_key key) {
    static const uint16_t lengths[ODP_N_KEYS] = {
        [ODP_KEY_ETH] = sizeof(struct odp_key_eth),
        [ODP_KEY_VLAN] = sizeof(be16),
        [ODP_KEY_MPLS] = sizeof(be32),
        [ODP_KEY_IPV4] = sizeof(struct odp_key_ipv4),
        [ODP_KEY_IPV6] = sizeof(struct odp_key_ipv6),
        [ODP_KEY_ARP] = sizeof(struct odp_key_arp),
        [ODP_KEY_TCP] = sizeof(struct odp_key_ports),
        [ODP_KEY_UDP] = sizeof(struct odp_key_ports),
        [ODP_KEY_SCTP] = sizeof(struct odp_key_ports),
        [ODP_KEY_ICMP] = sizeof(struct odp_key_icmp),
        [ODP_KEY_ICMPV6] = sizeof(struct odp_key_icmp),
        [ODP_KEY_ND] = sizeof(struct odp_key_nd),
        [ODP_KEY_ND_EXT] = sizeof(struct odp_key_nd_ext),
        [ODP_KEY_NSH] = sizeof(struct odp_key_nsh),
        [ODP_KEY_TUNNEL] = sizeof(struct flow_tnl),
        [ODP_KEY_PRIORITY] = sizeof(uint32_t),
        [ODP_KEY_MARK] = sizeof(uint32_t),
    };
    return (unsigned)key < ODP_N_KEYS ? lengths[key] : 0;
}

void odp_put_set(struct odp_list *list, enum odp_key key, const void *value, const void *mask) {
    size_t len = odp_key_len(key);
    uint8_t *payload = odp_put(list, ODP_SET, key, 2 * len);

    if (payload) {
        for (size_t i = 0; i < len; i++) { // Bits outside the mask are 0: equal lists, equal bytes.
            payload[i] = ((const uint8_t *)value)[i] & ((const uint8_t *)mask)[i];
        }
        memcpy(payload + len, mask, len);
    }
}

uint32_t odp_begin(struct odp_list *list, enum odp_action_type type, uint32_t arg,
                   size_t fixed_len) {
    uint32_t offset = list->len;
    odp_put(list, type, arg, fixed_len);
    return offset;
}

void odp_end(struct odp_list *list, uint32_t offset) {
    if (list->overflow) {
        return;
    }
    uint32_t len = list->len - offset;
    if (len > UINT16_MAX) {
        list->overflow = true;
        return;
    }
    ((struct odp_action *)(void *)(list->data + offset))->len = (uint16_t)len;
}
