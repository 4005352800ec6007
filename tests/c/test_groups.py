"""Groups: their text, what their commands do, and how weights become shares of hash values."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.native import ffi, lib
from tests.c.support.otab import ADD as FLOW_ADD
from tests.c.support.otab import GROUP_DELETED, Tables

ADD, MODIFY, DELETE, ADD_OR_MODIFY, INSERT, REMOVE = range(6)
ALONE = 2**32 - 1  # The group itself, not a bucket.


@pytest.fixture
def tables() -> Tables:
    return Tables()


def shown(tables: Tables, names: bool = False) -> list[str]:
    out = ffi.new("char[]", 65536)
    assert lib.otab_groups(tables.c, names, out, 65536)
    return str(ffi.string(out).decode()).splitlines()


def refused(tables: Tables, command: int, text: str) -> str:
    error = tables.group(command, text)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("group_id=1,type=all", "group_id=1,type=all"),
        (
            "group_id=1,type=all,bucket=output:1,bucket=bucket_id:7,actions=output:2,output:3",
            "group_id=1,type=all,bucket=bucket_id:0,actions=output:1,"
            "bucket=bucket_id:7,actions=output:2,output:3",
        ),
        (
            "group_id=2 type=select bucket=1 bucket=weight:0,actions=",
            "group_id=2,type=select,bucket=bucket_id:0,actions=output:1,"
            "bucket=bucket_id:1,weight:0,actions=drop",
        ),
        (
            "group_id=3,type=select,bucket=output:1,bucket=weight=5,actions=2,bucket=bucket_id=0,3",
            "group_id=3,type=select,bucket=bucket_id:1,actions=output:1,"
            "bucket=bucket_id:2,weight:5,actions=output:2,bucket=bucket_id:0,actions=output:3",
        ),
        (
            "group_id=8,type=select,selection_method=hash,fields(ip_src,tcp_dst=255),"
            "selection_method_param=77,bucket=output:1",
            "group_id=8,type=select,selection_method=hash,selection_method_param=77,"
            "fields(ip_src,tcp_dst=255),bucket=bucket_id:0,actions=output:1",
        ),
        (
            "group_id=9,type=select,fields=nw_src,selection_method=hash,bucket=output:1",
            "group_id=9,type=select,selection_method=hash,fields=ip_src,bucket=bucket_id:0,actions=output:1",
        ),
        (
            "group_id=9,type=select,fields=ip_src=255.255.0.0,selection_method=hash,bucket=output:1",
            "group_id=9,type=select,selection_method=hash,fields=ip_src=255.255.0.0,"
            "bucket=bucket_id:0,actions=output:1",
        ),
        (
            "group_id=9,type=select,fields(),selection_method=hash,bucket=output:1",
            "group_id=9,type=select,selection_method=hash,bucket=bucket_id:0,actions=output:1",
        ),
        (
            "group_id=12,type=select,selection_method=hash,"
            "fields(vlan_vid=0xfff,eth_type,reg0=0xff,ct_mark,tun_id),bucket=output:1",
            "group_id=12,type=select,selection_method=hash,"
            "fields(tun_id,ct_mark,reg0=0xff,eth_type,vlan_vid=4095),bucket=bucket_id:0,actions=output:1",
        ),
        (
            "group_id=10,type=select,selection_method=dp_hash,selection_method_param=0x100000007,bucket=1",
            "group_id=10,type=select,selection_method=dp_hash,selection_method_param=4294967303,"
            "bucket=bucket_id:0,actions=output:1",
        ),
        (
            "group_id=6,type=fast_failover,bucket=watch_port=1,output:1,bucket=watch_group:1,actions=2",
            "group_id=6,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1,"
            "bucket=bucket_id:1,watch_group:1,actions=output:2",
        ),
        (
            "group_id=15,type=select,bucket=bucket_id:3,weight:2,watch_port:h2,watch_group:1,actions=drop",
            "group_id=15,type=select,bucket=bucket_id:3,weight:2,watch_port:2,watch_group:1,actions=drop",
        ),
        (
            "group_id=16,type=all,bucket=action=output:1,set_field:1->reg0,actions=output:2,"
            "check_pkt_larger(100)->reg0[0]",
            "group_id=16,type=all,bucket=bucket_id:0,actions=output:1,set_field:0x1->reg0,output:2,"
            "check_pkt_larger(100)->NXM_NX_REG0[0]",
        ),
        (
            "group_id=17,type=indirect,bucket=actions=1",
            "group_id=17,type=indirect,bucket=bucket_id:0,actions=output:1",
        ),
    ],
)
def test_text_is_read_and_printed_as_open_vswitch_does(tables: Tables, text: str, printed: str) -> None:
    assert tables.group(ADD, text) is None
    assert shown(tables) == [printed]
    assert tables.group(MODIFY, printed) is None
    assert shown(tables) == [printed]


def test_ports_have_names(tables: Tables) -> None:
    assert tables.group(ADD, "group_id=1,type=ff,bucket=watch_port:h2,actions=h1") is None
    assert shown(tables, names=True) == [
        "group_id=1,type=ff,bucket=bucket_id:0,watch_port:h2,actions=output:h1"
    ]


@pytest.mark.parametrize(
    ("command", "text", "error"),
    [
        (ADD, "type=all,bucket=1", "- group_id"),
        (ADD, "group_id=9,bucket=1", "- type"),
        (ADD, "group_id=9,type=foo,bucket=1", "- type"),
        (ADD, "group_id=9,foo=1,type=all", "- group"),
        (ADD, "group_id=9,type=all,command_bucket_id=1,bucket=1", "- command_bucket_id"),
        (ADD, "group_id=9,type=all,bucket=", "- bucket"),
        (ADD, "group_id=9,type=all,bucket=weight:3,output:1", "- weight"),
        (ADD, "group_id=9,type=select,bucket=weight:70000,output:1", "- weight"),
        (ADD, "group_id=9,type=ff,bucket=output:1", "- bucket"),
        (ADD, "group_id=9,type=ff,bucket=watch_port:LOCAL,output:1", "- watch_port"),
        (ADD, "group_id=9,type=ff,bucket=watch_port:nobody,output:1", "- watch_port"),
        (ADD, "group_id=9,type=select,selection_method=foo,bucket=1", "OFPBPC_BAD_VALUE"),
        (ADD, "group_id=9,type=all,selection_method=hash,bucket=1", "OFPBPC_BAD_VALUE"),
        (ADD, "group_id=9,type=select,selection_method_param=7,bucket=1", "- selection_method_param"),
        (ADD, "group_id=9,type=select,selection_method=dp_hash,fields(ip_src),bucket=1", "- fields"),
        (ADD, "group_id=9,type=select,selection_method=hash,fields(ip_src,ip_src),bucket=1", "- ip_src"),
        (ADD, "group_id=9,type=select,selection_method=hash,fields(nope),bucket=1", "- fields"),
        (ADD, "group_id=9,type=select,selection_method=hash,fields(ip_src=0.0.0.0),bucket=1", "- ip_src"),
        (ADD, "group_id=0xffffff01,type=all,bucket=1", "- group_id"),
        (ADD, "group_id=9,type=all,bucket=bucket_id=1,1,bucket=bucket_id=1,2", "OFPGMFC_BAD_BUCKET"),
        (ADD, "group_id=9,type=all,bucket=goto_table:1", "OFPBIC_UNSUP_INST"),
        (ADD, "group_id=1,type=all,bucket=1", "OFPGMFC_GROUP_EXISTS"),
        (ADD, "group_id=9,type=indirect", "OFPGMFC_INVALID_GROUP"),
        (ADD, "group_id=9,type=indirect,bucket=1,bucket=2", "OFPGMFC_INVALID_GROUP"),
        (ADD, "group_id=9,type=all,bucket=watch_port:1,1", "OFPGMFC_WATCH_UNSUPPORTED"),
        (MODIFY, "group_id=9,type=all,bucket=1", "OFPGMFC_UNKNOWN_GROUP"),
        (INSERT, "group_id=9,command_bucket_id=last,bucket=1", "OFPGMFC_UNKNOWN_GROUP"),
        (INSERT, "group_id=1,command_bucket_id=99,bucket=bucket_id=7,1", "OFPGMFC_UNKNOWN_BUCKET"),
        (INSERT, "group_id=1,command_bucket_id=last,bucket=bucket_id=4,1", "OFPGMFC_BUCKET_EXISTS"),
        (INSERT, "group_id=1,command_bucket_id=all,bucket=bucket_id=5,1", "- command_bucket_id"),
        (INSERT, "group_id=1,bucket=bucket_id=5,1", "- command_bucket_id"),
        (INSERT, "group_id=1,type=all,command_bucket_id=last,bucket=1", "- type"),
        (REMOVE, "group_id=1,command_bucket_id=99", "OFPGMFC_UNKNOWN_BUCKET"),
        (REMOVE, "group_id=9,command_bucket_id=first", "OFPGMFC_UNKNOWN_GROUP"),
        (REMOVE, "group_id=1,command_bucket_id=first,bucket=1", "- bucket"),
    ],
)
def test_refusals(tables: Tables, command: int, text: str, error: str) -> None:
    assert tables.group(ADD, "group_id=1,type=all,bucket=bucket_id=4,1") is None
    before = shown(tables)
    assert refused(tables, command, text).startswith(f"{error}")
    assert shown(tables) == before


def test_groups_that_would_come_back_to_themselves_are_refused(tables: Tables) -> None:
    assert refused(tables, ADD, "group_id=5,type=all,bucket=group:5").startswith("OFPGMFC_LOOP")
    assert tables.group(ADD, "group_id=1,type=all,bucket=group:2,bucket=1") is None, "2 may come later"
    assert tables.group(ADD, "group_id=3,type=all,bucket=clone(group:1)") is None
    assert refused(tables, ADD, "group_id=2,type=all,bucket=1,bucket=group:3").startswith("OFPGMFC_LOOP")
    assert tables.group(ADD, "group_id=2,type=all,bucket=group:4") is None
    assert tables.group(ADD, "group_id=4,type=all,bucket=1") is None
    text = "group_id=4,command_bucket_id=last,bucket=bucket_id=1,group:1"
    assert refused(tables, INSERT, text).startswith("OFPGMFC_LOOP")


def test_buckets_are_inserted_and_removed(tables: Tables) -> None:
    def ids() -> list[int]:
        return [int(n) for n in re.findall(r"bucket_id:(\d+)", shown(tables)[0])]

    assert tables.group(ADD, "group_id=1,type=all,bucket=bucket_id=0,1,bucket=bucket_id=9,2") is None
    assert tables.group(INSERT, "group_id=1,command_bucket_id=first,bucket=bucket_id=4,3") is None
    assert (
        tables.group(INSERT, "group_id=1,command_bucket_id=0,bucket=bucket_id=5,1,bucket=bucket_id=6,1")
        is None
    )
    assert tables.group(INSERT, "group_id=1,command_bucket_id=last,bucket=bucket_id=7,1") is None
    assert ids() == [4, 0, 5, 6, 9, 7]
    assert tables.group(REMOVE, "group_id=1,command_bucket_id=first") is None
    assert tables.group(REMOVE, "group_id=1,command_bucket_id=last") is None
    assert tables.group(REMOVE, "group_id=1,command_bucket_id=5") is None
    assert ids() == [0, 6, 9]
    assert tables.group(REMOVE, "group_id=1") is None
    assert shown(tables) == ["group_id=1,type=all"]
    assert tables.group(REMOVE, "group_id=1,command_bucket_id=first") is None


def test_counters_of_buckets_stay_where_the_buckets_do(tables: Tables) -> None:
    assert tables.group(ADD, "group_id=1,type=all,bucket=1,bucket=2") is None
    created = tables.now
    for bucket, packets in ((ALONE, 9), (0, 5), (1, 4)):
        lib.otab_group_credit(tables.c, 1, bucket, packets)
    tables.sleep(100)
    assert tables.group(INSERT, "group_id=1,command_bucket_id=first,bucket=bucket_id=7,3") is None
    assert [lib.otab_group_packets(tables.c, 1, b) for b in (ALONE, 0, 1, 2)] == [0, 0, 5, 4]
    assert tables.group(REMOVE, "group_id=1,command_bucket_id=0") is None
    assert [lib.otab_group_packets(tables.c, 1, b) for b in (0, 1)] == [0, 4]
    assert tables.group(MODIFY, "group_id=1,type=all,bucket=1,bucket=2") is None
    assert [lib.otab_group_packets(tables.c, 1, b) for b in (0, 1)] == [0, 0]
    assert lib.otab_group_created(tables.c, 1) == created


def test_flows_go_with_the_group_that_they_send_to(tables: Tables) -> None:
    for number in (1, 2):
        assert tables.group(ADD, f"group_id={number},type=all,bucket=1") is None
    tables.flow(FLOW_ADD, "send_flow_rem,table=0,actions=group:1")
    tables.flow(FLOW_ADD, "table=1,actions=write_actions(group:2)")
    tables.flow(FLOW_ADD, "table=2,actions=clone(group:1)")
    tables.flow(FLOW_ADD, "table=3,actions=output:1")
    tables.events()
    assert tables.group(DELETE, "group_id=1") is None
    assert [r.table for r in tables.rules()] == [1, 3]
    assert [e.split()[:2] for e in tables.events() if "removed" in e] == [["removed", str(GROUP_DELETED)]]
    assert tables.group(DELETE, "group_id=1") is None, "it is no error that there is none"
    assert tables.group(DELETE, "") is None
    assert ([r.table for r in tables.rules()], shown(tables)) == ([3], [])


def test_a_bundle_takes_groups_back(tables: Tables) -> None:
    assert tables.group(ADD, "group_id=1,type=all,bucket=1") is None
    tables.flow(FLOW_ADD, "actions=group:1")
    before = shown(tables)
    with tables.bundle(commit=False):
        assert tables.group(MODIFY, "group_id=1,type=all,bucket=2") is None
        assert tables.group(DELETE, "group_id=1") is None
        assert tables.group(ADD, "group_id=1,type=select,bucket=2") is None
        assert tables.group(ADD, "group_id=2,type=all,bucket=group:1") is None
        tables.flow(FLOW_ADD, "table=1,actions=group:2")
    assert (shown(tables), tables.texts()) == (before, ["table=0, actions=group:1"])
    assert tables.group(DELETE, "group_id=all") is None
    assert (shown(tables), tables.rules()) == ([], [])


def test_many_groups(tables: Tables) -> None:
    for number in range(500):
        assert tables.group(ADD, f"group_id={number * 7919 % 65521},type=all,bucket={number % 3 + 1}") is None
    assert len(shown(tables)) == 500
    for number in range(0, 500, 2):
        assert tables.group(DELETE, f"group_id={number * 7919 % 65521}") is None
    ids = [int(re.findall(r"group_id=(\d+)", line)[0]) for line in shown(tables)]
    assert ids == sorted(number * 7919 % 65521 for number in range(1, 500, 2))


# ---- dp_hash -----------------------------------------------------------------------------------------------


def hash_map(tables: Tables, weights: list[int], extra: str = "") -> tuple[list[int], int]:
    """Bucket of each hash value, and the algorithm."""
    buckets = ",".join(f"bucket=weight:{w},actions=1" for w in weights)
    assert tables.group(ADD_OR_MODIFY, f"group_id=1,type=select{extra},{buckets}") is None
    out, algorithm = ffi.new("uint16_t[]", 256), ffi.new("uint8_t *")
    n = lib.otab_group_map(tables.c, 1, out, 256, algorithm)
    return list(out[0:n]), int(algorithm[0])


def webster(weights: list[int], size: int) -> list[int]:
    """Seats go one by one to the largest weight / (2 * seats + 1), the first of equals."""
    seats = [0] * len(weights)
    given = []
    for _ in range(size):
        winner = max(range(len(weights)), key=lambda i: (weights[i] / (2 * seats[i] + 1), -i))
        seats[winner] += 1
        given.append(winner)
    return given


@given(weights=st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_hash_values_are_given_out_by_weight(weights: list[int]) -> None:
    positive = [w for w in weights if w]
    found, algorithm = hash_map(Tables(), weights)
    if not positive:
        assert found == []
        return
    needed = -(-sum(positive) // min(positive))
    size = max(16, 1 << (needed - 1).bit_length())
    assert found == (webster(weights, size) if size <= 256 else [])
    assert not found or algorithm == 1


@pytest.mark.parametrize(
    ("extra", "algorithm"),
    [
        ("", 1),
        (",selection_method=dp_hash", 0),
        (",selection_method=dp_hash,selection_method_param=0x100000005", 1),
        (",selection_method=dp_hash,selection_method_param=0x700000005", 0),
    ],
)
def test_the_hash_algorithm(tables: Tables, extra: str, algorithm: int) -> None:
    assert hash_map(tables, [1, 1], extra) == (webster([1, 1], 16), algorithm)


def test_other_methods_have_no_map(tables: Tables) -> None:
    assert hash_map(tables, [1, 1], ",selection_method=hash,fields=ip_src")[0] == []
    assert hash_map(tables, [1, 400])[0] == [], "too many hash values"
    assert hash_map(tables, [0, 0])[0] == []
