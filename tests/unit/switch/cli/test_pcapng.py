"""Captures are read back by tools that we did not write."""

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from scapy.utils import PcapNgReader

from switch.cli.pcapng import PcapngWriter

TIME = 1_800_000_000_123_456_789
FRAME = bytes.fromhex("020000000002020000000001 0800") + bytes(50)


def write(path: Path) -> None:
    with path.open("wb") as file:
        writer = PcapngWriter(file, "ringside test")
        number = writer.add_interface("h1", "a port", 96)
        assert number == 0
        writer.write_packet(number, TIME, FRAME, len(FRAME), outbound=False)
        writer.write_packet(number, TIME + 1000, FRAME[:33], len(FRAME), outbound=True)
        dropped = "dropped: no_rule"
        writer.write_packet(number, TIME + 2000, FRAME, len(FRAME), outbound=False, comment=dropped)
        writer.write_lost(number, TIME + 3000, 7)


def test_scapy_reads_packets_lengths_direction_and_comment(tmp_path: Path) -> None:
    write(tmp_path / "a.pcapng")
    reader = PcapNgReader(str(tmp_path / "a.pcapng"))
    packets = [reader.read_packet() for _ in range(3)]
    assert [bytes(each) for each in packets] == [FRAME, FRAME[:33], FRAME]
    assert [each.wirelen for each in packets] == [len(FRAME)] * 3
    assert [each.direction for each in packets] == [1, 2, 1]
    assert [each.comments for each in packets] == [None, None, [b"dropped: no_rule"]]
    assert packets[0].sniffed_on == "h1"
    assert abs(float(packets[0].time) - TIME / 1e9) < 1e-6


def test_wireshark_agrees(tmp_path: Path) -> None:
    if not shutil.which("tshark"):
        pytest.skip("the command tshark is missing")
    write(tmp_path / "a.pcapng")
    fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_name", "frame.comment"]
    flags = [word for field in fields for word in ("-e", field)]
    out = subprocess.run(
        ["tshark", "-r", str(tmp_path / "a.pcapng"), "-T", "json", *flags], capture_output=True, check=True
    )
    packets = [each["_source"]["layers"] for each in json.loads(out.stdout)]
    assert [each["frame.cap_len"] for each in packets] == [["64"], ["33"], ["64"]]
    assert [each["frame.len"] for each in packets] == [["64"]] * 3
    assert packets[0]["frame.time_epoch"] == ["1800000000.123456789"]
    assert packets[2]["frame.comment"] == ["dropped: no_rule"]
    assert {each["frame.interface_name"][0] for each in packets} == {"h1"}


def test_an_unknown_interface_is_a_fault_of_the_caller() -> None:
    writer = PcapngWriter(io.BytesIO(), "x")
    with pytest.raises(AssertionError):
        writer.write_packet(0, 0, b"", 0, outbound=False)
