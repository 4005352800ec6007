// Network Service Header (RFC 8300): around a packet, off it, its fields in place.
//
//     byte 0  version (2 bits), O, U, TTL (upper 4)     2  U (4), metadata type (4)
//          1  TTL (lower 2), length in words (6)        3  next protocol
//          4  service path id (24), service index (8)   8  context: four words (type 1), or TLVs (type 2)
//
// flow_nsh.flags are the two bits behind the version.

#include "datapath/action/odp_private.h"

enum { BASE_LEN = 8, MD1_LEN = 16, NEXT_IPV4 = 1, NEXT_IPV6 = 2, NEXT_ETHERNET = 3, NEXT_NSH = 4 };

struct header {
    size_t len;
    uint8_t bytes[BASE_LEN + ODP_NSH_MD2_MAX];
};

static void put_flags_ttl(uint8_t *nsh, uint8_t flags, uint8_t ttl) {
    unsigned word = (unsigned)nsh[0] << 8 | nsh[1];
    word = (word & ~0x3fc0u) | (flags & 3u) << 12 | (ttl & 0x3fu) << 6;
    nsh[0] = (uint8_t)(word >> 8);
    nsh[1] = (uint8_t)word;
}

static uint8_t get_flags(const uint8_t *nsh) {
    return nsh[0] >> 4 & 3;
}

static uint8_t get_ttl(const uint8_t *nsh) {
    return (uint8_t)((nsh[0] & 15) << 2 | nsh[1] >> 6);
}

static size_t nsh_len(const uint8_t *nsh) {
    return (size_t)(nsh[1] & 0x3f) * 4;
}

static void header_make(struct header *h, const struct odp_action *a) {
    const struct odp_key_nsh *key = odp_payload(a);
    memset(h, 0, sizeof *h);
    if (key->nsh.mdtype == 1) {
        h->len = BASE_LEN + MD1_LEN;
        memcpy(h->bytes + BASE_LEN, key->nsh.context, MD1_LEN);
    } else {
        h->len = BASE_LEN + a->arg;
        memcpy(h->bytes + BASE_LEN, key + 1, a->arg);
    }
    h->bytes[1] = (uint8_t)(h->len / 4);
    put_flags_ttl(h->bytes, key->nsh.flags, key->nsh.ttl);
    h->bytes[2] = key->nsh.mdtype;
    store_be32(h->bytes + 4, key->nsh.path_hdr);
}

static uint8_t next_of(const struct dp_packet *p) {
    if (!(p->flags & PKT_NOT_ETHERNET)) {
        return NEXT_ETHERNET;
    }
    switch (ntoh32(p->packet_type)) {
    case 0x10000 | TYPE_IPV4: return NEXT_IPV4;
    case 0x10000 | TYPE_IPV6: return NEXT_IPV6;
    case 0x10000 | TYPE_NSH: return NEXT_NSH;
    default: return 0;
    }
}

static bool push(struct dp_packet *p, const void *arg) {
    const struct header *h = arg;
    uint8_t next = next_of(p);
    if (unlikely(next == 0)) {
        return true;
    }
    if (unlikely(dp_packet_headroom(p) < h->len)) {
        return false;
    }
    move_start(p, (int)h->len, true);
    memcpy(p->data, h->bytes, h->len);
    p->data[3] = next;
    p->flags |= PKT_NOT_ETHERNET;
    p->packet_type = packet_type_of(hton16(TYPE_NSH));
    forget_offsets(p);
    p->l3_ofs = 0;
    return true;
}

void odp_push_nsh(struct odp_env *env, const struct odp_action *a, struct dp_packet_batch *batch) {
    struct header h;
    header_make(&h, a);
    odp_apply(env, batch, push, &h, DROP_NO_HEADROOM);
}

// What is inside has not been looked at: the packet is to be recirculated.
static bool pop(struct dp_packet *p, const void *arg) {
    (void)arg;
    if (unlikely(!(p->flags & PKT_NOT_ETHERNET) ||
                 p->packet_type != packet_type_of(hton16(TYPE_NSH)))) {
        return true;
    }
    size_t len = p->len >= BASE_LEN ? nsh_len(p->data) : 0;
    if (unlikely(len < BASE_LEN || len >= p->len)) {
        return false;
    }
    switch (p->data[3]) {
    case NEXT_ETHERNET: p->flags &= (uint8_t)~PKT_NOT_ETHERNET; break;
    case NEXT_IPV4: p->packet_type = packet_type_of(hton16(TYPE_IPV4)); break;
    case NEXT_IPV6: p->packet_type = packet_type_of(hton16(TYPE_IPV6)); break;
    case NEXT_NSH: break;
    default: return false;
    }
    p->packet_type = p->flags & PKT_NOT_ETHERNET ? p->packet_type : 0;
    move_start(p, -(int)len, true);
    forget_offsets(p);
    return true;
}

void odp_pop_nsh(struct odp_env *env, struct dp_packet_batch *batch) {
    odp_apply(env, batch, pop, NULL, DROP_DECAP);
}

void odp_set_nsh(struct dp_packet *p, const struct odp_key_nsh *key,
                 const struct odp_key_nsh *mask) {
    uint8_t *nsh = l3_header(p, TYPE_NSH, BASE_LEN);
    if (unlikely(!nsh)) {
        return;
    }
    const struct flow_nsh *k = &key->nsh, *m = &mask->nsh;
    put_flags_ttl(nsh, (uint8_t)masked(get_flags(nsh), k->flags, m->flags),
                  (uint8_t)masked(get_ttl(nsh), k->ttl, m->ttl));
    store_be32(nsh + 4, (be32)masked(load_be32(nsh + 4), k->path_hdr, m->path_hdr));
    bool md1 = (nsh[2] & 15) == 1 && nsh_len(nsh) >= BASE_LEN + MD1_LEN;
    if (md1 && l3_header(p, TYPE_NSH, BASE_LEN + MD1_LEN)) {
        for (unsigned i = 0; i < 4; i++) {
            uint8_t *word = nsh + BASE_LEN + 4 * i;
            store_be32(word, (be32)masked(load_be32(word), k->context[i], m->context[i]));
        }
    }
}
