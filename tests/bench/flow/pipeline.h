// A whole switch with dummy ports and a rule set, driven from C, for benches that want no Python in between.

#ifndef RINGSIDE_BENCH_PIPELINE_H
#define RINGSIDE_BENCH_PIPELINE_H

#include "api/api_private.h"
#include "datapath/pmd/pmd_private.h"

enum { PIPELINE_PORTS = 321, FRAME_MAX = 256, TAKE_MAX = 2048 };

struct frame {
    uint32_t in_port;
    uint32_t len;
    uint32_t out_port; // Where it leaves if it leaves once; 0 = elsewhere.
    uint8_t data[FRAME_MAX];
};

struct pipeline {
    rs_switch *sw;
    struct frame *frames;
    unsigned n_frames;
};

__attribute__((noreturn)) void die(const char *what);
void check(int code, const char *what, const struct rs_error *err); // Dies if code < 0.
uint64_t thread_cpu_ns(void);                                       // Of the calling thread.

// A switch with the ports h1 … h321, the TLV map and the rules of a file, all in one bundle.
void pipeline_open(struct pipeline *p, const struct rs_switch_config *config, const char *rules,
                   const char *tlv_map);
// Frames of a file, a line each: in_port, then the bytes in hexadecimal.
void pipeline_read_frames(struct pipeline *p, const char *path);
void pipeline_inject(const struct pipeline *p, const struct frame *f);
// Takes all that left by a port, or by any port; returns how many packets and, if there was one, the port of the last.
unsigned pipeline_take(const struct pipeline *p, uint32_t ofport);
unsigned pipeline_take_all(const struct pipeline *p, uint32_t *ofport);
void pipeline_close(struct pipeline *p);

#endif
