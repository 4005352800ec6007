"""Same datapath actions, same packets: Open vSwitch 3.1's executor and ours send the same bytes.

The actions are put into its datapath as they are (`dpctl/add-flow`), so its parser reads our text too.
Differences, each a packet that Open vSwitch damages and we do not; left out here and nowhere else:
  - addresses of an IPv4 fragment that is not the first: it takes payload bytes for an L4 checksum (`later`);
  - addresses of an IPv6 packet with a fragment header that is no fragment's, or a source address with a
    routing header: it leaves the L4 checksum as it was (`atomic`, `routing`);
  - trunc in front of a nested list, which it forgets inside and remembers behind;
  - nd_ext of a message without option, or behind extension headers: it writes the type behind the message,
    and computes the checksum with the wrong protocol and length.
What it asserts not to get is left out as well: fields of headers that the packet does not have, set(vlan).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.c.support.execute import Bench, Outcome
from tests.differential.action_frame import arrive
from tests.differential.action_model import KEYS, Action, output, text
from tests.differential.action_packets import KINDS, Kind, frames_of
from tests.differential.action_twin import errors
from tests.differential.ovs import Ovs, open_vswitch
from tests.differential.test_execute_vs_twin import numbers

pytestmark = [pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")]
PORTS = 3
DAMAGED = ("atomic", "routing", "later")
OURS = [
    kind
    for kind in KINDS
    if kind.l3 != "nsh"  # Its text of such a key it cannot read; below they come by OpenFlow.
    and kind.fragment != "later"
    and not set(kind.extensions) & {*DAMAGED, "authentication"}
]


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with (
        tempfile.TemporaryDirectory(prefix="rs-ovs-") as directory,
        open_vswitch(Path(directory), PORTS) as o,
    ):
        o.control.call("revalidator/pause")
        yield o


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(PORTS) as made:
        yield made


def key_of(kind: Kind, frame: bytes) -> str:
    """A datapath key that matches the frame."""
    fragment = "first" if "first" in (kind.fragment, *kind.extensions) else "no"
    inner = {
        "ipv4": f"eth_type(0x0800),ipv4(frag={fragment})",
        "ipv6": f"eth_type(0x86dd),ipv6(frag={fragment})",
        "arp": "eth_type(0x0806),arp(sip=0.0.0.0/0.0.0.0)",
        "mpls": "eth_type(0x8847),mpls(label=0/0,tc=0/0,ttl=0/0,bos={bottom}/1)",
    }[kind.l3]
    tags, at = [], 12
    while frame[at : at + 2] in (b"\x81\0", b"\x88\xa8"):
        tags.append(frame[at : at + 2].hex())
        at += 4
    inner = inner.format(bottom=frame[at + 4] & 1)
    for tpid in reversed(tags):
        inner = f"eth_type(0x{tpid}),vlan(vid=0/0x0,cfi=1),encap({inner})"
    return f"recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),{inner}"


@st.composite
def sets_of(draw: st.DrawFn, kind: Kind) -> Action:
    # Once the type is another, nd fields have no place; translation does not ask for them.
    left_out = ("nd_ext", "icmpv6") if kind.l4 == "nd" else ()
    keys = [key for key in (*kind.keys, "eth") if key not in left_out]
    key = draw(st.sampled_from(keys))
    names = sorted(KEYS[key])
    whole = key in ("icmp", "icmpv6", "mpls")  # It knows no masks of these.
    chosen = names if whole else draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    fields = []
    for name in chosen:
        full = KEYS[key][name].full
        mask = full if whole or draw(st.booleans()) else draw(numbers(KEYS[key][name].width).filter(bool))
        fields.append((name, draw(numbers(KEYS[key][name].width)) & mask, mask))
    return Action("set", key=key, fields=tuple(fields))


@st.composite
def tagging(draw: st.DrawFn) -> Action:
    tci = draw(numbers(16)) & 0xEFFF
    return draw(
        st.sampled_from(
            [Action("push_vlan", (0x8100, tci)), Action("push_vlan", (0x88A8, tci)), Action("pop_vlan")]
        )
    )


@st.composite
def lists_of(draw: st.DrawFn, kind: Kind) -> tuple[Action, ...]:
    one = st.one_of(sets_of(kind), sets_of(kind), sets_of(kind), tagging(), st.integers(2, PORTS).map(output))
    some = st.lists(one, max_size=4).map(tuple)
    # A cut counts in the list where it stands: Open vSwitch forgets it in some nested lists, then remembers.
    cut = st.lists(st.integers(24, 80).map(lambda n: Action("trunc", (n,))), max_size=1)
    ended = st.builds(
        lambda a, b, c, port: (*a, *b, *c, output(port)), some, cut, some, st.integers(2, PORTS)
    )
    nested = st.one_of(
        ended.map(lambda inner: Action("clone", lists=(inner,))),
        st.builds(
            lambda n, a, b: Action("check_pkt_len", (n,), lists=(a, b)), st.integers(40, 120), ended, ended
        ),
    )
    return (*draw(some), *draw(st.lists(nested, max_size=1)), *draw(ended))


def sent(outcome: Outcome) -> dict[int, list[str]]:
    ports = {e.id for e in outcome.events}
    return {port: sorted(e.data.hex() for e in outcome.events if e.id == port) for port in ports}


@pytest.mark.parametrize("kind", OURS, ids=str)
@given(data=st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_bytes_leave(ovs: Ovs, bench: Bench, kind: Kind, data: st.DataObject) -> None:
    # Of several labels it reads no key back.
    frame = data.draw(frames_of(kind).filter(lambda each: kind.l3 != "mpls" or "bos=1" in key_of(kind, each)))
    actions = text(data.draw(lists_of(kind)))
    theirs = ovs.execute(key_of(kind, frame), actions, frame)
    ours = sent(bench.run(actions, [frame]))
    assert ours == {port: sorted(each.hex() for each in frames) for port, frames in theirs.items()}


# What is left out above: (kind, key of the fragment, actions).
STILL_DIFFERENT = [
    (Kind("ipv4", "tcp", "later"), "eth_type(0x0800),ipv4(frag=later)", "set(ipv4(src=9.8.7.6)),2"),
    (
        Kind("ipv6", "udp", extensions=("routing",)),
        "eth_type(0x86dd),ipv6(frag=no)",
        "set(ipv6(src=fe80::9)),2",
    ),
    (
        Kind("ipv6", "udp", extensions=("atomic",)),
        "eth_type(0x86dd),ipv6(frag=no)",
        "set(ipv6(dst=fe80::9)),2",
    ),
]


@pytest.mark.parametrize(("kind", "key", "actions"), STILL_DIFFERENT)
@given(data=st.data())
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_left_out_is_still_a_difference(
    ovs: Ovs, bench: Bench, kind: Kind, key: str, actions: str, data: st.DataObject
) -> None:
    """Open vSwitch breaks these packets; ours have right checksums and an untouched payload afterwards."""
    frame = data.draw(frames_of(kind).filter(is_plain))
    theirs = ovs.execute(f"recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),{key}", actions, frame)
    (event,) = bench.run(actions, [frame]).events
    assert not any(errors(arrive(event.data)).values())
    assert theirs[2] != [event.data]
    assert kind.fragment != "later" or event.data[34:] == frame[34:]


# OpenFlow actions, which Open vSwitch translates; then both execute its translation, as it prints it.
TO_2, TO_3 = "set_field:02:00:00:00:00:09->dl_dst,output:2", "output:3"
OPENFLOW = [
    ("ipv4", "encap(nsh(md_type=1)),set_field:0x1234->nsh_spi,set_field:5->nsh_c2,encap(ethernet)," + TO_2),
    ("ipv4", "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678))),encap(ethernet)," + TO_2),
    ("ipv4", "decap,encap(ethernet)," + TO_2),
    ("ipv4", "decap,encap(nsh(md_type=1)),encap(ethernet)," + TO_2),
    ("ipv6", "decap,encap(mpls),set_field:99->mpls_label,encap(ethernet)," + TO_2),
    ("ipv4", "encap(mpls_mc),encap(ethernet)," + TO_2),
    ("ipv4", "output:3,dec_ttl,push_mpls:0x8847,set_field:99->mpls_label,push_mpls:0x8848," + TO_2),
    ("ipv4", "push_mpls:0x8847,set_field:99->mpls_label,output:3,pop_mpls:0x0800," + TO_2),
    ("ipv6", "push_vlan:0x88a8,set_field:4103->vlan_vid,output:3,dec_ttl,pop_vlan," + TO_2),
    ("nsh", "set_field:0x1234->nsh_spi,set_field:0x3->nsh_c1,set_field:4->nsh_si,dec_nsh_ttl," + TO_2),
    ("nsh", "move:NXOXM_NSH_C1[0..15]->NXOXM_NSH_C4[16..31],set_field:0x2->nsh_c3," + TO_2),
    ("arp", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:2->arp_op,move:arp_sha[]->arp_tha[]," + TO_2),
]


@pytest.fixture(scope="module")
def modern(ovs: Ovs) -> Ovs:
    ovs.vsctl("set", "bridge", "br0", "protocols=OpenFlow10,OpenFlow13,OpenFlow15")
    return ovs


@pytest.mark.parametrize(("sort", "actions"), OPENFLOW)
@given(data=st.data())
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_open_vswitch_translates_does_the_same_here(
    modern: Ovs, bench: Bench, sort: str, actions: str, data: st.DataObject
) -> None:
    frame = data.draw(frames_of(Kind(sort, "udp" if sort.startswith("ip") else "")).filter(is_plain))
    match = {"nsh": "dl_type=0x894f", "ipv4": "ip", "ipv6": "ipv6"}.get(sort, sort)
    modern.ofctl("del-flows")
    modern.load_flows([f"{match},actions={actions}"])
    trace = modern.control.call("ofproto/trace", "br0", "in_port=1", frame.hex())
    datapath = next(line for line in trace.splitlines() if line.startswith("Datapath actions: "))
    modern.control.call("dpctl/del-flows", "dummy@ovs-dummy")
    theirs = modern.exchange(1, frame)
    ours = sent(bench.run(datapath.removeprefix("Datapath actions: "), [frame]))
    assert theirs and ours == {port: [each.hex() for each in frames] for port, frames in theirs.items()}


def is_plain(frame: bytes) -> bool:
    """Without tags, which an encapsulation could not take along, and with a TTL that can fall."""
    at = {b"\x08\0": 22, b"\x86\xdd": 21}.get(frame[12:14])
    return frame[12:14] not in (b"\x81\0", b"\x88\xa8") and (at is None or frame[at] > 1)


@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_first_options_type_and_the_reserved_bits_are_set_alike(
    ovs: Ovs, bench: Bench, data: st.DataObject
) -> None:
    kind = Kind("ipv6", "nd")
    frame = data.draw(frames_of(kind).filter(lambda f: len(f) >= 14 + 8 + 40 + 24 + 8 + 18))
    actions = (
        f"set(nd_ext(nd_reserved={data.draw(numbers(32)):#x},nd_options_type={data.draw(numbers(8))})),2"
    )
    theirs = ovs.execute(key_of(kind, frame), actions, frame)
    assert sent(bench.run(actions, [frame])) == {p: [each.hex() for each in f] for p, f in theirs.items()}


@pytest.fixture(scope="module")
def grouped(modern: Ovs) -> Ovs:
    buckets = ",".join(f"bucket=bucket_id:{i},weight:{i + 1},output:2" for i in range(16))
    modern.ofctl("add-group", f"group_id=9,type=select,selection_method=dp_hash,{buckets}")
    modern.ofctl("del-flows")
    modern.load_flows(["actions=group:9"])
    return modern


HASHED = [kind for kind in OURS if kind.l3 in ("ipv4", "ipv6", "arp")]


@pytest.mark.parametrize("kind", HASHED, ids=str)
@given(data=st.data())
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_select_groups_choose_by_the_same_hash(
    grouped: Ovs, bench: Bench, kind: Kind, data: st.DataObject
) -> None:
    """Its megaflow shows the whole of dp_hash."""
    frame = data.draw(frames_of(kind))
    grouped.control.call("dpctl/del-flows", "dummy@ovs-dummy")
    grouped.exchange(1, frame)
    shown = grouped.control.call("dpctl/dump-flows", "dummy@ovs-dummy")
    found = re.search(r"dp_hash\((?:0x)?([0-9a-f]+)/0x", shown)
    assert found, shown
    (event,) = bench.run("hash(l4(0)),recirc(0x1)", [frame]).events
    assert event.dp_hash == int(found[1], 16)
