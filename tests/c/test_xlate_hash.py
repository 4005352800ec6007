"""The hashes by which links and buckets are chosen are those of Open vSwitch 3.1, which gave the numbers here
(multipath over 65536 links with modulo_n, which shows the hash's low half; and eight senders a row).
"""

from __future__ import annotations

import pytest

from tests.c.support.native import lib
from tests.c.support.translation import Bridge

ETHERNET = "dl_src=02:00:00:12:34:56,dl_dst=0e:ff:01:02:03:04"
IPV4 = "nw_src=10.1.2.3,nw_dst=192.168.7.9"
# eth_src, symmetric_l4, symmetric_l3l4, symmetric_l3l4+udp, nw_src, nw_dst, symmetric_l3
HASHES = [
    (f"tcp,{IPV4},tcp_src=1234,tcp_dst=80", [3884, 10280, 1985, 1985, 51346, 31803, 36071]),
    (f"udp,{IPV4},udp_src=53,udp_dst=5353", [3884, 59293, 55173, 46443, 51346, 31803, 36071]),
    (
        "vlan_tci=0x1064,sctp,nw_src=1.2.3.4,nw_dst=5.6.7.8,sctp_src=9,sctp_dst=10",
        [3884, 32923, 26034, 26034, 25197, 54551, 43507],
    ),
    (f"tcp,{IPV4},nw_frag=first,tcp_src=1234,tcp_dst=80", [3884, 10280, 6190, 6190, 51346, 31803, 36071]),
    (f"icmp,{IPV4},icmp_type=8,icmp_code=0", [3884, 36804, 49740, 49740, 51346, 31803, 36071]),
    (
        "tcp6,ipv6_src=fd00::1:2,ipv6_dst=2001:db8::9,tcp_src=1234,tcp_dst=80",
        [3884, 34728, 11224, 11224, 17010, 61980, 5592],
    ),
    (
        "vlan_tci=0x7005,udp6,ipv6_src=fe80::1,ipv6_dst=fe80::2,udp_src=1,udp_dst=2",
        [3884, 58245, 42477, 33852, 24308, 42567, 19928],
    ),
    ("arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_op=1", [3884, 4189, 56307, 56307, 50, 50, 32641]),
    ("vlan_tci=0x1001,dl_type=0x88cc", [3884, 21793, 28351, 28351, 50, 50, 32314]),
]
LINKS = [
    ("hash_threshold,1,0", [0, 0, 0, 0, 0, 0, 0, 0]),
    ("hash_threshold,7,0", [1, 6, 3, 2, 6, 2, 4, 1]),
    ("hrw,1,0", [0, 0, 0, 0, 0, 0, 0, 0]),
    ("hrw,5,0", [2, 0, 4, 4, 2, 0, 1, 2]),
    ("hrw,100,0", [29, 17, 35, 7, 40, 51, 78, 48]),
    ("iter_hash,5,0", [4, 1, 3, 4, 3, 3, 3, 4]),
    ("iter_hash,5,8", [4, 1, 3, 4, 3, 3, 3, 4]),
    ("iter_hash,300,999", [254, 145, 163, 244, 238, 179, 78, 213]),
    ("modulo_n,3,0", [2, 2, 0, 1, 2, 0, 0, 2]),
]


@pytest.mark.parametrize(("flow", "expected"), HASHES, ids=[flow for flow, _ in HASHES])
def test_hashes_over_fields(flow: str, expected: list[int]) -> None:
    key = Bridge(1).key(f"in_port=1,{ETHERNET},{flow}")
    assert [lib.xl_hash_fields(key, fields, 50) & 0xFFFF for fields in range(7)] == expected


@pytest.mark.parametrize(("algorithm", "expected"), LINKS, ids=[algorithm for algorithm, _ in LINKS])
def test_links(algorithm: str, expected: list[int]) -> None:
    bridge = Bridge(1)
    bridge.flow(f"actions=multipath(eth_src,7,{algorithm},NXM_NX_REG0[0..15])")
    links = []
    for n in range(8):
        report = bridge.run(f"in_port=1,dl_src=02:00:00:00:00:{n:02x}").report
        links.append(int(report.split("is now ")[1].split("\n")[0], 16))
    assert links == expected
