"""Writing pcapng (draft-ietf-opsawg-pcapng): one section, its interfaces, packets with direction and comment.

A block is: type, total length, body padded to 4 bytes, total length again. Options are: code, length, value
padded to 4, closed by a zero.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

LINKTYPE_ETHERNET = 1
_SHB, _IDB, _EPB, _ISB = 0x0A0D0D0A, 1, 6, 5
_OPT_END, _OPT_COMMENT = 0, 1
_SHB_USERAPPL, _IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL, _EPB_FLAGS = 4, 2, 3, 9, 2
_ISB_IFDROP = 5
_NANOSECONDS = 9
_INBOUND, _OUTBOUND = 1, 2
_COMMENT_MAX = 65535


class PcapngWriter:
    """Writes a capture to a binary file. Times have nanosecond resolution."""

    def __init__(self, file: BinaryIO, application: str) -> None:
        self._file = file
        self._interfaces = 0
        body = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options((_SHB_USERAPPL, application.encode()))
        self._block(_SHB, body)

    def add_interface(self, name: str, description: str = "", snaplen: int = 0) -> int:
        """Describes an interface; its number for `write_packet`. snaplen 0 = no limit."""
        body = struct.pack("<HHI", LINKTYPE_ETHERNET, 0, snaplen)
        options = [(_IF_NAME, name.encode()), (_IF_TSRESOL, bytes([_NANOSECONDS]))]
        if description:
            options.insert(1, (_IF_DESCRIPTION, description.encode()))
        self._block(_IDB, body + _options(*options))
        self._interfaces += 1
        return self._interfaces - 1

    def write_packet(
        self, interface: int, time_ns: int, data: bytes, length: int, outbound: bool, comment: str = ""
    ) -> None:
        """One packet: `data` are the first bytes of `length`; time in ns since 1970."""
        assert 0 <= interface < self._interfaces, interface
        head = struct.pack("<IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), length)
        flags = struct.pack("<I", _OUTBOUND if outbound else _INBOUND)
        options = [(_EPB_FLAGS, flags)]
        if comment:
            options.insert(0, (_OPT_COMMENT, comment.encode()[:_COMMENT_MAX]))
        self._block(_EPB, head + _padded(data) + _options(*options))

    def write_lost(self, interface: int, time_ns: int, lost: int) -> None:
        """How many packets the capture missed (an interface statistics block)."""
        head = struct.pack("<III", interface, time_ns >> 32, time_ns & 0xFFFFFFFF)
        self._block(_ISB, head + _options((_ISB_IFDROP, struct.pack("<Q", lost))))

    def _block(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._file.write(struct.pack("<I", kind) + length + body + length)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _options(*options: tuple[int, bytes]) -> bytes:
    coded = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return coded + struct.pack("<HH", _OPT_END, 0)
