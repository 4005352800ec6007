// What the odp_key_*.c files share.

#ifndef RINGSIDE_OFPROTO_ODP_KEY_TEXT_H
#define RINGSIDE_OFPROTO_ODP_KEY_TEXT_H

#include "ofproto/mf_text.h"

struct key_text {
    struct text *out;
    const struct flow *key, *mask;
    bool more; // What is wildcarded too.
    const struct port_names *names;
};

// "name=VALUE,", with "/MASK" unless all of `all` is set; nothing if it is wildcarded and nobody wants more.
void key_put_number(const struct key_text *k, const char *name, bool hex, uint64_t value,
                    uint64_t mask, uint64_t all);
void key_put_ipv4(const struct key_text *k, const char *name, be32 ip, be32 mask);
void key_put_ipv6(const struct key_text *k, const char *name, const uint8_t *ip,
                  const uint8_t *mask);
// "name(FLAGS),".
void key_put_flags(const struct key_text *k, const char *name, enum mf_id id, uint32_t value,
                   uint32_t mask, uint32_t all);
// An attribute whose members come next; the end takes it back if there were none.
size_t key_begin(const struct key_text *k, const char *name);
void key_end(const struct key_text *k, size_t before, const char *name);
bool key_any(const void *mask, size_t n);

// odp_key_metadata.c: priority, tunnel, mark, conntrack, recirculation, port, type.
void key_put_metadata(const struct key_text *k);

#endif
