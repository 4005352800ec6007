"""Compiling BPF programs: when, and what is said when it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xdp.loader import compile as bpf_compile
from xdp.loader.errors import BuildError

SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "verdict.h"
SEC("xdp") int rs_test(struct xdp_md *ctx) { (void)ctx; return VERDICT; }
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "verdict.h").write_text("#define VERDICT XDP_PASS\n")
    file = tmp_path / "tiny program.bpf.c"  # a blank, since make rules escape it
    file.write_text(SOURCE)
    return file


def build(source: Path) -> bpf_compile.Compiled:
    return bpf_compile.compile_program(
        source, output=source.parent / "out" / "tiny.bpf.o", include=source.parent
    )


def test_compiles_once(source: Path) -> None:
    assert build(source).fresh
    assert not build(source).fresh


def test_a_changed_header_compiles_again(source: Path) -> None:
    before = build(source).path.read_bytes()
    (source.parent / "verdict.h").write_text("#define VERDICT XDP_DROP\n")
    again = build(source)
    assert again.fresh
    assert again.path.read_bytes() != before


def test_a_newer_time_alone_does_not(source: Path) -> None:
    build(source)
    os.utime(source.parent / "verdict.h", (2**31, 2**31))
    assert not build(source).fresh


def test_other_flags_compile_again(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(source)
    monkeypatch.setattr(bpf_compile, "FLAGS", (*bpf_compile.FLAGS, "-DOTHER"))
    assert build(source).fresh


def test_a_missing_object_or_a_torn_stamp_compiles_again(source: Path) -> None:
    target = build(source).path
    target.unlink()
    assert build(source).fresh
    target.with_suffix(".stamp").write_text("{")
    assert build(source).fresh


def test_refusal_has_clangs_own_words_and_keeps_the_old_object(source: Path) -> None:
    before = build(source).path.read_bytes()
    (source.parent / "verdict.h").write_text("#define VERDICT no_such_thing\n")
    with pytest.raises(BuildError) as caught:
        build(source)
    assert "no_such_thing" in caught.value.details
    assert str(source) in str(caught.value)
    assert "clang" in caught.value.hint
    assert (source.parent / "out" / "tiny.bpf.o").read_bytes() == before


def test_an_object_without_btf_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpf_compile, "FLAGS", tuple(flag for flag in bpf_compile.FLAGS if flag != "-g"))
    with pytest.raises(BuildError, match="without BTF"):
        build(source)


def test_no_clang_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CLANG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError) as caught:
        bpf_compile.find_clang()
    assert "apt-get install clang" in str(caught.value)


def test_a_numbered_clang_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CLANG", raising=False)
    for version in (14, 19):
        (tmp_path / f"clang-{version}").write_text("#!/bin/sh\n")
        (tmp_path / f"clang-{version}").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bpf_compile.find_clang() == str(tmp_path / "clang-19")


def test_a_wrong_CLANG_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: N802
    monkeypatch.setenv("CLANG", "/no/such/clang")
    with pytest.raises(BuildError, match="CLANG: '/no/such/clang'"):
        bpf_compile.find_clang()


def test_an_unknown_program_is_named_beside_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert bpf_compile.main(["nonesuch"]) == 1
    said = capsys.readouterr().err
    assert "nonesuch" in said
    assert "redirect_xsk" in said


def test_section_names_of_something_else() -> None:
    assert bpf_compile.section_names(b"#!/bin/sh\n") == []
