"""Builds the fuzz targets (tests/fuzz/*.c) with libFuzzer and the sanitizers, and runs each for a while."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.setup.process import run as run_process

FLAGS = (
    "-std=gnu11",
    "-fno-strict-aliasing",
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=fuzzer-no-link,address,undefined",
    "-fno-sanitize-recover=all",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Iswitch",
    "-Itests/c/support",
)
LINK = ("-fsanitize=fuzzer,address,undefined", "-lpthread")


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


def _is_fresh(obj: Path, root: Path) -> bool:
    """Whether an object is newer than everything that its dependency file names."""
    try:
        made = obj.stat().st_mtime_ns
        names = obj.with_suffix(".d").read_text().replace("\\\n", " ").split(":", 1)[1].split()
        return all((root / name).stat().st_mtime_ns < made for name in names)
    except OSError:
        return False


def _compile_object(root: Path, source: Path) -> Path:
    """One object in build/fuzz/objects, which all targets share; kept while its sources are older."""
    name = source.relative_to(root)
    key = hashlib.sha256(" ".join(FLAGS).encode()).hexdigest()[:8]
    obj = (root / "build/fuzz/objects" / key / name).with_suffix(".o")
    if _is_fresh(obj, root):
        return obj
    obj.parent.mkdir(parents=True, exist_ok=True)
    part = obj.with_name(f"{obj.stem}.{os.getpid()}.tmp.o")
    depend = ("-MMD", "-MF", str(obj.with_suffix(".d")))
    command = ["clang", *FLAGS, *depend, "-c", str(name), "-o", str(part)]
    result = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise FuzzError(f"{name} does not compile:\n{result.stderr}")
    part.replace(obj)
    return obj


def compile_target(root: Path, target: Path, directory: Path | None = None) -> Path:
    """Compiles one target, into build/fuzz by default. Raises FuzzError with the compiler's words."""
    out = (directory or root / "build/fuzz") / target.stem
    out.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        objects = list(pool.map(lambda path: _compile_object(root, path), (target, *sources(root, target))))
    command = ["clang", *map(str, objects), "-o", str(out), *LINK]
    result = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise FuzzError(f"{target.stem} does not link:\n{result.stderr}")
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
