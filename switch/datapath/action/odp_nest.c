// Lists within lists: what they do to a packet does not show outside, so they work on copies, unless
// nothing comes after them.

#include "datapath/action/odp_private.h"

// Runs the list on copies of `batch`. True if all of them went somewhere: then the packets themselves may
// go nowhere.
static bool run_on_copies(const struct odp_run *run, const void *list, size_t len,
                          const struct dp_packet_batch *batch) {
    struct dp_packet_batch copies;
    struct odp_run inner = *run; // With the truncation that is pending outside.
    inner.spare = true;
    odp_copy_batch(run->env, batch, &copies);
    return odp_run_list(inner, list, len, &copies) == 0;
}

unsigned odp_clone(struct odp_run *run, const struct odp_action *a, bool last,
                   struct dp_packet_batch *batch) {
    if (last) {
        return odp_run_list(*run, odp_payload(a), a->len - sizeof *a, batch);
    }
    run->spare |= run_on_copies(run, odp_payload(a), a->len - sizeof *a, batch);
    if (run->cut) {
        odp_uncut(batch);
        run->cut = false;
    }
    return 0;
}

static uint32_t random32(struct odp_env *env) { // xorshift64*.
    uint64_t x = env->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    env->random = x;
    return (uint32_t)(x * 0x2545f4914f6cdd1du >> 32);
}

unsigned odp_sample(struct odp_run *run, const struct odp_action *a, bool last,
                    struct dp_packet_batch *batch) {
    struct dp_packet_batch chosen, others;
    batch_init(&chosen);
    batch_init(&others);
    for (unsigned i = 0; i < batch->count; i++) {
        bool take = a->arg == UINT32_MAX || random32(run->env) < a->arg;
        batch_add(take ? &chosen : &others, batch->packets[i]);
    }
    const void *list = odp_payload(a);
    size_t len = a->len - sizeof *a;
    if (!last) {
        run->spare |= run_on_copies(run, list, len, &chosen) && others.count == 0;
        return 0;
    }
    batch->count = 0;
    return odp_end_packets(run, &others, DROP_NOT_SAMPLED) + odp_run_list(*run, list, len, &chosen);
}

// Bytes behind the IP packet: they pad a short frame, and are not the sender's.
static uint32_t padding(const struct dp_packet *p) {
    const uint8_t *ip;
    size_t end = p->len;
    if ((ip = l3_header(p, TYPE_IPV4, IPV4_LEN))) {
        end = p->l3_ofs + (size_t)ntoh16(load_be16(ip + 2));
    } else if ((ip = l3_header(p, TYPE_IPV6, IPV6_LEN))) {
        end = p->l3_ofs + IPV6_LEN + (size_t)ntoh16(load_be16(ip + 4));
    }
    return end < p->len ? (uint32_t)(p->len - end) : 0;
}

static uint32_t sent_len(const struct dp_packet *p) {
    uint32_t len = odp_sent_len(p), pad = padding(p);
    return len - (pad < len ? pad : len);
}

unsigned odp_check_pkt_len(struct odp_run *run, const struct odp_action *a, bool last,
                           struct dp_packet_batch *batch) {
    const struct odp_check_pkt_len *sizes = odp_payload(a);
    const uint8_t *greater = (const uint8_t *)(sizes + 1);
    const uint8_t *less = greater + sizes->greater_len;
    struct dp_packet_batch long_ones, others;

    batch_init(&long_ones);
    batch_init(&others);
    for (unsigned i = 0; i < batch->count; i++) {
        bool is_long = sent_len(batch->packets[i]) > a->arg;
        batch_add(is_long ? &long_ones : &others, batch->packets[i]);
    }
    if (!last) {
        bool long_ok = run_on_copies(run, greater, sizes->greater_len, &long_ones);
        bool others_ok = run_on_copies(run, less, sizes->less_equal_len, &others);
        run->spare |= long_ok && others_ok;
        return 0;
    }
    batch->count = 0;
    return odp_run_list(*run, greater, sizes->greater_len, &long_ones) +
           odp_run_list(*run, less, sizes->less_equal_len, &others);
}
