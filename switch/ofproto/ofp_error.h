// What is wrong with a text or a request: which field, what was found, the way out.

#ifndef RINGSIDE_OFPROTO_OFP_ERROR_H
#define RINGSIDE_OFPROTO_OFP_ERROR_H

struct ofp_error {
    int code; // Positive errno.
    char field[64];
    char message[256];
    char hint[256];
};

// Fills *err (which may be NULL; `hint` may be NULL too) and returns -code. `format` makes the
// message.
__attribute__((format(printf, 5, 6))) int ofp_error_set(struct ofp_error *err, int code,
                                                        const char *field, const char *hint,
                                                        const char *format, ...);

#endif
