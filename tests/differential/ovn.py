"""The production-size rule set (102,919 rules that OVN computed for 15 VMs and 291 tunnels), and packets that
go deep into it.

A packet is written as the text of ofproto/trace. What the rules themselves say is where packets come
from: the ports of table 0, the addresses of port security (73), destinations of the L2 lookup (33), addresses
and ports that the firewall (16, 46) names.
"""

from __future__ import annotations

import gzip
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

RULES = Path(__file__).resolve().parents[1] / "fixtures" / "ovn-103k-rules.txt.gz"
N_PORTS = 321
TLV_MAP = "{class=0x0102,type=0x80,len=4}->tun_metadata0"
CT_STATES = ("trk,new", "trk,est", "trk,est,rpl", "trk,rel", "trk,inv", "trk,est,rel")


@cache
def rules() -> tuple[str, ...]:
    """The rules, a line each, in ovs-ofctl syntax."""
    with gzip.open(RULES, "rt") as lines:
        return tuple(line.strip() for line in lines if line.strip())


@dataclass(frozen=True)
class Vif:
    """An interface of a VM: where its packets come in, and the addresses that port security lets through."""

    in_port: int
    network: str  # metadata
    mac: str
    ip: str


@dataclass
class Network:
    """What the rules say of one logical network (a value of metadata)."""

    vifs: list[Vif] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)


def _find(pattern: str, line: str) -> str:
    found = re.search(pattern, line)
    return found.group(1) if found else ""


def _port_security(lines: tuple[str, ...]) -> dict[tuple[str, str], tuple[str, str]]:
    """(reg14, metadata) -> (MAC, IPv4 address)."""
    found = {}
    for line in lines:
        if "table=73," in line and (ip := _find(r"\bip,.*nw_src=(\d[\d.]+)", line)):
            at = _find(r"reg14=(\w+)", line), _find(r"metadata=(\w+)", line)
            found[at] = _find(r"dl_src=([\w:]+)", line), ip
    return found


@cache
def networks() -> dict[str, Network]:
    """The logical networks, by metadata."""
    lines = rules()
    secure = _port_security(lines)
    found: dict[str, Network] = defaultdict(Network)
    for line in lines:
        metadata = _find(r"[, ]metadata=(\w+)[, ]", line)
        if "table=" not in line and "->metadata" in line:
            at = _find(r"set_field:(\w+)->reg14", line), _find(r"set_field:(\w+)->metadata", line)
            if at in secure:
                mac, ip = secure[at]
                found[at[1]].vifs.append(Vif(int(_find(r"in_port=(\d+)", line)), at[1], mac, ip))
        elif "table=33," in line and (mac := _find(r"dl_dst=([\w:]+) ", line)):
            found[metadata].destinations.append(mac)
        elif "table=16," in line or "table=46," in line:
            found[metadata].sources += filter(None, [_find(r"nw_src=([\d.]+)", line)])
            found[metadata].targets += filter(None, [_find(r"nw_dst=([\d.]+)", line)])
            found[metadata].ports += filter(None, [_find(r"tp_dst=(\d+)[, ]", line)])
    return {name: network for name, network in found.items() if network.vifs}


def _l4(r: random.Random, network: Network) -> str:
    port = r.choice(network.ports) if network.ports and r.random() < 0.8 else str(r.randrange(65536))
    kind = r.choice(("tcp", "tcp", "udp", "icmp"))
    if kind == "icmp":
        return f"icmp,icmp_type={r.choice((0, 8))},icmp_code=0"
    return f"{kind},{kind}_src={r.randrange(1024, 65536)},{kind}_dst={port}"


def _unicast(r: random.Random, network: Network, vif: Vif) -> str:
    """VM to something: an address of the same network, a router, a firewall's target."""
    target = r.choice(network.targets) if network.targets and r.random() < 0.5 else vif.ip
    neighbour = r.choice(network.vifs)
    mac, ip = (neighbour.mac, neighbour.ip) if r.random() < 0.3 else (r.choice(network.destinations), target)
    ttl = r.choice((1, 64, 64, 255))
    ends = f"dl_src={vif.mac},dl_dst={mac},nw_src={vif.ip},nw_dst={ip},nw_ttl={ttl}"
    return f"in_port={vif.in_port},{_l4(r, network)},{ends}"


def _arp(r: random.Random, network: Network, vif: Vif) -> str:
    target = r.choice([*network.targets, *(v.ip for v in network.vifs)])
    head = f"in_port={vif.in_port},arp,dl_src={vif.mac},dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1"
    return f"{head},arp_spa={vif.ip},arp_tpa={target},arp_sha={vif.mac}"


def _dhcp(_: random.Random, network: Network, vif: Vif) -> str:
    del network
    head = f"in_port={vif.in_port},udp,dl_src={vif.mac},dl_dst=ff:ff:ff:ff:ff:ff"
    return f"{head},nw_src=0.0.0.0,nw_dst=255.255.255.255,nw_ttl=64,udp_src=68,udp_dst=67"


def _from_tunnel(r: random.Random, network: Network, vif: Vif) -> str:
    """A packet that another hypervisor sent: to the vif, through the egress pipeline."""
    source = r.choice(network.sources) if network.sources else "10.0.0.1"
    options = r.randrange(1, 200) << 16 | r.randrange(1, 200)
    tunnel = f"tun_id={network_number(vif)},tun_metadata0={options:#x},in_port={r.randrange(32, N_PORTS)}"
    ends = (
        f"dl_src={r.choice(network.destinations)},dl_dst={vif.mac},nw_src={source},nw_dst={vif.ip},nw_ttl=64"
    )
    return f"{tunnel},{_l4(r, network)},{ends}"


def network_number(vif: Vif) -> str:
    return vif.network


def _multicast(r: random.Random, network: Network, vif: Vif) -> str:
    ends = f"dl_src={vif.mac},dl_dst=01:00:5e:00:00:05,nw_src={vif.ip},nw_dst=224.0.0.5,nw_ttl=1"
    return f"in_port={vif.in_port},{_l4(r, network)},{ends}"


def _spoofed(r: random.Random, network: Network, vif: Vif) -> str:
    return _unicast(r, network, Vif(vif.in_port, vif.network, "0a:00:00:00:ff:01", "10.99.99.99"))


def packets(count: int, seed: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(flow text, ct_state of each recirculation through connection tracking)."""
    r = random.Random(seed)
    known = networks()
    names = sorted(known)
    kinds = [_unicast] * 6 + [_arp, _dhcp, _from_tunnel, _from_tunnel, _multicast, _spoofed]
    for _ in range(count):
        network = known[r.choice(names)]
        vif = r.choice(network.vifs)
        states = tuple(r.choice(CT_STATES[:3] if r.random() < 0.8 else CT_STATES) for _ in range(3))
        yield r.choice(kinds)(r, network, vif), states


# ---- the same pipeline without connection tracking ---------------------------------------------------------

_CT_BITS = {"new": 1, "est": 2, "rel": 4, "rpl": 8, "inv": 16, "trk": 32, "snat": 64, "dnat": 128}
CT_MARK_NEW = _CT_BITS["trk"] | _CT_BITS["new"]


def _as_mark(found: re.Match[str]) -> str:
    """ct_state=+new-est+trk as bits of pkt_mark."""
    value = mask = 0
    for sign, name in re.findall(r"([+-])(\w+)", found.group(1)):
        mask |= _CT_BITS[name]
        value |= _CT_BITS[name] if sign == "+" else 0
    return f"pkt_mark={value:#x}/{mask:#x}"


@cache
def rules_without_tracking() -> tuple[str, ...]:
    """The rules with ct(table=N…) replaced by a resubmit to N and ct_state kept in pkt_mark (as +new+trk), so
    that one translation goes through the whole pipeline. ct(commit) is left out.
    """
    found = []
    for line in rules():
        line = re.sub(r"ct_state=([+-][+\-a-z]+)", _as_mark, line)
        line = re.sub(
            r"ct\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)",
            lambda ct: (
                f"set_field:{CT_MARK_NEW:#x}->pkt_mark,resubmit(,{number})"
                if (number := _find(r"table=(\d+)", ct.group(0)))
                else "note:00"
            ),
            line,
        )
        found.append(line)
    return tuple(found)
