"""The rooms of DESIGN.md and who may enter which: read from include and import lines, nothing else.

The two tables are the rules; everything below them only reads and compares.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# C: room -> what its files may include, as the beginnings of include lines (one include root, -Iswitch).
# Every room may include itself. A miss leaves the datapath through upcall.h alone, so nothing under
# datapath/ names ofproto/.
BASE = ("datapath/base/", "datapath/drop_reason.h")
PACKET = (*BASE, "datapath/packet/", "datapath/umem/")
FLOW = (*PACKET, "datapath/flow/")
PORT = (*PACKET, "datapath/port/")
C_RULES: dict[str, tuple[str, ...]] = {
    "api/": ("datapath/", "ofproto/"),
    "ofproto/": (
        *FLOW,
        "datapath/upcall.h",
        "datapath/action/odp_action.h",
        "datapath/action/odp_meter.h",
        "datapath/action/odp_text.h",
        "datapath/lookup/megaflow.h",
    ),
    "datapath/pmd/": (*FLOW, *PORT, "datapath/upcall.h", "datapath/action/", "datapath/lookup/"),
    "datapath/action/": (*FLOW, *PORT),
    "datapath/lookup/": (*FLOW, "datapath/action/odp_action.h", "datapath/upcall.h"),
    "datapath/upcall.h": (*FLOW, "datapath/action/odp_action.h"),
    "datapath/port/": PORT,
    "datapath/flow/": FLOW,
    "datapath/packet/": PACKET,
    # A umem lays out the struct dp_packet of each of its frames; nothing else of packets is its business.
    "datapath/umem/": (*BASE, "datapath/packet/dp_packet.h"),
    "datapath/drop_reason.": (),
    "datapath/base/": BASE,
}

# Python: package -> which of our packages it may import, besides itself. The longest name that fits a
# module decides.
PYTHON_RULES: dict[str, tuple[str, ...]] = {
    "switch.binding": (),
    "switch.control": ("switch.binding", "xdp.loader"),
    "switch.cli": ("switch.control",),
    "xdp": (),
    "kernel_compat": ("xdp.loader",),
    "kernel_compat.doctor": ("kernel_compat", "xdp.loader", "lab.setup"),
    "kernel_compat.matrix": ("kernel_compat", "lab.vm"),
    # The lab reaches the switch as a user does: by its commands and sockets. Its generators load
    # their own programs.
    "lab": ("kernel_compat",),
    "lab.setup": (),
    "lab.traffic": ("lab", "kernel_compat", "xdp.loader"),
    "lab.bench": ("lab", "kernel_compat", "xdp.loader"),
    "artifacts": ("lab", "kernel_compat"),
    "tasks": ("lab", "kernel_compat"),
    "tests": ("switch", "xdp", "kernel_compat", "lab", "artifacts", "tasks"),
}
# These know nothing of each other.
STRANGERS = ("switch.control.openflow", "switch.control.ovsdb", "switch.control.netlink")
# A compiled module has one importer.
COMPILED = {"_ringside_switch": "switch.binding", "_ringside_bpf": "xdp.loader"}
OURS = ("switch", "xdp", "kernel_compat", "lab", "artifacts", "tasks", "tests")

# What per-packet C never does: print, log, and (in the rooms without set-up code) allocate.
NEVER_IN_DATAPATH = re.compile(r"\b(printf|fprintf|puts|perror|syslog)\s*\(")
NEVER_PER_PACKET = re.compile(r"\b(malloc|calloc|realloc|free|posix_memalign|aligned_alloc)\s*\(")
ROOMS_WITHOUT_ALLOCATION = ("datapath/flow/", "datapath/action/", "datapath/packet/")
# File -> why it may, although its room does not.
MAY_ALLOCATE = {
    "datapath/action/odp_list.c": "lists of actions grow in translation; the executor only reads them",
    "datapath/action/odp_meter_config.c": "the control thread makes meters; PMDs only run them",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def c_offences(name: str, text: str) -> list[str]:
    """What is wrong with the includes of switch/NAME."""
    room = max((rule for rule in C_RULES if name.startswith(rule)), key=len, default=None)
    if room is None:
        return [f"switch/{name} is in no room that the rules know"]
    allowed = (room, *C_RULES[room])
    return [
        f'switch/{name} includes "{included}"; {room} may include: {", ".join(sorted(set(allowed)))}'
        for included in INCLUDE.findall(text)
        if not included.startswith(allowed)
    ]


def c_calls(name: str, text: str) -> list[str]:
    """Calls in switch/NAME that per-packet code must not make."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    found = []
    if name.startswith("datapath/"):
        found += NEVER_IN_DATAPATH.findall(code)
    if name.startswith(ROOMS_WITHOUT_ALLOCATION) and name not in MAY_ALLOCATE:
        found += NEVER_PER_PACKET.findall(code)
    return [f"switch/{name} calls {call}()" for call in found]


def imported(module: str, is_package: bool, text: str) -> Iterator[str]:
    """Every module, or name in a module, that the Python text imports, absolutely named."""
    base = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = base[: len(base) - node.level + 1] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def within(module: str, package: str) -> bool:
    """Whether `module` is `package` or below it."""
    return module == package or module.startswith(f"{package}.")


def python_offences(module: str, is_package: bool, text: str) -> list[str]:
    """What is wrong with the imports of a Python module."""
    found = []
    rule = max((rule for rule in PYTHON_RULES if within(module, rule)), key=len, default=None)
    for name in imported(module, is_package, text):
        top = name.split(".")[0]
        if top in COMPILED and not within(module, COMPILED[top]):
            found.append(f"{module} imports {name}; only {COMPILED[top]} may")
        for stranger in STRANGERS:
            others = [other for other in STRANGERS if other != stranger]
            if within(module, stranger) and any(within(name, other) for other in others):
                found.append(f"{module} imports {name}; {', '.join(STRANGERS)} know nothing of each other")
        if top not in OURS or rule is None:
            continue
        if not any(within(name, allowed) for allowed in (rule, *PYTHON_RULES[rule])):
            allowed_text = ", ".join(PYTHON_RULES[rule]) or "nothing of ours but itself"
            found.append(f"{module} imports {name}; {rule} may import: {allowed_text}")
    return found


def python_modules() -> Iterator[tuple[str, bool, Path]]:
    """Our Python files: module name, whether it is a package's own file, path."""
    for top in OURS:
        for path in (
            [ROOT / f"{top}.py"] if (ROOT / f"{top}.py").exists() else sorted((ROOT / top).rglob("*.py"))
        ):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            yield ".".join(parts[:-1] if is_package else parts), is_package, path


def c_sources() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "switch").rglob("*.[ch]")):
        yield path.relative_to(ROOT / "switch").as_posix(), path


def test_c_includes_keep_to_their_rooms() -> None:
    offences = [line for name, path in c_sources() for line in c_offences(name, path.read_text())]
    assert not offences, "\n".join(offences)


def test_the_datapath_neither_prints_nor_allocates_per_packet() -> None:
    offences = [line for name, path in c_sources() for line in c_calls(name, path.read_text())]
    assert not offences, "\n".join(offences)


def test_python_imports_keep_to_their_rooms() -> None:
    offences = [
        line
        for module, is_package, path in python_modules()
        for line in python_offences(module, is_package, path.read_text())
    ]
    assert not offences, "\n".join(offences)


def test_the_rules_see_the_whole_tree() -> None:
    assert len(list(c_sources())) > 10
    assert {"switch", "xdp", "kernel_compat", "lab"} <= {module for module, _, _ in python_modules()}


@pytest.mark.parametrize(
    ("name", "include"),
    [
        ("datapath/pmd/pmd_process.c", "ofproto/xlate.h"),
        ("ofproto/xlate.c", "datapath/pmd/pmd.h"),
        ("ofproto/xlate.c", "datapath/port/port.h"),
        ("datapath/umem/umem.c", "datapath/packet/checksum.h"),
        ("datapath/flow/flow.c", "datapath/port/port.h"),
        ("datapath/port/xsk_rx.c", "xsk_rx.h"),
        ("elsewhere/a.c", "datapath/flow/flow.h"),
    ],
)
def test_a_forbidden_include_is_seen(name: str, include: str) -> None:
    assert c_offences(name, f'#include "{include}"\n')


def test_a_forbidden_call_is_seen() -> None:
    assert c_calls("datapath/flow/a.c", "p = malloc(4);") == ["switch/datapath/flow/a.c calls malloc()"]
    assert not c_calls("datapath/flow/a.c", "// malloc() is not for here")
    assert c_calls("datapath/pmd/a.c", 'printf("x");')


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("switch.binding.ffi", "from switch.control import daemon"),
        ("switch.cli.show", "from switch.binding import ffi"),
        ("switch.control.daemon", "import lab.topology"),
        ("switch.control.daemon", "import _ringside_switch"),
        ("switch.control.ovsdb.idl", "from switch.control.openflow import oxm"),
        ("lab.up", "from switch.control import desired"),
        ("lab.up", "from tests import conftest"),
        ("xdp.loader.object", "from ..  import kernel_compat\nfrom kernel_compat import feature"),
        ("kernel_compat.feature", "from lab.setup import packages"),
    ],
)
def test_a_forbidden_import_is_seen(module: str, line: str) -> None:
    assert python_offences(module, False, line)


def test_relative_imports_are_resolved() -> None:
    assert list(imported("lab.host.netns", False, "from ..errors import LabError")) == ["lab.errors.LabError"]
    assert list(imported("lab.host", True, "from . import netns")) == ["lab.host.netns"]
