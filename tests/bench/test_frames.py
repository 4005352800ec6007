from collections import Counter

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.bench.content import ContentError, compare
from lab.traffic.frames import PacketSpec, announcement, checksum
from xdp.loader import generator

SOURCE, TARGET = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")


def test_a_frame_is_what_an_independent_parser_says_it_should_be() -> None:
    frame = PacketSpec(SOURCE, TARGET, flows=1000).frame(999)
    packet = Ether(frame)
    assert (packet.src, packet.dst) == ("02:00:00:00:00:0a", "02:00:00:00:00:0b")
    assert (packet[IP].src, packet[IP].dst, packet[UDP].sport) == ("198.18.0.1", "198.19.0.1", 49152 + 999)
    rebuilt = packet.copy()
    del rebuilt[IP].chksum, rebuilt[IP].len, rebuilt[UDP].len
    assert bytes(rebuilt) == frame


@pytest.mark.parametrize("size", [64, 65, 512, 1518])
def test_size_counts_the_check_sequence_of_a_wire(size: int) -> None:
    assert len(PacketSpec(SOURCE, TARGET, size=size).frame()) == size - 4


@pytest.mark.parametrize(("size", "flows"), [(63, 1), (1519, 1), (64, 0), (64, 16385)])
def test_what_cannot_be_sent_is_refused(size: int, flows: int) -> None:
    with pytest.raises(ValueError, match="is not within"):
        PacketSpec(SOURCE, TARGET, size=size, flows=flows)


def test_checksum_of_the_example_in_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_the_generators_own_idea_of_a_flow_is_the_same() -> None:
    spec = PacketSpec(SOURCE, TARGET, flows=1000)
    for flow in (0, 1, 999):
        packet = Ether(spec.frame(flow))
        address, port = generator.flow_address(spec.frame(), flow)
        assert (packet[IP].src, packet[UDP].sport) == (str(address), port)


def test_an_announcement_speaks_of_its_source_to_its_target() -> None:
    frame = announcement(TARGET, SOURCE)
    assert (frame[:6], frame[6:12], len(frame)) == (SOURCE, TARGET, 60)


def test_frames_that_arrive_as_sent_pass() -> None:
    compare(Counter([b"a", b"a", b"b"]), Counter([b"b", b"a", b"a"]), "dut")


@pytest.mark.parametrize(
    ("arrived", "said"),
    [
        ([b"a", b"a"], "1 are missing, the first: 62"),
        ([b"a", b"a", b"b", b"b"], "1 were not sent, the first: 62"),
        ([b"a", b"a", b"c"], "3 arrived; 1 were not sent, the first: 63; 1 are missing, the first: 62"),
        ([], "3 are missing"),
    ],
)
def test_lost_doubled_and_changed_frames_are_told(arrived: list[bytes], said: str) -> None:
    with pytest.raises(ContentError, match=said):
        compare(Counter([b"a", b"a", b"b"]), Counter(arrived), "dut")
