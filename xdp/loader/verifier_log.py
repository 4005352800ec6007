"""From all that libbpf and the verifier said to the lines that a person needs.

A verifier log walks through the program instruction by instruction, with the C source line before the
instructions made from it, the registers after some of them, and the complaint at the end. Of the many
pages, what matters is the complaint and the last few steps before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Around libbpf's copy of a log; unchanged since 0.4.
_BEGIN = re.compile(r"prog '(?P<name>[^']*)': -- BEGIN PROG LOAD LOG --\n")
_END = re.compile(r"-- END PROG LOAD LOG --")

_INSTRUCTION = re.compile(r"^\d+: (\(|R\d+)")
_SOURCE = re.compile(r"^; ")
_STATISTICS = re.compile(
    r"^(processed \d+ insns|verification time|stack depth|max_states|peak_states|mark_read"
    r"|func#\d+ @|reg type unsupported|from \d+ to \d+:|arg#\d+)"
)
_REGISTERS = re.compile(r"^(\d+: )?R\d+(_\w+)?=")
_SOURCES_SHOWN = 3


@dataclass(frozen=True)
class Refusal:
    """One program's refusal: the verifier's own last word, the steps before it, and the whole log."""

    program: str
    complaint: str
    excerpt: str
    log: str


def find_refusal(said: str) -> Refusal | None:
    """The last verifier log in libbpf's words; None when the kernel refused for another reason."""
    begins = list(_BEGIN.finditer(said))
    if not begins:
        return None
    begin = begins[-1]
    end = _END.search(said, begin.end())
    log = said[begin.end() : end.start() if end else len(said)]
    log = re.sub(r"libbpf: (prog '[^']*': )?$", "", log).rstrip()
    return Refusal(begin["name"], complaint(log), excerpt(log), log)


def _is_step(line: str) -> bool:
    return bool(_INSTRUCTION.match(line) or _SOURCE.match(line))


def _meaningful(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.strip() and not _STATISTICS.match(line)]


def complaint(log: str) -> str:
    """The lines after the last instruction, without statistics: what the verifier minds."""
    tail: list[str] = []
    for line in reversed(_meaningful(log)):
        if _is_step(line) or _REGISTERS.match(line):
            break
        tail.append(line.strip())
    return "; ".join(reversed(tail)) or "no reason given"


def excerpt(log: str, sources: int = _SOURCES_SHOWN) -> str:
    """The last `sources` source lines with their instructions, and the complaint below them.

    Without BTF there are no source lines: then the last eight lines.
    """
    lines = _meaningful(log)
    starts = [at for at, line in enumerate(lines) if _SOURCE.match(line)]
    # Instructions of one source line can be cut in pieces by others: count pieces, not lines of C.
    first = starts[-sources:][0] if starts else max(0, len(lines) - 8)
    kept = lines[first:]
    if len(kept) > 24:
        kept = [kept[0], "…", *kept[-22:]]
    return "\n".join(kept)
