"""Each program's verdict on crafted frames, by BPF_PROG_TEST_RUN."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

from tests.unit.xdp.support import XskSocket, loaded, make_veth, private_netns
from xdp.loader import generator, run
from xdp.loader.counters import KINDS, Count, read_actions, read_count, read_kinds
from xdp.loader.errors import RunError
from xdp.loader.object import BpfObject

pytestmark = pytest.mark.root

ETHER = Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
RUNT = bytes(ETHER)[:12] + b"\x08\x00"
PASS, DROP, ABORTED, REDIRECT = 2, 1, 0, 4


@pytest.fixture
def redirect() -> Iterator[BpfObject]:
    with loaded("redirect_xsk") as obj:
        yield obj


@pytest.fixture
def gen() -> Iterator[BpfObject]:
    with loaded("gen_redirect") as obj:
        yield obj


@pytest.mark.parametrize("length", [14, 15, 33, 59, 60, 64, 1514, 3000])
def test_redirect_passes_every_frame_untouched_where_no_socket_is_bound(
    redirect: BpfObject, length: int
) -> None:
    frame = (RUNT + bytes(range(256)) * 12)[:length]
    result = run.test_run(redirect.program("rs_redirect_xsk").fd, frame)
    assert run.ACTIONS[result.action] == "pass"
    assert result.output == frame
    counts = read_actions(redirect.map("rs_actions"))
    assert counts.pop("pass") == Count(1, length)
    assert set(counts.values()) == {Count(0, 0)}


@pytest.mark.afxdp
def test_redirect_takes_the_queue_that_has_a_socket_and_no_other(redirect: BpfObject) -> None:
    xsk = XskSocket(None)
    try:
        fd, sockets = redirect.program("rs_redirect_xsk").fd, redirect.map("rs_xsks")
        sockets.update(1, xsk.fd)
        assert run.test_run(fd, bytes(60)).action == PASS
        sockets.update(0, xsk.fd)
        assert run.test_run(fd, bytes(60)).action == REDIRECT
        sockets.delete(0)
        assert run.test_run(fd, bytes(60)).action == PASS
    finally:
        xsk.close()
    counts = read_actions(redirect.map("rs_actions"))
    assert counts["redirect"] == Count(1, 60)
    assert counts["pass"] == Count(2, 120)


def test_rx_drop_counts_packets_and_bytes() -> None:
    with loaded("rx_drop") as obj:
        for length in (14, 60, 1514):
            assert run.test_run(obj.program("rs_rx_drop").fd, RUNT.ljust(length, b"\0")).action == DROP
        run.test_run(obj.program("rs_rx_drop").fd, bytes(100), repeat=1000)
        assert read_count(obj.map("rs_count")) == Count(1003, 14 + 60 + 1514 + 100_000)


UDP_FRAME = bytes(
    ETHER / IP(src="10.0.255.255", dst="10.1.0.1", ttl=9) / UDP(sport=5, dport=7) / Raw(bytes(18))
)


def generate(gen: BpfObject, frame: bytes) -> run.RunResult:
    return run.test_run(gen.program(generator.PROGRAM).fd, frame)


def test_generator_gives_each_flow_its_own_5_tuple_and_right_checksums(gen: BpfObject) -> None:
    flows = generator.PORTS + 2
    with private_netns():
        pair = make_veth()
        generator.configure(gen, pair.near, UDP_FRAME, flows)
        seen: dict[tuple[str, int], int] = {}
        for number in range(flows + 1):
            result = generate(gen, UDP_FRAME)
            assert result.action == REDIRECT
            if number < 3 or number >= flows - 3:
                check_flow(result.output, number % flows)
            key = (result.output[26:30].hex(), int.from_bytes(result.output[34:36], "big"))
            seen[key] = seen.get(key, 0) + 1
    assert len(seen) == flows
    assert sorted(seen.values())[-2:] == [1, 2]  # all once, and the first again
    assert read_count(gen.map(generator.COUNT)) == Count(flows + 1, (flows + 1) * len(UDP_FRAME))


def check_flow(frame: bytes, flow: int) -> None:
    packet = Ether(frame)
    address, port = generator.flow_address(UDP_FRAME, flow)
    assert ipaddress.ip_address(packet[IP].src) == address
    assert packet[UDP].sport == port
    assert packet[UDP].chksum == 0
    given = packet[IP].chksum
    del packet[IP].chksum
    assert Ether(bytes(packet))[IP].chksum == given
    assert frame[42:] == UDP_FRAME[42:]


def test_generator_repairs_a_frame_that_comes_back_changed(gen: BpfObject) -> None:
    with private_netns():
        pair = make_veth()
        generator.configure(gen, pair.near, UDP_FRAME, 1)
        swapped = UDP_FRAME[6:12] + UDP_FRAME[:6] + b"\xff" * 30 + UDP_FRAME[42:]
        assert len(swapped) == len(UDP_FRAME)
        assert generate(gen, swapped).output == generate(gen, UDP_FRAME).output


def test_generator_with_no_flows_sends_any_frame_as_it_is(gen: BpfObject) -> None:
    frame = bytes(ETHER / ARP(pdst="10.0.0.1"))
    with private_netns():
        pair = make_veth()
        generator.configure(gen, pair.near, frame, 0)
        result = generate(gen, frame)
    assert (result.action, result.output) == (REDIRECT, frame)


def test_generator_without_a_device_or_with_a_short_frame_sends_nothing(gen: BpfObject) -> None:
    assert generate(gen, UDP_FRAME).action == ABORTED
    with private_netns():
        pair = make_veth()
        generator.configure(gen, pair.near, UDP_FRAME, 1)
        assert generate(gen, UDP_FRAME[:41]).action == ABORTED
    assert read_count(gen.map(generator.COUNT)) == Count(0, 0)


@pytest.mark.parametrize(
    "frame",
    [
        UDP_FRAME[:41],
        bytes(ETHER / Dot1Q(vlan=3) / IP() / UDP() / Raw(bytes(18))),
        bytes(ETHER / IP(options=b"\x01\x01\x01\x00") / UDP() / Raw(bytes(18))),
        bytes(ETHER / IP() / TCP()),
        bytes(ETHER / IPv6() / UDP()),
    ],
)
def test_generator_refuses_frames_whose_flow_it_cannot_vary(gen: BpfObject, frame: bytes) -> None:
    with pytest.raises(ValueError, match="frame: "):
        generator.configure(gen, 1, frame, 2)


@pytest.mark.parametrize("flows", [-1, generator.MOST_FLOWS + 1])
def test_generator_refuses_flow_counts_out_of_range(gen: BpfObject, flows: int) -> None:
    with pytest.raises(ValueError, match="flows: "):
        generator.configure(gen, 1, UDP_FRAME, flows)


# (frame, what it is, where its last header that matters ends)
V4, V6 = IP(src="1.2.3.4", dst="5.6.7.8"), IPv6(src="2001:db8::1", dst="2001:db8::2")
CASES: list[tuple[str, Packet, str, int]] = [
    ("arp", ETHER / ARP(), "arp", 14),
    ("udp", ETHER / V4 / UDP(), "udp", 42),
    ("tcp", ETHER / V4 / TCP(), "tcp", 54),
    ("tcp options", ETHER / V4 / TCP(options=[("MSS", 1460), ("SAckOK", b"")]), "tcp", 62),
    ("ip options", ETHER / IP(options=b"\x01" * 8) / UDP(), "udp", 50),
    ("icmp", ETHER / V4 / ICMP(), "icmp", 34),
    ("gre", ETHER / IP(proto=47) / Raw(bytes(20)), "other", 34),
    ("first fragment", ETHER / IP(flags="MF") / UDP(), "fragment", 34),
    ("later fragment", ETHER / IP(frag=100, proto=17) / Raw(bytes(40)), "fragment", 34),
    ("dont fragment", ETHER / IP(flags="DF") / UDP(), "udp", 42),
    ("vlan", ETHER / Dot1Q(vlan=7) / V4 / UDP(), "udp", 46),
    ("qinq", ETHER / Dot1AD(vlan=7) / Dot1Q(vlan=8) / V4 / TCP(), "tcp", 62),
    ("three tags", ETHER / Dot1AD() / Dot1Q() / Dot1Q() / V4 / UDP(), "other", 22),
    ("ipv6 udp", ETHER / V6 / UDP(), "udp", 62),
    ("ipv6 icmp", ETHER / V6 / ICMPv6EchoRequest(), "icmp", 54),
    ("ipv6 hop-by-hop", ETHER / V6 / IPv6ExtHdrHopByHop() / TCP(), "tcp", 82),
    (
        "ipv6 extensions",
        ETHER
        / V6
        / IPv6ExtHdrHopByHop()
        / IPv6ExtHdrDestOpt()
        / IPv6ExtHdrRouting(addresses=["::1"])
        / UDP(),
        "udp",
        102,
    ),
    ("ipv6 fragment", ETHER / V6 / IPv6ExtHdrFragment(offset=9, nh=17) / Raw(bytes(20)), "fragment", 54),
    ("lldp", Ether(type=0x88CC) / Raw(bytes(46)), "other", 14),
]


@pytest.mark.parametrize(
    ("packet", "kind", "end"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_parse_drop_names_every_frame_at_every_length(packet: Packet, kind: str, end: int) -> None:
    frame = bytes(packet)
    assert len(frame) >= end
    with loaded("parse_drop") as obj:
        fd, kinds = obj.program("rs_parse_drop").fd, obj.map("rs_kinds")
        for length in range(14, len(frame) + 1):
            before = read_kinds(kinds)
            assert run.test_run(fd, frame[:length]).action == DROP
            after = read_kinds(kinds)
            grown = [name for name in KINDS if after[name] != before[name]]
            assert grown == [kind if length >= end else "truncated"], f"at {length} bytes"


@pytest.mark.parametrize(
    ("at", "value"),
    [(14, 0x65), (14, 0x44), (14, 0x4F), (46, 0x40)],
    ids=["version 6", "ihl 4", "ihl 15", "tcp offset 4"],
)
def test_parse_drop_calls_headers_that_contradict_themselves_truncated(at: int, value: int) -> None:
    frame = bytearray(bytes(ETHER / V4 / TCP()))
    frame[at] = value
    with loaded("parse_drop") as obj:
        run.test_run(obj.program("rs_parse_drop").fd, bytes(frame))
        assert read_kinds(obj.map("rs_kinds"))["truncated"] == Count(1, len(frame))


def test_a_runt_below_the_kernels_minimum_and_a_missing_queue_are_refused_with_the_reason(
    redirect: BpfObject,
) -> None:
    fd = redirect.program("rs_redirect_xsk").fd
    with pytest.raises(RunError, match="14 bytes and more"):
        run.test_run(fd, bytes(13))
    with pytest.raises(RunError, match="no such receive queue"):
        run.test_run(fd, bytes(14), queue=99, ingress_ifindex=1)


@pytest.mark.parametrize(("repeat", "batch"), [(0, 64), (2**31, 64), (1, 0), (1, 257)])
def test_live_run_checks_its_numbers(redirect: BpfObject, repeat: int, batch: int) -> None:
    with pytest.raises(ValueError, match="is not within 1 to"):
        run.test_run_live(redirect.program("rs_redirect_xsk").fd, bytes(60), repeat, batch)
