"""Capture inside the switch: both directions, the bytes as they were there, the reason of a drop."""

from __future__ import annotations

import pytest

from switch.binding.capture import CapturedPacket
from switch.binding.errors import SwitchError
from switch.binding.port import VlanConfig, VlanMode
from tests.differential.frames import MACS, simple_frame
from tests.differential.rig import rig

FRAME = simple_frame(MACS[0], MACS[1])
ACCESS = VlanConfig(VlanMode.ACCESS, 10)


def seen(packets: list[CapturedPacket]) -> list[tuple[int, bool, str | None]]:
    return [(p.ofport, p.outbound, p.drop) for p in packets]


def test_both_directions_with_the_tag_that_the_port_saw() -> None:
    with rig(2, vlans=[ACCESS]) as r, r.switch.capture([1, 2]) as capture:
        r.exchange(1, FRAME)
        came, left = list(capture.read())
        assert seen([came, left]) == [(1, False, None), (2, True, None)]
        assert came.data == FRAME
        assert left.data == simple_frame(MACS[0], MACS[1], 10)
        assert came.time_ns <= left.time_ns


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("actions=drop", [(1, False, "rule_drop")]),
        ("in_port=2,actions=drop", [(1, False, "no_rule")]),
        ("actions=output:77", [(1, False, "no_output")]),
        ("actions=output:2", [(1, False, "tx_down"), (2, True, "tx_down")]),
        ("actions=output:2,output:3", [(1, False, None), (2, True, "tx_down"), (3, True, None)]),
    ],
)
def test_drops_carry_their_reason(rule: str, expected: list[tuple[int, bool, str | None]]) -> None:
    with rig(3, [rule]) as r, r.switch.capture([1, 2, 3]) as capture:
        r.ports[1].set_up(False)
        r.exchange(1, FRAME)
        assert sorted(seen(list(capture.read())), key=lambda s: s[0]) == expected


def test_nothing_is_captured_before_after_or_elsewhere() -> None:
    with rig(2) as r:
        r.exchange(1, FRAME)
        with r.switch.capture([2]) as capture:
            assert list(capture.read()) == []
            r.exchange(1, FRAME)
            assert seen(list(capture.read())) == [(2, True, None)]
        r.exchange(1, FRAME)
        assert list(capture.read()) == []


def test_the_snaplen_cuts_the_copy_and_not_the_length() -> None:
    with rig(2) as r, r.switch.capture([1], snaplen=20) as capture:
        out = r.exchange(1, FRAME)
        (packet,) = capture.read()
        assert (packet.length, packet.data) == (len(FRAME), FRAME[:20])
        assert out[2] == [FRAME]


def test_a_slow_reader_loses_packets_that_are_counted() -> None:
    with rig(2, ["actions=drop"]) as r, r.switch.capture([1]) as capture:
        for _ in range(30):
            r.exchange(1, *[FRAME] * 100)
        read = list(capture.read())
        assert len(read) + capture.lost == 3000
        assert 0 < len(read) < 3000
        assert r.switch.stats().ports[1].drops["rule_drop"] == 3000


def test_arguments_are_checked() -> None:
    with rig(1) as r:
        with pytest.raises(SwitchError, match="snaplen"), r.switch.capture([1], snaplen=5000):
            pass
        with pytest.raises(SwitchError, match="no port 9"), r.switch.capture([1, 9]):
            pass
        r.exchange(1, FRAME)  # The capture of port 1 was taken back.
        assert list(r.switch.capture([1]).read()) == []
