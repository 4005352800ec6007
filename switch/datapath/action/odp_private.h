// What the odp_*.c files of the executor share. All of it is the PMD's.

#ifndef RINGSIDE_ACTION_ODP_PRIVATE_H
#define RINGSIDE_ACTION_ODP_PRIVATE_H

#include "datapath/action/odp_execute.h"
#include "datapath/action/odp_headers.h"
#include "datapath/port/port_drop.h"

// The state of one list on one batch.
struct odp_run {
    struct odp_env *env;
    bool cut;    // Some packets have a `cut`, for the next output.
    bool spare;  // Copies of these packets, which count in `copies`, went elsewhere.
    bool whole;  // Unfinished checksums have been looked for.
    bool pinned; // A controller has them.
};

// odp_execute.c. Runs a list on packets that are its own: consumes them. Returns how many of them went
// nowhere and were taken off `copies` (because run->spare said that they are not the only ones).
unsigned odp_run_list(struct odp_run run, const void *actions, size_t len,
                      struct dp_packet_batch *batch);
// Ends packets that nothing took; returns as odp_run_list().
unsigned odp_end_packets(const struct odp_run *run, struct dp_packet_batch *batch,
                         enum drop_reason reason);
void odp_drop_all(struct odp_env *env, struct dp_packet_batch *batch, enum drop_reason reason);

// odp_output.c. With `last` they take the packets, else copies.
void odp_output(struct odp_env *env, uint32_t port_id, struct dp_packet_batch *batch);
void odp_output_copies(struct odp_run *run, uint32_t port_id, const struct dp_packet_batch *batch);
void odp_controller(struct odp_run *run, uint32_t pin_id, const struct dp_packet_batch *batch);
// Copies of all packets for which there is a frame; the others are counted as copies and drops.
void odp_copy_batch(struct odp_env *env, const struct dp_packet_batch *batch,
                    struct dp_packet_batch *copies);
// ODP_TRUNC: notes what is to be cut; cuts it off; forgets it.
void odp_trunc(const struct dp_packet_batch *batch, uint32_t len);
void odp_cut(const struct dp_packet_batch *batch);
void odp_uncut(const struct dp_packet_batch *batch);
static inline uint32_t odp_sent_len(
    const struct dp_packet *p) { // Never less than an Ethernet header.
    uint32_t least = p->len < ETH_LEN ? p->len : ETH_LEN;
    uint32_t most = p->len > p->cut ? (uint32_t)p->len - p->cut : 0;
    return most > least ? most : least;
}

// odp_nest.c. Return as odp_run_list() if `last`, and leave the batch empty then.
unsigned odp_clone(struct odp_run *run, const struct odp_action *a, bool last,
                   struct dp_packet_batch *batch);
unsigned odp_sample(struct odp_run *run, const struct odp_action *a, bool last,
                    struct dp_packet_batch *batch);
unsigned odp_check_pkt_len(struct odp_run *run, const struct odp_action *a, bool last,
                           struct dp_packet_batch *batch);

// One family for each file. Those that take `env` may drop packets out of the batch.
void odp_push_vlan(struct odp_env *env, uint32_t tpid_tci, struct dp_packet_batch *batch);
void odp_pop_vlan(struct dp_packet_batch *batch);
void odp_push_mpls(struct odp_env *env, const struct odp_action *a, struct dp_packet_batch *batch);
void odp_pop_mpls(struct odp_env *env, be16 ethertype, struct dp_packet_batch *batch);
void odp_push_eth(struct odp_env *env, const struct odp_key_eth *key,
                  struct dp_packet_batch *batch);
void odp_pop_eth(struct odp_env *env, struct dp_packet_batch *batch);
void odp_push_nsh(struct odp_env *env, const struct odp_action *a, struct dp_packet_batch *batch);
void odp_pop_nsh(struct odp_env *env, struct dp_packet_batch *batch);
void odp_hash(const struct odp_action *a, struct dp_packet_batch *batch);

// odp_set.c: by key, to the functions below: of the whole batch where it pays. Never drops.
void odp_set(const struct odp_action *a, const struct dp_packet_batch *batch);
void odp_set_eth(const struct dp_packet_batch *batch, const struct odp_key_eth *key,
                 const struct odp_key_eth *mask);
void odp_set_ipv4(const struct dp_packet_batch *batch, const struct odp_key_ipv4 *key,
                  const struct odp_key_ipv4 *mask);
void odp_set_vlan(struct dp_packet *p, be16 tci, be16 mask);
void odp_set_mpls(struct dp_packet *p, be32 lse, be32 mask);
void odp_set_ipv6(struct dp_packet *p, const struct odp_key_ipv6 *key,
                  const struct odp_key_ipv6 *mask);
void odp_set_arp(struct dp_packet *p, const struct odp_key_arp *key,
                 const struct odp_key_arp *mask);
void odp_set_ports(const struct dp_packet_batch *batch, uint8_t proto,
                   const struct odp_key_ports *key, const struct odp_key_ports *mask);
void odp_set_icmp(struct dp_packet *p, uint8_t proto, const struct odp_key_icmp *key,
                  const struct odp_key_icmp *mask);
void odp_set_nd(struct dp_packet *p, const struct odp_key_nd *key, const struct odp_key_nd *mask);
void odp_set_nd_ext(struct dp_packet *p, const struct odp_key_nd_ext *key,
                    const struct odp_key_nd_ext *mask);
void odp_set_nsh(struct dp_packet *p, const struct odp_key_nsh *key,
                 const struct odp_key_nsh *mask);

// Applies fn to each packet; those of which it says false are dropped.
static inline void odp_apply(struct odp_env *env, struct dp_packet_batch *batch,
                             bool (*fn)(struct dp_packet *p, const void *arg), const void *arg,
                             enum drop_reason reason) {
    unsigned kept = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        struct dp_packet *p = batch->packets[i];
        if (likely(fn(p, arg))) {
            batch->packets[kept++] = p;
        } else {
            port_drop(p, reason, env->from);
        }
    }
    batch->count = kept;
}

#endif
