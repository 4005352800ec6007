// controller: a copy of the packet for a controller.

#include <strings.h>

#include "ofproto/ofpact_private.h"

static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
                                      "action_set", "group",  "packet_out"};
#define REASON_ACTION 1u

struct controller_args {
    uint16_t max_len, id;
    uint32_t meter;
    uint8_t reason;
    bool pause;
    const char *userdata; // NULL = none.
};

static int reason_parse(struct act_parser *p, const char *text, uint8_t *out) {
    for (size_t i = 0; i < RS_ARRAY_SIZE(reasons); i++) {
        if (strcasecmp(text, reasons[i]) == 0) {
            *out = (uint8_t)i;
            return 0;
        }
    }
    return act_error(p, "no_match, action, invalid_ttl, action_set, group or packet_out",
                     "there is no reason '%s'", text);
}

static int args_parse(struct act_parser *p, char *value, struct controller_args *args) {
    char *pos = value, *key, *text;
    int error = 0;
    while (!error && act_next(&pos, &key, &text)) {
        if (strcmp(key, "reason") == 0) {
            error = reason_parse(p, text, &args->reason);
        } else if (strcmp(key, "max_len") == 0) {
            error = act_u16(p, "length", text, &args->max_len);
        } else if (strcmp(key, "id") == 0) {
            error = act_u16(p, "controller id", text, &args->id);
        } else if (strcmp(key, "userdata") == 0) {
            args->userdata = text;
        } else if (strcmp(key, "pause") == 0) {
            args->pause = true;
        } else if (strcmp(key, "meter_id") == 0) {
            error = act_u32(p, "meter", text, &args->meter);
        } else {
            error = act_unknown_key(p, key, "reason, max_len, id, userdata, pause, meter_id");
        }
    }
    return error;
}

// What needs none of the extension's options is an output to the port that is called so.
static int plain_output(struct act_parser *p, uint16_t max_len) {
    struct ofpact_output *o = ofpact_put(p->out, OFPACT_OUTPUT, sizeof *o);
    if (!o) {
        return act_full(p);
    }
    o->port = OFPP_CONTROLLER;
    o->max_len = max_len;
    return 0;
}

ACT_PARSE(controller) {
    struct controller_args args = {.max_len = UINT16_MAX, .reason = REASON_ACTION};
    bool number = value[strspn(value, "0123456789")] == '\0' && value[0];
    int error = number ? act_u16(p, "length", value, &args.max_len) : args_parse(p, value, &args);
    if (error < 0) {
        return error;
    }
    size_t n = args.userdata ? act_hex_bytes(args.userdata, NULL) : 0;
    if (n == SIZE_MAX) {
        return act_error(p, "pairs of hexadecimal digits, as 01.2f.a0",
                         "userdata '%s' is something else", args.userdata);
    }
    if (args.reason == REASON_ACTION && !args.id && !n && !args.pause && !args.meter) {
        return plain_output(p, args.max_len);
    }
    struct ofpact_controller *a = act_put(p, sizeof *a + n);
    if (!a) {
        return act_full(p);
    }
    a->max_len = args.max_len;
    a->controller_id = args.id;
    a->reason = args.reason;
    a->pause = args.pause;
    a->meter_id = args.meter;
    a->userdata_len = (uint16_t)n;
    if (n > 0) {
        act_hex_bytes(args.userdata, a->userdata);
    }
    return 0;
}

static void options_format(const struct ofpact_controller *c, struct text *out) {
    if (c->reason != REASON_ACTION) {
        text_put(out, "reason=%s,", c->reason < RS_ARRAY_SIZE(reasons) ? reasons[c->reason] : "?");
    }
    if (c->max_len != UINT16_MAX) {
        text_put(out, "max_len=%u,", c->max_len);
    }
    if (c->controller_id) {
        text_put(out, "id=%u,", c->controller_id);
    }
    if (c->userdata_len) {
        text_put(out, "userdata=");
        act_put_dotted(out, c->userdata, c->userdata_len);
        text_put(out, ",");
    }
    if (c->pause) {
        text_put(out, "pause,");
    }
    if (c->meter_id) {
        text_put(out, "meter_id=%u,", c->meter_id);
    }
    text_chomp(out, ',');
}

ACT_FORMAT(controller) {
    const struct ofpact_controller *c = (const void *)a;
    if (c->reason == REASON_ACTION && !c->controller_id && !c->userdata_len && !c->pause &&
        !c->meter_id) {
        text_put(f->out, "CONTROLLER:%u", c->max_len);
        return;
    }
    text_put(f->out, "controller(");
    options_format(c, f->out);
    text_put(f->out, ")");
}
