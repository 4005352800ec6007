// CRC32c, a byte at a time: SCTP packets whose ports are rewritten are rare.

#include "datapath/packet/checksum.h"

// Remainders of the 16 values of a nibble for the Castagnoli polynomial, bits reversed (0x82f63b78): the entry of
// i is i shifted out of an empty register.
static const uint32_t nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static inline uint32_t crc_byte(uint32_t crc, uint8_t byte) {
    crc ^= byte;
    crc = crc >> 4 ^ nibble[crc & 15];
    return crc >> 4 ^ nibble[crc & 15];
}

be32 crc32c(const void *data, size_t len) {
    const uint8_t *p = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc = crc_byte(crc, p[i]);
    }
    return htole32(~crc); // Least significant byte first on the wire.
}

// A CRC is linear: that of the new message differs from that of the old by the CRC, from an empty register, of
// the difference; here four bytes, then zeros.
be32 crc32c_change_first_word(be32 crc, be32 old, be32 new, size_t len) {
    be32 difference = old ^ new;
    uint8_t bytes[4];
    memcpy(bytes, &difference, sizeof bytes);
    uint32_t change = 0;
    for (size_t i = 0; i < len; i++) {
        change = crc_byte(change, i < sizeof bytes ? bytes[i] : 0);
    }
    return crc ^ htole32(change);
}
