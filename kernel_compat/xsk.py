"""The least of an AF_XDP socket that a probe needs: register a umem, size the rings, bind. No packet is
moved.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from types import TracebackType
from typing import Self

AF_XDP = 44
SOL_XDP = 283
# enum of setsockopt/getsockopt names, linux/if_xdp.h
MMAP_OFFSETS, RX_RING, TX_RING, UMEM_REG = 1, 2, 3, 4
FILL_RING, COMPLETION_RING, STATISTICS, OPTIONS, TX_BUDGET = 5, 6, 7, 8, 9
# sockaddr_xdp.sxdp_flags
SHARED_UMEM, COPY, ZEROCOPY, USE_NEED_WAKEUP, USE_SG = (1 << bit for bit in range(5))
# xdp_umem_reg.flags
UMEM_UNALIGNED, UMEM_TX_SW_CSUM, UMEM_TX_METADATA_LEN = (1 << bit for bit in range(3))
FRAME = 4096

_libc = ctypes.CDLL(None, use_errno=True)


class XdpSocket:
    """An AF_XDP socket with its umem memory. A context manager; every call answers 0 or the errno."""

    def __init__(self, frames: int = 64) -> None:
        """Opens the socket. Raises OSError where the kernel has none (EAFNOSUPPORT) or forbids it (EPERM)."""
        self._socket = socket.socket(AF_XDP, socket.SOCK_RAW, 0)
        self.frames = frames
        self._memory = mmap.mmap(-1, frames * FRAME)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def set_option(self, level: int, option: int, value: bytes) -> int:
        """setsockopt: 0 or the errno."""
        try:
            self._socket.setsockopt(level, option, value)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def option_length(self, option: int, room: int = 256) -> int:
        """How many bytes the kernel fills in for a SOL_XDP option. Raises OSError."""
        buffer, length = ctypes.create_string_buffer(room), ctypes.c_uint(room)
        answer = _libc.getsockopt(self._socket.fileno(), SOL_XDP, option, buffer, ctypes.byref(length))
        if answer:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"getsockopt({option})")
        return length.value

    def register(self, flags: int = 0, metadata: int = 0) -> int:
        """Registers the memory as umem with 4096-byte frames; `metadata` bytes before each frame sent."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        size = self.frames * FRAME
        return self.set_option(
            SOL_XDP, UMEM_REG, struct.pack("=QQIIII", address, size, FRAME, 0, flags, metadata)
        )

    def size_rings(self, entries: int = 64) -> int:
        """Gives all four rings `entries` places."""
        for ring in (FILL_RING, COMPLETION_RING, RX_RING, TX_RING):
            refusal = self.set_option(SOL_XDP, ring, struct.pack("=i", entries))
            if refusal:
                return refusal
        return 0

    def bind(self, device: str, queue: int = 0, flags: int = 0, shared_with: XdpSocket | None = None) -> int:
        """Binds to a queue, on the umem of `shared_with` when given."""
        other = shared_with._socket.fileno() if shared_with else 0
        flags |= SHARED_UMEM if shared_with else 0
        address = struct.pack("=HHIII", AF_XDP, flags, socket.if_nametoindex(device), queue, other)
        answer = _libc.bind(self._socket.fileno(), address, len(address))
        return 0 if answer == 0 else ctypes.get_errno()
