"""What an error looks like, and what the verifier's log is cut down to."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from xdp.loader import paths
from xdp.loader.errors import LoaderError, errno_text, general_hint
from xdp.loader.verifier_log import complaint, excerpt, find_refusal

LOG = """\
func#0 @0
0: R1=ctx() R10=fp0
; __u32 a = 1; @ x.bpf.c:3
0: (b7) r2 = 1                        ; R2_w=1
; void *data = (void *)(long)ctx->data; @ x.bpf.c:8
1: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)
from 4 to 9: safe
; if (eth->h_proto == 8) @ x.bpf.c:10
2: (71) r2 = *(u8 *)(r1 +12)
3: (b7) r3 = 0
; return a; @ x.bpf.c:11
4: (71) r2 = *(u8 *)(r1 +13)
invalid access to packet, off=13 size=1, R1(id=0,off=13,r=0)
R1 offset is outside of the packet
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
verification time 72 usec
stack depth 0"""


def wrapped(log: str, program: str = "rs_x") -> str:
    return (
        f"libbpf: prog '{program}': BPF program load failed: Permission denied\n"
        f"libbpf: prog '{program}': -- BEGIN PROG LOAD LOG --\n{log}\n-- END PROG LOAD LOG --\n"
        f"libbpf: prog '{program}': failed to load: -13\n"
    )


def test_complaint_is_what_follows_the_last_instruction() -> None:
    assert complaint(LOG) == (
        "invalid access to packet, off=13 size=1, R1(id=0,off=13,r=0); R1 offset is outside of the packet"
    )


def test_excerpt_keeps_the_last_source_lines_and_no_statistics() -> None:
    shown = excerpt(LOG).splitlines()
    assert shown[0].startswith("; void *data")
    assert shown[-1] == "R1 offset is outside of the packet"
    assert "; return a; @ x.bpf.c:11" in shown
    assert not any("processed" in line or "stack depth" in line or "from 4" in line for line in shown)


def test_excerpt_without_source_lines_is_the_last_eight() -> None:
    log = "\n".join([f"{n}: (b7) r0 = {n}" for n in range(40)] + ["math between pkt pointer"])
    shown = excerpt(log).splitlines()
    assert len(shown) == 8
    assert shown[-1] == "math between pkt pointer"


def test_excerpt_of_one_endless_source_line_stays_short() -> None:
    log = "\n".join(["; loop @ x.c:1"] + [f"{n}: (b7) r0 = {n}" for n in range(500)] + ["too complex"])
    shown = excerpt(log).splitlines()
    assert len(shown) <= 24
    assert (shown[0], shown[-1]) == ("; loop @ x.c:1", "too complex")


def test_the_last_of_several_logs_counts() -> None:
    refusal = find_refusal(
        wrapped("0: (b7) r0 = 0\nfirst", "rs_a") + wrapped("0: (b7) r0 = 0\nsecond", "rs_b")
    )
    assert refusal is not None
    assert (refusal.program, refusal.complaint) == ("rs_b", "second")


def test_a_log_cut_off_before_its_end_is_still_read() -> None:
    refusal = find_refusal(wrapped(LOG).split("processed")[0])
    assert refusal is not None
    assert "outside of the packet" in refusal.complaint


def test_words_without_a_verifier_log_are_no_refusal() -> None:
    assert find_refusal("libbpf: Error in bpf_object__probe_loading(): Operation not permitted(1).") is None


def test_error_text_has_field_message_errno_details_and_hint_in_order() -> None:
    error = LoaderError("v0", "was refused", errno=errno.EPERM, details="one\ntwo", hint="try this")
    assert str(error).splitlines() == [
        "v0: was refused: EPERM (Operation not permitted)",
        "  | one",
        "  | two",
        "  try this",
    ]
    assert error.errno_name == "EPERM"


@pytest.mark.parametrize(
    ("number", "name"),
    [(errno.EOPNOTSUPP, "EOPNOTSUPP"), (524, "ENOTSUPP"), (errno.ERANGE, "ERANGE"), (3999, "errno 3999")],
)
def test_errno_names(number: int, name: str) -> None:
    assert errno_text(number).startswith(f"{name} (")


def test_no_permission_says_which_capabilities() -> None:
    assert "CAP_BPF and CAP_NET_ADMIN" in general_hint(errno.EPERM)


def test_a_missing_extension_says_how_to_build_it() -> None:
    environment = {**os.environ, "RINGSIDE_VARIANT": "nonesuch"}
    result = subprocess.run(
        [sys.executable, "-c", "import xdp.loader.ffi"],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "RINGSIDE_VARIANT=nonesuch" in result.stderr
    assert "./invoke build" in result.stderr
