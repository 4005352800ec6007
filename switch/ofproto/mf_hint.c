// What errors say about fields: names that come near, words that are missing.

#include "ofproto/mf_text.h"

const char *mf_code_name(const struct mf_field *mf) {
    if (mf->id == MFF_ACTSET_OUTPUT) { // Open vSwitch writes the extension's name here.
        return "ONFOXM_ET_ACTSET_OUTPUT";
    }
    return mf->nxm_name ? mf->nxm_name : mf->oxm_name ? mf->oxm_name : mf->name;
}

const char *mf_prereq_hint(const struct mf_field *mf) {
    switch (mf->prereq) {
    case MFP_NONE: break;
    case MFP_ETHERNET: return "add eth";
    case MFP_ARP: return "add arp or rarp";
    case MFP_VLAN_VID: return "add dl_vlan=N, or vlan_tci=0x1000/0x1000 for any tag";
    case MFP_IPV4: return "add ip (for arp: arp_spa and arp_tpa)";
    case MFP_IPV6: return "add ipv6";
    case MFP_IP_ANY: return "add ip or ipv6";
    case MFP_NSH: return "add dl_type=0x894f";
    case MFP_CT_VALID: return "add ct_state=+trk-inv, or a state such as +trk+est";
    case MFP_MPLS: return "add mpls or mplsm";
    case MFP_TCP: return "add tcp or tcp6 (not of later fragments)";
    case MFP_UDP: return "add udp or udp6 (not of later fragments)";
    case MFP_SCTP: return "add sctp or sctp6 (not of later fragments)";
    case MFP_ICMPV4: return "add icmp";
    case MFP_ICMPV6: return "add icmp6";
    case MFP_ND: return "add icmp6,icmpv6_type=135 (or 136); their code is 0";
    case MFP_ND_SOLICIT: return "add icmp6,icmpv6_type=135; its code is 0";
    case MFP_ND_ADVERT: return "add icmp6,icmpv6_type=136; its code is 0";
    }
    return "";
}

enum { WORD_MAX = 24 };

static unsigned min3(unsigned a, unsigned b, unsigned c) {
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

// Number of single-letter changes between two words; b is shorter than WORD_MAX.
static unsigned edit_distance(const char *a, const char *b) {
    unsigned row[WORD_MAX];
    size_t len = strlen(b);
    for (unsigned j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= len; j++) {
            unsigned above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[len];
}

void mf_consider_name(const char *word, const char *name, struct mf_nearest *n) {
    if (!name || strlen(name) >= WORD_MAX || strlen(word) >= WORD_MAX) {
        return;
    }
    unsigned d = edit_distance(word, name);
    if (d < n->distance) {
        n->distance = d;
        n->name = name;
    }
}

void mf_consider_fields(const char *word, struct mf_nearest *n) {
    for (size_t i = 0; i < MFF_N_IDS; i++) {
        const struct mf_field *mf = mf_from_id((enum mf_id)i);
        mf_consider_name(word, mf->name, n);
        mf_consider_name(word, mf->extra_name, n);
    }
}

const char *mf_nearest_hint(const struct mf_nearest *n, char *buf, size_t size) {
    if (!n->name) {
        return "ovs-fields(7) lists the names of fields";
    }
    snprintf(buf, size, "did you mean %s?", n->name);
    return buf;
}

const char *mf_name_hint(const char *word, char *buf, size_t size) {
    struct mf_nearest n = {.distance = 3};
    mf_consider_fields(word, &n);
    return mf_nearest_hint(&n, buf, size);
}
