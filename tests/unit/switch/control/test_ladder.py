"""The ladder climbs down only where the next rung can help, keeps every errno, and leaves nothing behind."""

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from switch.binding.errors import SwitchError
from switch.binding.port import BindMode, CsumPolicy, Port, PortConfig, PortInfo, PortType, VlanConfig
from switch.control import ladder
from switch.control.errors import ControlError
from switch.control.model import Mode
from xdp.loader import attach
from xdp.loader.errors import AttachError, ForeignProgram

CONFIG = PortConfig("h1", PortType.AFXDP, "h1", ifindex=7)
INFO = PortInfo(
    name="h1",
    type=PortType.AFXDP,
    ofport=1,
    device="h1",
    queues=(0,),
    xsk_fds=(5,),
    zero_copy=False,
    zero_copy_errno=0,
    umem_shared=True,
    bind_wait_ms=0,
    csum=CsumPolicy.COMPLETE,
    mtu=1500,
    up=True,
    vlan=VlanConfig(),
)
NO_ZERO_COPY = replace(INFO, zero_copy_errno=errno.EOPNOTSUPP, bind_wait_ms=23)


Refusals = dict[tuple[bool, BindMode], int]


class Kernel:
    """Refuses what it is told to refuse, and knows what is attached."""

    def __init__(self, attaching: dict[str, int], bind: Refusals, info: PortInfo) -> None:
        self.attach_refusals, self.bind_refusals, self.info = attaching, bind, info
        self.attached: list[str] = []

    def attachment(self, ifindex: int, mode: str) -> Any:
        if mode in self.attach_refusals:
            code = self.attach_refusals[mode]
            what = f"XDP cannot be attached in {mode} mode"
            raise AttachError("h1", what, hint="lower the MTU", errno=code)
        self.attached.append(mode)
        kernel = self

        class Attached:
            def close(self) -> None:
                kernel.attached.remove(mode)

        return Attached()

    def open_port(self, config: PortConfig) -> tuple[Port, PortInfo]:
        code = self.bind_refusals.get((config.force_generic, config.bind_mode))
        if code:
            raise SwitchError("bind", "the kernel refused", code=code)
        return cast(Port, object()), self.info


Make = Callable[..., Kernel]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(
        attaching: dict[str, int] | None = None,
        bind: Refusals | None = None,
        info: PortInfo = INFO,
    ) -> Kernel:
        made = Kernel(attaching or {}, bind or {}, info)
        monkeypatch.setattr(ladder, "Attachment", made.attachment)
        monkeypatch.setattr(attach, "require_free", lambda ifindex: None)
        return made

    return make


def steps(footing: ladder.Footing) -> list[tuple[str, str]]:
    return [(step.step, step.errno) for step in footing.steps]


def test_auto_keeps_the_refusal_of_zero_copy(kernel: Make) -> None:
    footing = ladder.climb(Mode.AUTO, CONFIG, kernel(info=NO_ZERO_COPY).open_port)
    assert steps(footing) == [("attach native", ""), ("bind zero-copy", "EOPNOTSUPP"), ("bind copy", "")]
    assert "after 23 ms" in footing.steps[-1].message


def test_auto_falls_to_generic_and_says_why(kernel: Make) -> None:
    made = kernel(attaching={"native": errno.ERANGE})
    footing = ladder.climb(Mode.AUTO, CONFIG, made.open_port)
    assert steps(footing) == [("attach native", "ERANGE"), ("attach generic", ""), ("bind copy", "")]
    assert made.attached == ["generic"]


def test_auto_falls_to_generic_when_native_sockets_cannot_be_bound(kernel: Make) -> None:
    made = kernel(bind={(False, BindMode.AUTO): errno.EOPNOTSUPP})
    footing = ladder.climb(Mode.AUTO, CONFIG, made.open_port)
    assert steps(footing)[:2] == [("attach native", ""), ("bind zero-copy or copy", "EOPNOTSUPP")]
    assert made.attached == ["generic"]


@pytest.mark.parametrize(
    ("mode", "bind", "told"),
    [
        (Mode.ZERO_COPY, {(False, BindMode.ZERO_COPY): errno.EOPNOTSUPP}, "bind zero-copy: EOPNOTSUPP"),
        (Mode.NATIVE, {(False, BindMode.COPY): errno.EOPNOTSUPP}, "bind copy: EOPNOTSUPP"),
    ],
)
def test_a_mode_that_is_asked_for_is_reached_or_an_error(
    kernel: Make, mode: Mode, bind: Refusals, told: str
) -> None:
    made = kernel(bind=bind)
    with pytest.raises(ControlError) as caught:
        ladder.climb(mode, CONFIG, made.open_port)
    assert f"mode {mode} not reached" in caught.value.message
    assert told in caught.value.message
    assert "mode: auto" in caught.value.hint
    assert made.attached == []


def test_native_only_does_not_fall_to_generic(kernel: Make) -> None:
    made = kernel(attaching={"native": errno.ERANGE})
    with pytest.raises(ControlError) as caught:
        ladder.climb(Mode.NATIVE, CONFIG, made.open_port)
    assert "lower the MTU" in caught.value.hint
    assert caught.value.errno_name == "ERANGE"
    assert made.attached == []


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EPERM, errno.ENOBUFS])
def test_what_no_other_mode_can_help_ends_the_climb(kernel: Make, code: int) -> None:
    made = kernel(bind={(False, BindMode.AUTO): code})
    with pytest.raises(ControlError) as caught:
        ladder.climb(Mode.AUTO, CONFIG, made.open_port)
    assert "generic" not in caught.value.message
    assert caught.value.hint
    assert made.attached == []


def test_somebodys_program_is_never_touched(kernel: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kernel()

    def occupied(ifindex: int) -> None:
        raise ForeignProgram("h1", "carries xdp_other", hint="stop it", errno=0, prog_id=3, name="xdp_other")

    monkeypatch.setattr(attach, "require_free", occupied)
    with pytest.raises(ForeignProgram, match="xdp_other"):
        ladder.climb(Mode.AUTO, CONFIG, made.open_port)
    assert made.attached == []
