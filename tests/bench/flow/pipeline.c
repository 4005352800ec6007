#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void die(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

void check(int code, const char *what, const struct rs_error *err) {
    if (code < 0) {
        fprintf(stderr, "bench: %s: %s: %s (%s)\n", what, err->field, err->message, err->hint);
        exit(1);
    }
}

uint64_t thread_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "r");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        die(path);
    }
    long size = ftell(file);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    rewind(file);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) {
        die(path);
    }
    fclose(file);
    text[size] = '\0';
    *len = (size_t)size;
    return text;
}

void pipeline_open(struct pipeline *p, const struct rs_switch_config *config, const char *rules,
                   const char *tlv_map) {
    struct rs_error err = {.code = 0};
    struct rs_port_info info;
    check(rs_switch_create(config, &p->sw, &err), "switch", &err);
    for (uint32_t i = 1; i <= PIPELINE_PORTS; i++) {
        struct rs_port_config port = {.type = RS_PORT_DUMMY, .ofport = i, .mtu = 1500};
        snprintf(port.name, sizeof port.name, "h%u", i);
        check(rs_port_open(p->sw, &port, &info, &err), port.name, &err);
        check(rs_port_start(p->sw, i, &err), port.name, &err);
    }
    check(rs_tlv_mod(p->sw, tlv_map, RS_TLV_ADD, &err), "TLV map", &err);
    size_t len;
    char *text = read_file(rules, &len);
    check(rs_flows_apply(p->sw, text, len, RS_FLOW_ADD, true, &err), "rules", &err);
    free(text);
    // Nothing dies of age here: what is measured is not that.
    check(rs_revalidator_set(p->sw, 200000, 3600000, &err), "revalidator", &err);
}

static void parse_frame(char *line, struct frame *f) {
    char *hex;
    *f = (struct frame){.in_port = (uint32_t)strtoul(line, &hex, 10)};
    for (hex += *hex == ' '; hex[0] > ' ' && hex[1] > ' '; hex += 2) {
        char byte[3] = {hex[0], hex[1], '\0'};
        if (f->len == FRAME_MAX) {
            die("a frame is too long");
        }
        f->data[f->len++] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

void pipeline_read_frames(struct pipeline *p, const char *path) {
    size_t len;
    char *text = read_file(path, &len), *next = text;
    unsigned cap = 0;
    for (char *line; (line = strsep(&next, "\n"));) {
        if (!*line) {
            continue;
        }
        if (p->n_frames == cap) {
            cap = cap ? 2 * cap : 1024;
            p->frames = realloc(p->frames, cap * sizeof *p->frames);
            if (!p->frames) {
                die("no memory");
            }
        }
        parse_frame(line, &p->frames[p->n_frames++]);
    }
    free(text);
}

void pipeline_inject(const struct pipeline *p, const struct frame *f) {
    if (rs_dummy_inject(p->sw, f->in_port, f->data, f->len) < 0) {
        die("a frame cannot be injected");
    }
}

unsigned pipeline_take(const struct pipeline *p, uint32_t ofport) {
    uint8_t buffer[TAKE_MAX];
    unsigned n = 0;
    while (rs_dummy_take(p->sw, ofport, buffer, sizeof buffer) >= 0) {
        n++;
    }
    return n;
}

unsigned pipeline_take_all(const struct pipeline *p, uint32_t *ofport) {
    unsigned n = 0;
    for (uint32_t i = 1; i <= PIPELINE_PORTS; i++) {
        unsigned taken = pipeline_take(p, i);
        if (taken > 0) {
            *ofport = i;
        }
        n += taken;
    }
    return n;
}

void pipeline_close(struct pipeline *p) {
    rs_switch_destroy(p->sw);
    free(p->frames);
}
