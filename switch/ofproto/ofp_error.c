#include "ofproto/ofp_error.h"

#include <stdarg.h>
#include <stdio.h>

int ofp_error_set(struct ofp_error *err, int code, const char *field, const char *hint,
                  const char *format, ...) {
    if (!err) {
        return -code;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    snprintf(err->field, sizeof err->field, "%s", field);
    snprintf(err->hint, sizeof err->hint, "%s", hint ? hint : "");
    return -code;
}
