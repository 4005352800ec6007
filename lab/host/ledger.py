"""The list, on disk, of what a lab has made. A thing is written down before it is made.

    {"n": 1, "kind": "netns", "what": {"name": "rs-pair-h1"}}      about to be made
    {"n": 2, "kind": "process", "what": {"role": "switchd s1"}}
    {"n": 2, "amend": {"pid": 4711, "start": 123456}}              known only once it runs
    {"n": 1, "undone": true}

So whoever comes after a `kill -9` finds everything; at worst he finds a line for a thing that was never made.
Each line is one write to a file opened for appending: it is there whole or not at all (a torn last line is
passed over). There is no fsync: the things themselves do not survive a power cut either.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "ledger.jsonl"


@dataclass(frozen=True)
class Entry:
    """One thing that was made, or may have been."""

    number: int
    kind: str
    what: dict[str, Any]


class Ledger:
    """The ledger of one lab. Threads may share it; processes must not (the lab's lock sees to that)."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = _read(self._path)
        self._next = max(self._entries, default=0) + 1

    def intend(self, kind: str, **what: Any) -> int:
        """Writes down a thing that is about to be made; returns its number."""
        with self._lock:
            number = self._next
            self._next += 1
            self._append({"n": number, "kind": kind, "what": what})
            self._entries[number] = Entry(number, kind, what)
            return number

    def amend(self, number: int, **what: Any) -> None:
        """Adds what is known only now."""
        with self._lock:
            self._append({"n": number, "amend": what})
            old = self._entries[number]
            self._entries[number] = Entry(number, old.kind, {**old.what, **what})

    def undone(self, number: int) -> None:
        """The thing is gone."""
        with self._lock:
            self._append({"n": number, "undone": True})
            self._entries.pop(number, None)

    def entries(self, kind: str | None = None) -> list[Entry]:
        """Things that are there, or may be, in the order of their making."""
        with self._lock:
            return [entry for entry in self._entries.values() if kind in (None, entry.kind)]

    def find(self, kind: str, **what: Any) -> Entry | None:
        """The last entry of a kind with these values."""
        matching = [
            e for e in self.entries(kind) if all(e.what.get(key) == value for key, value in what.items())
        ]
        return matching[-1] if matching else None

    def _append(self, record: dict[str, Any]) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, (json.dumps(record) + "\n").encode())
        finally:
            os.close(fd)


def _read(path: Path) -> dict[int, Entry]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    entries: dict[int, Entry] = {}
    for line in lines:
        try:
            record = json.loads(line)
            number = record["n"]
        except (ValueError, KeyError, TypeError):
            continue  # Torn by the end of its writer.
        if "kind" in record:
            entries[number] = Entry(number, record["kind"], record["what"])
        elif "amend" in record and number in entries:
            old = entries[number]
            entries[number] = Entry(number, old.kind, {**old.what, **record["amend"]})
        elif record.get("undone"):
            entries.pop(number, None)
    return entries
