// output in its three forms, and enqueue.

#include <strings.h>

#include "ofproto/ofpact_private.h"

#define ETH_HEADER_LEN 14u
#define ROOM           UINT16_MAX // max_len of what goes to a controller or register: all of the packet.

static int output_trunc_parse(struct act_parser *p, char *value) {
    struct ofpact_output_trunc *a = ofpact_put(p->out, OFPACT_OUTPUT_TRUNC, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        if (strcmp(key, "port") == 0) {
            error = act_port(p, text, &a->port);
        } else if (strcmp(key, "max_len") == 0) {
            error = act_u32(p, "length", text, &a->max_len);
        } else {
            error = act_unknown_key(p, key, "port= and max_len=");
        }
    }
    return error;
}

ACT_PARSE(output) {
    if (strstr(value, "port") && strstr(value, "max_len")) {
        return output_trunc_parse(p, value);
    }
    uint32_t port = 0;
    if (port_names_parse(p->names, value, &port) == 0 && port <= OFPP_NONE) {
        struct ofpact_output *a = act_put(p, sizeof *a);
        if (!a) {
            return act_full(p);
        }
        a->port = (uint16_t)port;
        a->max_len = port == OFPP_CONTROLLER ? ROOM : 0;
        return 0;
    }
    const char *s = value;
    struct mf_subfield src;
    if (mf_parse_subfield(&s, &src, NULL) < 0 || *s) {
        return act_error(p, "a port's number or name, or a register as reg0[0..15]",
                         "there is no port and no field '%s'", value);
    }
    struct ofpact_output_reg *a = ofpact_put(p->out, OFPACT_OUTPUT_REG, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    a->max_len = ROOM;
    a->src = src;
    return 0;
}

ACT_FORMAT(output) {
    const struct ofpact_output *o = (const void *)a;
    if (o->port < OFPP_MAX) {
        text_put(f->out, "output:");
    }
    port_names_format(f->names, o->port, f->out);
    if (o->port == OFPP_CONTROLLER) {
        text_put(f->out, ":%u", o->max_len);
    }
}

int act_output_port_check(struct act_checker *c, const struct ofpact *a, uint32_t port) {
    bool reserved = port >= OFPP_IN_PORT && port != OFPP_NONE;
    if (port < c->max_ports || reserved) {
        return 0;
    }
    return ofp_error_of(c->err, OFPERR_OFPBAC_BAD_OUT_PORT, ofpact_name((enum ofpact_type)a->type),
                        "a number below 65280, or IN_PORT, LOCAL, NORMAL, FLOOD, ALL …",
                        "there can be no port %u to send to", port);
}

ACT_CHECK(output) {
    return act_output_port_check(c, a, ((const struct ofpact_output *)(const void *)a)->port);
}

ACT_FORMAT(output_reg) {
    const struct ofpact_output_reg *o = (const void *)a;
    text_put(f->out, "output:");
    mf_format_subfield(&o->src, f->out);
}

ACT_VALIDATE(output_reg) {
    return mf_check_src(&((const struct ofpact_output_reg *)(const void *)a)->src, NULL, NULL, err);
}

ACT_CHECK(output_reg) {
    const struct ofpact_output_reg *o = (const void *)a;
    return mf_check_src(&o->src, &c->flow, c->mask, c->err);
}

ACT_FORMAT(output_trunc) {
    const struct ofpact_output_trunc *o = (const void *)a;
    text_put(f->out, "output(port=");
    port_names_format(f->names, o->port, f->out);
    text_put(f->out, ",max_len=%u)", o->max_len);
}

ACT_VALIDATE(output_trunc) {
    const struct ofpact_output_trunc *o = (const void *)a;
    if (o->max_len < ETH_HEADER_LEN) {
        return ofp_error_of(err, OFPERR_OFPBAC_BAD_ARGUMENT, "output",
                            "14 or more: the Ethernet header stays", "max_len is %u", o->max_len);
    }
    return 0;
}

// NORMAL, FLOOD and the like may send several packets, or one through more tables: none of which can be cut.
ACT_CHECK(output_trunc) {
    const struct ofpact_output_trunc *o = (const void *)a;
    if (o->port < OFPP_MAX || o->port == OFPP_LOCAL || o->port == OFPP_IN_PORT) {
        return act_output_port_check(c, a, o->port);
    }
    return ofp_error_of(c->err, OFPERR_OFPBAC_BAD_OUT_PORT, "output",
                        "a port's number or name, LOCAL or IN_PORT",
                        "what goes to port %u cannot be cut", o->port);
}

ACT_PARSE(enqueue) {
    char *pos = value;
    char *port = act_piece(&pos, ":q,");
    if (!port || !*pos) {
        return act_error(p, "enqueue:PORT:QUEUE or enqueue(PORT,QUEUE)",
                         "a port and a queue are missing");
    }
    struct ofpact_enqueue *a = act_put(p, sizeof *a);
    if (!a) {
        return act_full(p);
    }
    int error = act_port(p, port, &a->port);
    return error ? error : act_u32(p, "queue", pos, &a->queue);
}

ACT_FORMAT(enqueue) {
    const struct ofpact_enqueue *e = (const void *)a;
    text_put(f->out, "enqueue:");
    port_names_format(f->names, e->port, f->out);
    text_put(f->out, ":%u", e->queue);
}

ACT_CHECK(enqueue) {
    const struct ofpact_enqueue *e = (const void *)a;
    if (e->port < c->max_ports || e->port == OFPP_IN_PORT || e->port == OFPP_LOCAL) {
        return 0;
    }
    return ofp_error_of(c->err, OFPERR_OFPBAC_BAD_OUT_PORT, "enqueue",
                        "a port's number or name, LOCAL or IN_PORT", "port %u has no queues",
                        e->port);
}
