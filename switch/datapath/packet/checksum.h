// Internet checksums (RFC 1071): whole, changed along with the bytes they cover (RFC 1624), and completing
// what a veth peer left unfinished. CRC32c for SCTP.
//
// One's complement sums do not depend on byte order (RFC 1071, 2(B)), so words are taken as they lie in
// memory and folded results are in network order.

#ifndef RINGSIDE_PACKET_CHECKSUM_H
#define RINGSIDE_PACKET_CHECKSUM_H

#include "datapath/packet/dp_packet.h"

// One's complement addition: the carry out of the top comes back in at the bottom.
static inline uint64_t csum_add(uint64_t sum, uint64_t v) {
    sum += v;
    return sum + (sum < v);
}

// Folds to 16 bits; 0 only for a sum of zeros. Added to itself with its halves exchanged, a number has in its upper
// half the sum of both, and the carry of that sum has come in from below.
static inline uint16_t csum_fold_raw(uint64_t sum) {
    sum += sum >> 32 | sum << 32;
    uint32_t half = (uint32_t)(sum >> 32);
    half += half >> 16 | half << 16;
    return (uint16_t)(half >> 16);
}

// One's complement sum of `len` bytes added to `sum`, not folded; csum_fold() makes it a checksum.
uint64_t csum_partial(const void *data, size_t len, uint64_t sum);
static inline be16 csum_fold(uint64_t sum) { // Folded and complemented.
    return (be16)~csum_fold_raw(sum);
}

// What a change of covered bytes adds to the sum under a checksum: several changes are added up with
// csum_add(), then csum_apply() is done once. The words lie in memory at even offsets from where the
// checksum begins; shorter ones are widened as they are.
static inline uint64_t csum_delta16(be16 old, be16 new) {
    return (uint64_t) new + (uint16_t)~old;
}
static inline uint64_t csum_delta32(be32 old, be32 new) {
    return (uint64_t) new + (uint32_t)~old;
}
static inline uint64_t csum_delta64(uint64_t old, uint64_t new) {
    return csum_add(new, ~old);
}
// RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). Of a right checksum it makes what computing it anew would.
static inline be16 csum_apply(be16 csum, uint64_t delta) {
    return csum_fold(csum_add(delta, (uint16_t)~csum));
}

// A sender with checksum offload leaves in the TCP/UDP checksum field the folded, uncomplemented
// sum of the pseudo header (Linux CHECKSUM_PARTIAL). This finds that by comparing two bytes,
// without reading the payload, and then completes the checksum; a finished checksum is left alone
// (one in 65,536 looks unfinished and is recomputed to the value it has). Needs p->l3_ofs, l4_ofs,
// l4_proto (flow_extract). True if it was completed.
bool csum_complete_partial(struct dp_packet *p);

// CRC32c (RFC 9260, appendix A) of a message whose bytes change: SCTP's checksum after the four bytes at its
// begin (the ports) became `new`, of `len` bytes in all. A wrong one stays as wrong as it was.
be32 crc32c_change_first_word(be32 crc, be32 old, be32 new, size_t len);
// CRC32c of `len` bytes, in the byte order in which SCTP carries it.
be32 crc32c(const void *data, size_t len);

#endif
