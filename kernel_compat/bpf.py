"""The bpf(2) system call, as far as probes need it: load a tiny XDP program and attach it by a link.

Raw, because a survey must run before anything is compiled; the switch itself uses libbpf (xdp.loader).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from kernel_compat.sandbox import _libc as libc

PROG_LOAD, LINK_CREATE = 5, 28
PROG_TYPE_XDP = 6
ATTACH_XDP = 37
FLAG_HAS_FRAGS = 1 << 5
XDP_GENERIC, XDP_NATIVE = 1 << 1, 1 << 2
_SYSCALL = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
# r0 = XDP_PASS; exit
_PASS = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)


def bpf(command: int, attributes: bytes) -> int:
    """The system call: a descriptor, or minus the errno (-ENOSYS also where its number is not known here)."""
    number = _SYSCALL.get(platform.machine())
    if number is None:
        return -errno.ENOSYS
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    size = ctypes.c_uint(len(attributes))
    answer = libc.syscall(ctypes.c_long(number), ctypes.c_int(command), buffer, size)
    return int(answer) if answer >= 0 else -ctypes.get_errno()


def load_pass(frags: bool = False) -> int:
    """Loads a program that passes everything; its descriptor, or minus the errno."""
    code = ctypes.create_string_buffer(_PASS, len(_PASS))
    licence = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack(
        "=IIQQIIQII16sII",
        PROG_TYPE_XDP,
        len(_PASS) // 8,
        ctypes.addressof(code),
        ctypes.addressof(licence),
        0,  # log level, size, buffer: none
        0,
        0,
        0,
        FLAG_HAS_FRAGS if frags else 0,
        b"rs_probe",
        0,
        ATTACH_XDP,
    )
    return bpf(PROG_LOAD, attributes)


def attach(program: int, ifindex: int, mode: int) -> int:
    """Attaches by BPF link in exactly `mode`; the link's descriptor, or minus the errno."""
    return bpf(LINK_CREATE, struct.pack("=IIII", program, ifindex, ATTACH_XDP, mode))


def close(*descriptors: int) -> None:
    """Closes those that are descriptors."""
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)
