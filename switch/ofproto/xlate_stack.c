// push and pop. On the stack: a value's bytes, big-endian, then one byte that says how many.

#include "ofproto/xlate_private.h"

enum { VALUE_BYTES = sizeof(union mf_value) };

static unsigned bytes_of(const struct mf_subfield *sf) {
    return (sf->n_bits + 7u) / 8;
}

enum xstep xlate_do_stack_push(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct mf_subfield *sf = &((const struct ofpact_stack *)(const void *)a)->subfield;
    uint8_t n = (uint8_t)bytes_of(sf);
    union mf_value value;
    (void)at;
    mf_mask_subfield(sf, x->wc);
    mf_read_subfield(sf, x->flow, &value);
    if (xbuf_put(x, &x->stack, value.b + VALUE_BYTES - n, n)) {
        xbuf_put(x, &x->stack, &n, 1);
    }
    return XSTEP_NEXT;
}

enum xstep xlate_do_stack_pop(struct xlate *x, const struct ofpact *a, const struct xplace *at) {
    const struct mf_subfield *sf = &((const struct ofpact_stack *)(const void *)a)->subfield;
    struct xbuf *stack = &x->stack;
    union mf_value value;
    (void)at;
    if (stack->len == 0) {
        xlate_error(x, "stack underflow");
        return XSTEP_NEXT;
    }
    uint8_t n = stack->data[--stack->len];
    assert(n <= stack->len && n <= VALUE_BYTES);
    stack->len -= n;
    memset(&value, 0, sizeof value);
    memcpy(value.b + VALUE_BYTES - n, stack->data + stack->len, n);
    mf_mask_subfield(sf, x->wc);
    mf_write_subfield(sf, &value, x->flow);
    xlate_say_subfield(x, sf);
    return XSTEP_NEXT;
}
