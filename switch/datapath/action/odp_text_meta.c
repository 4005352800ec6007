// The long ones: tunnel metadata, ct(), push_nsh().

#include "datapath/action/odp_text_private.h"

// ---- tunnel ------------------------------------------------------------------------------------

static const struct {
    const char *name;
    uint16_t flag;
} tunnel_flags[] = {{"df", FLOW_TNL_DF},
                    {"csum", FLOW_TNL_CSUM},
                    {"key", FLOW_TNL_KEY},
                    {"oam", FLOW_TNL_OAM}};

static bool is_zero(const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (((const uint8_t *)bytes)[i] != 0) {
            return false;
        }
    }
    return true;
}

// What the TLV map has laid out: the datapath does not know which option is which.
static void text_options(struct text *t, const struct flow_tnl *tnl) {
    size_t n = sizeof tnl->opts;
    while (n > 0 && tnl->opts[n - 1] == 0) {
        n--;
    }
    if (n > 0 || tnl->opts_present) {
        text_put(t, "options(present=0x%llx,data=", (unsigned long long)tnl->opts_present);
        for (size_t i = 0; i < n; i++) {
            text_put(t, "%02x", tnl->opts[i]);
        }
        text_put(t, "),");
    }
}

static void text_extensions(struct text *t, const struct flow_tnl *tnl) {
    if (tnl->gbp_id || tnl->gbp_flags) {
        text_put(t, "vxlan(gbp(id=%u,flags=%#x)),", ntoh16(tnl->gbp_id), tnl->gbp_flags);
    }
    text_options(t, tnl);
    if (tnl->erspan_ver == 1) {
        text_put(t, "erspan(ver=1,idx=%#x),", tnl->erspan_idx);
    } else if (tnl->erspan_ver == 2) {
        text_put(t, "erspan(ver=2,dir=%u,hwid=%#x),", tnl->erspan_dir, tnl->erspan_hwid);
    }
    if (tnl->gtpu_flags && tnl->gtpu_msgtype) {
        text_put(t, "gtpu(flags=%#x,msgtype=%u),", tnl->gtpu_flags, tnl->gtpu_msgtype);
    }
}

static void text_named_ipv4(struct text *t, const char *name, be32 ip) {
    if (ip) {
        text_put(t, "%s", name);
        text_ipv4(t, (const uint8_t *)&ip);
        text_put(t, ",");
    }
}

static void text_named_ipv6(struct text *t, const char *name, const uint8_t ip[16]) {
    if (!is_zero(ip, 16)) {
        text_put(t, "%s", name);
        text_ipv6(t, ip);
        text_put(t, ",");
    }
}

void text_tunnel(struct text *t, const struct flow_tnl *tnl) {
    if (tnl->tun_id || (tnl->flags & FLOW_TNL_KEY)) {
        text_put(t, "tun_id=0x%llx,", (unsigned long long)be64toh(tnl->tun_id));
    }
    text_named_ipv4(t, "src=", tnl->ip_src);
    text_named_ipv4(t, "dst=", tnl->ip_dst);
    text_named_ipv6(t, "ipv6_src=", tnl->ipv6_src);
    text_named_ipv6(t, "ipv6_dst=", tnl->ipv6_dst);
    if (tnl->ip_tos) {
        text_put(t, "tos=%#x,", tnl->ip_tos);
    }
    text_put(t, "ttl=%u,", tnl->ip_ttl);
    if (tnl->tp_src) {
        text_put(t, "tp_src=%u,", ntoh16(tnl->tp_src));
    }
    if (tnl->tp_dst) {
        text_put(t, "tp_dst=%u,", ntoh16(tnl->tp_dst));
    }
    text_extensions(t, tnl);
    text_put(t, "flags(");
    for (unsigned i = 0; i < RS_ARRAY_SIZE(tunnel_flags); i++) {
        if (tnl->flags & tunnel_flags[i].flag) {
            text_put(t, "%s|", tunnel_flags[i].name);
        }
    }
    text_chomp(t, '|');
    text_put(t, tnl->flags ? ")" : "0)");
}

// "NAME=number," if it stands there.
static uint64_t optional(struct scanner *s, const char *name, uint64_t max) {
    uint64_t value = 0;
    if (scan_named(s, name, max, &value)) {
        scan_expect(s, ",");
    }
    return value;
}

static void scan_options(struct scanner *s, struct flow_tnl *tnl) {
    tnl->opts_present = optional(s, "present", UINT64_MAX);
    if (!scan_expect(s, "data=")) {
        return;
    }
    char pair[5] = "0x";
    for (size_t i = 0; i < sizeof tnl->opts && s->at[0] != ')' && s->at[0] && s->at[1]; i++) {
        memcpy(pair + 2, s->at, 2);
        struct scanner one = {.at = pair};
        if (!scan_hex_bytes(&one, &tnl->opts[i], 1) || one.at != pair + 4) {
            scan_refuse(s, "expected a number");
            return;
        }
        s->at += 2;
    }
    scan_expect(s, "),");
}

static void scan_extensions(struct scanner *s, struct flow_tnl *tnl) {
    uint64_t a = 0, b = 0;
    if (scan_word(s, "vxlan(gbp(")) {
        tnl->gbp_id = hton16((uint16_t)optional(s, "id", UINT16_MAX));
        scan_named(s, "flags", UINT8_MAX, &a);
        tnl->gbp_flags = (uint8_t)a;
        scan_expect(s, ")),");
    }
    if (scan_word(s, "options(")) {
        scan_options(s, tnl);
    }
    if (scan_word(s, "erspan(")) {
        tnl->erspan_ver = (uint8_t)optional(s, "ver", 2);
        if (scan_named(s, "idx", UINT32_MAX, &a)) {
            tnl->erspan_idx = (uint32_t)a;
        } else {
            tnl->erspan_dir = (uint8_t)optional(s, "dir", UINT8_MAX);
            scan_named(s, "hwid", UINT8_MAX, &b);
            tnl->erspan_hwid = (uint8_t)b;
        }
        scan_expect(s, "),");
    }
    if (scan_word(s, "gtpu(")) {
        tnl->gtpu_flags = (uint8_t)optional(s, "flags", UINT8_MAX);
        b = 0;
        scan_named(s, "msgtype", UINT8_MAX, &b);
        tnl->gtpu_msgtype = (uint8_t)b;
        scan_expect(s, "),");
    }
}

static void scan_tunnel_flags(struct scanner *s, struct flow_tnl *tnl) {
    if (!scan_expect(s, "flags(") || scan_word(s, "0)")) {
        return;
    }
    for (unsigned i = 0; i < RS_ARRAY_SIZE(tunnel_flags); i++) {
        if (scan_word(s, tunnel_flags[i].name)) {
            tnl->flags |= tunnel_flags[i].flag;
            if (!scan_word(s, "|")) {
                break;
            }
        }
    }
    scan_expect(s, ")");
}

bool scan_tunnel(struct scanner *s, struct flow_tnl *tnl) {
    memset(tnl, 0, sizeof *tnl);
    tnl->tun_id = htobe64(optional(s, "tun_id", UINT64_MAX));
    if (scan_word(s, "src=") && scan_ipv4(s, (uint8_t *)&tnl->ip_src)) {
        scan_expect(s, ",");
    }
    if (scan_word(s, "dst=") && scan_ipv4(s, (uint8_t *)&tnl->ip_dst)) {
        scan_expect(s, ",");
    }
    if (scan_word(s, "ipv6_src=") && scan_ipv6(s, tnl->ipv6_src)) {
        scan_expect(s, ",");
    }
    if (scan_word(s, "ipv6_dst=") && scan_ipv6(s, tnl->ipv6_dst)) {
        scan_expect(s, ",");
    }
    tnl->ip_tos = (uint8_t)optional(s, "tos", UINT8_MAX);
    tnl->ip_ttl = (uint8_t)optional(s, "ttl", UINT8_MAX);
    tnl->tp_src = hton16((uint16_t)optional(s, "tp_src", UINT16_MAX));
    tnl->tp_dst = hton16((uint16_t)optional(s, "tp_dst", UINT16_MAX));
    scan_extensions(s, tnl);
    scan_tunnel_flags(s, tnl);
    return !s->why;
}

// ---- push_nsh ----------------------------------------------------------------------------------

void text_push_nsh(struct text *t, const struct odp_action *a) {
    const struct odp_key_nsh *key = odp_payload(a);
    const struct flow_nsh *nsh = &key->nsh;
    text_put(t, "push_nsh(flags=%u,ttl=%u,mdtype=%u,np=%u,spi=0x%x,si=%u", nsh->flags, nsh->ttl,
             nsh->mdtype, nsh->np, ntoh32(nsh->path_hdr) >> 8, ntoh32(nsh->path_hdr) & 0xff);
    if (nsh->mdtype == 1) {
        for (unsigned i = 0; i < 4; i++) {
            text_put(t, ",c%u=0x%x", i + 1, ntoh32(nsh->context[i]));
        }
    } else {
        text_put(t, ",md2=");
        text_hex_bytes(t, (const uint8_t *)(key + 1), a->arg);
    }
    text_put(t, ")");
}

static uint64_t required(struct scanner *s, const char *name, uint64_t max) {
    uint64_t value = 0;
    if (!scan_named(s, name, max, &value)) {
        scan_refuse(s, "expected another field");
    }
    return value;
}

// Metadata of type 2: whole words, of which the text may lack leading zeros.
static bool scan_md2(struct scanner *s, uint8_t md2[ODP_NSH_MD2_MAX], size_t *len) {
    *len = 0;
    if (!scan_expect(s, ",md2=")) {
        return false;
    }
    if (scan_word(s, "0)")) { // No metadata.
        s->at--;
        return true;
    }
    size_t digits = strspn(s->at[0] && s->at[1] ? s->at + 2 : "", "0123456789abcdefABCDEF");
    *len = (digits + 7) / 8 * 4;
    if (*len > ODP_NSH_MD2_MAX) {
        return scan_refuse(s, "number out of range");
    }
    return scan_hex_bytes(s, md2, *len);
}

bool scan_push_nsh(struct scanner *s, struct odp_list *out) {
    struct odp_key_nsh key;
    uint8_t md2[ODP_NSH_MD2_MAX];
    size_t len = 0;
    memset(&key, 0, sizeof key);
    key.nsh.flags = (uint8_t)required(s, "flags", 3);
    scan_expect(s, ",");
    key.nsh.ttl = (uint8_t)required(s, "ttl", 63);
    scan_expect(s, ",");
    key.nsh.mdtype = (uint8_t)required(s, "mdtype", 2);
    scan_expect(s, ",");
    key.nsh.np = (uint8_t)required(s, "np", UINT8_MAX);
    scan_expect(s, ",");
    uint32_t spi = (uint32_t)required(s, "spi", 0xffffff);
    scan_expect(s, ",");
    key.nsh.path_hdr = hton32(spi << 8 | (uint32_t)required(s, "si", UINT8_MAX));
    if (key.nsh.mdtype == 1) {
        static const char *const names[] = {"c1", "c2", "c3", "c4"};
        for (unsigned i = 0; i < 4; i++) {
            scan_expect(s, ",");
            key.nsh.context[i] = hton32((uint32_t)required(s, names[i], UINT32_MAX));
        }
    } else {
        scan_md2(s, md2, &len);
    }
    if (!scan_expect(s, ")")) {
        return false;
    }
    struct odp_key_nsh *put =
        odp_put(out, ODP_PUSH_NSH, (uint32_t)len, sizeof key + ((len + 7) & ~(size_t)7));
    if (put) {
        *put = key;
        memcpy(put + 1, md2, len);
    }
    return true;
}
