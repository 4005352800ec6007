#include "ofproto/ofp_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "datapath/base/compiler.h"

#define OFP_N_VERSIONS 6 // 1.0 … 1.5, wire versions 0x01 … 0x06.

// How one version says an error on the wire.
struct ofperr_wire {
    uint32_t vendor; // 0 = the specification's own.
    uint16_t type, code;
    bool exists;
};

struct ofperr_info {
    const char *name;
    int code; // Positive errno.
    struct ofperr_wire wire[OFP_N_VERSIONS];
};

#define NX_VENDOR          0x00002320u
#define ONF_VENDOR         0x4f4e4600u
#define OFPET_EXPERIMENTER 0xffff

#define OF(t, c) \
    { .type = (t), .code = (c), .exists = true }
#define NX(t, c) \
    { .vendor = NX_VENDOR, .type = (t), .code = (c), .exists = true }
#define EXPERIMENTER(v, c) \
    { .vendor = (v), .type = OFPET_EXPERIMENTER, .code = (c), .exists = true }
#define NX_EXP(c)  EXPERIMENTER(NX_VENDOR, c)
#define ONF_EXP(c) EXPERIMENTER(ONF_VENDOR, c)

#define V10    [0] =
#define V10_11 [0 ... 1] =
#define V10_15 [0 ... 5] =
#define V11    [1] =
#define V11_15 [1 ... 5] =
#define V12    [2] =
#define V12_13 [2 ... 3] =
#define V12_15 [2 ... 5] =
#define V13    [3] =
#define V13_14 [3 ... 4] =
#define V13_15 [3 ... 5] =
#define V14_15 [4 ... 5] =
#define V15    [5] =

static const struct ofperr_info infos[OFPERR_N] = {
    [OFPERR_NONE] = {.name = "none"},
#define OFPERR(name, errno_, ...) [OFPERR_##name] = {#name, errno_, {__VA_ARGS__}},
#include "ofproto/ofp_errors.def"
#undef OFPERR
};

__attribute__((format(printf, 6, 0))) static int error_fill(struct ofp_error *err, int code,
                                                            enum ofperr ofperr, const char *field,
                                                            const char *hint, const char *format,
                                                            va_list args) {
    if (err) {
        vsnprintf(err->message, sizeof err->message, format, args);
        err->code = code;
        err->ofperr = ofperr;
        snprintf(err->field, sizeof err->field, "%s", field ? field : "");
        snprintf(err->hint, sizeof err->hint, "%s", hint ? hint : "");
    }
    return -code;
}

int ofp_error_set(struct ofp_error *err, int code, const char *field, const char *hint,
                  const char *format, ...) {
    va_list args;
    va_start(args, format);
    int result = error_fill(err, code, OFPERR_NONE, field, hint, format, args);
    va_end(args);
    return result;
}

int ofp_error_of(struct ofp_error *err, enum ofperr ofperr, const char *field, const char *hint,
                 const char *format, ...) {
    va_list args;
    va_start(args, format);
    int result = error_fill(err, ofperr_errno(ofperr), ofperr, field, hint, format, args);
    va_end(args);
    return result;
}

const char *ofperr_name(enum ofperr e) {
    return (unsigned)e < OFPERR_N ? infos[e].name : "none";
}

int ofperr_errno(enum ofperr e) {
    return e != OFPERR_NONE && (unsigned)e < OFPERR_N ? infos[e].code : EINVAL;
}

bool ofperr_code(enum ofperr e, uint8_t version, uint16_t *type, uint16_t *code) {
    if ((unsigned)e >= OFPERR_N || version < 1 || version > OFP_N_VERSIONS) {
        return false;
    }
    const struct ofperr_wire *wire = &infos[e].wire[version - 1];
    *type = wire->type;
    *code = wire->code;
    return wire->exists;
}

uint32_t ofperr_vendor(enum ofperr e, uint8_t version) {
    if ((unsigned)e >= OFPERR_N || version < 1 || version > OFP_N_VERSIONS) {
        return 0;
    }
    return infos[e].wire[version - 1].vendor;
}
