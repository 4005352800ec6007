"""Datapath actions as text: Open vSwitch's spelling, read and printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.support.execute import BadList, check, parse, show

# As `ovs-appctl ofproto/trace` of Open vSwitch 3.1 printed them.
SPELLINGS = [
    "set(ipv4(src=1.0.0.0/255.0.0.0,dst=1.2.3.4,ttl=63)),2",
    "set(ipv4(tos=0xa)),set(tcp(src=16/0xff,dst=80)),2",
    "set(ipv6(src=2001:db8::1,label=0x12345)),set(udp(dst=53)),2",
    "set(arp(sip=1.1.1.1,op=2,tha=00:00:00:00:00:05)),2",
    "set(icmp(type=8,code=0)),2",
    "set(nd(target=fe80::1,sll=02:00:00:00:00:01)),2",
    "set(nd_ext(nd_reserved=0x12,nd_options_type=2)),2",
    "push_vlan(vid=0,pcp=5),2,pop_vlan,3",
    "set(mpls(label=99,tc=0,ttl=6,bos=1)),2",
    "push_mpls(label=99,tc=0,ttl=64,bos=1,eth_type=0x8847),push_mpls(label=9,tc=0,ttl=64,bos=0,eth_type=0x8847),2",
    "pop_mpls(eth_type=0x800),2",
    "set(skb_priority(0x5)),set(skb_mark(0x12/0xff)),2,set(skb_priority(0)),3",
    "trunc(100),2,3",
    "set(eth(dst=02:00:00:00:00:01)),2,set(eth(dst=00:00:00:00:00:00)),3",
    "check_pkt_len(size=100,gt(2),le(2))",
    "drop",
    "ct(commit,zone=5,mark=0x1/0xffffffff,label=0x5,nat(src=1.2.3.4-1.2.3.9:10-20,random)),2",
    "ct(commit,nat(dst=[fe80::1]:80,persistent,hash)),2",
    "ct(nat)",
    "push_nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x1234,si=255,c1=0x0,c2=0x0,c3=0x0,c4=0x0),pop_nsh(),recirc(0x1)",
    "push_nsh(flags=0,ttl=63,mdtype=2,np=3,spi=0x0,si=255,md2=0x10000a0412345678),2",
    "set(nsh(ttl=62,spi=0x1234,si=4,c1=0x3)),2",
    "pop_eth,add_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847),push_eth(src=00:00:00:00:00:00,dst=00:00:00:00:00:00),2",
    "meter(0),2",
    "hash(l4(0)),recirc(0x4)",
]
# As its sources print them; no flow of the tests makes them.
MORE = [
    "push_vlan(tpid=0x88a8,vid=7,pcp=3),2",
    "ct(force_commit,zone=5,helper=ftp,nat),2",
    "ct,recirc(0x5)",
    "ct(label=0x10000000000000000/0xffffffffffffffff0000000000000000),1",
    "ct(commit,nat(src=fe80::1-fe80::9)),1",
    "ct(commit,nat(dst)),1",
    "hash(sym_l4(17)),recirc(0x4)",
    "clone(pop_vlan,2),3",
    "sample(sample=50.0%,actions(2)),3",
    "sample(sample=0.1%,actions(clone(1,2))),3",
    "set(tunnel(tun_id=0x5,src=1.1.1.1,dst=2.2.2.2,tos=0x4,ttl=64,tp_src=5,tp_dst=4789,flags(df|csum|key|oam))),3",
    "set(tunnel(ipv6_src=fe80::1,ipv6_dst=fe80::2,ttl=64,vxlan(gbp(id=5,flags=0x1)),flags(0))),3",
    "set(tunnel(dst=2.2.2.2,ttl=64,options(present=0x3,data=0102ff),erspan(ver=2,dir=1,hwid=0x3),flags(0))),3",
    "set(tunnel(dst=2.2.2.2,ttl=64,erspan(ver=1,idx=0x7),gtpu(flags=0x1,msgtype=255),flags(0))),3",
    "tnl_pop(4)",
    "tnl_push(tnl_port(4))",
    "ct_clear,2",
    "set(vlan(vid=5,pcp=1)),1",
    "set(vlan(vid=5/0xf)),1",
    "set(sctp(src=5)),set(icmpv6(type=1,code=2)),1",
    "set(nsh(flags=0x01/0x01,ttl=0x02/0x0f,spi=0x1200/0x0000ff00,c4=0x1/0x0000000f)),1",
    "set(mpls(label=99/0xff,tc=0/0,ttl=6/0xf,bos=1/1)),2",
    "userspace(pid=0,controller(pin=7)),2",
    "push_nsh(flags=0,ttl=63,mdtype=2,np=3,spi=0x0,si=255,md2=0),2",
]


@pytest.mark.parametrize("text", [*SPELLINGS, *MORE])
def test_what_is_read_prints_the_same(text: str) -> None:
    actions = parse(text)
    assert check(actions) is None
    assert show(actions) == text


def test_names_of_ports_and_pins_are_the_callers() -> None:
    actions = parse("3,clone(userspace(pid=0,controller(pin=7)),4),5")
    assert show(actions, names=True) == "eth3,clone(userspace(pid=0,controller(reason=1,number=7)),eth4),eth5"


def test_an_empty_list_drops() -> None:
    assert show(b"") == "drop"
    assert show(parse("clone(drop),1")) == "clone(drop),1"


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ("", 0, "unknown action"),
        ("forward(1)", 0, "unknown action"),
        ("1,", 2, "unknown action"),
        ("1 ,2", 1, "expected a comma or the end"),
        ("clone(1", 7, "expected )"),
        ("set(ipv4(port=1)),1", 9, "expected a field of this key"),
        ("set(ipv4(ttl=3,src=1.2.3.4)),1", 14, "expected )"),
        ("set(ipv4(src=1.2.3)),1", 13, "expected an IPv4 address"),
        ("set(ipv6(src=fe80::1::2)),1", 13, "expected an IPv6 address"),
        ("set(eth(src=02:00)),1", 17, "expected an Ethernet address"),
        ("set(carrot(1)),1", 4, "set() of an unknown key"),
        ("set(ipv4(ttl=256)),1", 13, "number out of range"),
        ("set(ipv4(ttl=0x)),1", 13, "expected a number"),
        ("set(skb_mark(99999999999999999999)),1", 13, "number out of range"),
        ("drop,1", 4, "expected a comma or the end"),
        ("70000", 5, "port id out of range"),
        ("sample(sample=101.0%,actions(1))", 14, "number out of range"),
        ("sample(sample=100.5%,actions(1))", 19, "number out of range"),
        ("push_vlan(vid=4096,pcp=0)", 14, "number out of range"),
        ("push_vlan(tpid=0x1234,vid=1,pcp=0)", 34, "TPID is neither 0x8100 nor 0x88a8"),
        ("push_mpls(label=1/1,tc=0,ttl=0,bos=0,eth_type=0x8847)", 36, "a mask where there can be none"),
        ("ct(zoo=1)", 3, "unknown argument of ct()"),
        ("ct(helper=averylongname)", 10, "helper's name"),
        ("ct(nat(up=1))", 7, "expected another field"),
        ("trunc(3)", 8, "trunc shorter than an Ethernet header"),
        ("recirc(0)", 9, "recirculation id 0"),
        ("push_nsh(flags=9,ttl=1)", 15, "number out of range"),
        ("clone(" * 17 + "1" + ")" * 17, 96, "lists nested too deep"),
    ],
)
def test_a_malformed_text_names_place_and_reason(text: str, at: int, why: str) -> None:
    with pytest.raises(BadList) as caught:
        parse(text)
    assert (caught.value.at, caught.value.why) == (at, why)


def test_a_text_that_makes_too_long_a_list_is_refused() -> None:
    assert len(parse(",".join(["1"] * 8192))) == 65536
    with pytest.raises(BadList, match="too long"):
        parse(",".join(["1"] * 8193))


words = st.sampled_from([*"()=,/.:%0123456789abcdefx", *SPELLINGS, *MORE, "set(", "clone(", "0x", "drop"])


@given(st.lists(words, max_size=12).map("".join))
def test_whatever_is_read_prints_to_what_reads_the_same(text: str) -> None:
    try:
        actions = parse(text)
    except BadList:
        return
    assert parse(show(actions)) == actions or "nd_ext" in text  # Whose mask the text does not have.
