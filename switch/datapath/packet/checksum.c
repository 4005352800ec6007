#include "datapath/packet/checksum.h"

#include <netinet/in.h>

#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER     40u
#define IPV4_FRAGMENT   0x3fffu // MF flag and offset.
#define UDP_HEADER      8u
#define TCP_HEADER      20u

static inline uint64_t load_u64(const void *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

uint64_t csum_partial(const void *data, size_t len, uint64_t sum) {
    const uint8_t *p = data;

    for (; len >= 32; p += 32, len -= 32) {
        sum = csum_add(sum, load_u64(p));
        sum = csum_add(sum, load_u64(p + 8));
        sum = csum_add(sum, load_u64(p + 16));
        sum = csum_add(sum, load_u64(p + 24));
    }
    for (; len >= 8; p += 8, len -= 8) {
        sum = csum_add(sum, load_u64(p));
    }
    if (len > 0) {
        uint64_t tail = 0; // Padded with zeros at the end, as RFC 1071 asks for an odd byte.
        memcpy(&tail, p, len);
        sum = csum_add(sum, tail);
    }
    return sum;
}

// What the L4 checksum of a packet covers.
struct l4_span {
    size_t len;      // L4 header and payload, by the IP header: the frame may be padded.
    uint64_t pseudo; // Sum over the pseudo header.
};

static inline uint64_t pseudo_tail(uint8_t proto, size_t len) {
    // As the last eight bytes of IPv6's pseudo header (RFC 8200, 8.1); IPv4's differs by zeros
    // only.
    uint8_t tail[8] = {(uint8_t)(len >> 24),
                       (uint8_t)(len >> 16),
                       (uint8_t)(len >> 8),
                       (uint8_t)len,
                       0,
                       0,
                       0,
                       proto};
    return load_u64(tail);
}

static bool ipv4_span(const struct dp_packet *p, struct l4_span *span) {
    if (p->l3_ofs + IPV4_HEADER_MIN > p->l4_ofs) {
        return false;
    }
    const uint8_t *ip = p->data + p->l3_ofs;
    size_t total = ntoh16(load_be16(ip + 2));
    size_t header = (size_t)p->l4_ofs - p->l3_ofs;
    if (total < header || (ntoh16(load_be16(ip + 6)) & IPV4_FRAGMENT) != 0) {
        return false;
    }
    span->len = total - header;
    span->pseudo = csum_partial(ip + 12, 8, pseudo_tail(p->l4_proto, span->len));
    return true;
}

// Does a fragment header of a real fragment stand between the IPv6 header and L4?
static bool ipv6_is_fragment(const uint8_t *ip, size_t headers) {
    uint8_t next = ip[6];
    for (size_t ofs = IPV6_HEADER; ofs + 8 <= headers;) {
        const uint8_t *ext = ip + ofs;
        if (next == IPPROTO_FRAGMENT && (ntoh16(load_be16(ext + 2)) & 0xfff9u) != 0) {
            return true;
        }
        // RFC 8200 counts in 8 bytes past the first 8, the authentication header in 4 past the
        // first 8.
        size_t len = next == IPPROTO_AH         ? ((size_t)ext[1] + 2) * 4
                     : next == IPPROTO_FRAGMENT ? 8
                                                : ((size_t)ext[1] + 1) * 8;
        next = ext[0];
        ofs += len;
    }
    return false;
}

static bool ipv6_span(const struct dp_packet *p, struct l4_span *span) {
    if (p->l3_ofs + IPV6_HEADER > p->l4_ofs) {
        return false;
    }
    const uint8_t *ip = p->data + p->l3_ofs;
    size_t headers = (size_t)p->l4_ofs - p->l3_ofs;
    size_t payload = ntoh16(load_be16(ip + 4));
    if (payload < headers - IPV6_HEADER || ipv6_is_fragment(ip, headers)) {
        return false;
    }
    span->len = payload - (headers - IPV6_HEADER);
    span->pseudo = csum_partial(ip + 8, 32, pseudo_tail(p->l4_proto, span->len));
    return true;
}

bool csum_complete_partial(struct dp_packet *p) {
    size_t field, header;

    if (p->l4_proto == IPPROTO_TCP) {
        field = 16;
        header = TCP_HEADER;
    } else if (p->l4_proto == IPPROTO_UDP) {
        field = 6;
        header = UDP_HEADER;
    } else {
        return false;
    }
    if (p->l3_ofs == RS_OFS_NONE || p->l4_ofs == RS_OFS_NONE || p->l4_ofs > p->len) {
        return false;
    }
    struct l4_span span;
    uint8_t version = p->l3_ofs < p->l4_ofs ? p->data[p->l3_ofs] >> 4 : 0;
    if (version == 4 ? !ipv4_span(p, &span) : version != 6 || !ipv6_span(p, &span)) {
        return false;
    }
    if (span.len < header || span.len > (size_t)p->len - p->l4_ofs) {
        return false; // Truncated: there is no telling what the sum should be.
    }
    uint8_t *l4 = p->data + p->l4_ofs;
    if (load_be16(l4 + field) != csum_fold_raw(span.pseudo)) {
        return false;
    }
    // The field holds the pseudo header's sum already, so the sum over all of L4 is the whole one.
    be16 csum = csum_fold(csum_partial(l4, span.len, 0));
    if (csum == 0 && p->l4_proto == IPPROTO_UDP) {
        csum = 0xffff; // 0 would say "no checksum" (RFC 768).
    }
    memcpy(l4 + field, &csum, sizeof csum);
    return true;
}
