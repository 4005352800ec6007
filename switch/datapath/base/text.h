// Text that grows in a buffer of fixed size: what does not fit is cut off, the end is always NUL.

#ifndef RINGSIDE_BASE_TEXT_H
#define RINGSIDE_BASE_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "datapath/base/compiler.h"

struct text {
    char *buf;
    size_t cap; // Bytes of buf, at least 1.
    size_t len; // Bytes written, without the NUL.
    bool cut;   // Something did not fit.
};

static inline void text_init(struct text *t, char *buf, size_t cap) {
    assert(cap > 0);
    *t = (struct text){.buf = buf, .cap = cap};
    buf[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static inline void text_put(struct text *t,
                                                                  const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->buf + t->len, t->cap - t->len, format, args);
    va_end(args);
    if (n < 0) {
        return;
    }
    size_t room = t->cap - t->len - 1;
    t->cut |= (size_t)n > room;
    t->len += (size_t)n > room ? room : (size_t)n;
}

// Drops a trailing character, as the comma behind the last element of a list.
static inline void text_chomp(struct text *t, char c) {
    if (t->len > 0 && t->buf[t->len - 1] == c) {
        t->buf[--t->len] = '\0';
    }
}

#endif
