// What is wrong with a text, a message or a request: which field, what was found, the way out, and the
// name that OpenFlow has for it.

#ifndef RINGSIDE_OFPROTO_OFP_ERROR_H
#define RINGSIDE_OFPROTO_OFP_ERROR_H

#include <stdbool.h>
#include <stdint.h>

// The errors of the OpenFlow specifications and of Open vSwitch, by the names that ovs-ofctl prints.
// ofp_errors.def has (type, code) for each version, for the channel.
enum ofperr {
    OFPERR_NONE,
#define OFPERR(name, ...) OFPERR_##name,
#include "ofproto/ofp_errors.def"
#undef OFPERR
    OFPERR_N,
};

struct ofp_error {
    int code;           // Positive errno.
    enum ofperr ofperr; // OFPERR_NONE where OpenFlow has no name for it (a misspelt text).
    char field[64];
    char message[256];
    char hint[256];
};

// Fills *err (which may be NULL; `hint` may be NULL too) and returns -code. `format` makes the
// message.
__attribute__((format(printf, 5, 6))) int ofp_error_set(struct ofp_error *err, int code,
                                                        const char *field, const char *hint,
                                                        const char *format, ...);
// The same with OpenFlow's name; the errno follows from it.
__attribute__((format(printf, 5, 6))) int ofp_error_of(struct ofp_error *err, enum ofperr ofperr,
                                                       const char *field, const char *hint,
                                                       const char *format, ...);
const char *ofperr_name(enum ofperr e); // "OFPBAC_BAD_OUT_PORT".
int ofperr_errno(enum ofperr e);        // Positive.
// Type and code in a version (0x01 … 0x06); false if the version has no such error.
bool ofperr_code(enum ofperr e, uint8_t version, uint16_t *type, uint16_t *code);
// Whose type and code these are: 0 = the specification's, else an experimenter's id. In 1.0 and 1.1 they then
// stand inside a vendor error; from 1.2 on type is 0xffff and code the experimenter's own type.
uint32_t ofperr_vendor(enum ofperr e, uint8_t version);

#endif
