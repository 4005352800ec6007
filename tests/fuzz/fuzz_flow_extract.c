// Any bytes as a frame: the extractor reads within them, and what it says of them is consistent.

#include <stdlib.h>

#include "datapath/flow/flow_extract.h"

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct flow flow, again;
    if (size > UINT16_MAX) {
        return 0;
    }
    uint8_t *frame = malloc(size + !size); // Ends where the frame ends: a read too far is seen.
    memcpy(frame, data, size);
    struct dp_packet p = {.data = frame, .len = (uint16_t)size, .in_port = 7};
    enum drop_reason reason = flow_extract(&p, &flow);
    check((reason == DROP_RUNT) == (size < 14));
    if (reason == DROP_NONE) {
        check(p.l3_ofs <= size);
        check(p.l4_ofs == RS_OFS_NONE || (p.l4_ofs < size && p.l4_ofs > p.l3_ofs));
        check(p.l4_ofs == RS_OFS_NONE || flow.nw_frag == 0);
        check(flow.in_port == 7 && flow.nw_ttl_unused == 0 && flow.pad == 0);
        flow_extract(&p, &again);
        check(flow_equal(&flow, &again));
    }
    free(frame);
    return 0;
}
