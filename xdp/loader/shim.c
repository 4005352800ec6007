// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

// A verifier log can be long; what matters stands at its end, so beyond this the head is dropped.
#define LOG_LIMIT (8u << 20)

// Writer and reader: this thread.
static _Thread_local struct {
    char *text; // NUL-terminated, NULL until the first message
    size_t length;
    bool active;
} log_sink;

static bool log_reserve(size_t extra) {
    char *text;

    if (log_sink.length + extra > LOG_LIMIT) {
        free(log_sink.text);
        log_sink.text = NULL;
        log_sink.length = 0;
    }
    text = realloc(log_sink.text, log_sink.length + extra + 1);
    if (!text)
        return false;
    log_sink.text = text;
    return true;
}

static int log_write(enum libbpf_print_level level, const char *format, va_list args) {
    va_list copy;
    int length;

    if (!log_sink.active || level == LIBBPF_DEBUG)
        return 0;

    va_copy(copy, args);
    length = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    if (length <= 0 || !log_reserve((size_t)length))
        return 0;

    vsnprintf(log_sink.text + log_sink.length, (size_t)length + 1, format, args);
    log_sink.length += (size_t)length;
    return length;
}

void bpf_log_start(void) {
    free(log_sink.text);
    log_sink.text = NULL;
    log_sink.length = 0;
    log_sink.active = true;
    libbpf_set_print(log_write);
}

char *bpf_log_stop(void) {
    char *text = log_sink.text;

    log_sink.text = NULL;
    log_sink.length = 0;
    log_sink.active = false;
    return text;
}

void bpf_log_free(char *text) {
    free(text);
}

int bpf_link_facts_read(int link_fd, struct bpf_link_facts *facts) {
    struct bpf_link_info info = {0};
    __u32 size = sizeof(info);
    int error = bpf_obj_get_info_by_fd(link_fd, &info, &size);

    if (error)
        return error;

    facts->id = info.id;
    facts->prog_id = info.prog_id;
    facts->is_xdp = info.type == BPF_LINK_TYPE_XDP;
    facts->ifindex = facts->is_xdp ? info.xdp.ifindex : 0;
    return 0;
}
