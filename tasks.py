"""Ringside's tasks. `./invoke --list` is the table of contents; each task is one call or one command.

Run them as `./invoke TASK` (which sets up what is missing) or, inside the environment, plain `invoke TASK`.
Every task that needs compiled code makes sure of it first, so there is nothing to remember.
"""

import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))


def _build(*variants: str) -> list[str]:
    """Compiles what is not current; says what failed and ends."""
    from lab.setup import build

    try:
        return build.ensure(variants or ("release",))
    except build.BuildError as error:
        raise Exit(str(error), code=1) from error


def _run(*words: str, env: dict[str, str] | None = None) -> None:
    """Runs a command from the root; its failure is ours, with its exit code."""
    from lab.setup.process import run

    code = run(words, cwd=ROOT, env=env)
    if code:
        raise Exit(code=code)


def _python(*words: str, env: dict[str, str] | None = None) -> None:
    _run(sys.executable, *words, env=env)


def _pytest(*words: str, env: dict[str, str] | None = None, k: str = "", path: str = "") -> None:
    selection = [*(("-k", k) if k else ()), *(path.split() if path else ())]
    _python("-m", "pytest", *words, *selection, env=env)


def _lab(*words: str) -> None:
    """Calls the lab in this very process, so that Ctrl-C, a signal or its exit code is the lab's own."""
    from lab.cli import main

    code = main(list(words))
    if code:
        raise Exit(code=code)


def _flags(**values: object) -> list[str]:
    """--name value for each value that was given; a true one is a bare flag."""
    words: list[str] = []
    for name, value in values.items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value:
            words += [f"--{name}", str(value)]
    return words


def _after_dashes() -> list[str]:
    """The words after `--`, each as it was typed (invoke itself would glue them together)."""
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


# --- the tree -----------------------------------------------------------------------------------------------


@task(name="build", help={"sanitize": "also the variant with AddressSanitizer and UBSan"})
def build_(_: Context, sanitize: bool = False) -> None:
    """Compile what changed: switch, loader, BPF programs."""
    made = _build("release", "sanitize") if sanitize else _build("release")
    print(f"built: {', '.join(made)}" if made else "everything is current")


@task
def check(_: Context) -> None:
    """Format, lint, types, C warnings, layering, sizes."""
    from lab.setup import checks

    if checks.run_all(ROOT):
        raise Exit(code=1)


@task(name="format")
def format_(_: Context) -> None:
    """Rewrite the tree as ruff and clang-format want it."""
    from lab.setup import checks

    _python("-m", "ruff", "check", "--fix", "--quiet", ".")
    _python("-m", "ruff", "format", "--quiet", ".")
    _run("clang-format", "-i", *checks.c_files(ROOT))


@task
def doctor(_: Context, json: bool = False) -> None:
    """What this host can run, why not, and the way out."""
    _python("-m", "kernel_compat.doctor", *_flags(json=json))


# --- tests --------------------------------------------------------------------------------------------------

_SELECT = {"k": "pytest's -k: only tests that match", "path": "only these files or folders"}


@task(default=True, help=_SELECT)
def fast(_: Context, k: str = "", path: str = "") -> None:
    """Run the fast suite; a skip says what is missing."""
    _build()
    _pytest("-m", "not slow", k=k, path=path)


@task(name="long", help=_SELECT)
def long_(_: Context, k: str = "", path: str = "") -> None:
    """Run everything, the slow tests too."""
    _build()
    _pytest(env={"RINGSIDE_EXAMPLES": "long"}, k=k, path=path)


@task(help=_SELECT)
def sanitize(_: Context, k: str = "", path: str = "") -> None:
    """Run everything on the ASan and UBSan build."""
    from lab.setup import sanitizer

    _build("release", "sanitize")
    _pytest(env=sanitizer.environment(), k=k, path=path)


@task
def tox(_: Context) -> None:
    """Run the fast suite under every Python that is here."""
    _build()
    _python("-m", "tox", "run", "--workdir", str(ROOT / ".tox"))


@task(help={"seconds": "for each target", "target": "only this one (tests/fuzz/TARGET.c)"})
def fuzz(_: Context, seconds: int = 60, target: str = "") -> None:
    """Feed the parsers random packets under libFuzzer."""
    from lab.setup import fuzzing

    try:
        fuzzing.run(ROOT, seconds, target)
    except fuzzing.FuzzError as error:
        raise Exit(str(error), code=1) from error


# --- measuring ----------------------------------------------------------------------------------------------


@task
def smoke(_: Context, json: bool = False) -> None:
    """64-byte forwarding: us, plain AF_XDP, Linux bridge."""
    _build()
    _python("-m", "lab.bench.smoke", *_flags(json=json))


@task(help={"quick": "less of everything, under a minute"})
def flow(_: Context, json: bool = False, quick: bool = False) -> None:
    """The flow engine's speed and memory, beside Open vSwitch."""
    _build()
    _python("-m", "tests.bench.flow.run", *_flags(json=json, quick=quick))


# --- the lab ------------------------------------------------------------------------------------------------
_NAME = {"name": "the lab, where several are up"}

_UP = {
    "topology": "a shipped name or a file (default: pair)",
    "datapath": "of its switches: ringside or linux-bridge",
    "name": "of the lab (default: the topology's)",
    "keep": "leave a lab up that does not work, to look at it",
    "no_check": "no pings, no TCP transfer at the end",
}


@task(help=_UP)
def up(
    _: Context,
    topology: str = "",
    datapath: str = "",
    name: str = "",
    keep: bool = False,
    no_check: bool = False,
    json: bool = False,
) -> None:
    """Bring a lab up; prove it with ping and TCP."""
    flags = _flags(topology=topology, datapath=datapath, name=name, keep=keep, no_check=no_check, json=json)
    _build()
    _lab("up", *flags)


@task(help=_NAME)
def verify(_: Context, name: str = "", json: bool = False) -> None:
    """Ping between all hosts and one TCP transfer, again."""
    _lab("verify", *_flags(name=name, json=json))


@task(help={**_NAME, "all": "every lab on this host"})
def down(_: Context, name: str = "", all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Take a lab down, whatever was killed meanwhile."""
    _lab("down", *_flags(name=name, all=all, json=json))


@task(help=_NAME)
def status(_: Context, name: str = "", json: bool = False) -> None:
    """Nodes, links, XDP modes; --json: the facts too."""
    _lab("status", *_flags(name=name, json=json))


@task(name="exec", positional=["node"], help=_NAME)
def exec_(_: Context, node: str, name: str = "") -> None:
    """Run a command on a node: NODE -- COMMAND …"""
    _lab("exec", *_flags(name=name), node, "--", *_after_dashes())


@task(positional=["node"], help=_NAME)
def shell(_: Context, node: str, name: str = "") -> None:
    """Open a shell on a node."""
    _lab("shell", *_flags(name=name), node)


@task(help={**_NAME, "topology": "this one, up or not", "svg": "write the drawing to this file"})
def graph(_: Context, name: str = "", topology: str = "", svg: str = "") -> None:
    """Draw a lab or a topology in the terminal, or as SVG."""
    _lab("graph", *_flags(name=name, topology=topology, svg=svg))


@task(positional=["link"], help={**_NAME, "write": "to this file instead of text"})
def capture(_: Context, link: str, write: str = "", name: str = "") -> None:
    """Watch a link with tcpdump: LINK -- TCPDUMP'S WORDS."""
    words = [*_flags(name=name), *(("-w", write) if write else ()), link]
    _lab("capture", *words, *(("--", *_after_dashes()) if "--" in sys.argv else ()))


@task(name="list")
def list_(_: Context, json: bool = False) -> None:
    """Shipped topologies, and the labs that are up."""
    _lab("list", *_flags(json=json))


ns = Collection(build_, check, format_, doctor, fuzz, tox)
ns.add_collection(Collection("bench", flow, smoke))
ns.add_collection(Collection("lab", up, verify, down, status, exec_, shell, graph, capture, list_))
ns.add_collection(Collection("test", fast, long_, sanitize))
