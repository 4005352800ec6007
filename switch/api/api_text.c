// Texts that grow, and texts taken apart into lines.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api_private.h"

enum { FIRST_ROOM = 4096 };
static const size_t text_max = (size_t)1 << 30; // Beyond it something is wrong.

static int grow(struct api_text *text) {
    size_t cap = text->t.cap ? 2 * text->t.cap : FIRST_ROOM;
    char *buf = cap <= text_max ? realloc(text->t.buf, cap) : NULL;
    if (!buf) {
        return -ENOMEM;
    }
    text->t.buf = buf;
    text->t.cap = cap;
    buf[text->t.len] = '\0';
    return 0;
}

int api_text_put(struct api_text *text, void (*put)(struct text *t, void *arg), void *arg) {
    size_t before = text->t.len;
    if (!text->t.buf && grow(text) < 0) {
        return -ENOMEM;
    }
    for (;;) {
        put(&text->t, arg);
        if (!text->t.cut) {
            return 0;
        }
        text->t.len = before;
        text->t.buf[before] = '\0';
        text->t.cut = false;
        if (grow(text) < 0) {
            return -ENOMEM;
        }
    }
}

int api_text_give(struct api_text *text, struct rs_text *out) {
    if (!text->t.buf && grow(text) < 0) {
        return -ENOMEM;
    }
    *out = (struct rs_text){.data = text->t.buf, .len = text->t.len};
    text->t = (struct text){0};
    return 0;
}

void api_text_clear(struct api_text *text) {
    text->t.len = 0;
    if (text->t.buf) {
        text->t.buf[0] = '\0';
    }
}

void api_text_destroy(struct api_text *text) {
    free(text->t.buf);
    text->t = (struct text){0};
}

void rs_text_free(struct rs_text *text) {
    if (text) {
        free(text->data);
        *text = (struct rs_text){0};
    }
}

int api_lines_init(struct api_lines *lines, const char *text, size_t len) {
    *lines = (struct api_lines){.copy = malloc(len + 1)};
    if (!lines->copy) {
        return -ENOMEM;
    }
    if (len > 0) {
        memcpy(lines->copy, text, len);
    }
    lines->copy[len] = '\0';
    lines->next = lines->copy;
    lines->end = lines->copy + len;
    return 0;
}

bool api_lines_next(struct api_lines *lines) {
    while (lines->next < lines->end) {
        char *line = lines->next;
        size_t len = strcspn(line, "#\n");
        char *stop = memchr(line + len, '\n', (size_t)(lines->end - line) - len);
        lines->next = stop ? stop + 1 : lines->end;
        while (len > 0 && strchr(" \t\r", line[len - 1])) {
            len--;
        }
        line[len] = '\0';
        line += strspn(line, " \t\r");
        if (*line) {
            lines->line = line;
            lines->n++;
            return true;
        }
    }
    return false;
}

void api_lines_destroy(struct api_lines *lines) {
    free(lines->copy);
    *lines = (struct api_lines){0};
}

int api_error_in_line(const struct api_lines *lines, int code, struct rs_error *err) {
    if (err) {
        struct rs_error copy = *err;
        snprintf(err->field, sizeof err->field, "flows[%u]%s%.45s", lines->n - 1,
                 copy.field[0] ? "." : "", copy.field);
    }
    return code;
}
