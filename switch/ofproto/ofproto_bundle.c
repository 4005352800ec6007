// Changes from outside: alone, or as a bundle.

#include <errno.h>
#include <stdlib.h>

#include "ofproto/ofproto_private.h"

struct ofp_bundle {
    struct ofproto *p;
    bool failed;
};

static int settle(struct ofproto *p, int error) {
    if (error) {
        changes_undo(p);
    } else {
        changes_publish(p);
    }
    ofproto_unlock(p);
    return error;
}

int ofproto_flow_mod(struct ofproto *p, const struct flow_mod *fm, uint32_t *n_affected,
                     struct ofp_error *err) {
    uint32_t n;
    ofproto_lock(p);
    return settle(p, flow_mod_prepare(p, fm, n_affected ? n_affected : &n, err));
}

int ofproto_group_mod(struct ofproto *p, const struct group_mod *gm, struct ofp_error *err) {
    ofproto_lock(p);
    return settle(p, group_mod_prepare(p, gm, err));
}

struct ofp_bundle *ofp_bundle_open(struct ofproto *p) {
    struct ofp_bundle *b = malloc(sizeof *b);
    if (b) {
        *b = (struct ofp_bundle){.p = p};
        ofproto_lock(p);
    }
    return b;
}

static int note(struct ofp_bundle *b, int error) {
    b->failed |= error != 0;
    return error;
}

static int refuse(struct ofp_error *err) {
    return ofp_error_set(err, EINVAL, "bundle", "discard it and open another",
                         "an earlier change of the bundle has failed");
}

int ofp_bundle_flow_mod(struct ofp_bundle *b, const struct flow_mod *fm, uint32_t *n_affected,
                        struct ofp_error *err) {
    uint32_t n;
    return b->failed ? refuse(err)
                     : note(b, flow_mod_prepare(b->p, fm, n_affected ? n_affected : &n, err));
}

int ofp_bundle_group_mod(struct ofp_bundle *b, const struct group_mod *gm, struct ofp_error *err) {
    return b->failed ? refuse(err) : note(b, group_mod_prepare(b->p, gm, err));
}

int ofp_bundle_commit(struct ofp_bundle *b) {
    int error = settle(b->p, b->failed ? -EINVAL : 0);
    free(b);
    return error;
}

void ofp_bundle_discard(struct ofp_bundle *b) {
    settle(b->p, -ECANCELED);
    free(b);
}
