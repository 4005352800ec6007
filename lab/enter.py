"""Commands inside a node. The process becomes the command: exit code, signals and terminal are its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lab import rundir
from lab.errors import fail
from lab.find import find_node
from lab.host import command, netns, process
from lab.rundir import write_atomically
from lab.state import Summary

NOT_FOUND = 127
"""A shell's exit code for a command that is not there."""


def environment(lab: str, known: Summary, node: str) -> dict[str, str]:
    """Environment of a command in a node: the owner's tag, the switch's socket, our own programs in PATH."""
    here = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    added = {
        process.TAG: lab,
        process.NODE_TAG: node,
        "PATH": path if here in path.split(os.pathsep) else f"{here}{os.pathsep}{path}",
    }
    if known.nodes.get(node) == "ringside":
        added["RINGSIDE_SOCKET"] = str(rundir.switch_socket(rundir.lab_dir(lab), node))
    return {**os.environ, **added}


def enter(node: str, name: str | None, argv: Sequence[str]) -> NoReturn:
    """Becomes a command in a node's namespace. Raises LabError if it cannot."""
    lab, known = find_node(node, name)
    _must_be_root()
    _become(lab, known, node, argv)


def shell(node: str, name: str | None) -> NoReturn:
    """Becomes an interactive shell in a node, whose prompt says where it is."""
    lab, known = find_node(node, name)
    _must_be_root()
    program = os.environ.get("SHELL") or "/bin/sh"
    if Path(program).name != "bash":
        _become(lab, known, node, [program, "-i"])
    startup = rundir.lab_dir(lab) / f"{node}.bashrc"
    write_atomically(startup, f'[ -r ~/.bashrc ] && . ~/.bashrc\nPS1="({node}@{lab}) $PS1"\n')
    _become(lab, known, node, [program, "--rcfile", str(startup), "-i"])


def _must_be_root() -> None:
    if os.geteuid() != 0:
        raise fail("lab.exec", "needs root: it enters a network namespace", "sudo ./invoke lab.exec …")


def _become(lab: str, known: Summary, node: str, argv: Sequence[str]) -> NoReturn:
    env = environment(lab, known, node)
    if shutil.which(argv[0], path=env["PATH"]) is None:
        print(f"lab.exec: {argv[0]}: command not found", file=sys.stderr)
        raise SystemExit(NOT_FOUND)
    sys.stdout.flush()
    full = command.in_netns(netns.name_of(lab, node), argv)
    os.execvpe(full[0], full, env)
