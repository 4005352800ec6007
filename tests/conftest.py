"""Markers, and the promise that a test run leaves the host as it found it.

A test that needs something this host lacks is skipped with the reason and the missing thing, never
silently. After the last test the host is compared with what it was before the first: devices, namespaces,
XDP links, mounts and processes of labs. Where other people use the same host meanwhile,
RINGSIDE_SHARED_HOST=1 turns that comparison off.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from kernel_compat.feature import Feature
from kernel_compat.probes import ALL_FEATURES
from kernel_compat.sandbox import survey
from lab.setup import packages

ROOT = Path(__file__).resolve().parents[1]
# What a marker stands on: names of kernel_compat's features.
FEATURES_OF = {
    "netns": ("netns.make", "netns.name", "link.veth"),
    "afxdp": ("af_xdp.socket", "af_xdp.copy", "xdp.link_generic"),
}
# Everything made goes into build/, what hypothesis remembers too.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(ROOT / "build" / "hypothesis"))
# The fast suite tries the same examples each time, so a red run is the change's doing; the long one
# looks for new ones.
settings.register_profile("fast", deadline=None, derandomize=True)
# For the sanitizers' part of the fast suite, where each example costs several times as much.
settings.register_profile("few", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("long", deadline=None, max_examples=500, print_blob=True)
settings.load_profile(os.environ.get("RINGSIDE_EXAMPLES", "fast"))
LEAVING_TAKES = 10.0  # seconds at most: the kernel dismantles a namespace after its last user is gone


def _missing_features(names: tuple[str, ...]) -> str | None:
    asked: dict[str, Feature] = {feature.name: feature for feature in ALL_FEATURES}
    for name, outcome in survey(asked[name] for name in names).items():
        if outcome.answer != "yes":
            return f"{name}: {outcome.evidence}" + (f" ({outcome.way_out})" if outcome.way_out else "")
    return None


def _missing_command(names: tuple[str, ...]) -> str | None:
    missing = [
        name for name in names if not shutil.which(name) and not shutil.which(name, path=packages.SBIN)
    ]
    return f"the command {', '.join(missing)} is missing" if missing else None


def _reason_to_skip(marker: pytest.Mark) -> str | None:
    """Why a test with this marker cannot run here, or None."""
    if marker.name in ("root", "netns", "afxdp") and os.geteuid() != 0:
        return f"uid {os.geteuid()}; run as root"
    if marker.name in FEATURES_OF:
        return _missing_features(FEATURES_OF[marker.name])
    if marker.name == "peer":
        return _missing_command(marker.args)
    if marker.name == "vm":
        return _missing_command(("qemu-system-x86_64",))
    if marker.name == "nic" and not (ROOT / "lab/hardware.toml").exists():
        return "no network card is named: lab/hardware.toml is not there"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what cannot run here."""
    for marker in item.iter_markers():
        reason = _reason_to_skip(marker)
        if reason:
            pytest.skip(f"needs {marker.name}: {reason}")


def _words(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
    except FileNotFoundError:
        return ""


def _devices() -> set[str]:
    # Without state and counters: a neighbour's link may flap. The program's id tells of one left attached.
    listed = json.loads(_words("ip", "-j", "-d", "link", "show") or "[]")
    return {
        f"device {one['ifname']}, XDP {one.get('xdp', {}).get('prog', {}).get('id', 'none')}"
        for one in listed
    }


def _bpf_links() -> set[str]:
    listed = json.loads(_words("bpftool", "-j", "link", "show") or "[]")
    return {
        f"BPF link {one['id']} ({one['type']})"
        for one in listed
        if one.get("type") in ("xdp", "tcx", "netkit")
    }


def _lab_processes() -> set[str]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            name = (folder / "comm").read_text().strip()
        except OSError:  # it ended meanwhile, or is not ours to see
            continue
        if b"\0RINGSIDE_LAB=" in b"\0" + environment:
            found.add(f"process {folder.name} ({name})")
    return found


def host_state() -> set[str]:
    """Everything of the host that a lab could leave behind, a line each."""
    names = Path("/run/netns")
    namespaces = {f"namespace {path.name}" for path in names.iterdir()} if names.is_dir() else set()
    mounts = {f"mount {line.split()[1]}" for line in Path("/proc/self/mounts").read_text().splitlines()}
    return _devices() | namespaces | _bpf_links() | mounts | _lab_processes()


def leftovers(before: set[str], patience: float = LEAVING_TAKES) -> list[str]:
    """What is there that was not before, once the kernel had time to take its things away."""
    deadline = time.monotonic() + patience
    while True:
        # /run/netns itself becomes a mount with the first `ip netns add` of anybody on the host.
        left = sorted(line for line in host_state() - before if line != "mount /run/netns")
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


@pytest.fixture(scope="session", autouse=True)
def host_stays_as_it_was() -> Iterator[None]:
    """Fails the run when it left something on the host."""
    if os.environ.get("RINGSIDE_SHARED_HOST"):
        yield
        return
    before = host_state()
    yield
    left = leftovers(before)
    assert not left, "this run left on the host:\n" + "\n".join(left)


@pytest.fixture(scope="session", autouse=True)
def private_run_folder() -> Iterator[Path]:
    """A run folder of the tests' own, so that they never meet the labs that people have up.

    Short, because a UNIX socket's path may have 107 bytes.
    """
    before = os.environ.get("RINGSIDE_RUNDIR")
    with tempfile.TemporaryDirectory(prefix="rs-test-") as folder:
        os.environ["RINGSIDE_RUNDIR"] = folder
        yield Path(folder)
    if before is None:
        del os.environ["RINGSIDE_RUNDIR"]
    else:
        os.environ["RINGSIDE_RUNDIR"] = before
