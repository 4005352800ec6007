"""Open vSwitch 3.1's extractor and ours on the same frames, field by field as `ovs-ofctl` prints them.

`ovs-ofctl parse-pcap` runs the extractor of the switch on a file of packets. What it never prints (neighbour
discovery's reserved bits and option type) is asked for by a rule that has our values.
"""

from __future__ import annotations

import ipaddress
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from tests.differential.frames import MACS, damaged, frame, neighbour_discovery
from tests.differential.key import Key, extract
from tests.differential.ovs import BRIDGE, Ovs, open_vswitch, tool

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]

NAMES: dict[int, dict[int | None, str]] = {
    0x0800: {1: "icmp", 6: "tcp", 17: "udp", 132: "sctp", None: "ip"},
    0x86DD: {58: "icmp6", 6: "tcp6", 17: "udp6", 132: "sctp6", None: "ipv6"},
    0x0806: {None: "arp"},
    0x8035: {None: "rarp"},
    0x8847: {None: "mpls"},
    0x8848: {None: "mplsm"},
}
TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]")
FRAGMENTS = {0: "no", 1: "first", 3: "later"}


def write_pcap(path: Path, frames: Sequence[bytes]) -> None:
    records = [struct.pack("=IIII", 0, 0, len(data), len(data)) + data for data in frames]
    path.write_bytes(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records))


def ovs_flows(frames: Sequence[bytes]) -> list[dict[str, str]]:
    """The fields that Open vSwitch finds in each frame."""
    with tempfile.TemporaryDirectory(prefix="rs-pcap-") as directory:
        path = Path(directory) / "frames.pcap"
        write_pcap(path, frames)
        done = subprocess.run(
            [tool("ovs-ofctl"), "parse-pcap", str(path)], capture_output=True, text=True, check=True
        )
    words = [[word.partition("=") for word in line.split(",")] for line in done.stdout.splitlines()]
    return [{name: value for name, _, value in line} for line in words]


# ---- our key as it prints ----------------------------------------------------------------------


def vlan_text(key: Key) -> dict[str, str]:
    found: dict[str, str] = {}
    for (tpid, tci), suffix in zip(key.vlans, ("", "1"), strict=True):
        if tpid == 0:
            return found | {f"vlan_tci{suffix}": "0x0000"}
        found[f"dl_vlan{suffix}"] = str(tci & 0xFFF)
        found[f"dl_vlan_pcp{suffix}"] = str(tci >> 13)
    return found


def ports_text(key: Key) -> dict[str, str]:
    if key.nw_frag & 2 or key.nw_proto not in (1, 2, 6, 17, 58, 132):
        return {}
    icmp = (key.dl_type, key.nw_proto) in ((0x0800, 1), (0x86DD, 58))
    names = ("icmp_type", "icmp_code") if icmp else ("tp_src", "tp_dst")
    found = {names[0]: str(key.tp_src), names[1]: str(key.tp_dst)}
    if key.nw_proto == 6:
        set_flags = [name for i, name in enumerate(TCP_FLAGS) if key.tcp_flags >> i & 1]
        found["tcp_flags"] = "|".join(set_flags) or "0"
    if icmp and key.nw_proto == 58 and key.tp_src in (135, 136) and key.tp_dst == 0:
        found["nd_target"] = str(ipaddress.IPv6Address(key.nd_target))
        found |= {"nd_sll": key.arp_sha.hex(":"), "nd_tll": key.arp_tha.hex(":")}
    return found


def ip_text(key: Key) -> dict[str, str]:
    found = {"nw_tos": str(key.nw_tos & 0xFC), "nw_ecn": str(key.nw_tos & 3), "nw_ttl": str(key.nw_ttl)}
    found["nw_frag"] = FRAGMENTS[key.nw_frag]
    if key.nw_proto not in NAMES.get(key.dl_type, {}):
        found["nw_proto"] = str(key.nw_proto)
    if key.dl_type == 0x0800:
        found |= {name: str(ipaddress.IPv4Address(getattr(key, name))) for name in ("nw_src", "nw_dst")}
    elif key.dl_type == 0x86DD:
        found |= {name: str(ipaddress.IPv6Address(getattr(key, name))) for name in ("ipv6_src", "ipv6_dst")}
        found["ipv6_label"] = f"0x{key.ipv6_label:05x}"
    return found | ports_text(key)


def arp_text(key: Key) -> dict[str, str]:
    return {
        "arp_spa": str(ipaddress.IPv4Address(key.nw_src)),
        "arp_tpa": str(ipaddress.IPv4Address(key.nw_dst)),
        "arp_op": str(key.nw_proto),
        "arp_sha": key.arp_sha.hex(":"),
        "arp_tha": key.arp_tha.hex(":"),
    }


def mpls_text(key: Key) -> dict[str, str]:
    top = key.mpls_lse[0]
    found = {"mpls_label": str(top >> 12), "mpls_tc": str(top >> 9 & 7), "mpls_ttl": str(top & 0xFF)}
    found["mpls_bos"] = str(top >> 8 & 1)
    for i in (1, 2):
        if key.mpls_lse[i - 1] & 0x100:
            break
        found[f"mpls_lse{i}"] = str(key.mpls_lse[i])
    return found


def nsh_text(key: Key) -> dict[str, str]:
    flags, ttl, kind, protocol, path, context = key.nsh
    found = {"nsh_flags": str(flags), "nsh_ttl": str(ttl), "nsh_mdtype": str(kind), "nsh_np": str(protocol)}
    found |= {"nsh_spi": hex(path >> 8), "nsh_si": str(path & 0xFF)}
    if kind == 1:
        found |= {f"nsh_c{i}": hex(word) for i, word in enumerate(context, start=1)}
    # It counts NSH among what has IP's fields.
    return found | {"nw_proto": "0", "nw_tos": "0", "nw_ecn": "0", "nw_ttl": "0", "nw_frag": "no"}


def ours(data: bytes) -> dict[str, str]:
    """What Open vSwitch should print for our key of a frame."""
    key = extract(data).key
    found = {"in_port": "ANY", "dl_src": key.dl_src.hex(":"), "dl_dst": key.dl_dst.hex(":")} | vlan_text(key)
    names = NAMES.get(key.dl_type)
    if names is None:
        found["dl_type"] = f"0x{key.dl_type:04x}"
    else:
        found[names.get(key.nw_proto, names[None])] = ""
    kinds = {0x0800: ip_text, 0x86DD: ip_text, 0x0806: arp_text, 0x8035: arp_text, 0x894F: nsh_text}
    kinds |= {0x8847: mpls_text, 0x8848: mpls_text}
    return found | kinds[key.dl_type](key) if key.dl_type in kinds else found


# ---- tests -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with (
        tempfile.TemporaryDirectory(prefix="rs-ovs-") as directory,
        open_vswitch(Path(directory), 2) as running,
    ):
        yield running


@settings(max_examples=60)
@given(st.lists(st.one_of(frame(), damaged()).filter(lambda d: len(d) >= 14), min_size=1, max_size=40))
def test_open_vswitch_finds_the_same_fields(frames: list[bytes]) -> None:
    for data, theirs in zip(frames, ovs_flows(frames), strict=True):
        assert ours(data) == theirs, data.hex()


@settings(max_examples=20)
@given(frame().filter(lambda d: len(d) >= 14), st.integers(0, 255))
def test_open_vswitch_takes_wrong_bytes_and_cuts_the_same_way(data: bytes, value: int) -> None:
    wrong = [data[:at] + bytes([value]) + data[at + 1 :] for at in range(12, min(len(data), 70))]
    cut = [data[:length] for length in range(14, min(len(data), 120))]
    for mutant, theirs in zip([*wrong, *cut], ovs_flows([*wrong, *cut]), strict=True):
        assert ours(mutant) == theirs, mutant.hex()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(neighbour_discovery(), min_size=1, max_size=8))
def test_open_vswitch_has_the_same_reserved_bits_and_option_of_neighbour_discovery(
    ovs: Ovs, packets: list[Packet]
) -> None:
    for packet in packets:
        data = bytes(Ether(src=MACS[0], dst=MACS[1]) / IPv6() / packet)
        key = extract(data).key
        same = f"nd_reserved={key.igmp_group_ip4},nd_options_type={key.tcp_flags}"
        rule = f"icmp6,icmp_type={key.tp_src},icmp_code=0,{same},actions=output:2"
        ovs.replace_flows([rule, "priority=0,actions=drop"])
        trace = ovs.control.call("ofproto/trace", BRIDGE, "in_port=1", data.hex())
        assert trace.rstrip().endswith("Datapath actions: 2"), (rule, trace)
