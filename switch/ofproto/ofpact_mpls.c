// MPLS and TTLs: what they ask of the packet and leave of it. Their numbers are parsed in ofpact_number.c.

#include "ofproto/ofpact_private.h"

ACT_CHECK(set_mpls) {
    if (!flow_is_mpls(act_dl_type(&c->flow))) {
        act_misfit(c, a, "mpls");
    }
    return 0;
}

// What the label covers is opaque from now on.
ACT_CHECK(push_mpls) {
    if (c->flow.packet_type != 0) {
        act_misfit(c, a, "an Ethernet packet");
    }
    c->flow.dl_type = hton16(((const struct ofpact_u16 *)(const void *)a)->value);
    c->flow.nw_proto = 0;
    return 0;
}

ACT_CHECK(pop_mpls) {
    if (c->flow.packet_type != 0 || !flow_is_mpls(act_dl_type(&c->flow))) {
        act_misfit(c, a, "mpls");
    }
    c->flow.dl_type = hton16(((const struct ofpact_u16 *)(const void *)a)->value);
    return 0;
}

static int ids_parse(struct act_parser *p, char *value, struct ofpact_cnt_ids *ids) {
    char *pos = value, *piece;
    while ((piece = act_piece(&pos, ", "))) {
        int error = act_u16(p, "controller id", piece, &ids->ids[ids->n]);
        if (error < 0) {
            return error;
        }
        ids->n++;
    }
    return ids->n ? 0 : act_error(p, "dec_ttl, or dec_ttl(1,2)", "it names no controller");
}

ACT_PARSE(dec_ttl) {
    size_t n = 1; // As many as there can be; the list is cut to what there are.
    for (const char *s = value; *s; s++) {
        n += *s == ',' || *s == ' ';
    }
    uint32_t offset = p->out->len;
    struct ofpact_cnt_ids *a = act_put(p, sizeof *a + n * sizeof a->ids[0]);
    if (!a) {
        return act_full(p);
    }
    if (!*value) {
        a->n = 1;
        return 0;
    }
    a->ofpact.raw = 1;
    int error = ids_parse(p, value, a);
    p->out->len = offset + (uint32_t)((sizeof *a + a->n * sizeof a->ids[0] + 7) & ~(size_t)7);
    ofpact_close(p->out, offset);
    return error;
}

ACT_FORMAT(dec_ttl) {
    const struct ofpact_cnt_ids *ids = (const void *)a;
    text_put(f->out, "dec_ttl");
    for (unsigned i = 0; a->raw && i < ids->n; i++) {
        text_put(f->out, "%c%u", i ? ',' : '(', ids->ids[i]);
    }
    if (a->raw) {
        text_put(f->out, ")");
    }
}
