"""A throw-away network namespace to try things in: a forked child that dies with all that it made."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict

from kernel_compat.feature import AS_ROOT, Feature, Outcome, ask, from_errno, unknown

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> int:
    """Leaves the namespaces that `flags` name for new ones; 0 or the errno."""
    return 0 if _libc.unshare(flags) == 0 else ctypes.get_errno()


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs a tool for a probe, its words captured. The folders of ip and tc are looked in, whatever PATH
    says.
    """
    path = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/local/sbin:/usr/sbin:/sbin"
    env = {**os.environ, "PATH": path, "LC_ALL": "C"}
    try:
        return subprocess.run(words, capture_output=True, text=True, env=env, timeout=20)
    except FileNotFoundError as error:
        raise MissingTool(f"the command {words[0]} is missing") from error


class MissingTool(RuntimeError):
    """A probe's tool is not installed: names it."""


def in_child(work: Callable[[], dict[str, Outcome]]) -> dict[str, Outcome]:
    """Calls `work` in a forked child and returns its outcomes; what it changed about its process is
    gone then.

    Raises RuntimeError, with the child's fate, when it did not answer.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reader)
            answer = {name: asdict(outcome) for name, outcome in work().items()}
            with os.fdopen(writer, "w") as pipe:
                json.dump(answer, pipe)
            code = 0
        finally:
            os._exit(code)  # no clean-up of the parent's things in the child
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status or not text:
        raise RuntimeError(f"the probing process ended with status {os.waitstatus_to_exitcode(status)}")
    return {name: Outcome(**fields) for name, fields in json.loads(text).items()}


def _in_private_network(features: Iterable[Feature]) -> dict[str, Outcome]:
    refusal = unshare(CLONE_NEWNET | CLONE_NEWNS)
    if refusal:
        told = from_errno(refusal, "unshare(network namespace)", ())
        return {feature.name: unknown(told.evidence, told.way_out or AS_ROOT) for feature in features}
    return {feature.name: ask(feature) for feature in features}


_known: dict[str, Outcome] = {}


def survey(features: Iterable[Feature]) -> dict[str, Outcome]:
    """Asks all features, the sandboxed ones together in one private namespace. Firm answers are
    remembered.
    """
    wanted = list(features)
    fresh = [feature for feature in wanted if feature.name not in _known]
    inside = [feature for feature in fresh if feature.sandboxed]
    answers = {feature.name: ask(feature) for feature in fresh if not feature.sandboxed}
    if inside:
        answers |= in_child(lambda: _in_private_network(inside))
    _known.update({name: outcome for name, outcome in answers.items() if outcome.firm})
    return {feature.name: _known.get(feature.name) or answers[feature.name] for feature in wanted}


_pairs = 0


def new_veth(mtu: int = 1500) -> tuple[str, str]:
    """Makes a veth pair in the present (private) namespace, both ends up. Raises RuntimeError when `ip`
    refuses.
    """
    global _pairs
    _pairs += 1
    left, right = f"pa{_pairs}", f"pb{_pairs}"
    size = ("mtu", str(mtu))
    made = command("ip", "link", "add", left, *size, "type", "veth", "peer", "name", right, *size)
    if made.returncode:
        raise RuntimeError(f"ip link add type veth: {made.stderr.strip()}")
    for end in (left, right):
        command("ip", "link", "set", end, "up")
    return left, right
