// mod_dl_src, mod_dl_dst, mod_nw_src, mod_nw_dst.

#include <arpa/inet.h>

#include "ofproto/ofpact_private.h"

ACT_PARSE(mac) {
    struct ofpact_mac *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    const struct mf_field *field =
        mf_from_id(p->word->type == OFPACT_SET_ETH_SRC ? MFF_ETH_SRC : MFF_ETH_DST);
    union mf_value mac;
    if (mf_parse_value(field, value, NULL, &mac, NULL) < 0) {
        return act_error(p, "six pairs of hexadecimal digits, as 00:11:22:33:44:55",
                         "'%s' is not an Ethernet address", value);
    }
    memcpy(a->mac, mac.mac, sizeof a->mac);
    return 0;
}

ACT_FORMAT(mac) {
    const uint8_t *m = ((const struct ofpact_mac *)(const void *)a)->mac;
    text_put(f->out, "%s:%02x:%02x:%02x:%02x:%02x:%02x", ofpact_name((enum ofpact_type)a->type),
             m[0], m[1], m[2], m[3], m[4], m[5]);
}

ACT_PARSE(ipv4) {
    struct ofpact_u32 *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    if (inet_pton(AF_INET, value, &a->value) != 1) {
        return act_error(p, "four numbers with dots, as 10.0.0.1", "'%s' is not an IPv4 address",
                         value);
    }
    return 0;
}

ACT_FORMAT(ipv4) {
    char address[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &((const struct ofpact_u32 *)(const void *)a)->value, address,
              sizeof address);
    text_put(f->out, "%s:%s", ofpact_name((enum ofpact_type)a->type), address);
}

ACT_CHECK(ipv4) {
    if (act_dl_type(&c->flow) != hton16(0x0800)) {
        act_misfit(c, a, "ip");
    }
    return 0;
}
