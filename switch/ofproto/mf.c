// The table of match fields, and finding one in it.

#include "ofproto/mf_place.h"

struct tun_map *_Atomic mf_tun_map;

// Codes: class, experimenter, number, name. MF_ROW joins the first three with the field's length.
#define NXM_OF(name, n)     0x0000, 0, n, "NXM_OF_" #name
#define NXM_NX(name, n)     0x0001, 0, n, "NXM_NX_" #name
#define ERICOXM_OF(name, n) 0x1000, 0, n, "ERICOXM_OF_" #name
#define OXM_OF(name, n)     0x8000, 0, n, "OXM_OF_" #name
#define OXM_OF_PKT(name, n) 0x8001, 0, n, "OXM_OF_PKT_" #name
#define NXOXM_ET(name, n)   0xffff, 0x00002320, n, "NXOXM_ET_" #name
#define NXOXM_NSH(name, n)  0xffff, 0x005ad650, n, "NXOXM_NSH_" #name
#define NO_CODE             0, 0, 0, NULL

#define HEADER(class, vendor, n, length)                                       \
    ((uint64_t)(vendor) << 32 | (uint32_t)(class) << 16 | (uint32_t)(n) << 9 | \
     (uint32_t)((length) + ((class) == 0xffff ? 4 : 0)))
#define HEADER_UNLESS_NULL(name, ...) ((name) == NULL ? 0 : HEADER(__VA_ARGS__))

// Places: kind, offset, size, shift, mask.
#define SIZE(m)            sizeof(((struct flow *)0)->m)
#define ALL(m)             (UINT64_MAX >> (64 - 8 * (SIZE(m) > 8 ? 8 : SIZE(m))))
#define MEMBER(m)          offsetof(struct flow, m), SIZE(m)
#define NET(m)             PLACE_NET, MEMBER(m), 0, ALL(m)
#define NET_BITS(m, s, k)  PLACE_NET, MEMBER(m), s, k
#define HOST(m)            PLACE_HOST, MEMBER(m), 0, ALL(m)
#define HOST_BITS(m, s, k) PLACE_HOST, MEMBER(m), s, k
#define BYTES(m)           PLACE_BYTES, MEMBER(m), 0, 0
#define VLAN(s, k)         PLACE_VLAN, MEMBER(vlans[0].tci), s, k
#define TAGGED(s, k)       PLACE_TAGGED, MEMBER(vlans[0].tci), s, k
#define PORT32(m)          PLACE_PORT32, MEMBER(m), 0, ALL(m)
#define REGS(i)            PLACE_REGS, MEMBER(regs[i]), 0, 0
#define TUN_OPT(i)         PLACE_TUN_OPT, 0, 0, i, 0

#define MF_ROW(id_, name_, extra_, bytes_, bits_, maskable_, string_, prereq_, writable_, kind_,  \
               offset_, size_, shift_, mask_, nxm_class, nxm_vendor, nxm_n, nxm_name_, oxm_class, \
               oxm_vendor, oxm_n, oxm_name_)                                                      \
    [id_] = {                                                                                     \
        .id = id_,                                                                                \
        .name = name_,                                                                            \
        .extra_name = extra_,                                                                     \
        .n_bytes = bytes_,                                                                        \
        .n_bits = bits_,                                                                          \
        .maskable = MFM_##maskable_,                                                              \
        .string = MFS_##string_,                                                                  \
        .prereq = MFP_##prereq_,                                                                  \
        .writable = writable_,                                                                    \
        .nxm_header = HEADER_UNLESS_NULL(nxm_name_, nxm_class, nxm_vendor, nxm_n, bytes_),        \
        .oxm_header = HEADER_UNLESS_NULL(oxm_name_, oxm_class, oxm_vendor, oxm_n, bytes_),        \
        .nxm_name = nxm_name_,                                                                    \
        .oxm_name = oxm_name_,                                                                    \
    },
#define MF_EXPAND(...) MF_ROW(__VA_ARGS__)

static const struct mf_field fields[MFF_N_IDS] = {
#define MF(id, ...) MF_EXPAND(MFF_##id, __VA_ARGS__)
#include "ofproto/mf_fields.def"
#undef MF
};

#define PLACE_ROW(id_, name_, extra_, bytes_, bits_, maskable_, string_, prereq_, writable_, \
                  kind_, offset_, size_, shift_, mask_, ...)                                 \
    [id_] = {.kind = kind_, .size = size_, .shift = shift_, .offset = offset_, .mask = mask_},
#define PLACE_EXPAND(...) PLACE_ROW(__VA_ARGS__)

const struct mf_place mf_places[MFF_N_IDS] = {
#define MF(id, ...) PLACE_EXPAND(MFF_##id, __VA_ARGS__)
#include "ofproto/mf_fields.def"
#undef MF
};

// Codes of the OpenFlow 1.3 extensions, whose fields OpenFlow 1.5 took into OXM_OF.
static const struct {
    enum mf_id id;
    uint64_t header;
    const char *name;
} extension_codes[] = {
    {MFF_TCP_FLAGS, HEADER(0xffff, 0x4f4e4600, 42, 2), "ONFOXM_ET_TCP_FLAGS"},
    {MFF_ACTSET_OUTPUT, HEADER(0xffff, 0x4f4e4600, 43, 4), "ONFOXM_ET_ACTSET_OUTPUT"},
};

const struct mf_field *mf_from_id(enum mf_id id) {
    assert(id < MFF_N_IDS);
    return &fields[id];
}

// -- by name: an open-addressed table of all names, filled before main() and never changed after --

#define N_SLOTS 2048u // About 550 names.

static struct {
    const char *name;
    const struct mf_field *field;
} slots[N_SLOTS];

static uint32_t name_hash(const char *name, size_t len) {
    uint32_t h = 2166136261u; // FNV-1a.
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (uint8_t)name[i]) * 16777619u;
    }
    return h;
}

static void add_name(const char *name, const struct mf_field *field) {
    if (!name) {
        return;
    }
    uint32_t i = name_hash(name, strlen(name)) % N_SLOTS;
    while (slots[i].name) {
        i = (i + 1) % N_SLOTS;
    }
    slots[i].name = name;
    slots[i].field = field;
}

__attribute__((constructor)) static void fill_slots(void) {
    for (size_t i = 0; i < MFF_N_IDS; i++) {
        add_name(fields[i].name, &fields[i]);
        add_name(fields[i].extra_name, &fields[i]);
        add_name(fields[i].nxm_name, &fields[i]);
        add_name(fields[i].oxm_name, &fields[i]);
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(extension_codes); i++) {
        add_name(extension_codes[i].name, &fields[extension_codes[i].id]);
    }
}

const struct mf_field *mf_from_name_n(const char *name, size_t len) {
    for (uint32_t i = name_hash(name, len) % N_SLOTS; slots[i].name; i = (i + 1) % N_SLOTS) {
        if (strncmp(slots[i].name, name, len) == 0 && !slots[i].name[len]) {
            return slots[i].field;
        }
    }
    return NULL;
}

const struct mf_field *mf_from_name(const char *name) {
    return mf_from_name_n(name, strlen(name));
}

const struct mf_field *mf_from_header(uint64_t header) {
    header &= ~(UINT64_C(1) << 8); // "Has a mask".
    for (size_t i = 0; i < MFF_N_IDS; i++) {
        if ((fields[i].nxm_name && fields[i].nxm_header == header) ||
            (fields[i].oxm_name && fields[i].oxm_header == header)) {
            return &fields[i];
        }
    }
    for (size_t i = 0; i < RS_ARRAY_SIZE(extension_codes); i++) {
        if (extension_codes[i].header == header) {
            return &fields[extension_codes[i].id];
        }
    }
    return NULL;
}

bool mf_is_pipeline_field(const struct mf_field *mf) {
    switch (mf->id) {
    case MFF_PACKET_TYPE:
    case MFF_TUN_ID ... MFF_TUN_FLAGS:
    case MFF_TUN_GBP_ID ... MFF_IN_PORT_OXM:
    case MFF_REG0 ... MFF_XXREG3: return true;
    default: return false;
    }
}
