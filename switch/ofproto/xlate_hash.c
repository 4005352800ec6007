// The hashes by which multipath, bundle and select groups choose. They are visible from outside (which link a
// connection takes), so they are Open vSwitch's, bit by bit: Jenkins' lookup3 and MurmurHash3's mixing, over the
// same fields in the same order.

#include "ofproto/xlate_private.h"

enum { ETH_SRC, SYMMETRIC_L4, SYMMETRIC_L3L4, SYMMETRIC_L3L4_UDP, NW_SRC, NW_DST, SYMMETRIC_L3 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_SCTP = 132 };

static uint32_t rotate(uint32_t x, unsigned n) {
    return x << n | x >> (32 - n);
}

static uint32_t load_word(const uint8_t *p,
                          size_t n) { // As the machine reads it; bytes missing are 0.
    uint32_t v = 0;
    memcpy(&v, p, n < sizeof v ? n : sizeof v);
    return v;
}

// -- lookup3 (Bob Jenkins, public domain) --

static void jenkins_mix(uint32_t v[3]) {
    static const uint8_t turns[6] = {4, 6, 8, 16, 19, 4};
    for (unsigned i = 0; i < 6; i++) {
        uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];
        *a = (*a - *c) ^ rotate(*c, turns[i]);
        *c += *b;
    }
}

static void jenkins_final(uint32_t v[3]) {
    static const uint8_t turns[7] = {14, 11, 25, 16, 4, 14, 24};
    for (unsigned i = 0; i < 7; i++) { // c by b, a by c, b by a, …
        uint32_t *to = &v[(i + 2) % 3], by = v[(i + 1) % 3];
        *to = (*to ^ by) - rotate(by, turns[i]);
    }
}

static uint32_t jenkins(const void *bytes, size_t n, uint32_t basis) {
    const uint8_t *p = bytes;
    uint32_t v[3];
    v[0] = v[1] = v[2] = 0xdeadbeefu + (uint32_t)n + basis;
    for (;;) {
        for (size_t i = 0; i < 3 && 4 * i < n; i++) {
            v[i] += load_word(p + 4 * i, n - 4 * i);
        }
        if (n < 12) {
            break;
        }
        jenkins_mix(v);
        p += 12;
        n -= 12;
    }
    if (n > 0) {
        jenkins_final(v);
    }
    return v[2];
}

// -- MurmurHash3 (Austin Appleby, public domain) --

static uint32_t murmur_add(uint32_t hash, uint32_t word) {
    hash ^= rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u;
    return rotate(hash, 13) * 5 + 0xe6546b64u;
}

static uint32_t murmur_add64(uint32_t hash, uint64_t word) {
    return murmur_add(murmur_add(hash, (uint32_t)word), (uint32_t)(word >> 32));
}

static uint32_t murmur_finish(uint32_t hash, uint32_t last) {
    hash ^= last;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

uint32_t xlate_hash_2words(uint32_t a, uint32_t b) {
    return murmur_finish(murmur_add(murmur_add(a, 0), b), 8);
}

uint32_t xlate_hash_uint64(uint64_t v) {
    return murmur_finish(murmur_add64(0, v), 8);
}

uint32_t xlate_hash_bytes(const void *bytes, size_t n, uint32_t basis) {
    const uint8_t *p = bytes;
    for (size_t at = 0; at < n; at += 4) {
        basis = murmur_add(basis, load_word(p + at, n - at));
    }
    return murmur_finish(basis, (uint32_t)n);
}

uint32_t xlate_hash_boolean(bool v, uint32_t basis) {
    return (v ? 0xc2b73583u : 0xe90f1258u) ^ rotate(basis, 1);
}

// -- over flows --

static void xor_into(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        out[i] = a[i] ^ b[i];
    }
}

static be16 xor_vids(const struct flow *f) {
    be16 v = 0;
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        v ^= f->vlans[i].tci & hton16(0xfff);
    }
    return v;
}

// Both addresses of an IP packet in one, whichever way it goes.
static void xor_addresses(uint8_t out[16], const struct flow *f) {
    memset(out, 0, 16);
    if (f->dl_type == hton16(0x0800)) {
        be32 both = f->nw_src ^ f->nw_dst;
        memcpy(out, &both, sizeof both);
    } else if (f->dl_type == hton16(0x86dd)) {
        xor_into(out, f->ipv6_src, f->ipv6_dst, 16);
    }
}

uint32_t xlate_hash_symmetric_l4(const struct flow *f, uint32_t basis) {
    struct {
        uint8_t address[16];
        be16 dl_type, vid, port;
        uint8_t mac[6], proto, pad[3];
    } key;
    static_assert(sizeof key == 32, "as Open vSwitch lays it out");
    memset(&key, 0, sizeof key);
    xor_addresses(key.address, f);
    xor_into(key.mac, f->dl_src, f->dl_dst, sizeof key.mac);
    key.dl_type = f->dl_type;
    key.vid = xor_vids(f);
    if (flow_is_ip(f->dl_type)) {
        key.proto = f->nw_proto;
        if (key.proto == PROTO_TCP || key.proto == PROTO_SCTP) { // UDP's need not be symmetric.
            key.port = f->tp_src ^ f->tp_dst;
        }
    }
    return jenkins(&key, sizeof key, basis);
}

static uint32_t symmetric_l3(const struct flow *f, uint32_t basis) {
    struct {
        uint8_t address[16];
        be16 dl_type, pad;
    } key;
    static_assert(sizeof key == 20, "as Open vSwitch lays it out");
    memset(&key, 0, sizeof key);
    xor_addresses(key.address, f);
    key.dl_type = f->dl_type;
    return jenkins(&key, sizeof key, basis);
}

static uint32_t symmetric_l2(const struct flow *f, uint32_t basis) {
    struct {
        be16 dl_type, vid;
        uint8_t mac[6], pad[2];
    } key;
    uint32_t words[3], hash = basis;
    static_assert(sizeof key == sizeof words, "as Open vSwitch lays it out");
    if (f->packet_type != 0) {
        return 0;
    }
    memset(&key, 0, sizeof key);
    key.dl_type = f->dl_type;
    key.vid = xor_vids(f);
    xor_into(key.mac, f->dl_src, f->dl_dst, sizeof key.mac);
    memcpy(words, &key, sizeof words);
    for (unsigned i = 0; i < 3; i++) {
        hash = murmur_add(hash, words[i]);
    }
    return murmur_finish(hash, basis);
}

static bool has_ports(const struct flow *f, bool udp) {
    return !(f->nw_frag & FLOW_FRAG_MASK) &&
           (f->nw_proto == PROTO_TCP || f->nw_proto == PROTO_SCTP ||
            (udp && f->nw_proto == PROTO_UDP));
}

static uint32_t symmetric_l3l4(const struct flow *f, uint32_t basis, bool udp) {
    uint8_t address[16];
    uint64_t halves[2];
    uint32_t hash = basis;
    xor_addresses(address, f);
    memcpy(halves, address, sizeof halves);
    if (f->dl_type == hton16(0x0800)) {
        hash = murmur_add(hash, (uint32_t)halves[0]);
    } else if (f->dl_type == hton16(0x86dd)) {
        hash = murmur_add64(murmur_add64(hash, halves[0]), halves[1]);
    } else {
        return symmetric_l2(f, basis);
    }
    hash = murmur_add(hash, f->nw_proto);
    if (has_ports(f, udp)) {
        hash = murmur_add(hash, (uint16_t)(f->tp_src ^ f->tp_dst));
    }
    return murmur_finish(hash, basis);
}

static uint32_t one_address(const struct flow *f, be32 v4, const uint8_t v6[16], uint32_t basis) {
    if (f->dl_type == hton16(0x0800)) {
        return jenkins(&v4, sizeof v4, basis);
    }
    return f->dl_type == hton16(0x86dd) ? jenkins(v6, 16, basis) : basis;
}

uint32_t xlate_hash_fields(const struct flow *f, uint8_t fields, uint16_t basis) {
    switch (fields) {
    case ETH_SRC: return jenkins(f->dl_src, sizeof f->dl_src, basis);
    case SYMMETRIC_L4: return xlate_hash_symmetric_l4(f, basis);
    case SYMMETRIC_L3L4: return symmetric_l3l4(f, basis, false);
    case SYMMETRIC_L3L4_UDP: return symmetric_l3l4(f, basis, true);
    case NW_SRC: return one_address(f, f->nw_src, f->ipv6_src, basis);
    case NW_DST: return one_address(f, f->nw_dst, f->ipv6_dst, basis);
    default: return symmetric_l3(f, basis);
    }
}

// -- which bits they look at --

static void mask_addresses(const struct flow *f, struct flow *wc, bool src, bool dst) {
    bool v4 = f->dl_type == hton16(0x0800), v6 = f->dl_type == hton16(0x86dd);
    wc->nw_src = v4 && src ? UINT32_MAX : wc->nw_src;
    wc->nw_dst = v4 && dst ? UINT32_MAX : wc->nw_dst;
    if (v6 && src) {
        memset(wc->ipv6_src, 0xff, sizeof wc->ipv6_src);
    }
    if (v6 && dst) {
        memset(wc->ipv6_dst, 0xff, sizeof wc->ipv6_dst);
    }
}

static void mask_symmetric_l4(const struct flow *f, struct flow *wc) {
    memset(wc->dl_src, 0xff, sizeof wc->dl_src);
    memset(wc->dl_dst, 0xff, sizeof wc->dl_dst);
    mask_addresses(f, wc, true, true);
    if (flow_is_ip(f->dl_type)) {
        wc->nw_proto = UINT8_MAX;
        if (f->nw_proto != PROTO_UDP) {
            wc->tp_src = wc->tp_dst = f->nw_proto == PROTO_ICMP ? hton16(0xff) : UINT16_MAX;
        }
    }
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        wc->vlans[i].tci |= hton16(0xfff | FLOW_VLAN_CFI);
    }
}

void xlate_mask_hash_fields(const struct flow *f, struct flow *wc, uint8_t fields) {
    switch (fields) {
    case ETH_SRC: memset(wc->dl_src, 0xff, sizeof wc->dl_src); break;
    case SYMMETRIC_L4: mask_symmetric_l4(f, wc); break;
    case SYMMETRIC_L3L4:
    case SYMMETRIC_L3L4_UDP:
        if (flow_is_ip(f->dl_type)) {
            mask_addresses(f, wc, true, true);
            wc->nw_proto = UINT8_MAX;
            if (has_ports(f, fields == SYMMETRIC_L3L4_UDP)) {
                wc->tp_src = wc->tp_dst = UINT16_MAX;
            }
        }
        break;
    case NW_SRC: mask_addresses(f, wc, true, false); break;
    case NW_DST: mask_addresses(f, wc, false, true); break;
    default: mask_addresses(f, wc, true, true);
    }
}
