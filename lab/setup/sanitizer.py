"""The environment in which tests run against the build with AddressSanitizer and UBSan."""

from __future__ import annotations

import subprocess
from pathlib import Path


def library(name: str) -> str:
    """Path of the compiler's sanitizer library, such as libasan.so. Raises RuntimeError where it has none."""
    answer = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(answer).is_absolute():
        raise RuntimeError(f"gcc has no {name}; install its sanitizer runtime (libasan of the same version)")
    return str(Path(answer).resolve())


def environment() -> dict[str, str]:
    """Variables for Python with our sanitized extension in it.

    The runtime must come first in the process, hence LD_PRELOAD. Leaks are not looked for: the
    interpreter itself keeps memory until the end, and its reports would hide ours. Everything else ends
    the process.
    """
    return {
        "RINGSIDE_VARIANT": "sanitize",
        "LD_PRELOAD": library("libasan.so"),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1:abort_on_error=1:handle_abort=1:"
        "detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }
