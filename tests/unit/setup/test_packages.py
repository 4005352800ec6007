"""The package table: read strictly, and the same for the launcher's shell as for Python."""

import subprocess
from pathlib import Path

import pytest

from lab.setup import packages

ROOT = Path(__file__).resolve().parents[3]
ROW = "thing  lab  cmd:thing  a,b  c  -  d  e\n"


def test_the_shipped_table_is_whole() -> None:
    needs = packages.read_table()
    assert {"python", "gcc", "clang", "libbpf", "ip", "bpftool"} <= {need.name for need in needs}
    for need in needs:
        assert need.packages["apt"], (
            f"{need.name} has no Debian package, and Debian is where everything must run"
        )


def test_a_row_is_read() -> None:
    (need,) = packages.read_table("# comment\n\nneed use probe apt dnf zypper apk pacman\n" + ROW)
    assert need.packages == {"apt": ("a", "b"), "dnf": ("c",), "zypper": (), "apk": ("d",), "pacman": ("e",)}
    assert need.way_out("apt") == "apt-get install -y --no-install-recommends a b"
    assert "by hand" in need.way_out("zypper")
    assert "by hand" in need.way_out(None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thing lab cmd:thing a b c d\n", r"line 1 \(thing\): 7 columns, 8 are expected"),
        ("\nthing play cmd:thing a b c d e\n", r"line 2 \(thing\): use is 'play'"),
        ("thing lab dir:/x a b c d e\n", "unknown probe 'dir:/x'"),
        (ROW + ROW, "thing stands there twice"),
    ],
)
def test_a_bad_table_names_the_line(text: str, said: str) -> None:
    with pytest.raises(packages.TableError, match=said):
        packages.read_table(text)


def test_things_are_found_by_command_file_and_pattern(tmp_path: Path) -> None:
    (tmp_path / "lib-9").mkdir()
    (tmp_path / "lib-9/x.a").touch()
    row = f"x lab cmd:no-such|file:{tmp_path}/lib-*/x.a a b c d e"
    (need,) = packages.read_table(row)
    assert need.found() == f"{tmp_path}/lib-9/x.a"
    (need,) = packages.read_table("x lab cmd:sh a b c d e")
    assert (need.found() or "").endswith("/sh")
    (need,) = packages.read_table("x lab cmd:no-such a b c d e")
    assert need.found() is None


def test_the_launcher_knows_every_kind_of_probe_and_use() -> None:
    launcher = (ROOT / "invoke").read_text()
    for kind in {part.partition(":")[0] for need in packages.read_table() for part in need.probe.split("|")}:
        assert f"{kind}:" in launcher
    for manager in packages.MANAGERS:
        assert f"{manager}) names=${manager}" in launcher


def test_the_launcher_is_posix_shell() -> None:
    subprocess.run(["sh", "-n", str(ROOT / "invoke")], check=True)
    assert "[[" not in (ROOT / "invoke").read_text()
