// Packets that a megaflow covers beside its own.

#include "xlate.h"

static uint64_t next_random(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// Bits that say what the rest of the key means; another value is another kind of packet.
static void keep_shape(const struct flow *key, struct flow *free_bits) {
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        bool has_tag = key->vlans[i].tci & hton16(FLOW_VLAN_CFI);
        free_bits->vlans[i].tci &= has_tag ? (be16)~hton16(FLOW_VLAN_CFI) : 0;
        free_bits->vlans[i].tpid = 0;
    }
    for (unsigned i = 0; i < FLOW_MAX_MPLS; i++) {
        free_bits->mpls_lse[i] &= (be32)~hton32(0x100);
    }
    if (key->nw_proto == 1 || key->nw_proto == 58) {
        free_bits->tp_src &= hton16(0xff);
        free_bits->tp_dst &= hton16(0xff);
    }
    free_bits->ct_state &=
        (uint8_t)~FLOW_CS_TRK; // Whoever comes with this recirc_id was tracked, or not.
    free_bits->metadata = 0;
    memset(free_bits->regs, 0, sizeof free_bits->regs);
    free_bits->conj_id = free_bits->actset_output = 0;
    free_bits->recirc_id = free_bits->in_port = free_bits->packet_type = 0;
}

void xl_other_packet(const struct flow *key, const struct flow *wc, uint64_t seed,
                     struct flow *out) {
    struct match m;
    match_from_flow(key, &m);
    keep_shape(key, &m.mask);
    bool any_tags = !(wc->vlans[0].tci & hton16(FLOW_VLAN_CFI));
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        uint64_t free_bits = flow_words(&m.mask)[i] & ~flow_words_const(wc)[i];
        flow_words(out)[i] = flow_words_const(key)[i] ^ (next_random(&seed) & free_bits);
    }
    if (any_tags && seed & 1) { // It does not matter whether there is a tag.
        memset(out->vlans, 0, sizeof out->vlans);
        for (unsigned i = 0; i < (seed >> 1) % (FLOW_MAX_VLANS + 1); i++) {
            out->vlans[i].tpid = hton16(0x8100);
            out->vlans[i].tci = hton16((uint16_t)next_random(&seed) | FLOW_VLAN_CFI);
        }
    }
}
