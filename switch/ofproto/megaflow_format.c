// A megaflow as `ovs-appctl dpctl/dump-flows` has it.

#include "datapath/action/odp_text.h"
#include "ofproto/packet_in.h"
#include "ofproto/revalidator.h"

struct aux {
    const struct port_names *names;
    struct packet_ins *pins;
};

static void put_port(void *aux, uint32_t id, struct text *t) {
    const struct aux *a = aux;
    const char *name = id < OFP_MAX_PORTS ? a->names->name[id] : "";
    if (name[0]) {
        text_put(t, "%s", name);
    } else {
        text_put(t, "%u", id);
    }
}

static void put_controller(void *aux, uint32_t pin_id, struct text *t) {
    const struct aux *a = aux;
    pin_format(a->pins, pin_id, false, t);
}

static void put_tcp_flags(uint16_t flags, struct text *out) {
    static const struct {
        uint16_t flag;
        char letter;
    } letters[] = {
        {0x002, 'S'}, {0x001, 'F'}, {0x008, 'P'}, {0x004, 'R'}, {0x020, 'U'},
        {0x010, '.'}, {0x040, 'E'}, {0x080, 'C'}, {0x100, 'N'},
    };
    if (!flags) {
        return;
    }
    text_put(out, ", flags:");
    for (size_t i = 0; i < RS_ARRAY_SIZE(letters); i++) {
        if (flags & letters[i].flag) {
            text_put(out, "%c", letters[i].letter);
        }
    }
    for (unsigned bit = 9; bit < 12; bit++) {
        if (flags >> bit & 1) {
            text_put(out, "[%x]", 1u << bit);
        }
    }
}

static void put_statistics(const struct megaflow *m, uint64_t now_ms, struct text *out) {
    uint64_t used_ms = counter_get(&m->used_ms), packets = counter_get(&m->packets);
    text_put(out, ", packets:%llu, bytes:%llu, used:", (unsigned long long)packets,
             (unsigned long long)counter_get(&m->bytes));
    if (packets) {
        uint64_t ago = now_ms > used_ms ? now_ms - used_ms : 0;
        text_put(out, "%llu.%03llus", (unsigned long long)(ago / 1000),
                 (unsigned long long)(ago % 1000));
    } else {
        text_put(out, "never");
    }
    put_tcp_flags(atomic_load_explicit(&m->tcp_flags, memory_order_relaxed), out);
}

void megaflow_format(const struct megaflow *m, const struct port_names *names,
                     struct packet_ins *pins, bool more, uint64_t now_ms, struct text *out) {
    struct flow key, mask;
    struct aux aux = {.names = names, .pins = pins};
    struct odp_text_names words = {
        .port = names ? put_port : NULL, .controller = pins ? put_controller : NULL, .aux = &aux};
    miniflow_expand(&m->key, &key);
    miniflow_expand(m->mask, &mask);
    if (more) {
        text_put(out, "ufid:%08x-%04x-%04x-0000-000000000000, ", (unsigned)(m->id >> 32),
                 (unsigned)(m->id >> 16 & 0xffff), (unsigned)(m->id & 0xffff));
    }
    odp_key_format(&key, &mask, names, more, out);
    put_statistics(m, now_ms, out);
    text_put(out, more ? ", dp:ringside, actions:" : ", actions:");
    const struct odp_blob *blob = rcu_get(m->actions);
    odp_text_put(out, blob->bytes, blob->len, &words);
}
