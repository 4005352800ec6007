#include "ofproto/upcall.h"

#include "ofproto/xlate.h"

static void translate(void *aux, const struct flow *flow, uint64_t now_ms,
                      struct odp_actions *out) {
    struct xlate x = {.bridge = aux, .flow = flow, .now_ms = now_ms, .learn = true, .out = out};
    xlate_run(&x);
}

static void credit(void *aux, void *object, uint64_t packets, uint64_t bytes, uint64_t now_ms) {
    struct rule *rule = object;
    (void)aux;
    (void)now_ms; // Rules have no idle timeout yet.
    counter_add(&rule->packets, packets);
    counter_add(&rule->bytes, bytes);
}

struct upcall_ops upcall_ops_of(struct bridge *bridge) {
    return (struct upcall_ops){
        .aux = bridge, .generation = &bridge->generation, .translate = translate, .credit = credit};
}
