// Values of fields: to text, as ovs-ofctl prints them.

#include "ofproto/mf_text.h"

static void put_integer(const struct mf_field *mf, const union mf_value *value,
                        const union mf_value *mask, struct text *out) {
    if (mf->string == MFS_HEXADECIMAL) {
        text_put_hex(out, value->b, mf->n_bytes);
    } else {
        text_put(out, "%llu", (unsigned long long)mf_value_number(mf, value));
    }
    if (mask) {
        text_put(out, "/");
        text_put_hex(out, mask->b, mf->n_bytes);
    }
}

static void put_port(const struct mf_field *mf, const union mf_value *value,
                     const struct port_names *names, struct text *out) {
    uint32_t port = (uint32_t)mf_value_number(mf, value);
    if (mf->n_bytes == 4 && !mf_port_from_32(port, &port)) {
        text_put(out, "%u", (uint32_t)mf_value_number(mf, value));
        return;
    }
    port_names_format(names, port, out);
}

// The members of "(NAMESPACE,TYPE)": small numbers are decimal.
static void put_half(uint32_t half, struct text *out) {
    text_put(out, half > 9 ? "0x%x" : "%u", half);
}

void text_put_packet_type(struct text *out, be32 packet_type) {
    uint32_t type = ntoh32(packet_type);
    text_put(out, "(");
    put_half(type >> 16, out);
    text_put(out, ",");
    put_half(type & 0xffff, out);
    text_put(out, ")");
}

void text_put_frag(struct text *out, uint8_t value, uint8_t mask) {
    bool any = value & FLOW_FRAG_ANY, later = value & FLOW_FRAG_LATER;
    switch (mask & FLOW_FRAG_MASK) {
    case FLOW_FRAG_ANY: text_put(out, any ? "yes" : "no"); break;
    case FLOW_FRAG_LATER: text_put(out, later ? "later" : "not_later"); break;
    default: text_put(out, any ? (later ? "later" : "first") : (later ? "<error>" : "no"));
    }
}

void mf_format(const struct mf_field *mf, const union mf_value *value, const union mf_value *mask,
               const struct port_names *names, struct text *out) {
    if (mask && bits_all(mask, mf->n_bytes, 0, 8u * mf->n_bytes, false)) {
        text_put(out, "ANY");
        return;
    }
    if (mask && mf_is_mask_exact(mf, mask)) {
        mask = NULL;
    }
    uint32_t all = UINT32_MAX;
    switch (mf->string) {
    case MFS_DECIMAL:
    case MFS_HEXADECIMAL: put_integer(mf, value, mask, out); break;
    case MFS_CT_STATE:
    case MFS_TCP_FLAGS:
    case MFS_TNL_FLAGS:
        mf_flags_format(mf_flags_of(mf), (uint32_t)mf_value_number(mf, value),
                        mask ? (uint32_t)mf_value_number(mf, mask) : all, all, out);
        break;
    case MFS_ETHERNET: text_put_mac(out, value->mac, mask ? mask->mac : NULL); break;
    case MFS_IPV4: text_put_ipv4(out, value->be32, mask ? mask->be32 : UINT32_MAX); break;
    case MFS_IPV6: text_put_ipv6(out, value->ipv6, mask ? mask->ipv6 : NULL); break;
    case MFS_OFP_PORT: put_port(mf, value, names, out); break;
    case MFS_FRAG: text_put_frag(out, value->u8, mask ? mask->u8 : FLOW_FRAG_MASK); break;
    case MFS_PACKET_TYPE: text_put_packet_type(out, value->be32); break;
    }
}
