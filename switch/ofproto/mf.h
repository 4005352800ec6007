// Match fields: one table for all of ovs-fields(7), read by the match parser and printer, the actions
// that name fields, translation, and (later) the wire codecs.
//
// mf_fields.def lists them; MFF_IN_PORT, MFF_REG0, MFF_XXREG3, MFF_TUN_METADATA0 … are their numbers, with
// the names that Open vSwitch gives them.

#ifndef RINGSIDE_OFPROTO_MF_H
#define RINGSIDE_OFPROTO_MF_H

#include "datapath/base/text.h"
#include "datapath/flow/flow.h"
#include "ofproto/ofp_error.h"
#include "ofproto/port_names.h"

enum mf_id {
#define MF(id, ...) MFF_##id,
#include "ofproto/mf_fields.def"
#undef MF
    MFF_N_IDS,
};

enum mf_prereq { // What a packet must be for the field to mean something.
    MFP_NONE,
    MFP_ETHERNET, // packet_type is Ethernet.
    MFP_ARP,
    MFP_VLAN_VID, // A tag is present.
    MFP_IPV4,
    MFP_IPV6,
    MFP_IP_ANY,
    MFP_NSH,
    MFP_CT_VALID, // A connection is known: ct_state has new, est or rpl.
    MFP_MPLS,
    MFP_TCP,
    MFP_UDP,
    MFP_SCTP,
    MFP_ICMPV4,
    MFP_ICMPV6,
    MFP_ND, // Neighbor solicitation or advertisement.
    MFP_ND_SOLICIT,
    MFP_ND_ADVERT,
};

enum mf_maskable { MFM_NONE, MFM_FULLY };

enum mf_string { // How a value is written.
    MFS_DECIMAL,
    MFS_HEXADECIMAL,
    MFS_CT_STATE,
    MFS_ETHERNET,
    MFS_IPV4,
    MFS_IPV6,
    MFS_OFP_PORT,
    MFS_FRAG,
    MFS_TNL_FLAGS,
    MFS_TCP_FLAGS,
    MFS_PACKET_TYPE,
};

union mf_value {
    uint8_t b[128];
    uint8_t u8;
    be16 be16;
    be32 be32;
    be64 be64;
    uint8_t mac[6];
    uint8_t ipv6[16];
};

struct mf_field {
    enum mf_id id;
    const char *name;
    const char *extra_name; // NULL = none.
    uint16_t n_bytes;       // Of a value, big-endian; the field is its low n_bits.
    uint16_t n_bits;
    enum mf_maskable maskable;
    enum mf_string string;
    enum mf_prereq prereq;
    bool writable;
    // 0 = none. experimenter << 32 | class << 16 | field << 9 | length, as NXM does; the length counts
    // the experimenter's id, where there is one.
    uint64_t nxm_header, oxm_header;
    const char *nxm_name, *oxm_name; // "NXM_OF_ETH_TYPE", "OXM_OF_ETH_TYPE"; NULL = none.
};

const struct mf_field *mf_from_id(enum mf_id id);
const struct mf_field *mf_from_name(
    const char *name); // Also extra, NXM and OXM names. NULL = none.
// By any of its codes, NXM or OXM, those of extensions included; with or without a mask. NULL = none.
const struct mf_field *mf_from_header(uint64_t header);

// Value of a field in a key (big-endian, right-aligned in n_bytes), and the other way. Fields that are views
// (xreg, xxreg, vlan_vid, dl_vlan, nw_tos, ip_dscp, …) read and write what they are views of.
void mf_get_value(const struct mf_field *mf, const struct flow *flow, union mf_value *value);
void mf_set_flow_value(const struct mf_field *mf, const union mf_value *value, struct flow *flow);
void mf_set_flow_value_masked(const struct mf_field *mf, const union mf_value *value,
                              const union mf_value *mask, struct flow *flow);
// Un-wildcards the field / the masked bits of it in wc.
void mf_mask_field(const struct mf_field *mf, struct flow *wc);
void mf_mask_field_masked(const struct mf_field *mf, const union mf_value *mask, struct flow *wc);
bool mf_is_zero(const struct mf_field *mf, const struct flow *flow);

// Does the packet with this key have the field? With wc (may be NULL), what was looked at is un-wildcarded.
bool mf_are_prereqs_ok(const struct mf_field *mf, const struct flow *flow, struct flow *wc);
// Does the field ever have this value? Also of a value under a mask.
bool mf_is_value_valid(const struct mf_field *mf, const union mf_value *value);
// The bits that the field has, right-aligned in n_bytes. A mask that covers them is exact.
void mf_all_bits(const struct mf_field *mf, union mf_value *bits);
bool mf_is_mask_exact(const struct mf_field *mf, const union mf_value *mask);
bool mf_is_mapped(const struct mf_field *mf); // False: a tun_metadata<i> that the TLV map lacks.
bool mf_is_pipeline_field(const struct mf_field *mf);

// -- text --
// "VALUE" or "VALUE/MASK" as ovs-fields(7) writes them for this field. 0 or -EINVAL with *err filled.
int mf_parse(const struct mf_field *mf, const char *text, const struct port_names *names,
             union mf_value *value, union mf_value *mask, struct ofp_error *err);
int mf_parse_value(const struct mf_field *mf, const char *text, const struct port_names *names,
                   union mf_value *value, struct ofp_error *err); // Without a mask.
// Prints as ovs-ofctl does. mask NULL = exact.
void mf_format(const struct mf_field *mf, const union mf_value *value, const union mf_value *mask,
               const struct port_names *names, struct text *out);

// -- sub-fields: "NXM_NX_REG0[0..15]", "reg0[3]", "tun_id[]", "reg1" --
struct mf_subfield {
    const struct mf_field *field; // NULL = none.
    uint16_t ofs, n_bits;
    uint32_t pad; // 0: actions are compared byte by byte, so no byte is nobody's.
};

// Parses one at *text and moves *text behind it.
int mf_parse_subfield(const char **text, struct mf_subfield *sf, struct ofp_error *err);
void mf_format_subfield(const struct mf_subfield *sf, struct text *out);
// Value of a sub-field, right-aligned in 128 bytes big-endian.
void mf_read_subfield(const struct mf_subfield *sf, const struct flow *flow, union mf_value *value);
uint64_t mf_get_subfield(const struct mf_subfield *sf, const struct flow *flow); // Low 64 bits.
void mf_write_subfield(const struct mf_subfield *sf, const union mf_value *value,
                       struct flow *flow);
void mf_set_subfield(const struct mf_subfield *sf, uint64_t value, struct flow *flow);
void mf_mask_subfield(const struct mf_subfield *sf, struct flow *wc);
// May it be read (source) / written (destination) by a rule with this match? OFPBAC_MATCH_INCONSISTENT,
// OFPBAC_BAD_SET_ARGUMENT … otherwise. match_flow and match_mask may be NULL: prerequisites are not asked.
int mf_check_src(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, struct ofp_error *err);
int mf_check_dst(const struct mf_subfield *sf, const struct flow *match_flow,
                 const struct flow *match_mask, struct ofp_error *err);

// Has a tunnel option that the TLV map lacks been named, or bits from n_bits on that it does not have?
// OFPERR_NXFMFC_INVALID_TLV_FIELD, OFPBAC_BAD_SET_LEN; 0 for all other fields.
int mf_check_mapped(const struct mf_field *mf, unsigned n_bits, struct ofp_error *err);

// Bytes right-aligned in big-endian arrays: dst[dst_ofs … +n_bits) = src[src_ofs …), bit 0 the least significant.
void bits_copy(const void *src, size_t src_len, unsigned src_ofs, void *dst, size_t dst_len,
               unsigned dst_ofs, unsigned n_bits);
bool bits_all(const void *src, size_t len, unsigned ofs, unsigned n_bits, bool value);

// -- the TLV map of tunnel options (NXT_TLV_TABLE_MOD): tun_metadata<i> = (class, type, length) --
struct tun_map_entry {
    uint16_t option_class;
    uint8_t option_type;
    uint8_t len;  // Bytes, a multiple of 4, ≤ 124. 0 = not mapped.
    uint16_t ofs; // In flow_tnl.opts.
};
#define TUN_N_METADATA 64
struct tun_map {
    struct tun_map_entry entries[TUN_N_METADATA];
};
// The map that tun_metadata fields are read by, process-wide; without one, tun_metadata<i> are refused by
// the door. Writer: control, under the switch's lock. Replacing it needs an empty rule set (as OVS: else EBUSY).
extern struct tun_map *_Atomic mf_tun_map;

// Adds "{class=0x102,type=0x80,len=4}->tun_metadata0[,…]", as ovs-ofctl add-tlv-map has it, to a map: all
// of it, or with an error (NXTTMFC_*) nothing.
int tun_map_parse(const char *text, struct tun_map *map, struct ofp_error *err);
// Removes the entries that the text names: what is mapped to tun_metadata<i>. "" removes all.
int tun_map_remove(const char *text, struct tun_map *map, struct ofp_error *err);
void tun_map_format(const struct tun_map *map, struct text *out); // As tun_map_parse() reads it.

#endif
