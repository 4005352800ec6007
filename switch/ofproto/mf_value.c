// Values of fields in a key, and masks of them.

#include "ofproto/mf_place.h"

uint64_t mf_load(const struct mf_place *p, const struct flow *flow) {
    const uint8_t *member = (const uint8_t *)flow + p->offset;
    bool host = p->kind == PLACE_HOST || p->kind == PLACE_PORT32;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (p->size) {
    case 1: return *member;
    case 2: memcpy(&u16, member, sizeof u16); return host ? u16 : ntoh16(u16);
    case 4: memcpy(&u32, member, sizeof u32); return host ? u32 : ntoh32(u32);
    default:
        assert(p->size == 8);
        memcpy(&u64, member, sizeof u64);
        return host ? u64 : be64toh(u64);
    }
}

void mf_store(const struct mf_place *p, uint64_t value, struct flow *flow) {
    uint8_t *member = (uint8_t *)flow + p->offset;
    bool host = p->kind == PLACE_HOST || p->kind == PLACE_PORT32;
    uint16_t u16 = host ? (uint16_t)value : hton16((uint16_t)value);
    uint32_t u32 = host ? (uint32_t)value : hton32((uint32_t)value);
    uint64_t u64 = host ? value : htobe64(value);
    switch (p->size) {
    case 1: *member = (uint8_t)value; break;
    case 2: memcpy(member, &u16, sizeof u16); break;
    case 4: memcpy(member, &u32, sizeof u32); break;
    default: assert(p->size == 8); memcpy(member, &u64, sizeof u64);
    }
}

uint64_t mf_value_number(const struct mf_field *mf, const union mf_value *value) {
    uint64_t number = 0;
    for (size_t i = 0; i < mf->n_bytes; i++) {
        number = number << 8 | value->b[i];
    }
    return number;
}

void mf_value_from_number(const struct mf_field *mf, uint64_t number, union mf_value *value) {
    for (size_t i = mf->n_bytes; i-- > 0; number >>= 8) {
        value->b[i] = (uint8_t)number;
    }
}

uint32_t mf_port_to_32(uint32_t port16) {
    return port16 < OFPP_MAX ? port16 : port16 | 0xffff0000u;
}

bool mf_port_from_32(uint32_t port32, uint32_t *port16) {
    *port16 = port32 & 0xffff;
    return port32 < OFPP_MAX || port32 >= 0xffff0000u + OFPP_MAX;
}

// Where the option of a TUN_OPT field lies; NULL if the map does not have it.
static const struct tun_map_entry *tun_entry(const struct mf_place *p) {
    const struct tun_map *map = atomic_load_explicit(&mf_tun_map, memory_order_acquire);
    const struct tun_map_entry *e = map ? &map->entries[p->shift] : NULL;
    return e && e->len ? e : NULL;
}

bool mf_is_mapped(const struct mf_field *mf) {
    const struct mf_place *p = &mf_places[mf->id];
    return p->kind != PLACE_TUN_OPT || tun_entry(p);
}

void mf_get_value(const struct mf_field *mf, const struct flow *flow, union mf_value *value) {
    const struct mf_place *p = &mf_places[mf->id];
    switch ((enum mf_place_kind)p->kind) {
    case PLACE_NET:
    case PLACE_HOST:
    case PLACE_VLAN:
    case PLACE_TAGGED:
        mf_value_from_number(mf, (mf_load(p, flow) & p->mask) >> p->shift, value);
        break;
    case PLACE_PORT32:
        mf_value_from_number(mf, mf_port_to_32((uint32_t)mf_load(p, flow)), value);
        break;
    case PLACE_BYTES: memcpy(value, (const uint8_t *)flow + p->offset, mf->n_bytes); break;
    case PLACE_REGS:
        for (size_t i = 0; i < mf->n_bytes / 4; i++) {
            uint32_t reg;
            memcpy(&reg, (const uint8_t *)flow + p->offset + 4 * i, sizeof reg);
            reg = hton32(reg);
            memcpy(value->b + 4 * i, &reg, sizeof reg);
        }
        break;
    case PLACE_TUN_OPT: {
        const struct tun_map_entry *e = tun_entry(p);
        memset(value, 0, mf->n_bytes);
        if (e) {
            memcpy(value->b + mf->n_bytes - e->len, flow->tunnel.opts + e->ofs, e->len);
        }
        break;
    }
    }
}

static void set_regs(const struct mf_place *p, const struct mf_field *mf,
                     const union mf_value *value, struct flow *flow) {
    for (size_t i = 0; i < mf->n_bytes / 4; i++) {
        uint32_t reg;
        memcpy(&reg, value->b + 4 * i, sizeof reg);
        reg = ntoh32(reg);
        memcpy((uint8_t *)flow + p->offset + 4 * i, &reg, sizeof reg);
    }
}

static void set_tun_opt(const struct mf_place *p, const struct mf_field *mf,
                        const union mf_value *value, struct flow *flow) {
    const struct tun_map_entry *e = tun_entry(p);
    if (e) {
        memcpy(flow->tunnel.opts + e->ofs, value->b + mf->n_bytes - e->len, e->len);
        flow->tunnel.opts_present |= UINT64_C(1) << p->shift;
    }
}

// A tag that comes into being is 802.1Q; one that ceases to be has no type.
static void fix_tpid(struct flow *flow) {
    if (!flow->vlans[0].tci) {
        flow->vlans[0].tpid = 0;
    } else if (!flow->vlans[0].tpid) {
        flow->vlans[0].tpid = hton16(0x8100);
    }
}

static void set_vlan(const struct mf_place *p, const struct mf_field *mf, uint64_t number,
                     struct flow *flow) {
    uint64_t tci = (mf_load(p, flow) & ~p->mask) | (number << p->shift & p->mask);
    if (p->kind == PLACE_TAGGED) {
        tci |= FLOW_VLAN_CFI;
    }
    if (mf->id == MFF_DL_VLAN && number == 0xffff) { // "No tag", as OpenFlow 1.0 says it.
        tci = 0;
    }
    mf_store(p, tci, flow);
    fix_tpid(flow);
}

void mf_set_flow_value(const struct mf_field *mf, const union mf_value *value, struct flow *flow) {
    const struct mf_place *p = &mf_places[mf->id];
    switch ((enum mf_place_kind)p->kind) {
    case PLACE_NET:
    case PLACE_HOST: {
        uint64_t bits = mf_value_number(mf, value) << p->shift & p->mask;
        mf_store(p, (mf_load(p, flow) & ~p->mask) | bits, flow);
        break;
    }
    case PLACE_VLAN:
    case PLACE_TAGGED: set_vlan(p, mf, mf_value_number(mf, value), flow); break;
    case PLACE_PORT32: {
        uint32_t port;
        if (mf_port_from_32((uint32_t)mf_value_number(mf, value), &port)) {
            mf_store(p, port, flow);
        }
        break;
    }
    case PLACE_BYTES: memcpy((uint8_t *)flow + p->offset, value, mf->n_bytes); break;
    case PLACE_REGS: set_regs(p, mf, value, flow); break;
    case PLACE_TUN_OPT: set_tun_opt(p, mf, value, flow); break;
    }
}

void mf_set_flow_value_masked(const struct mf_field *mf, const union mf_value *value,
                              const union mf_value *mask, struct flow *flow) {
    union mf_value merged;
    mf_get_value(mf, flow, &merged);
    for (size_t i = 0; i < mf->n_bytes; i++) {
        merged.b[i] = (merged.b[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]);
    }
    mf_set_flow_value(mf, &merged, flow);
}

void mf_all_bits(const struct mf_field *mf, union mf_value *bits) {
    const struct mf_place *p = &mf_places[mf->id];
    const struct tun_map_entry *e;
    switch ((enum mf_place_kind)p->kind) {
    case PLACE_NET:
    case PLACE_HOST:
    case PLACE_VLAN:
    case PLACE_TAGGED: mf_value_from_number(mf, p->mask >> p->shift, bits); break;
    case PLACE_PORT32:
    case PLACE_BYTES:
    case PLACE_REGS: memset(bits, 0xff, mf->n_bytes); break;
    case PLACE_TUN_OPT:
        e = tun_entry(p);
        memset(bits, 0, mf->n_bytes);
        if (e) {
            memset(bits->b + mf->n_bytes - e->len, 0xff, e->len);
        }
        break;
    }
}

bool mf_is_mask_exact(const struct mf_field *mf, const union mf_value *mask) {
    union mf_value all;
    mf_all_bits(mf, &all);
    for (size_t i = 0; i < mf->n_bytes; i++) {
        if (all.b[i] & ~mask->b[i]) {
            return false;
        }
    }
    return true;
}

void mf_mask_field_masked(const struct mf_field *mf, const union mf_value *mask, struct flow *wc) {
    const struct mf_place *p = &mf_places[mf->id];
    const struct tun_map_entry *e;
    uint64_t number, bits;
    switch ((enum mf_place_kind)p->kind) {
    case PLACE_NET:
    case PLACE_HOST:
    case PLACE_VLAN:
    case PLACE_TAGGED:
    case PLACE_PORT32:
        // Exact: the whole member, which may be wider than the field (an ICMP type is 8 bits of 16).
        number = mf_value_number(mf, mask);
        bits = mf_is_mask_exact(mf, mask) ? p->mask : number << p->shift & p->mask;
        if (p->kind == PLACE_TAGGED && bits) {
            bits |= FLOW_VLAN_CFI;
        }
        mf_store(p, mf_load(p, wc) | bits, wc);
        break;
    case PLACE_BYTES:
        for (size_t i = 0; i < mf->n_bytes; i++) {
            ((uint8_t *)wc)[p->offset + i] |= mask->b[i];
        }
        break;
    case PLACE_REGS:
        for (size_t i = 0; i < mf->n_bytes / 4; i++) {
            be32 m;
            memcpy(&m, mask->b + 4 * i, sizeof m);
            wc->regs[(p->offset - offsetof(struct flow, regs)) / 4 + i] |= ntoh32(m);
        }
        break;
    case PLACE_TUN_OPT:
        e = tun_entry(p);
        for (size_t i = 0; e && i < e->len; i++) {
            wc->tunnel.opts[e->ofs + i] |= mask->b[mf->n_bytes - e->len + i];
        }
        wc->tunnel.opts_present |= UINT64_C(1) << p->shift;
        break;
    }
}

void mf_mask_field(const struct mf_field *mf, struct flow *wc) {
    union mf_value all;
    mf_all_bits(mf, &all);
    mf_mask_field_masked(mf, &all, wc);
}

bool mf_is_zero(const struct mf_field *mf, const struct flow *flow) {
    union mf_value value;
    mf_get_value(mf, flow, &value);
    for (size_t i = 0; i < mf->n_bytes; i++) {
        if (value.b[i]) {
            return false;
        }
    }
    return true;
}

bool mf_is_value_valid(const struct mf_field *mf, const union mf_value *value) {
    union mf_value all;
    uint32_t port;
    switch (mf->id) {
    case MFF_IN_PORT_OXM:
    case MFF_ACTSET_OUTPUT: return mf_port_from_32((uint32_t)mf_value_number(mf, value), &port);
    case MFF_NSH_TTL: return value->u8 <= 63;
    case MFF_NSH_MDTYPE: return value->u8 == 1 || value->u8 == 2;
    default: break;
    }
    mf_all_bits(mf, &all);
    for (size_t i = 0; i < mf->n_bytes; i++) {
        if (value->b[i] & ~all.b[i]) {
            return false;
        }
    }
    return true;
}
