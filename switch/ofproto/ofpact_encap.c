// encap and decap (generic encapsulation, ONF EXT-382), dec_nsh_ttl.

#include <stdio.h>

#include "ofproto/ofpact_private.h"

#define TYPE_ETHERNET 0u
#define TYPE_NSH      0x1894fu // Namespace 1 (EtherTypes) << 16 | EtherType.
#define TYPE_MPLS     0x18847u
#define TYPE_MPLS_MC  0x18848u
#define N_NAMESPACES  5u

static const struct {
    const char *name;
    uint32_t type;
} headers[] = {
    {"ethernet", TYPE_ETHERNET},
    {"nsh", TYPE_NSH},
    {"mpls", TYPE_MPLS},
    {"mpls_mc", TYPE_MPLS_MC},
};

static const char *header_name(uint32_t type) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(headers); i++) {
        if (headers[i].type == type) {
            return headers[i].name;
        }
    }
    return NULL;
}

static bool header_find(const char *name, uint32_t *type) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(headers); i++) {
        if (strcmp(headers[i].name, name) == 0) {
            *type = headers[i].type;
            return true;
        }
    }
    return false;
}

// tlv(0x1000,10,0x12345678): class, type, value.
static int tlv_parse(struct act_parser *p, char *text, uint32_t offset) {
    unsigned class, type;
    char digits[253] = ""; // 126 bytes, of which a TLV holds 125.
    int end = 0;
    sscanf(text, "0x%4x,%3u,0x%252[0-9a-fA-F]%n", &class, &type, digits, &end);
    size_t n = end && !text[end] && type <= UINT8_MAX ? act_hex_bytes(digits, NULL) : SIZE_MAX;
    if (n == SIZE_MAX || n > 125) {
        return act_error(p, "tlv(0xCLASS,TYPE,0xVALUE) with a value of up to 125 bytes",
                         "'%s' is not a TLV", text);
    }
    // TLVs are padded to 4 bytes, actions to 8: the last four bytes may be there already.
    struct ofpact_encap *a = (void *)(p->out->data + offset);
    size_t at = sizeof *a + a->tlv_len, size = 4 + ((n + 3) & ~(size_t)3);
    if (at + size > a->ofpact.len && !ofpact_grow(p->out, offset, at + size - a->ofpact.len)) {
        return act_full(p);
    }
    a = (void *)(p->out->data + offset);
    uint8_t *tlv = (uint8_t *)a + at;
    tlv[0] = (uint8_t)(class >> 8);
    tlv[1] = (uint8_t) class;
    tlv[2] = (uint8_t)type;
    tlv[3] = (uint8_t)n;
    act_hex_bytes(digits, tlv + 4);
    a->tlv_len = (uint16_t)(a->tlv_len + size);
    return 0;
}

static int property_parse(struct act_parser *p, const char *key, char *value, uint32_t offset) {
    struct ofpact_encap *a = (void *)(p->out->data + offset);
    if (a->new_pkt_type != TYPE_NSH) {
        return act_unknown_key(p, key, "nsh alone has properties");
    }
    if (strcmp(key, "tlv") == 0) {
        return tlv_parse(p, value, offset);
    }
    if (strcmp(key, "md_type") != 0) {
        return act_unknown_key(p, key, "md_type= and tlv()");
    }
    uint64_t type = 0;
    int error = act_number(p, "NSH metadata type", value, 2, &type);
    if (!error && type == 0) {
        return act_error(p, "1 or 2", "there is no NSH metadata type 0");
    }
    a->nsh_mdtype = (uint8_t)type;
    return error;
}

ACT_PARSE(encap) {
    char *pos = value, *key, *properties;
    uint32_t offset = p->out->len, type;
    if (!act_next(&pos, &key, &properties) || !header_find(key, &type)) {
        return act_error(p, "ethernet, nsh, mpls or mpls_mc", "'%s' is not a header to put on",
                         value);
    }
    struct ofpact_encap *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->new_pkt_type = type;
    int error = 0;
    while (!error && act_next(&properties, &key, &value)) {
        error = property_parse(p, key, value, offset);
    }
    return error;
}

ACT_FORMAT(encap) {
    const struct ofpact_encap *e = (const void *)a;
    const char *name = header_name(e->new_pkt_type);
    text_put(f->out, "encap(%s", name ? name : "?");
    if (e->nsh_mdtype || e->tlv_len) {
        text_put(f->out, "(");
        if (e->nsh_mdtype) {
            text_put(f->out, "md_type=%u,", e->nsh_mdtype);
        }
        for (unsigned at = 0; at < e->tlv_len;) {
            const uint8_t *tlv = e->tlvs + at;
            text_put(f->out, "tlv(0x%04x,%u,", tlv[0] << 8 | tlv[1], tlv[2]);
            text_put(f->out, "0x");
            for (unsigned i = 0; i < tlv[3]; i++) {
                text_put(f->out, "%02x", tlv[4 + i]);
            }
            text_put(f->out, "),");
            at += 4 + ((tlv[3] + 3u) & ~3u);
        }
        text_chomp(f->out, ',');
        text_put(f->out, ")");
    }
    text_put(f->out, ")");
}

ACT_VALIDATE(encap) {
    const struct ofpact_encap *e = (const void *)a;
    if (!header_name(e->new_pkt_type)) {
        return ofp_error_of(err, OFPERR_NXBAC_BAD_HEADER_TYPE, "encap",
                            "ethernet, nsh, mpls or mpls_mc", "packet type %#x is not there",
                            e->new_pkt_type);
    }
    return 0;
}

ACT_CHECK(encap) {
    uint32_t type = ((const struct ofpact_encap *)(const void *)a)->new_pkt_type;
    c->needs_of11 = true;
    c->flow.packet_type = hton32(type);
    if (type >> 16 == 1) {
        c->flow.dl_type = hton16((uint16_t)type);
    }
    if (!flow_is_ip(act_dl_type(&c->flow))) {
        c->flow.nw_proto = 0;
    }
    return 0;
}

static int packet_type_parse(struct act_parser *p, char *text, uint32_t *out) {
    char *pos = text, *key, *value;
    uint64_t ns = 0;
    uint16_t type = 0;
    if (!act_next(&pos, &key, &value) || strcmp(key, "ns") != 0) {
        return act_error(p, "decap(packet_type(ns=1,type=0x894f))", "packet_type has no ns");
    }
    int error = act_number(p, "namespace", value, N_NAMESPACES - 1, &ns);
    if (error < 0) {
        return error;
    }
    if (!act_next(&pos, &key, &value) || strcmp(key, "type") != 0) {
        return act_error(p, "decap(packet_type(ns=1,type=0x894f))", "packet_type has no type");
    }
    error = act_u16(p, "packet type", value, &type);
    *out = (uint32_t)ns << 16 | type;
    if (*out == 0xfffe) { // ONF's number for "what the packet says comes next".
        *out = OFPACT_DECAP_NEXT;
    }
    return error;
}

ACT_PARSE(decap) {
    char *pos = value, *key, *text;
    struct ofpact_encap *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->new_pkt_type = OFPACT_DECAP_NEXT;
    if (!act_next(&pos, &key, &text)) {
        return 0;
    }
    return strcmp(key, "packet_type") == 0 ? packet_type_parse(p, text, &a->new_pkt_type)
                                           : act_unknown_key(p, key, "packet_type()");
}

ACT_FORMAT(decap) {
    uint32_t type = ((const struct ofpact_encap *)(const void *)a)->new_pkt_type;
    text_put(f->out, "decap(");
    if (type != OFPACT_DECAP_NEXT) {
        text_put(f->out, "packet_type(ns=%u,type=%#x)", type >> 16, type & 0xffff);
    }
    text_put(f->out, ")");
}

// What lies below Ethernet is known; below anything else nothing is, and what needs a protocol does not fit.
ACT_CHECK(decap) {
    (void)a;
    if (c->flow.packet_type == 0) {
        c->flow.packet_type = hton32(1u << 16 | ntoh16(c->flow.dl_type));
    } else {
        c->flow.packet_type = UINT32_MAX;
        c->flow.dl_type = UINT16_MAX;
    }
    return 0;
}

ACT_CHECK(dec_nsh_ttl) {
    if (c->flow.packet_type != hton32(TYPE_NSH) && c->flow.dl_type != hton16(0x894f)) {
        act_misfit(c, a, "nsh");
    }
    return 0;
}
