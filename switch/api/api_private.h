// What the api_*.c files share. Everything here belongs to the control thread; what the PMD uses of
// it is changed in pmd_run() only.

#ifndef RINGSIDE_API_API_PRIVATE_H
#define RINGSIDE_API_API_PRIVATE_H

#include "api/switch_api.h"
#include "datapath/pmd/capture.h"
#include "datapath/pmd/pmd.h"
#include "ofproto/bridge.h"

struct api_port {
    struct port *port; // NULL = none of this number.
    bool started;
    struct rs_vlan_config vlan;
};

struct rs_switch {
    struct rs_switch_config config;
    struct bridge bridge;
    struct umem_set umems;
    struct pmd *pmd;
    struct capture_ring *capture; // NULL until the first rs_capture_start().
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

#endif
