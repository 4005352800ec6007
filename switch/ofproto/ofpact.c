// Lists of actions: growing, comparing, looking into, and the action set's order.

#include "ofproto/ofpact.h"

#include <errno.h>
#include <stdlib.h>

#define OFPACTS_FIRST 128u // Bytes of a list's first allocation: most rules fit.

// Makes room for n more bytes; errno says why not.
static bool list_reserve(struct ofpacts *list, size_t n) {
    if (n > OFPACTS_MAX || list->len + n > OFPACTS_MAX) {
        errno = E2BIG;
        return false;
    }
    uint32_t needed = list->len + (uint32_t)n;
    if (needed <= list->cap) {
        return true;
    }
    uint32_t cap = list->cap ? list->cap : OFPACTS_FIRST;
    while (cap < needed) {
        cap *= 2;
    }
    uint8_t *data = realloc(list->data, cap);
    if (!data) {
        return false;
    }
    list->data = data;
    list->cap = cap;
    return true;
}

void *ofpact_put(struct ofpacts *list, enum ofpact_type type, size_t size) {
    size_t padded = (size + 7) & ~(size_t)7;
    if (!list_reserve(list, padded)) {
        return NULL;
    }
    struct ofpact *a = (struct ofpact *)(void *)(list->data + list->len);
    memset(a, 0, padded);
    a->type = (uint8_t)type;
    a->len = (uint16_t)padded;
    list->len += (uint32_t)padded;
    return a;
}

void *ofpact_grow(struct ofpacts *list, uint32_t offset, size_t size) {
    size_t padded = (size + 7) & ~(size_t)7;
    if (!list_reserve(list, padded)) {
        return NULL;
    }
    uint8_t *end = list->data + list->len;
    memset(end, 0, padded);
    list->len += (uint32_t)padded;
    ofpact_close(list, offset);
    return end;
}

void ofpact_close(struct ofpacts *list, uint32_t offset) {
    struct ofpact *a = (struct ofpact *)(void *)(list->data + offset);
    a->len = (uint16_t)(list->len - offset);
}

int ofpacts_append(struct ofpacts *list, const void *bytes, size_t n) {
    assert(n % 8 == 0);
    if (n == 0) {
        return 0;
    }
    if (!list_reserve(list, n)) {
        return -ENOMEM;
    }
    memcpy(list->data + list->len, bytes, n);
    list->len += (uint32_t)n;
    return 0;
}

void ofpacts_destroy(struct ofpacts *list) {
    free(list->data);
    *list = (struct ofpacts){0};
}

bool ofpacts_equal(const void *a, size_t a_len, const void *b, size_t b_len) {
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool sends_to_port(const struct ofpact *a, uint16_t port) {
    switch (a->type) {
    case OFPACT_OUTPUT: return ((const struct ofpact_output *)(const void *)a)->port == port;
    case OFPACT_ENQUEUE: return ((const struct ofpact_enqueue *)(const void *)a)->port == port;
    case OFPACT_CONTROLLER: return port == OFPP_CONTROLLER;
    default: return false;
    }
}

bool ofpacts_output_to_port(const void *bytes, size_t n, uint16_t port) {
    OFPACT_FOR_EACH(a, bytes, n) {
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        if (sends_to_port(a, port) || ofpacts_output_to_port(nested, nested_len, port)) {
            return true;
        }
    }
    return false;
}

bool ofpacts_output_to_group(const void *bytes, size_t n, uint32_t group) {
    OFPACT_FOR_EACH(a, bytes, n) {
        size_t nested_len;
        const void *nested = ofpact_nested(a, &nested_len);
        if (a->type == OFPACT_GROUP &&
            ((const struct ofpact_u32 *)(const void *)a)->value == group) {
            return true;
        }
        if (ofpacts_output_to_group(nested, nested_len, group)) {
            return true;
        }
    }
    return false;
}

const struct ofpact *ofpacts_find(const void *bytes, size_t n, enum ofpact_type type) {
    OFPACT_FOR_EACH(a, bytes, n) {
        if (a->type == type) {
            return a;
        }
    }
    return NULL;
}

// -- the action set --

// Actions that a set has once, the last one given, in the order in which they are executed.
static const uint8_t set_slots[] = {
    OFPACT_STRIP_VLAN, OFPACT_POP_MPLS, OFPACT_DECAP,        OFPACT_ENCAP,       OFPACT_PUSH_MPLS,
    OFPACT_PUSH_VLAN,  OFPACT_DEC_TTL,  OFPACT_DEC_MPLS_TTL, OFPACT_DEC_NSH_TTL,
};

// Actions that end a set, one of them alone: a later one of this table wins, then a later one of the set. Without
// any of them the set does nothing.
static const uint8_t set_finals[] = {
    OFPACT_CT, OFPACT_CT_CLEAR, OFPACT_RESUBMIT, OFPACT_OUTPUT, OFPACT_GROUP,
};

// Actions that change fields: all of them, as they were given.
static const uint8_t set_changes[] = {
    OFPACT_SET_FIELD,    OFPACT_REG_MOVE,        OFPACT_SET_ETH_DST,     OFPACT_SET_ETH_SRC,
    OFPACT_SET_IP_DSCP,  OFPACT_SET_IP_ECN,      OFPACT_SET_IP_TTL,      OFPACT_SET_IPV4_DST,
    OFPACT_SET_IPV4_SRC, OFPACT_SET_L4_DST_PORT, OFPACT_SET_L4_SRC_PORT, OFPACT_SET_MPLS_LABEL,
    OFPACT_SET_MPLS_TC,  OFPACT_SET_MPLS_TTL,    OFPACT_SET_QUEUE,       OFPACT_SET_TUNNEL,
    OFPACT_SET_VLAN_PCP, OFPACT_SET_VLAN_VID,
};

static int type_index(const uint8_t *types, size_t n, uint8_t type) {
    for (size_t i = 0; i < n; i++) {
        if (types[i] == type) {
            return (int)i;
        }
    }
    return -1;
}
#define TYPE_INDEX(types, type) type_index(types, RS_ARRAY_SIZE(types), type)

bool ofpact_fits_action_set(enum ofpact_type type) {
    return TYPE_INDEX(set_slots, (uint8_t)type) >= 0 ||
           TYPE_INDEX(set_finals, (uint8_t)type) >= 0 ||
           TYPE_INDEX(set_changes, (uint8_t)type) >= 0;
}

int ofpacts_execute_action_set(struct ofpacts *out, const void *set, size_t n) {
    const struct ofpact *slots[RS_ARRAY_SIZE(set_slots)] = {0};
    const struct ofpact *final = NULL;
    int final_rank = -1;
    OFPACT_FOR_EACH(a, set, n) {
        int slot = TYPE_INDEX(set_slots, a->type);
        int rank = TYPE_INDEX(set_finals, a->type);
        if (slot >= 0) {
            slots[slot] = a;
        } else if (rank >= 0 && rank >= final_rank) {
            final = a;
            final_rank = rank;
        }
    }
    if (!final) {
        return 0;
    }
    int error = 0;
    for (size_t i = 0; i < RS_ARRAY_SIZE(slots) && !error; i++) {
        error = slots[i] ? ofpacts_append(out, slots[i], slots[i]->len) : 0;
    }
    OFPACT_FOR_EACH(a, set, n) {
        if (!error && TYPE_INDEX(set_changes, a->type) >= 0) {
            error = ofpacts_append(out, a, a->len);
        }
    }
    return error ? error : ofpacts_append(out, final, final->len);
}
