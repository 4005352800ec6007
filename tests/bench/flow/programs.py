"""The C programs of the benches, linked with the objects of the ordinary build."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from switch.binding.ffi_build import ROOT, WARNINGS, Toolchain, compile_all, compile_one, run
from tests.bench.flow.sched import prefer

HERE = Path(__file__).parent
SOURCES = {
    "flow_bench": ("flow_bench.c", "flow_packets.c"),
    "miss_bench": ("miss_bench.c", "pipeline.c"),
    "change_bench": ("change_bench.c", "pipeline.c"),
    "classifier_bench": ("../classifier_bench.c",),
}
LINK = {"classifier_bench": ("-Wl,--wrap=ofproto_lookup",)}


class ProgramError(RuntimeError):
    """A bench's program refused, with its words."""


def build(name: str) -> Path:
    """A program, built as far as that is needed. Raises BuildError with the compiler's words."""
    tools = Toolchain(("gcc",), "release")
    out = ROOT / "build" / tools.variant
    objects = compile_all(tools, out, 2)
    for source in SOURCES[name]:
        obj = out / "objects" / f"{tools.key}-bench" / f"{Path(source).stem}.o"
        objects.append(compile_one(tools, (HERE / source).resolve(), obj, (*WARNINGS, f"-I{HERE}")))
    program = out / name
    if not program.exists() or any(o.stat().st_mtime_ns > program.stat().st_mtime_ns for o in objects):
        run([*tools.cc, *tools.flags, *map(str, objects), *LINK.get(name, ()), "-o", str(program)])
    return program


@contextmanager
def started(words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A program in a session of its own, ended with the block."""
    pipe = subprocess.PIPE
    child = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        prefer(child.pid)
        yield child
    finally:
        child.kill()
        child.communicate()


def output(words: Sequence[str], seconds: float = 120) -> list[str]:
    """The lines that a program prints. Raises ProgramError."""
    with started(words) as child:
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise ProgramError(f"{Path(words[0]).name} did not end within {seconds:g} s") from error
    if child.returncode:
        raise ProgramError(f"{Path(words[0]).name}: status {child.returncode}: {err.strip()[-300:]}")
    return out.splitlines()
