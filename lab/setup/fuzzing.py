"""Builds the fuzz targets (tests/fuzz/*.c) with libFuzzer and the sanitizers, and runs each for a while."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lab.setup.process import run as run_process

FLAGS = (
    "-std=gnu11",
    "-fno-strict-aliasing",
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=all",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Iswitch",
    "-Itests/c/support",
)
LIBRARIES = ("-lpthread",)


class FuzzError(RuntimeError):
    """A target that does not exist or compile, or that found something; says which, with the input."""


def targets(root: Path, only: str = "") -> list[Path]:
    """The sources of the targets. Raises FuzzError when `only` names none of them."""
    found = sorted((root / "tests/fuzz").glob("*.c"))
    names = ", ".join(path.stem for path in found) or "none"
    chosen = [path for path in found if only in ("", path.stem)]
    if not chosen:
        raise FuzzError(f"no fuzz target {only!r} in tests/fuzz; there are: {names}")
    return chosen


# A target brings clang's sanitizer runtime: with gcc's in LD_PRELOAD (test.sanitize) it would not start, and
# with the options meant for that one it runs out of memory.
OWN_RUNTIME = {"LD_PRELOAD": "", "ASAN_OPTIONS": "", "UBSAN_OPTIONS": ""}


def sources(root: Path, target: Path) -> list[Path]:
    """The C files that a target is linked with: of the rooms in its line `// Needs: ROOM ...`, else all."""
    needs = re.search(r"^// Needs: (.+)$", target.read_text(), re.MULTILINE)
    rooms = needs[1].split() if needs else ["datapath", "ofproto", "api"]
    found: list[Path] = []
    for room in rooms:
        path = root / "switch" / room
        files = [path] if path.is_file() else sorted(path.rglob("*.c"))
        if needs and not files:
            raise FuzzError(f"{target.name} needs switch/{room}, where there is no C file")
        found += files
    return found


def compile_target(root: Path, target: Path, directory: Path | None = None) -> Path:
    """Compiles one target, into build/fuzz by default. Raises FuzzError with the compiler's words."""
    out = (directory or root / "build/fuzz") / target.stem
    out.parent.mkdir(parents=True, exist_ok=True)
    code = [str(path.relative_to(root)) for path in (target, *sources(root, target))]
    command = ["clang", *FLAGS, *code, "-o", str(out), *LIBRARIES]
    result = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise FuzzError(f"{target.stem} does not compile:\n{result.stderr}")
    return out


def run(root: Path, seconds: int, only: str = "") -> None:
    """Runs the targets for `seconds` each. Raises FuzzError for the first that finds something.

    Inputs that reach new code are kept in build/fuzz/corpus/TARGET; tests/fuzz/corpus/TARGET, if there,
    is where a run starts from. An input that breaks a target is written beside it.
    """
    for source in targets(root, only):
        program = compile_target(root, source)
        corpus = root / "build/fuzz/corpus" / source.stem
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = root / "tests/fuzz/corpus" / source.stem
        words = [
            str(program),
            f"-max_total_time={seconds}",
            "-print_final_stats=1",
            f"-artifact_prefix={program}-",
        ]
        folders = [str(corpus), *([str(seeds)] if seeds.is_dir() else [])]
        print(f"ringside: fuzzing {source.stem} for {seconds} s", file=sys.stderr, flush=True)
        code = run_process([*words, *folders], cwd=root, env=OWN_RUNTIME)
        if code:
            raise FuzzError(f"{source.stem} ended with code {code}; the input is build/fuzz/{source.stem}-*")
