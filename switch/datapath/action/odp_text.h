// Lists of datapath actions as text, in Open vSwitch's spelling (`ovs-appctl dpctl/dump-flows`), and back.
//
//     set(eth(dst=02:00:00:00:00:01)),push_vlan(vid=5,pcp=0),2          drop
//
// What Open vSwitch has no words for: userspace(pid=0,controller(pin=N)) where nobody says what pin N is.
//
// Threads: any.

#ifndef RINGSIDE_ACTION_ODP_TEXT_H
#define RINGSIDE_ACTION_ODP_TEXT_H

#include "datapath/action/odp_action.h"
#include "datapath/base/text.h"

// How numbers that mean something elsewhere are printed. NULL members: as numbers.
struct odp_text_names {
    void (*port)(void *aux, uint32_t port_id, struct text *t);      // Its name, for instance.
    void (*controller)(void *aux, uint32_t pin_id, struct text *t); // "controller(reason=1,…)".
    void *aux;
};

// Appends the list; "drop" for an empty one or for ODP_DROP. names may be NULL.
void odp_text_put(struct text *t, const void *bytes, size_t len,
                  const struct odp_text_names *names);

// Appends the actions that `s` names to `out`. 0, or -EINVAL with *error_at the place in `s` and *why what is
// wrong there; the list is then as it was. -ENOMEM if it has no room.
int odp_text_parse(const char *s, struct odp_list *out, const char **error_at, const char **why);

#endif
