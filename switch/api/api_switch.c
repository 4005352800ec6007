// The switch as a whole: made, run by hand, destroyed.

#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"
#include "ofproto/upcall.h"

enum {
    MAC_ENTRIES_DEFAULT = 8192,
    MAC_ENTRIES_MAX = 1 << 20,
    MAC_AGEING_MS_DEFAULT = 300000,
    UMEM_FRAMES_MIN = 256,
    UMEM_FRAMES_MAX = 1 << 20,
};

static int check_config(const struct rs_switch_config *c, struct rs_error *err) {
    if (!api_is_terminated(c->name, sizeof c->name) || c->name[0] == '\0') {
        return api_error(err, EINVAL, "name", "1 to 15 bytes", "empty or not terminated");
    }
    if (c->umem_frames && (c->umem_frames < UMEM_FRAMES_MIN || c->umem_frames > UMEM_FRAMES_MAX)) {
        return api_error(err, EINVAL, "umem_frames", "256 to 1048576, or 0 for 16384", "%u found",
                         c->umem_frames);
    }
    if (c->mac_entries > MAC_ENTRIES_MAX) {
        return api_error(err, EINVAL, "mac_entries", "at most 1048576, or 0 for 8192", "%u found",
                         c->mac_entries);
    }
    if (c->cpu < -1) {
        return api_error(err, EINVAL, "cpu", "a core's number, or -1", "%d found", c->cpu);
    }
    return 0;
}

static int start_pmd(rs_switch *sw, struct rs_error *err) {
    struct pmd_config config = {
        .threaded = sw->config.threaded,
        .busy = sw->config.busy,
        .spin_us = sw->config.spin_us,
        .cpu = sw->config.cpu,
        .upcall = upcall_ops_of(&sw->bridge),
    };
    int error = pmd_create(&config, &sw->pmd);
    if (error == -EINVAL && config.cpu >= 0) {
        return api_error(err, EINVAL, "cpu", "choose a core that this process may use",
                         "core %d does not exist or is not allowed", config.cpu);
    }
    if (error < 0) {
        return api_error(err, -error, "pmd", NULL, "the PMD cannot be started: %s",
                         strerror(-error));
    }
    return 0;
}

int rs_switch_create(const struct rs_switch_config *config, rs_switch **out, struct rs_error *err) {
    if (!config || !out) {
        return api_error(err, EINVAL, "config", NULL,
                         "no configuration or no place for the result");
    }
    int error = check_config(config, err);
    if (error < 0) {
        return error;
    }
    rs_switch *sw = calloc(1, sizeof *sw);
    if (!sw) {
        return api_error(err, ENOMEM, "switch", NULL, "no memory");
    }
    sw->config = *config;
    sw->umems.frames = config->umem_frames;
    sw->umems.share = config->share_umem;
    uint32_t entries = config->mac_entries ? config->mac_entries : MAC_ENTRIES_DEFAULT;
    uint32_t ageing = config->mac_ageing_ms ? config->mac_ageing_ms : MAC_AGEING_MS_DEFAULT;
    error = bridge_init(&sw->bridge, config->name, entries, ageing);
    if (error < 0) {
        free(sw);
        return api_error(err, -error, "mac_entries", NULL, "no memory for the tables");
    }
    error = start_pmd(sw, err);
    if (error < 0) {
        bridge_destroy(&sw->bridge);
        free(sw);
        return error;
    }
    *out = sw;
    return 0;
}

void rs_switch_destroy(rs_switch *sw) {
    if (!sw) {
        return;
    }
    pmd_destroy(sw->pmd); // From here on nobody else looks at the ports.
    for (uint32_t id = 1; id < RS_MAX_PORTS; id++) {
        port_close(sw->ports[id].port);
    }
    umem_set_destroy(&sw->umems);
    bridge_destroy(&sw->bridge);
    capture_destroy(sw->capture);
    free(sw);
}

int rs_switch_poll(rs_switch *sw) {
    return sw && !sw->config.threaded ? (int)pmd_poll(sw->pmd) : -EINVAL;
}

void rs_switch_warp(rs_switch *sw, uint64_t ms) {
    if (sw && !sw->config.threaded) {
        pmd_warp(sw->pmd, ms);
    }
}
