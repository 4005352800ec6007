// What the api_*.c files share. Everything here belongs to the control thread; what the PMD uses of
// it is changed in pmd_run() only, while the revalidator is held.

#ifndef RINGSIDE_API_API_PRIVATE_H
#define RINGSIDE_API_API_PRIVATE_H

#include "api/switch_api.h"
#include "datapath/action/odp_meter.h"
#include "datapath/base/rcu.h"
#include "datapath/base/text.h"
#include "datapath/pmd/capture.h"
#include "datapath/pmd/pmd.h"
#include "ofproto/bridge.h"
#include "ofproto/revalidator.h"

struct api_port {
    struct port *port; // NULL = none of this number.
    bool started;
    struct rs_vlan_config vlan;
};

struct rs_switch {
    struct rs_switch *next; // Of the process. api_tlv.c's lock.
    struct rs_switch_config config;
    struct bridge bridge;
    struct umem_set umems;
    struct odp_meters *meters;
    struct revalidator *revalidator;
    struct pmd *pmd;
    struct lookup_config lookup;
    struct capture_ring *capture; // NULL until the first rs_capture_start().
    char packet_in_text[4096];    // rs_packet_in.metadata of the last one.
    struct api_port ports[RS_MAX_PORTS];
};

// Fills *err (may be NULL) and returns -code. hint may be NULL.
__attribute__((format(printf, 5, 6))) int api_error(struct rs_error *err, int code,
                                                    const char *field, const char *hint,
                                                    const char *format, ...);
int api_error_from(struct rs_error *err, const struct ofp_error *from);

// The port, or NULL with *err filled. Looks at every argument.
struct api_port *api_port_find(rs_switch *sw, uint32_t ofport, struct rs_error *err);

// Is there a NUL in the array?
bool api_is_terminated(const char *text, size_t cap);

// The caller is an RCU reader from here to there. Calls that wait for other threads stand outside.
void api_enter(void);
void api_leave(void);

// Runs fn(arg) between two batches in the PMD, while the revalidator looks at nothing.
void api_run_alone(rs_switch *sw, void (*fn)(void *arg), void *arg);

// Switches that live, for what they share (api_tlv.c).
void api_switch_born(rs_switch *sw);
void api_switch_dies(rs_switch *sw);

uint64_t api_now_ms(const rs_switch *sw);

// A text that grows. Appends what put() writes, which is called again with more room while it was cut. 0 or
// -ENOMEM; then the text is as it was.
struct api_text {
    struct text t;
};
int api_text_put(struct api_text *text, void (*put)(struct text *t, void *arg), void *arg);
// Gives the text to the caller of the API (empty if nothing was put). 0, or -ENOMEM.
int api_text_give(struct api_text *text, struct rs_text *out);
void api_text_clear(struct api_text *text); // Empty; keeps its memory.
void api_text_destroy(struct api_text *text);

// Lines of a text that are neither empty nor comments, one after the other. `line` is good until destroyed.
struct api_lines {
    char *copy, *next, *end;
    uint32_t n; // Lines given out.
    char *line; // The last one, without leading blanks.
};
int api_lines_init(struct api_lines *lines, const char *text, size_t len); // 0 or -ENOMEM.
bool api_lines_next(struct api_lines *lines);
void api_lines_destroy(struct api_lines *lines);
// Puts "flows[3]." before the name of the field; returns `code`.
int api_error_in_line(const struct api_lines *lines, int code, struct rs_error *err);

#endif
