"""Stamps: something is built when its inputs' names or contents, its command or its compiler changed, else
never.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.setup import build
from lab.setup.build import ROOT, Product


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.c").write_text("int a;\n")
    (tmp_path / "build/stamps").mkdir(parents=True)
    return tmp_path


def product(*command: str, compiler: str = "sh") -> Product:
    return Product("it", ("src/*.[ch]",), ("out/*.so",), command or ("-m", "x"), compiler)


def finish(tree: Path, made: Product) -> None:
    (tree / "build/out").mkdir(exist_ok=True)
    (tree / "build/out/it.so").touch()
    (tree / "build/stamps/it").write_text(made.fingerprint(tree))


def current(tree: Path, made: Product) -> bool:
    return made.is_current(tree, tree / "build")


def test_nothing_built_is_not_current(tree: Path) -> None:
    assert not current(tree, product())


def test_what_was_built_is_current_and_times_do_not_matter(tree: Path) -> None:
    finish(tree, product())
    os.utime(tree / "src/a.c", (1, 1))
    assert current(tree, product())


def test_a_changed_file_a_new_file_and_a_renamed_file_count(tree: Path) -> None:
    finish(tree, product())
    (tree / "src/a.c").write_text("int b;\n")
    assert not current(tree, product())
    finish(tree, product())
    (tree / "src/b.h").write_text("")
    assert not current(tree, product())
    finish(tree, product())
    (tree / "src/b.h").rename(tree / "src/c.h")
    assert not current(tree, product())


def test_another_command_or_compiler_counts(tree: Path) -> None:
    finish(tree, product())
    assert not current(tree, product("-m", "y"))
    assert not current(tree, product(compiler="ls"))
    assert not current(tree, product(compiler="no-such-compiler"))


def test_a_lost_output_counts(tree: Path) -> None:
    finish(tree, product())
    (tree / "build/out/it.so").unlink()
    assert not current(tree, product())


def test_the_products_see_their_sources() -> None:
    made = {one.name: one for one in build.products(build.VARIANTS)}
    assert set(made) == {"bpf", "switch-release", "switch-sanitize", "loader-release", "loader-sanitize"}
    assert any(path.name == "redirect_xsk.bpf.c" for path in made["bpf"].input_files(ROOT))
    assert any(path.name == "switch_api.h" for path in made["switch-release"].input_files(ROOT))
    assert "bpf/redirect_xsk.bpf.o" in made["bpf"].outputs


def test_a_failing_build_shows_its_words_and_leaves_no_stamp(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = product("-c", "print('what is wrong'); raise SystemExit(3)")
    monkeypatch.setattr(build, "ROOT", tree)
    monkeypatch.setattr(build, "BUILD", tree / "build")
    monkeypatch.setattr(build, "products", lambda _variants: (bad,))
    with pytest.raises(build.BuildError, match=r"(?s)what is wrong.*ended with code 3"):
        build.ensure()
    assert not (tree / "build/stamps/it").exists()


def test_builders_at_once_build_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the lock looks again, and finds everything done."""
    (tree / "build/out").mkdir()
    text = "open('build/out/it.so', 'a').write('x')"
    one = product("-c", text)
    monkeypatch.setattr(build, "ROOT", tree)
    monkeypatch.setattr(build, "BUILD", tree / "build")
    monkeypatch.setattr(build, "products", lambda _variants: (one,))
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: build.ensure(), range(4)))
    assert sorted(map(len, made)) == [0, 0, 0, 1]
    assert (tree / "build/out/it.so").read_text() == "x"
