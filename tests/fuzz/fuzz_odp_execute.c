// Any bytes as a list of actions and a packet: what odp_check() accepts is executed, and nothing outside the packet
// and its headroom is touched, no frame is lost, and the counters balance.
//
//     byte 0    bit 0: the list is built from the bytes (always well formed), else it is those bytes
//               bits 1-3: what the packet is; bits 4-7: headroom
//     byte 1-2  bytes of the list; then the list; then the packet
//
// Needs: datapath/action datapath/base datapath/flow datapath/packet datapath/port datapath/umem datapath/drop_reason.c

#include <stdlib.h>

#include "datapath/action/odp_execute.h"
#include "datapath/action/odp_text.h"
#include "datapath/flow/flow_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 64, PORTS = 4, CANARY = 0xa5, DEPTH = 3 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

// ---- an executor whose ports look at what they get ---------------------------------------------

static struct odp_env env;
static struct umem *umem;
static struct port *ports[RS_MAX_PORTS];
static struct dp_packet_batch out[RS_MAX_PORTS];
static struct port_counters counters;
static bool cuts; // The list has a trunc: old bytes may lie behind a packet.

static void look(const struct dp_packet *p) {
    const uint8_t *end = dp_packet_frame(p) + umem->frame_size;
    check(p->data >= dp_packet_frame(p) && p->data + p->len <= end && p->cut == 0);
    for (const uint8_t *b = p->data + p->len; !cuts && b < end; b++) {
        check(*b == CANARY);
    }
}

static void give_back(struct dp_packet_batch *batch) {
    for (unsigned i = 0; i < batch->count; i++) {
        look(batch->packets[i]);
        memset(dp_packet_frame(batch->packets[i]), CANARY, umem->frame_size);
        dp_packet_free(batch->packets[i]);
    }
    counter_add(&counters.sent, batch->count);
    batch->count = 0;
}

static void send(struct odp_env *e, struct port *port, struct dp_packet_batch *batch) {
    check(port == ports[port->id]);
    odp_complete_checksums(e, batch);
    give_back(batch);
}

static void recirc(struct odp_env *e, uint32_t id, struct dp_packet_batch *batch) {
    (void)e;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_key key;
        check(batch->packets[i]->recirc_id == id);
        flow_extract(batch->packets[i], &key);
    }
    give_back(batch);
}

static void packet_in(struct odp_env *e, uint32_t pin, const struct dp_packet *p) {
    (void)e, (void)pin;
    check(p->len <= umem->frame_size);
}

// Frames in memory that the sanitizer watches: the last one ends where it does.
static void set_up(void) {
    check(umem_create(FRAMES, RS_FRAME_SIZE, -1, &umem) == 0);
    umem->base = aligned_alloc(RS_FRAME_SIZE, (size_t)FRAMES * RS_FRAME_SIZE);
    check(umem->base != NULL);
    for (unsigned i = 1; i <= PORTS; i++) {
        ports[i] = calloc(1, sizeof *ports[i] + RS_CACHE_LINE);
        ports[i]->id = i;
    }
    odp_env_init(&env, ports, out);
    env.send = send;
    env.recirc = recirc;
    env.packet_in = packet_in;
    env.from = &counters;
    check(odp_meters_create(&env.meters) == 0);
    struct odp_meter_config drop = {.packets = true, .n_bands = 1};
    drop.bands[0] = (struct odp_meter_band){.type = ODP_BAND_DROP, .rate = 1000};
    struct odp_meter_config remark = {.n_bands = 1};
    remark.bands[0] = (struct odp_meter_band){.type = ODP_BAND_DSCP_REMARK, .rate = 1, .burst = 1};
    check(odp_meter_set(env.meters, 0, &drop, 0) == 0);
    check(odp_meter_set(env.meters, 1, &remark, 0) == 0);
}

// The packet of the last frame: the others are taken out, and put back.
static struct dp_packet *last_frame(void) {
    struct dp_packet *taken[FRAMES], *last = NULL;
    for (unsigned i = 0; i < FRAMES; i++) {
        taken[i] = dp_packet_alloc(umem, umem->pmd_cache);
        check(taken[i] != NULL);
        last = taken[i]->frame == FRAMES - 1 ? taken[i] : last;
    }
    for (unsigned i = 0; i < FRAMES; i++) {
        if (taken[i] != last) {
            dp_packet_free(taken[i]);
        }
    }
    return last;
}

// ---- lists from bytes --------------------------------------------------------------------------

struct bytes {
    const uint8_t *at;
    size_t left;
};

static uint32_t next(struct bytes *b, size_t n) {
    uint32_t value = 0;
    for (; n > 0 && b->left > 0; n--, b->left--) {
        value = value << 8 | *b->at++;
    }
    return value;
}

static void next_bytes(struct bytes *b, uint8_t *to, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)next(b, 1);
    }
}

static void build_set(struct bytes *b, struct odp_list *list) {
    uint8_t key[sizeof(struct flow_tnl)], mask[sizeof(struct flow_tnl)];
    enum odp_key what = (enum odp_key)(next(b, 1) % ODP_N_KEYS);
    size_t n = odp_key_len(what);
    next_bytes(b, key, n);
    if (what == ODP_KEY_TUNNEL) {
        memset(mask, 0xff, n);
    } else {
        next_bytes(b, mask, n);
    }
    if (what == ODP_KEY_IPV4) {
        ((struct odp_key_ipv4 *)(void *)mask)->proto = 0;
        ((struct odp_key_ipv4 *)(void *)mask)->frag = 0;
    } else if (what == ODP_KEY_IPV6) {
        ((struct odp_key_ipv6 *)(void *)mask)->proto = 0;
        ((struct odp_key_ipv6 *)(void *)mask)->frag = 0;
        ((struct odp_key_ipv6 *)(void *)mask)->label &= hton32(0xfffff);
    } else if (what == ODP_KEY_NSH) {
        ((struct odp_key_nsh *)(void *)mask)->nsh.mdtype = 0;
        ((struct odp_key_nsh *)(void *)mask)->nsh.np = 0;
    }
    odp_put_set(list, what, key, mask);
}

static void build_push(struct bytes *b, struct odp_list *list, enum odp_action_type type) {
    if (type == ODP_PUSH_ETH) {
        uint8_t *eth = odp_put(list, type, 0, sizeof(struct odp_key_eth));
        if (eth) {
            next_bytes(b, eth, sizeof(struct odp_key_eth));
        }
    } else if (type == ODP_PUSH_NSH) {
        uint32_t extra = next(b, 1) % (ODP_NSH_MD2_MAX / 4 + 1) * 4;
        struct odp_key_nsh *nsh = odp_put(list, type, extra, sizeof *nsh + ((extra + 7u) & ~7u));
        if (nsh) {
            next_bytes(b, (uint8_t *)nsh, sizeof *nsh);
            nsh->nsh.mdtype = extra ? 2 : 1;
            next_bytes(b, (uint8_t *)(nsh + 1), extra);
        }
    } else {
        struct odp_push_mpls *mpls = odp_put(list, type, next(b, 4), sizeof *mpls);
        if (mpls) {
            mpls->ethertype = hton16(next(b, 1) & 1 ? 0x8847 : 0x8848);
        }
    }
}

static void build(struct bytes *b, struct odp_list *list, unsigned depth);

static void build_nest(struct bytes *b, struct odp_list *list, unsigned depth,
                       enum odp_action_type type) {
    struct odp_check_pkt_len sizes;
    bool two = type == ODP_CHECK_PKT_LEN;
    uint32_t chance = next(b, 1) & 1 ? UINT32_MAX : next(b, 4);
    uint32_t at = odp_begin(list, type, two ? next(b, 2) : chance, two ? sizeof sizes : 0);
    uint32_t begin = list->len;
    build(b, list, depth + 1);
    sizes.greater_len = list->len - begin;
    if (two) {
        build(b, list, depth + 1);
        sizes.less_equal_len = list->len - begin - sizes.greater_len;
    }
    odp_end(list, at);
    if (two && !list->overflow) {
        memcpy(list->data + at + sizeof(struct odp_action), &sizes, sizeof sizes);
    }
}

static void build_one(struct bytes *b, struct odp_list *list, unsigned depth) {
    static const uint16_t popped[] = {0x0800, 0x86dd, 0x8847, 0x6558, 0x0806, 0x894f};
    enum odp_action_type type = (enum odp_action_type)(next(b, 1) % ODP_N_TYPES);
    switch (type) {
    case ODP_SET: build_set(b, list); break;
    case ODP_PUSH_ETH:
    case ODP_PUSH_NSH:
    case ODP_PUSH_MPLS:
    case ODP_ADD_MPLS: build_push(b, list, type); break;
    case ODP_CLONE:
    case ODP_SAMPLE:
    case ODP_CHECK_PKT_LEN:
        if (depth < DEPTH) {
            build_nest(b, list, depth, type);
        }
        break;
    case ODP_PUSH_VLAN: odp_put_simple(list, type, 0x81000000u | (next(b, 2) & 0xefff)); break;
    case ODP_POP_MPLS: odp_put_simple(list, type, popped[next(b, 1) % 6]); break;
    case ODP_TRUNC: odp_put_simple(list, type, 14 + next(b, 1)); break;
    case ODP_HASH: {
        struct odp_hash *hash = odp_put(list, type, next(b, 4), sizeof *hash);
        if (hash) {
            hash->alg = next(b, 1) & 1;
        }
        break;
    }
    case ODP_CT: odp_put(list, type, 0, sizeof(struct odp_ct)); break;
    case ODP_DROP: break; // Ends a list: build() does.
    case ODP_METER: odp_put_simple(list, type, next(b, 1) % 3); break;
    default: odp_put_simple(list, type, 1 + next(b, 1) % (PORTS + 1)); break;
    }
}

static void build(struct bytes *b, struct odp_list *list, unsigned depth) {
    unsigned n = next(b, 1) % 8;
    for (unsigned i = 0; i < n && b->left > 0; i++) {
        build_one(b, list, depth);
    }
    if (next(b, 1) % 4 == 0) {
        odp_put_simple(list, ODP_DROP, DROP_RULE_DROP);
    } else {
        odp_put_simple(list, ODP_OUTPUT, 1 + next(b, 1) % PORTS);
    }
}

static bool has_trunc(const void *bytes, size_t n) {
    bool found = false;
    ODP_FOR_EACH(a, bytes, n) {
        found |= a->type == ODP_TRUNC || a->type == ODP_CLONE || a->type == ODP_SAMPLE ||
                 a->type == ODP_CHECK_PKT_LEN; // There may be one inside.
    }
    return found;
}

// ---- the run -----------------------------------------------------------------------------------

static void execute(const void *list, uint32_t len, uint8_t kind, const struct bytes *packet) {
    static const uint16_t types[] = {0x0800, 0x86dd, 0x8847, 0x894f};
    uint32_t before = umem_free_frames(umem);
    memset(umem->base, CANARY, (size_t)FRAMES * RS_FRAME_SIZE);
    memset(&counters, 0, sizeof counters);
    struct dp_packet *p = last_frame();
    size_t most = RS_FRAME_SIZE - 64;
    size_t size = packet->left < most ? packet->left : most;
    // Either it ends where its frame does, behind which the sanitizer watches; or it has little headroom.
    size_t headroom = kind & 2 ? (size_t)(kind >> 4) * 4 : RS_FRAME_SIZE - size;
    dp_packet_reset(p, headroom, size);
    memcpy(p->data, packet->at, size);
    p->flags = (uint8_t)(kind & 4 ? PKT_CSUM_MAYBE_PARTIAL : 0);
    if (kind & 8) {
        p->flags |= PKT_NOT_ETHERNET;
        p->packet_type = hton32(0x10000u | types[kind >> 4 & 3]);
    }
    struct dp_key key;
    flow_extract(p, &key);
    counter_add(&counters.received, 1);
    struct dp_packet_batch batch = {.count = 1, .packets = {p}};
    cuts = has_trunc(list, len);
    odp_execute(&env, list, len, odp_blob_flags(list, len), &batch);
    odp_flush(&env);

    uint64_t gone = counter_get(&counters.sent);
    for (unsigned i = 0; i < DROP_N_REASONS; i++) {
        gone += counter_get(&counters.drops[i]);
    }
    check(counter_get(&counters.received) + counter_get(&counters.copies) == gone);
    check(umem_free_frames(umem) == before);
    env.now_ns += 1000000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char text[1 << 20];
    if (size < 3) {
        return 0;
    }
    if (!umem) {
        set_up();
    }
    size_t n = (size_t)data[1] << 8 | data[2];
    n = n < size - 3 ? n : size - 3;
    struct bytes bytes = {data + 3, n}, packet = {data + 3 + n, size - 3 - n};
    struct odp_list list = odp_list_on(NULL, 0);
    const char *why;
    if (data[0] & 1) {
        build(&bytes, &list, 0);
        check(list.overflow || odp_check(list.data, list.len, &why));
    } else {
        size_t whole = n / 8 * 8;
        uint8_t *to = whole ? odp_put(&list, ODP_OUTPUT, 0, whole - 8) : NULL;
        if (to) {
            memcpy(to - 8, bytes.at, whole);
        }
    }
    if (!list.overflow && odp_check(list.data, list.len, &why)) {
        struct text t;
        text_init(&t, text, sizeof text);
        odp_text_put(&t, list.data, list.len, NULL);
        execute(list.data, list.len, data[0], &packet);
    }
    odp_list_destroy(&list);
    return 0;
}
