// Bits of numbers that are written as big-endian bytes, bit 0 the lowest one of the last byte.

#include "ofproto/mf.h"

void bits_copy(const void *src, size_t src_len, unsigned src_ofs, void *dst, size_t dst_len,
               unsigned dst_ofs, unsigned n_bits) {
    assert(src_ofs + n_bits <= 8 * src_len && dst_ofs + n_bits <= 8 * dst_len);
    const uint8_t *from = (const uint8_t *)src + src_len - 1 - src_ofs / 8;
    uint8_t *to = (uint8_t *)dst + dst_len - 1 - dst_ofs / 8;
    src_ofs %= 8;
    dst_ofs %= 8;
    if (src_ofs == 0 && dst_ofs == 0) {
        unsigned whole = n_bits / 8;
        if (whole) {
            memmove(to - (whole - 1), from - (whole - 1), whole);
        }
        from -= whole;
        to -= whole;
        n_bits %= 8;
    }
    while (n_bits > 0) { // As many bits at once as both bytes have left.
        unsigned room = 8 - (src_ofs > dst_ofs ? src_ofs : dst_ofs);
        unsigned n = room < n_bits ? room : n_bits;
        uint8_t ones = (uint8_t)((1u << n) - 1);
        uint8_t bits = *from >> src_ofs & ones;
        *to = (uint8_t)((*to & ~(ones << dst_ofs)) | bits << dst_ofs);
        src_ofs += n;
        dst_ofs += n;
        from -= src_ofs / 8;
        to -= dst_ofs / 8;
        src_ofs %= 8;
        dst_ofs %= 8;
        n_bits -= n;
    }
}

bool bits_all(const void *src, size_t len, unsigned ofs, unsigned n_bits, bool value) {
    assert(ofs + n_bits <= 8 * len);
    const uint8_t *last = (const uint8_t *)src + len - 1;
    for (unsigned i = ofs; i < ofs + n_bits; i++) {
        if ((last[-(ptrdiff_t)(i / 8)] >> i % 8 & 1) != value) {
            return false;
        }
    }
    return true;
}
