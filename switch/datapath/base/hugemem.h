// Page-backed memory for umems: hugepages where the host has some to spare, ordinary pages
// otherwise.
//
// The region is populated at once (no page fault on the fast path, and a host without memory says
// so here, not by a signal later) and is not inherited by child processes: the kernel pins umem
// pages, and a fork would otherwise copy each of them on the parent's next write.

#ifndef RINGSIDE_BASE_HUGEMEM_H
#define RINGSIDE_BASE_HUGEMEM_H

#include "datapath/base/compiler.h"

struct hugemem {
    void *base;   // Page aligned, zeroed. NULL = none.
    size_t bytes; // Mapped; may exceed what was asked for.
    bool huge;    // Backed by hugepages (hugetlbfs).
};

// Maps at least `bytes`. numa_node: preferred node, -1 = any; best effort. 0 or -ENOMEM, -EINVAL
// (bytes 0).
int hugemem_map(size_t bytes, int numa_node, struct hugemem *out);
// The same without touching it: pages come as they are used, huge ones where the kernel makes them. 0 or a
// negative errno.
int hugemem_reserve(size_t bytes, struct hugemem *out);
void hugemem_unmap(struct hugemem *mem);

#endif
