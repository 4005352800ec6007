"""Groups, meters and the TLV map from Python, in ovs-ofctl's words."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch.binding.errors import SwitchError
from switch.binding.groups import GroupCommand, MeterCommand, TlvCommand
from switch.binding.switch import Switch
from tests.c.support.flows import udp
from tests.differential.ovs import Ovs, open_vswitch
from tests.differential.rig import Rig, rig

OVS = pytest.mark.peer("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
GROUPS = (
    "group_id=1,type=select,bucket=weight:1,actions=1,bucket=weight:2,actions=2",
    "group_id=7,type=ff,bucket=watch_port:2,actions=2,bucket=bucket_id:9,watch_group:1,actions=group:1",
    "group_id=9,type=all,bucket=actions=dec_ttl,2,bucket=actions=drop",
    "group_id=2,type=select,selection_method=hash,fields(ip_src,tcp_dst),bucket=actions=3",
)
METERS = (
    "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100",
    "meter=2,pktps,bands=type=drop,rate=10",
    "meter=5,kbps,bands=type=dscp_remark,rate=10,prec_level=1,type=drop,rate=20",
)
TLVS = "{class=0xffff,type=0,len=4}->tun_metadata0,{class=0x102,type=0x80,len=8}->tun_metadata1"


@pytest.fixture(scope="module")
def ovs() -> Iterator[Ovs]:
    with tempfile.TemporaryDirectory(prefix="rs-group-") as directory, open_vswitch(Path(directory), 3) as o:
        yield o


def body(reply: str) -> list[str]:
    """A reply's lines behind its head, durations neutral."""
    lines = [re.sub(r"duration[=:][\d.]+s", "duration", line) for line in reply.splitlines()]
    return [line for line in lines if line and not line.startswith(("OFPST", "NXT"))]


def refused(call: object, *words: object) -> str:
    with pytest.raises(SwitchError) as caught:
        call(*words)  # type: ignore[operator]
    return caught.value.ofperr


@OVS
def test_groups_are_dumped_as_ovs_ofctl_does(ovs: Ovs) -> None:
    with rig(3, []) as r:
        for group in GROUPS:
            ovs.ofctl("add-group", group)
            r.switch.groups.add(group)
        assert sorted(r.switch.groups.lines()) == sorted(body(ovs.ofctl("dump-groups")))
        ovs.ofctl("add-flow", "in_port=1,actions=group:9")
        r.switch.flows.add("in_port=1,actions=group:9")
        theirs = body(ovs.ofctl("dump-group-stats"))
        assert sorted(body("\n".join(r.switch.groups.lines(stats=True)))) == sorted(theirs)
        ovs.ofctl("del-flows")
        ovs.ofctl("del-groups")


def test_groups_count_and_change_and_go() -> None:
    with rig(3, []) as r:
        r.switch.groups.add("group_id=9,type=all,bucket=actions=2,bucket=actions=3")
        r.switch.flows.add("in_port=1,actions=group:9")
        frame = udp(1)
        assert r.outputs(1, frame) == [2, 3]
        assert r.outputs(1, frame) == [2, 3]
        (line,) = r.switch.groups.lines(9, stats=True)
        size = 2 * len(frame)
        assert f"ref_count=1,packet_count=2,byte_count={size},bucket0:packet_count=2" in line
        r.switch.groups.mod(
            "group_id=9,command_bucket_id=last,bucket=bucket_id:8,actions=1", GroupCommand.INSERT_BUCKET
        )
        assert len(r.switch.groups.lines(9)[0].split("bucket=")) == 4
        assert r.switch.groups.lines(10) == []
        r.switch.groups.delete("group_id=9")
        assert r.outputs(1, frame) == []
        assert [rule.text for rule in r.switch.flows] == []


def test_groups_are_refused_by_name() -> None:
    with rig(1, []) as r:
        groups = r.switch.groups
        groups.add("group_id=1,type=all")
        assert refused(groups.add, "group_id=1,type=all") == "OFPGMFC_GROUP_EXISTS"
        assert refused(groups.mod, "group_id=2,type=all", GroupCommand.MODIFY) == "OFPGMFC_UNKNOWN_GROUP"
        assert refused(groups.add, "group_id=3,type=indirect") != ""
        with pytest.raises(SwitchError):
            groups.add("group_id=4,type=nonsense")
        groups.delete()
        assert groups.lines() == []


@OVS
def test_meters_are_dumped_as_ovs_ofctl_does(ovs: Ovs) -> None:
    with rig(3, []) as r:
        for meter in METERS[:2]:  # The datapath there knows no remarking.
            ovs.ofctl("add-meter", meter)
        for meter in METERS:
            r.switch.meters.add(meter)
        ours = body(r.switch.meters.text(1)) + body(r.switch.meters.text(2))
        assert ours == body(ovs.ofctl("dump-meters"))
        ours = body(r.switch.meters.text(1, stats=True)) + body(r.switch.meters.text(2, stats=True))
        assert ours == body(ovs.ofctl("meter-stats"))
        assert "type=dscp_remark rate=10 prec_level=1" in r.switch.meters.text(5)


def test_a_meter_lets_its_burst_through_and_counts_the_rest() -> None:
    with rig(2, []) as r:
        r.switch.meters.add("meter=2,pktps,burst,stats,bands=type=drop,rate=1,burst_size=5")
        r.switch.flows.add("in_port=1,actions=meter:2,2")
        assert len(r.exchange(1, *[udp(1)] * 20)[2]) == 5
        assert r.drops(1) == {"meter": 15}
        text = r.switch.meters.text(2, stats=True)
        assert "meter:2 flow_count:1 packet_in_count:20 " in text
        assert "0: packet_count:15 " in text
        r.switch.meters.mod("meter=2,pktps,bands=type=drop,rate=1000", MeterCommand.MODIFY)
        assert len(r.exchange(1, *[udp(1)] * 20)[2]) == 20
        r.switch.meters.delete("meter=2")
        assert (len(r.switch.flows), r.switch.meters.text()) == (0, "")


def test_meters_are_refused_by_name_and_leave_nothing() -> None:
    with rig(1, []) as r:
        meters = r.switch.meters
        meters.add(METERS[0])
        before = meters.text()
        assert refused(meters.add, METERS[0]) == "OFPMMFC_METER_EXISTS"
        assert refused(meters.mod, METERS[1], MeterCommand.MODIFY) == "OFPMMFC_UNKNOWN_METER"
        for meter in ("meter=3,kbps,bands=type=drop,rate=0", "meter=4,furlongs,bands=type=drop,rate=1"):
            with pytest.raises(SwitchError):
                meters.add(meter)
        assert meters.text() == before
        meters.delete()
        assert meters.text() == ""


@pytest.fixture
def mapped() -> Iterator[Rig]:
    """A switch; the map is the process's, and empty before and after."""
    with rig(1, []) as r:
        yield r
        r.switch.flows.delete()
        r.switch.tlv_map.mod("", TlvCommand.CLEAR)


@OVS
def test_the_tlv_map_is_dumped_as_ovs_ofctl_does(ovs: Ovs, mapped: Rig) -> None:
    ovs.ofctl("add-tlv-map", TLVS)
    mapped.switch.tlv_map.mod(TLVS)
    assert body(mapped.switch.tlv_map.text()) == body(ovs.ofctl("dump-tlv-map"))


def test_the_tlv_map_is_refused_by_name_and_all_or_nothing(mapped: Rig) -> None:
    tlvs = mapped.switch.tlv_map
    tlvs.mod(TLVS)
    before = tlvs.text()
    taken = "{class=1,type=1,len=4}->tun_metadata5,{class=0xffff,type=0,len=4}->tun_metadata6"
    assert refused(tlvs.mod, taken) == "NXTTMFC_DUP_ENTRY"
    assert refused(tlvs.mod, "{class=1,type=1,len=4}->tun_metadata0") == "NXTTMFC_ALREADY_MAPPED"
    assert refused(tlvs.mod, "{class=1,type=1,len=5}->tun_metadata5") == "NXTTMFC_BAD_OPT_LEN"
    assert tlvs.text() == before
    mapped.switch.flows.add("tun_metadata0=1,actions=drop")
    assert refused(tlvs.mod, "", TlvCommand.CLEAR) == "NXTTMFC_INVALID_TLV_DEL"
    mapped.switch.flows.delete()
    tlvs.mod("{class=0xffff,type=0,len=4}->tun_metadata0", TlvCommand.DELETE)
    assert "tun_metadata0" not in tlvs.text()


def test_a_field_of_the_map_in_use_keeps_it_for_all_switches(mapped: Rig) -> None:
    mapped.switch.tlv_map.mod(TLVS)
    with rig(1, ["tun_metadata1=1,actions=drop"]) as other:
        assert isinstance(other.switch, Switch)
        assert refused(mapped.switch.tlv_map.mod, "", TlvCommand.CLEAR) == "NXTTMFC_INVALID_TLV_DEL"
