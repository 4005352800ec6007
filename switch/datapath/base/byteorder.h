// Big-endian types, marked as such, and their conversion. A be16 is what the wire carries; it is
// never used in arithmetic without ntoh16().

#ifndef RINGSIDE_BASE_BYTEORDER_H
#define RINGSIDE_BASE_BYTEORDER_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;

#define hton16(x) htobe16(x)
#define hton32(x) htobe32(x)
#define ntoh16(x) be16toh(x)
#define ntoh32(x) be32toh(x)

// Loads from packet bytes, which have no alignment.
static inline be16 load_be16(const void *p) {
    be16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline be32 load_be32(const void *p) {
    be32 v;
    memcpy(&v, p, sizeof v);
    return v;
}

#endif
