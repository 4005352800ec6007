// The switch as a whole: made, run by hand, destroyed.

#include <errno.h>
#include <stdlib.h>

#include "api/api_private.h"
#include "datapath/base/cycles.h"

enum {
    MAC_ENTRIES_DEFAULT = 8192,
    MAC_ENTRIES_MAX = 1 << 20,
    MAC_AGEING_MS_DEFAULT = 300000,
    UMEM_FRAMES_MIN = 256,
    UMEM_FRAMES_MAX = 1 << 20,
};

void api_enter(void) {
    rcu_register(); // The first time in this thread.
    rcu_online();
}

void api_leave(void) {
    rcu_offline(); // Python may do something else for long.
}

uint64_t api_now_ms(const rs_switch *sw) {
    return sw->pmd ? pmd_now_ms(sw->pmd) : time_ns() / 1000000u;
}

static uint64_t now_ms(void *sw) {
    return api_now_ms(sw);
}

void api_run_alone(rs_switch *sw, void (*fn)(void *arg), void *arg) {
    revalidator_hold(sw->revalidator);
    pmd_run(sw->pmd, fn, arg);
    revalidator_let_go(sw->revalidator);
}

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
        .upcall = revalidator_upcall_ops(sw->revalidator),
        .meters = sw->meters,
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
    revalidator_add_table(sw->revalidator, pmd_megaflows(sw->pmd));
    error = revalidator_start(sw->revalidator);
    return error < 0 ? api_error(err, -error, "revalidator", NULL,
                                 "its thread cannot be started: %s", strerror(-error))
                     : 0;
}

static int create_tables(rs_switch *sw, struct rs_error *err) {
    const struct rs_switch_config *c = &sw->config;
    uint32_t entries = c->mac_entries ? c->mac_entries : MAC_ENTRIES_DEFAULT;
    uint32_t ageing = c->mac_ageing_ms ? c->mac_ageing_ms : MAC_AGEING_MS_DEFAULT;
    int error = bridge_init(&sw->bridge, c->name, entries, ageing, now_ms, sw);
    if (error < 0) {
        return api_error(err, -error, "mac_entries", NULL, "no memory for the tables");
    }
    error = odp_meters_create(&sw->meters);
    if (error == 0) {
        error = revalidator_create(&sw->bridge, c->threaded, &sw->revalidator);
    }
    if (error < 0) {
        api_error(err, -error, "switch", NULL, "no memory or file descriptor for the tables");
        odp_meters_destroy(sw->meters);
        bridge_destroy(&sw->bridge);
    }
    return error;
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
    sw->lookup = LOOKUP_CONFIG_DEFAULT;
    sw->umems.frames = config->umem_frames;
    sw->umems.share = config->share_umem;
    error = create_tables(sw, err);
    if (error < 0) {
        free(sw);
        return error;
    }
    error = start_pmd(sw, err);
    if (error < 0) {
        rs_switch_destroy(sw);
        return error;
    }
    api_switch_born(sw);
    *out = sw;
    return 0;
}

void rs_switch_destroy(rs_switch *sw) {
    if (!sw) {
        return;
    }
    api_switch_dies(sw);
    revalidator_stop(sw->revalidator);
    struct pmd *pmd = sw->pmd;
    sw->pmd = NULL;
    if (pmd) {
        pmd_destroy(
            pmd); // From here on nobody else looks at the ports; all megaflows are released.
    }
    for (uint32_t id = 1; id < RS_MAX_PORTS; id++) {
        port_close(sw->ports[id].port);
    }
    umem_set_destroy(&sw->umems);
    revalidator_destroy(sw->revalidator);
    bridge_destroy(&sw->bridge);
    odp_meters_destroy(sw->meters);
    rcu_synchronize(); // What the tables gave up last.
    capture_destroy(sw->capture);
    free(sw);
}

int rs_switch_poll(rs_switch *sw) {
    if (!sw || sw->config.threaded) {
        return -EINVAL;
    }
    api_enter();
    int received = (int)pmd_poll(sw->pmd);
    revalidator_run(sw->revalidator, pmd_now_ms(sw->pmd));
    api_leave();
    return received;
}

void rs_switch_warp(rs_switch *sw, uint64_t ms) {
    if (sw && !sw->config.threaded) {
        pmd_warp(sw->pmd, ms);
    }
}

static void nothing(void *arg) {
    (void)arg;
}

void rs_sync(rs_switch *sw) {
    if (!sw) {
        return;
    }
    if (!sw->config.threaded) {
        api_enter();
        revalidator_sync(sw->revalidator);
        api_leave();
        return;
    }
    // What the PMD was translating while we came is installed before the second round.
    revalidator_sync(sw->revalidator);
    pmd_run(sw->pmd, nothing, NULL);
    revalidator_sync(sw->revalidator);
}
