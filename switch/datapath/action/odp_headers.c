#include "datapath/action/odp_headers.h"

enum { EXT_HOPOPTS = 0, EXT_ROUTING = 43, EXT_FRAGMENT = 44, EXT_AH = 51, EXT_DSTOPTS = 60 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t l4_need(uint8_t proto) {
    switch (proto) {
    case PROTO_TCP: return TCP_LEN;
    case PROTO_UDP: return UDP_LEN;
    case PROTO_SCTP: return SCTP_LEN;
    case PROTO_ICMP:
    case PROTO_ICMPV6: return ICMP_LEN;
    default: return 0;
    }
}

static struct l4_header l4_at(const uint8_t *ip, size_t offset, size_t end, uint8_t proto,
                              bool rerouted) {
    struct l4_header l4 = {.proto = proto, .rerouted = rerouted};
    if (offset <= end && end - offset >= l4_need(proto)) {
        l4.data = (uint8_t *)(uintptr_t)ip + offset;
        l4.len = end - offset;
    }
    return l4;
}

struct l4_header ipv4_l4(const struct dp_packet *p, const uint8_t *ip) {
    size_t there = (size_t)(p->data + p->len - ip);
    size_t header = (size_t)(ip[0] & 15) * 4;
    size_t total = ntoh16(load_be16(ip + 2));
    if (header < IPV4_LEN || header > total || header > there ||
        (load_be16(ip + 6) & hton16(0x1fff)) != 0) {
        return (struct l4_header){.proto = ip[9]};
    }
    return l4_at(ip, header, smaller(total, there), ip[9], false);
}

static bool is_extension(uint8_t next) {
    return next == EXT_HOPOPTS || next == EXT_ROUTING || next == EXT_FRAGMENT || next == EXT_AH ||
           next == EXT_DSTOPTS;
}

struct l4_header ipv6_l4(const struct dp_packet *p, const uint8_t *ip) {
    size_t there = (size_t)(p->data + p->len - ip);
    size_t end = smaller(IPV6_LEN + ntoh16(load_be16(ip + 4)), there);
    size_t at = IPV6_LEN;
    uint8_t next = ip[6];
    bool rerouted = false, later = false;

    while (is_extension(next) && !later) {
        if (at + 8 > end) {
            return (struct l4_header){.proto = next, .rerouted = rerouted};
        }
        const uint8_t *ext = ip + at;
        // RFC 8200 counts in 8 bytes behind the first 8; the authentication header (RFC 4302) in 4.
        size_t len = ((size_t)ext[1] + 1) * 8;
        if (next == EXT_AH) {
            len = ((size_t)ext[1] + 2) * 4;
        } else if (next == EXT_FRAGMENT) {
            len = 8;
            later = (load_be16(ext + 2) & hton16(0xfff8)) != 0;
        } else if (next == EXT_ROUTING) {
            rerouted |= ext[3] > 0;
        }
        next = ext[0];
        at += len;
    }
    if (later) {
        return (struct l4_header){.proto = next, .rerouted = rerouted};
    }
    return l4_at(ip, at, end, next, rerouted);
}

uint8_t *l4_checksum(const struct l4_header *l4, bool ipv6) {
    if (!l4->data) {
        return NULL;
    }
    switch (l4->proto) {
    case PROTO_TCP: return l4->data + 16;
    case PROTO_UDP: return l4->data + 6;
    case PROTO_ICMPV6: return ipv6 ? l4->data + 2 : NULL;
    default: return NULL;
    }
}
