"""./invoke against stand-ins: a tree with a .venv, a package manager and a Python that only write down how
they were called.

What needs the network (filling a real .venv) is not tried here; what decides whether to do it is.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHELLS = [
    shell for shell in (["sh"], ["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])
]
TABLE = "need use probe apt dnf zypper apk pacman\nthing lab cmd:rs-thing rs-a,rs-b rs-c - - -\n"
SHOW_WORDS = '#!/bin/sh\nfor word; do printf "%s\\n" "[$word]"; done\n'


class Tree:
    """A stand-in for a clone, and how to run its launcher."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        for folder in ("bin", "lab/setup", ".venv/bin"):
            (root / folder).mkdir(parents=True)
        shutil.copy(ROOT / "invoke", root / "invoke")
        (root / "lab/setup/packages.table").write_text(TABLE)
        (root / "requirements.lock").write_text("a==1\n")
        (root / "pyproject.toml").write_text("[project]\n")
        self.program(".venv/bin/python", SHOW_WORDS)
        self.stamp()

    def program(self, name: str, text: str) -> None:
        path = self.root / name
        path.write_text(text)
        path.chmod(0o755)

    def stamp(self) -> None:
        """Says that .venv is whole, as the launcher itself would."""
        lock, project = (
            f"{hashlib.sha256((self.root / name).read_bytes()).hexdigest()}  -"
            for name in ("requirements.lock", "pyproject.toml")
        )
        python = (self.root / ".venv/bin/python").resolve()
        (self.root / ".venv/.stamp").write_text(f"1 {self.root} {lock} {python}\n{project}\n")

    def run(
        self, *words: str, shell: list[str] | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        path = f"{self.bin}:/usr/bin:/bin"
        command = [*(shell or ["sh"]), str(self.root / "invoke"), *words]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": path, "HOME": "/", **env},
            timeout=60,
        )


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path.resolve())
    made.program("bin/rs-thing", "#!/bin/sh\n")
    return made


@pytest.fixture
def bare(tree: Tree) -> Tree:
    """A tree on a host that lacks the one thing of its table; apt-get writes down its words and brings it."""
    (tree.bin / "rs-thing").unlink()
    brings = f"printf '#!/bin/sh\\n' >{tree.bin}/rs-thing; chmod +x {tree.bin}/rs-thing"
    tree.program(
        "bin/apt-get", f'#!/bin/sh\necho "$@" >>{tree.root}/apt.log\n[ "$1" = update ] || {{ {brings}; }}\n'
    )
    tree.program("bin/id", "#!/bin/sh\ncase $1 in -u) echo 0 ;; *) echo root ;; esac\n")
    return tree


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_words_reach_invoke_as_they_were_typed(tree: Tree, shell: list[str]) -> None:
    answer = tree.run("lab.exec", "h1", "--", "a  b", "", "$HOME", "*", shell=shell)
    assert answer.returncode == 0, answer.stderr
    words = [
        "-m",
        "invoke",
        "--search-root",
        str(tree.root),
        "lab.exec",
        "h1",
        "--",
        "a  b",
        "",
        "$HOME",
        "*",
    ]
    assert answer.stdout.splitlines() == [f"[{word}]" for word in words]
    assert answer.stderr == ""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_as_root_what_lacks_is_installed(bare: Tree, shell: list[str]) -> None:
    answer = bare.run("lab.up", shell=shell)
    assert answer.returncode == 0, answer.stderr
    log = (bare.root / "apt.log").read_text().splitlines()
    assert log == ["update", "install -y --no-install-recommends rs-a rs-b"]
    assert "[lab.up]" in answer.stdout


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_as_a_user_the_exact_line_is_printed_and_nothing_runs(bare: Tree, shell: list[str]) -> None:
    bare.program("bin/id", "#!/bin/sh\necho 1000\n")
    answer = bare.run("lab.up", shell=shell)
    assert answer.returncode == 1
    line = 'sudo sh -c "apt-get update && apt-get install -y --no-install-recommends rs-a rs-b"'
    assert line in answer.stderr.splitlines()
    assert answer.stdout == ""
    assert not (bare.root / "apt.log").exists()


@pytest.mark.parametrize("word", ["--list", "doctor", "--help", "--version"])
def test_a_mere_look_needs_no_packages(bare: Tree, word: str) -> None:
    assert bare.run(word).returncode == 0
    assert not (bare.root / "apt.log").exists()


def test_a_failed_installation_shows_why(bare: Tree) -> None:
    bare.program("bin/apt-get", "#!/bin/sh\necho E: no network >&2\nexit 100\n")
    answer = bare.run("build")
    assert answer.returncode == 1
    assert "E: no network" in answer.stderr
    assert "apt-get install" in answer.stderr


def test_an_installation_that_brings_nothing_is_an_error(bare: Tree) -> None:
    bare.program("bin/apt-get", "#!/bin/sh\n")
    answer = bare.run("build")
    assert answer.returncode == 1
    assert "still missing after installing rs-a rs-b: thing" in answer.stderr


def test_a_table_with_an_unknown_probe_is_an_error(tree: Tree) -> None:
    (tree.root / "lab/setup/packages.table").write_text("thing lab dir:/x a b c d e\n")
    answer = tree.run("build")
    assert answer.returncode == 1
    assert 'unknown probe "dir:/x"' in answer.stderr


@pytest.mark.parametrize("found", ["3.9.2", "nothing that runs"])
def test_a_python_that_will_not_do_is_named(tree: Tree, found: str) -> None:
    (tree.root / ".venv/.stamp").unlink()
    runs = (
        "case $2 in *version_info\\ \\<*) exit 1 ;; *) echo 3.9.2 ;; esac" if found == "3.9.2" else "exit 1"
    )
    tree.program("bin/old-python", f"#!/bin/sh\n{runs}\n")
    answer = tree.run("build", RINGSIDE_PYTHON="old-python")
    assert answer.returncode == 1
    assert found in answer.stderr
    assert "Python 3.11 or later is needed" in answer.stderr


@pytest.mark.parametrize("change", ["lock", "no stamp", "half a stamp", "interpreter", "moved"])
def test_a_venv_that_is_not_whole_is_made_again(tree: Tree, change: str) -> None:
    """The stand-in Python refuses to make one: that it was asked is what shows."""
    if change == "lock":
        (tree.root / "requirements.lock").write_text("a==2\n")
    elif change == "no stamp":
        (tree.root / ".venv/.stamp").unlink()
    elif change == "half a stamp":
        (tree.root / ".venv/.stamp").write_text("1 ")
    elif change == "interpreter":
        (tree.root / ".venv/bin/python").unlink()
        (tree.root / ".venv/bin/python").symlink_to("/nonexistent/python3")
    else:
        tree.root = tree.root.rename(tree.root.with_name("moved"))
        tree.bin = tree.root / "bin"
    tree.program(
        "bin/python", '#!/bin/sh\ncase $1 in -c) echo 3.12.0 ;; *) echo "refused: $*" >&2; exit 9 ;; esac\n'
    )
    answer = tree.run("--list", RINGSIDE_PYTHON="python")
    assert answer.returncode == 1
    assert f"refused: -m venv {tree.root}/.venv" in answer.stderr


def test_a_whole_venv_is_left_alone_whatever_its_times(tree: Tree) -> None:
    os.utime(tree.root / "requirements.lock", (1, 1))
    assert tree.run("--list").stderr == ""


def test_nobody_waits_for_a_launcher_that_is_warm(tree: Tree) -> None:
    (tree.root / "build").mkdir()
    lock = tree.root / "build/.launcher.lock"
    with subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo held; read _"], stdin=-1, stdout=-1, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert tree.run("--list").returncode == 0
        holder.communicate("\n")
