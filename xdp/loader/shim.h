// SPDX-License-Identifier: Apache-2.0
// What Python cannot say to libbpf through cffi: a callback that takes a va_list, and a structure
// whose interesting part lies in an anonymous union.
#pragma once

#include <stdint.h>

// Collects what libbpf says on this thread, from here to bpf_log_stop(). Elsewhere, and otherwise,
// libbpf says nothing: messages reach a person only inside an exception.
void bpf_log_start(void);

// Ends the collection. Returns the text, which the caller gives to bpf_log_free(), or NULL when
// nothing was said.
char *bpf_log_stop(void);
void bpf_log_free(char *text);

// An attached BPF link, as the kernel describes it.
struct bpf_link_facts {
    uint32_t id;
    uint32_t prog_id;
    uint32_t is_xdp;  // 1 when it is an XDP link; ifindex is 0 otherwise
    uint32_t ifindex; // 0 also when the device has gone, or lives in another namespace
};

// Fills FACTS for the link behind LINK_FD. Returns 0 or a negative errno.
int bpf_link_facts_read(int link_fd, struct bpf_link_facts *facts);
