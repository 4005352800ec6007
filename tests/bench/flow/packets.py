"""Packets as bytes, files of them, and rules that send them where a bench wants them."""

from __future__ import annotations

import random
import re
import socket
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.differential import ovn

# Subtables of mask_subtable() in flow_packets.c: bits of their number, and what they look at beside nw_dst.
PORT_SOURCE, NET_SOURCE, MAC_TARGET, PORT_TARGET, MAC_SOURCE = (1 << i for i in range(5))


def write_pcap(path: Path, frames: Iterable[bytes]) -> Path:
    """A capture file of Ethernet frames."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    return path


def _mac(data: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in data)


def _subtable_rule(frame: bytes) -> str:
    source, target = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    number = frame[31]
    ports = struct.unpack("!HH", frame[34:38])
    words = [f"table={number + 1},priority=1", "udp" if number & (PORT_SOURCE | PORT_TARGET) else "ip"]
    words.append(f"nw_dst={target}/16")
    words += [f"tp_src={ports[0]}"] if number & PORT_SOURCE else []
    words += [f"nw_src={source}/24"] if number & NET_SOURCE else []
    words += [f"dl_dst={_mac(frame[0:6])}"] if number & MAC_TARGET else []
    words += [f"tp_dst={ports[1]}"] if number & PORT_TARGET else []
    words += [f"dl_src={_mac(frame[6:12])}"] if number & MAC_SOURCE else []
    return ",".join(words) + ",actions=drop"


def subtable_rules(frames: Sequence[bytes]) -> list[str]:
    """Rules that drop these frames, by megaflows of as many masks as the frames are made for: a table of the
    pipeline for each of them, so that no rule makes another one's megaflow look at more.
    """
    numbers = sorted({frame[31] for frame in frames})
    first = [f"table=0,priority=1,ip,nw_dst=10.{n}.0.0/16,actions=resubmit(,{n + 1})" for n in numbers]
    return [*first, *dict.fromkeys(map(_subtable_rule, frames))]


def _tcp(vif: ovn.Vif, mac: str, target: str, ports: tuple[int, int]) -> bytes:
    def mac_bytes(text: str) -> bytes:
        return bytes.fromhex(text.replace(":", ""))

    tcp = struct.pack("!HHIIBBHHH", *ports, 1, 0, 0x50, 0x10, 1000, 0, 0)
    ends = socket.inet_aton(vif.ip) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
    return (mac_bytes(mac) + mac_bytes(vif.mac) + b"\x08\0" + head + ends + tcp).ljust(64, b"\0")


def pipeline_frames(count: int, seed: int = 1) -> tuple[int, list[bytes]]:
    """TCP packets from one VM to addresses, ports and destinations that the firewall of its network names,
    and the port where they come in. One port, because the peer replays a file into one.
    """
    r = random.Random(seed)
    known = ovn.networks()
    network = known[sorted(known)[0]]
    vif = network.vifs[0]
    frames = []
    for _ in range(count):
        ports = r.randrange(1024, 65536), int(r.choice(network.ports))
        frames.append(_tcp(vif, r.choice(network.destinations), r.choice(network.targets), ports))
    return vif.in_port, frames


def write_lines(path: Path, in_port: int, frames: Iterable[bytes]) -> Path:
    """A file of frames as pipeline.c reads it."""
    path.write_text("".join(f"{in_port} {frame.hex()}\n" for frame in frames))
    return path


def passing_rules() -> tuple[str, str]:
    """Rules that come and go, and that no packet meets: one more address for a conjunction of the firewall,
    which no megaflow can be of; and one that asks for a register, which none can be ruled out by.
    """
    network = sorted(ovn.networks())[0]
    line = next(
        line
        for line in ovn.rules_without_tracking()
        if f"metadata={network}," in line and re.search("table=16,.*nw_dst=.*conjunction", line)
    )
    match, actions = line.split(" actions=")
    fields = [word.strip() for word in match.split(",") if not re.search("nw_dst=|cookie=", word)]
    near = f"{','.join(fields)},nw_dst=10.255.77.1,actions={actions}"
    return near, f"table=16,priority=3000,tcp,metadata={network},reg9=0x4d2,actions=drop"
