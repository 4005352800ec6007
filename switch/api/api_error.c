// Errors, and what the checks at the door have in common.

#include <stdarg.h>
#include <stdio.h>

#include "api/api_private.h"

static_assert(RS_N_DROPS == DROP_N_REASONS, "switch_api.h counts the drop reasons");
static_assert(OFP_MAX_PORTS == RS_MAX_PORTS, "both sides number ports alike");
static_assert((int)RS_PORT_AFXDP == (int)PORT_AFXDP && (int)RS_PORT_TAP == (int)PORT_TAP &&
                  (int)RS_PORT_INTERNAL == (int)PORT_INTERNAL &&
                  (int)RS_PORT_DUMMY == (int)PORT_DUMMY,
              "port types are numbered alike");
static_assert((int)RS_BIND_AUTO == (int)BIND_AUTO && (int)RS_BIND_COPY == (int)BIND_COPY,
              "bind modes are numbered alike");
static_assert((int)RS_CSUM_SOFTWARE == (int)CSUM_SOFTWARE, "policies are numbered alike");
static_assert((int)RS_VLAN_TRUNK == (int)VLAN_TRUNK && (int)RS_VLAN_ACCESS == (int)VLAN_ACCESS &&
                  (int)RS_VLAN_NATIVE == (int)VLAN_NATIVE,
              "VLAN modes are numbered alike");
static_assert((int)RS_FLOW_ADD == (int)FLOW_ADD && (int)RS_FLOW_MODIFY == (int)FLOW_MODIFY &&
                  (int)RS_FLOW_MODIFY_STRICT == (int)FLOW_MODIFY_STRICT &&
                  (int)RS_FLOW_DELETE == (int)FLOW_DELETE &&
                  (int)RS_FLOW_DELETE_STRICT == (int)FLOW_DELETE_STRICT,
              "flow commands are numbered alike");
static_assert((int)RS_GROUP_ADD == (int)GROUP_ADD &&
                  (int)RS_GROUP_REMOVE_BUCKET == (int)GROUP_REMOVE_BUCKET,
              "group commands are numbered alike");
static_assert((int)RS_METER_ADD == (int)METER_ADD && (int)RS_METER_DELETE == (int)METER_DELETE,
              "meter commands are numbered alike");

int api_error(struct rs_error *err, int code, const char *field, const char *hint,
              const char *format, ...) {
    if (!err) {
        return -code;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    err->ofperr[0] = '\0';
    snprintf(err->field, sizeof err->field, "%s", field);
    snprintf(err->hint, sizeof err->hint, "%s", hint ? hint : "");
    return -code;
}

int api_error_from(struct rs_error *err, const struct ofp_error *from) {
    api_error(err, from->code, from->field, from->hint, "%s", from->message);
    if (err && from->ofperr != OFPERR_NONE) {
        snprintf(err->ofperr, sizeof err->ofperr, "%s", ofperr_name(from->ofperr));
    }
    return -from->code;
}

bool api_is_terminated(const char *text, size_t cap) {
    return memchr(text, '\0', cap) != NULL;
}

const char *rs_drop_name(uint32_t i) {
    return i < RS_N_DROPS ? drop_reason_name(i) : NULL;
}

const char *rs_drop_meaning(uint32_t i) {
    return i < RS_N_DROPS ? drop_reason_meaning(i) : NULL;
}
