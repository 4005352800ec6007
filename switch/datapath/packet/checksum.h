// Internet checksums (RFC 1071): whole, and completing what a veth peer left unfinished.

#ifndef RINGSIDE_PACKET_CHECKSUM_H
#define RINGSIDE_PACKET_CHECKSUM_H

#include "datapath/packet/dp_packet.h"

// One's complement sum of `len` bytes added to `sum`, not folded; csum_fold() makes it a checksum.
uint64_t csum_partial(const void *data, size_t len, uint64_t sum);
be16 csum_fold(uint64_t sum); // Folded and complemented.

// A sender with checksum offload leaves in the TCP/UDP checksum field the folded, uncomplemented
// sum of the pseudo header (Linux CHECKSUM_PARTIAL). This finds that by comparing two bytes,
// without reading the payload, and then completes the checksum; a finished checksum is left alone
// (one in 65,536 looks unfinished and is recomputed to the value it has). Needs p->l3_ofs, l4_ofs,
// l4_proto (flow_extract). True if it was completed.
bool csum_complete_partial(struct dp_packet *p);

#endif
