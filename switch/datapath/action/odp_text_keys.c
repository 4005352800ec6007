// What stands in set(…): one table of names for both directions.

#include "datapath/action/odp_text_private.h"

enum kind {
    MAC,
    IPV4,
    IPV6,
    DEC8,    // 12, masked 12/0xf0.
    HEX8,    // 0xc
    DEC16,   // Network byte order.
    LABEL,   // 20 bits, network byte order, hexadecimal.
    NSH8,    // 12, masked 0x0c/0xf0.
    NSH32,   // 0xc, masked 0xc/0x000000f0.
    NSH_SPI, // The upper 24 bits of a path header, as NSH32.
    NSH_SI,  // Its lower 8, as NSH8.
    VID,     // The lower 12 bits of a TCI.
    PCP,     // The upper 3.
    WORD,    // A plain number without a name, hexadecimal, host byte order.
};

struct field {
    const char *name; // With "=".
    uint8_t kind;
    uint8_t offset;
};

#define F(kind, type, member, name) \
    { name "=", kind, offsetof(struct type, member) }
static const struct field eth_fields[] = {F(MAC, odp_key_eth, src, "src"),
                                          F(MAC, odp_key_eth, dst, "dst"),
                                          {0}};
static const struct field vlan_fields[] = {{"vid=", VID, 0}, {"pcp=", PCP, 0}, {0}};
static const struct field ipv4_fields[] = {F(IPV4, odp_key_ipv4, src, "src"),
                                           F(IPV4, odp_key_ipv4, dst, "dst"),
                                           F(HEX8, odp_key_ipv4, tos, "tos"),
                                           F(DEC8, odp_key_ipv4, ttl, "ttl"),
                                           {0}};
static const struct field ipv6_fields[] = {
    F(IPV6, odp_key_ipv6, src, "src"),       F(IPV6, odp_key_ipv6, dst, "dst"),
    F(LABEL, odp_key_ipv6, label, "label"),  F(HEX8, odp_key_ipv6, tclass, "tclass"),
    F(DEC8, odp_key_ipv6, hlimit, "hlimit"), {0}};
static const struct field arp_fields[] = {
    F(IPV4, odp_key_arp, sip, "sip"), F(IPV4, odp_key_arp, tip, "tip"),
    F(DEC16, odp_key_arp, op, "op"),  F(MAC, odp_key_arp, sha, "sha"),
    F(MAC, odp_key_arp, tha, "tha"),  {0}};
static const struct field port_fields[] = {F(DEC16, odp_key_ports, src, "src"),
                                           F(DEC16, odp_key_ports, dst, "dst"),
                                           {0}};
static const struct field icmp_fields[] = {F(DEC8, odp_key_icmp, type, "type"),
                                           F(DEC8, odp_key_icmp, code, "code"),
                                           {0}};
static const struct field nd_fields[] = {F(IPV6, odp_key_nd, target, "target"),
                                         F(MAC, odp_key_nd, sll, "sll"),
                                         F(MAC, odp_key_nd, tll, "tll"),
                                         {0}};
static const struct field nd_ext_fields[] = {
    F(NSH32, odp_key_nd_ext, reserved, "nd_reserved"),
    F(DEC8, odp_key_nd_ext, options_type, "nd_options_type"),
    {0}};
static const struct field nsh_fields[] = {F(NSH8, flow_nsh, flags, "flags"),
                                          F(NSH8, flow_nsh, ttl, "ttl"),
                                          F(NSH_SPI, flow_nsh, path_hdr, "spi"),
                                          F(NSH_SI, flow_nsh, path_hdr, "si"),
                                          F(NSH32, flow_nsh, context[0], "c1"),
                                          F(NSH32, flow_nsh, context[1], "c2"),
                                          F(NSH32, flow_nsh, context[2], "c3"),
                                          F(NSH32, flow_nsh, context[3], "c4"),
                                          {0}};
static const struct field word_fields[] = {{"", WORD, 0}, {0}};

static const struct {
    const char *name; // With "(".
    const struct field *fields;
} keys[ODP_N_KEYS] = {
    [ODP_KEY_ETH] = {"eth(", eth_fields},
    [ODP_KEY_VLAN] = {"vlan(", vlan_fields},
    [ODP_KEY_MPLS] = {"mpls(", NULL},
    [ODP_KEY_IPV4] = {"ipv4(", ipv4_fields},
    [ODP_KEY_IPV6] = {"ipv6(", ipv6_fields},
    [ODP_KEY_ARP] = {"arp(", arp_fields},
    [ODP_KEY_TCP] = {"tcp(", port_fields},
    [ODP_KEY_UDP] = {"udp(", port_fields},
    [ODP_KEY_SCTP] = {"sctp(", port_fields},
    [ODP_KEY_ICMP] = {"icmp(", icmp_fields},
    [ODP_KEY_ICMPV6] = {"icmpv6(", icmp_fields},
    [ODP_KEY_ND] = {"nd(", nd_fields},
    [ODP_KEY_ND_EXT] = {"nd_ext(", nd_ext_fields},
    [ODP_KEY_NSH] = {"nsh(", nsh_fields},
    [ODP_KEY_TUNNEL] = {"tunnel(", NULL},
    [ODP_KEY_PRIORITY] = {"skb_priority(", word_fields},
    [ODP_KEY_MARK] = {"skb_mark(", word_fields},
};

// A field that is a number: how wide it lies in the key, which bits of that are it.
static const struct layout {
    uint8_t bytes, shift, bits;
    const char *exact, *value, *mask; // Formats: alone, and before and behind the slash.
} layouts[] = {
    [DEC8] = {1, 0, 8, "%u", "%u", "%#x"},
    [HEX8] = {1, 0, 8, "%#x", "%#x", "%#x"},
    [DEC16] = {2, 0, 16, "%u", "%u", "%#x"},
    [LABEL] = {4, 0, 20, "%#x", "%#x", "%#x"},
    [NSH8] = {1, 0, 8, "%u", "0x%02x", "0x%02x"},
    [NSH32] = {4, 0, 32, "0x%x", "0x%x", "0x%08x"},
    [NSH_SPI] = {4, 8, 24, "0x%x", "0x%x", "0x%08x"},
    [NSH_SI] = {4, 0, 8, "%u", "0x%02x", "0x%02x"},
    [VID] = {2, 0, 12, "%u", "%u", "0x%x"},
    [PCP] = {2, 13, 3, "%u", "%u", "0x%x"},
    [WORD] = {0, 0, 32, "%#x", "%#x", "%#x"}, // In host byte order: 0 bytes.
};

static uint32_t bits_of(const struct layout *l) {
    return (uint32_t)((UINT64_C(1) << l->bits) - 1);
}

static uint32_t get(const struct layout *l, const uint8_t *p) {
    uint32_t word = 0;
    if (l->bytes == 0) {
        memcpy(&word, p, sizeof word);
    }
    for (unsigned i = 0; i < l->bytes; i++) {
        word = word << 8 | p[i];
    }
    return word >> l->shift & bits_of(l);
}

static void put(const struct layout *l, uint8_t *p, uint32_t value) {
    value <<= l->shift;
    if (l->bytes == 0) {
        memcpy(p, &value, sizeof value);
    }
    for (unsigned i = 0; i < l->bytes; i++) {
        p[i] |= (uint8_t)(value >> 8 * (l->bytes - 1 - i));
    }
}

static size_t address_len(unsigned kind) {
    return kind == MAC ? 6 : kind == IPV4 ? 4 : kind == IPV6 ? 16 : 0;
}

static bool all_are(const uint8_t *bytes, size_t n, uint8_t value) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static void text_address(struct text *t, unsigned kind, const uint8_t *p) {
    switch (kind) {
    case MAC: text_mac(t, p); break;
    case IPV4: text_ipv4(t, p); break;
    default: text_ipv6(t, p); break;
    }
}

static bool scan_address(struct scanner *s, unsigned kind, uint8_t *p) {
    return kind == MAC ? scan_mac(s, p) : kind == IPV4 ? scan_ipv4(s, p) : scan_ipv6(s, p);
}

// The formats are the table's above; each has one unsigned argument.
static void text_number(struct text *t, const struct layout *l, const uint8_t *key,
                        const uint8_t *mask) {
    uint32_t m = get(l, mask);
    if (m == bits_of(l)) {
        text_put(t, l->exact, get(l, key));
    } else {
        text_put(t, l->value, get(l, key));
        text_put(t, "/");
        text_put(t, l->mask, m);
    }
}

// Open vSwitch prints nd_reserved as if it were always set, whole.
static bool is_nd_reserved(enum odp_key what, const struct field *f) {
    return what == ODP_KEY_ND_EXT && f->kind == NSH32;
}

static void text_field(struct text *t, enum odp_key what, const struct field *f, const uint8_t *key,
                       const uint8_t *mask) {
    static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff};
    key += f->offset;
    mask = is_nd_reserved(what, f) ? ones : mask + f->offset;
    size_t n = address_len(f->kind);
    if (n == 0) {
        if (get(&layouts[f->kind], mask) != 0) {
            text_put(t, "%s", f->name);
            text_number(t, &layouts[f->kind], key, mask);
            text_put(t, ",");
        }
    } else if (!all_are(mask, n, 0)) {
        text_put(t, "%s", f->name);
        text_address(t, f->kind, key);
        if (!all_are(mask, n, 0xff)) {
            text_put(t, "/");
            text_address(t, f->kind, mask);
        }
        text_put(t, ",");
    }
}

static uint32_t load32(const uint8_t *p) {
    return ntoh32(load_be32(p));
}

static void text_masked_mpls(struct text *t, uint32_t lse, uint32_t mask) {
    text_put(t, "label=%u/0x%x,tc=%u/%x,ttl=%u/0x%x,bos=%u/%x", lse >> 12, mask >> 12, lse >> 9 & 7,
             mask >> 9 & 7, lse & 0xff, mask & 0xff, lse >> 8 & 1, mask >> 8 & 1);
}

void text_mpls(struct text *t, uint32_t lse) {
    text_put(t, "label=%u,tc=%u,ttl=%u,bos=%u", lse >> 12, lse >> 9 & 7, lse & 0xff, lse >> 8 & 1);
}

void text_set(struct text *t, enum odp_key what, const uint8_t *key, const uint8_t *mask) {
    text_put(t, "%s", keys[what].name);
    if (what == ODP_KEY_MPLS) {
        if (load32(mask) == UINT32_MAX) {
            text_mpls(t, load32(key));
        } else {
            text_masked_mpls(t, load32(key), load32(mask));
        }
    } else if (what == ODP_KEY_TUNNEL) {
        text_tunnel(t, (const struct flow_tnl *)(const void *)key);
    } else {
        for (const struct field *f = keys[what].fields; f->name; f++) {
            text_field(t, what, f, key, mask);
        }
        text_chomp(t, ',');
    }
    text_put(t, "))");
}

// A number, and its mask behind a slash; hexadecimal, with or without 0x.
static bool scan_masked(struct scanner *s, uint32_t max, uint32_t *value, uint32_t *mask) {
    uint64_t v, m = max;
    if (!scan_number(s, max, &v)) {
        return false;
    }
    if (scan_word(s, "/") && !scan_number(s, UINT32_MAX, &m)) {
        return false;
    }
    *value = (uint32_t)v;
    *mask = (uint32_t)m & max;
    return true;
}

static bool scan_mpls_part(struct scanner *s, const char *name, unsigned shift, uint32_t max,
                           uint32_t *lse, uint32_t *mask) {
    uint32_t value, m;
    if (!scan_expect(s, name) || !scan_masked(s, max, &value, &m)) {
        return false;
    }
    *lse |= value << shift;
    *mask |= m << shift;
    return true;
}

static bool scan_masked_mpls(struct scanner *s, uint32_t *lse, uint32_t *mask) {
    *lse = *mask = 0;
    return scan_mpls_part(s, "label=", 12, 0xfffff, lse, mask) &&
           scan_mpls_part(s, ",tc=", 9, 7, lse, mask) &&
           scan_mpls_part(s, ",ttl=", 0, 0xff, lse, mask) &&
           scan_mpls_part(s, ",bos=", 8, 1, lse, mask);
}

bool scan_mpls(struct scanner *s, uint32_t *lse) {
    uint32_t mask;
    return scan_masked_mpls(s, lse, &mask) &&
           (mask == UINT32_MAX || scan_refuse(s, "a mask where there can be none"));
}

static bool scan_field(struct scanner *s, const struct field *f, uint8_t *key, uint8_t *mask) {
    size_t n = address_len(f->kind);
    key += f->offset;
    mask += f->offset;
    if (n > 0) {
        memset(mask, 0xff, n);
        return scan_address(s, f->kind, key) &&
               (!scan_word(s, "/") || scan_address(s, f->kind, mask));
    }
    const struct layout *l = &layouts[f->kind];
    uint32_t value, m;
    if (!scan_masked(s, bits_of(l), &value, &m)) {
        return false;
    }
    put(l, key, value);
    put(l, mask, m);
    return true;
}

// The fields in their order, each at most once, at least one.
static bool scan_fields(struct scanner *s, const struct field *fields, uint8_t *key,
                        uint8_t *mask) {
    unsigned n = 0;
    for (const struct field *f = fields; f->name; f++) {
        const char *before = s->at;
        if (n > 0 && !scan_word(s, ",")) {
            break;
        }
        if (!scan_word(s, f->name)) {
            s->at = before;
            continue;
        }
        if (!scan_field(s, f, key, mask)) {
            return false;
        }
        n++;
    }
    return n > 0 || scan_refuse(s, "expected a field of this key");
}

bool scan_set(struct scanner *s, struct odp_list *out) {
    union {
        uint8_t bytes[sizeof(struct flow_tnl)];
        uint64_t aligned;
    } key = {{0}}, mask = {{0}};
    unsigned what = 0;
    while (what < ODP_N_KEYS && !scan_word(s, keys[what].name)) {
        what++;
    }
    if (what == ODP_N_KEYS) {
        return scan_refuse(s, "set() of an unknown key");
    }
    if (what == ODP_KEY_MPLS) {
        uint32_t lse, m;
        if (!scan_masked_mpls(s, &lse, &m)) {
            return false;
        }
        lse = hton32(lse);
        m = hton32(m);
        memcpy(key.bytes, &lse, sizeof lse);
        memcpy(mask.bytes, &m, sizeof m);
    } else if (what == ODP_KEY_TUNNEL) {
        memset(mask.bytes, 0xff, sizeof mask.bytes);
        if (!scan_tunnel(s, (struct flow_tnl *)(void *)key.bytes)) {
            return false;
        }
    } else if (!scan_fields(s, keys[what].fields, key.bytes, mask.bytes)) {
        return false;
    }
    if (!scan_expect(s, "))")) {
        return false;
    }
    odp_put_set(out, (enum odp_key)what, key.bytes, mask.bytes);
    return true;
}
