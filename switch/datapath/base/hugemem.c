#include "datapath/base/hugemem.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HUGEPAGE_BYTES    ((size_t)2 << 20)
#define RS_MPOL_PREFERRED 1 // <linux/mempolicy.h>; set_mempolicy(2)

static void *map_pages(size_t bytes, int flags) {
    void *base =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return base == MAP_FAILED ? NULL : base;
}

// A preference, so that a node without memory falls back to another one. Without libnuma: one call.
static void prefer_node(void *base, size_t bytes, int node) {
    if (node < 0 || (size_t)node >= sizeof(unsigned long) * CHAR_BIT) {
        return;
    }
    unsigned long mask = 1ul << node;
    (void)syscall(SYS_mbind, base, bytes, RS_MPOL_PREFERRED, &mask, sizeof mask * CHAR_BIT + 1, 0u);
}

static void populate(uint8_t *base, size_t bytes, size_t step) {
    for (size_t i = 0; i < bytes; i += step) {
        ((volatile uint8_t *)base)[i] = 0;
    }
}

// Plain pages, of which the kernel makes huge ones by itself where it can (transparent hugepages want
// the region aligned, and the advice before the first touch).
static void *map_plain(size_t bytes, struct hugemem *out) {
    bool large = bytes >= HUGEPAGE_BYTES;
    size_t slack = large ? HUGEPAGE_BYTES : 0;
    uint8_t *base = map_pages(bytes + slack, 0);
    if (!base) {
        return NULL;
    }
    if (large) {
        size_t before = -(uintptr_t)base & (HUGEPAGE_BYTES - 1);
        if (before > 0) {
            munmap(base, before);
        }
        base += before;
        munmap(base + bytes, slack - before);
        (void)madvise(base, bytes, MADV_HUGEPAGE);
    }
    *out = (struct hugemem){.base = base, .bytes = bytes};
    return base;
}

int hugemem_map(size_t bytes, int numa_node, struct hugemem *out) {
    *out = (struct hugemem){0};
    if (bytes == 0) {
        return -EINVAL;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t huge = (bytes + HUGEPAGE_BYTES - 1) & ~(HUGEPAGE_BYTES - 1);
    // hugetlbfs reserves the pages in mmap(), so that it refuses here and not when they are
    // touched. Less than one hugepage would waste more than it gains.
    void *base = bytes >= HUGEPAGE_BYTES ? map_pages(huge, MAP_HUGETLB) : NULL;
    if (base) {
        *out = (struct hugemem){.base = base, .bytes = huge, .huge = true};
    } else {
        base = map_plain((bytes + page - 1) & ~(page - 1), out);
        if (!base) {
            return -ENOMEM;
        }
    }
    prefer_node(out->base, out->bytes,
                numa_node); // Before the first touch, which decides the node.
    populate(out->base, out->bytes, out->huge ? HUGEPAGE_BYTES : page);
    (void)madvise(out->base, out->bytes, MADV_DONTFORK);
    return 0;
}

int hugemem_reserve(size_t bytes, struct hugemem *out) {
    *out = (struct hugemem){0};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (bytes == 0 || !map_plain((bytes + page - 1) & ~(page - 1), out)) {
        return bytes == 0 ? -EINVAL : -ENOMEM;
    }
    (void)madvise(out->base, out->bytes, MADV_DONTFORK);
    return 0;
}

void hugemem_unmap(struct hugemem *mem) {
    if (mem->base) {
        munmap(mem->base, mem->bytes);
        *mem = (struct hugemem){0};
    }
}
