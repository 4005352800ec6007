"""The kernel's own news and answers, in a namespace: what no message made by hand can show."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.switchd_support import ROOT, Room, room, run

pytestmark = [pytest.mark.root, pytest.mark.netns]

# Run in the namespace; prints one JSON document.
QUESTIONS = """
import dataclasses, json
from switch.control.netlink.client import Netlink, queues_in_use
with Netlink() as netlink:
    link = netlink.link("h1")
    netlink.set_alias(link.ifindex, "ringside:test")
    try:
        netlink.set_alias(9999, "x")
    except OSError as error:
        refused = error.errno
    print(json.dumps({
        "h1": dataclasses.asdict(netlink.link("h1")), "none": netlink.link("nothing"), "refused": refused,
        "names": sorted(each.name for each in netlink.links()), "index": link.ifindex,
        "ways": sorted(netlink.default_route_devices()),
        "queues": queues_in_use("h1"), "lo": queues_in_use("lo"),
    }))
"""

# A room so small that a burst of changes overruns it while nobody reads; then one more change.
OVERRUN = """
import asyncio, json, subprocess
from switch.control.netlink.monitor import LinkMonitor

def mtu(*sizes):
    changes = "".join(f"link set h1 mtu {size}\\n" for size in sizes)
    subprocess.run(["ip", "-batch", "-"], input=changes, text=True, check=True)

async def main():
    news, last = [], asyncio.Event()
    def changed(link, gone):
        news.append(link.mtu)
        if link.mtu == 1300:
            last.set()
    monitor = LinkMonitor(changed, lambda: news.append("lost"), room=4096)
    mtu(*range(1400, 1450))  # The loop stands still meanwhile.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.to_thread(mtu, 1300)
    await asyncio.wait_for(last.wait(), 20)
    monitor.close()
    print(json.dumps(news))

asyncio.run(main())
"""


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        made.host(1)
        yield made


def inside(net: Room, code: str) -> str:
    environment = ["env", f"PYTHONPATH={ROOT}"]
    return run(*net.inside("sw", *environment, sys.executable, "-c", code)).stdout


def test_the_kernel_answers_as_ip_does(net: Room) -> None:
    net.ip("sw", "address", "add", "10.9.0.100/24", "dev", "h1")
    # More routes than one buffer holds, and the default route in a table that the kernel dumps after main.
    batch = net.folder / "routes"
    batch.write_text(
        "".join(f"route add 10.{16 + n // 256}.{n % 256}.0/24 via 10.9.0.1\n" for n in range(600))
    )
    net.ip("sw", "-batch", str(batch))
    net.ip("sw", "route", "add", "default", "via", "10.9.0.1", "table", "511")
    told = json.loads(inside(net, QUESTIONS))
    (shown,) = json.loads(net.ip("sw", "-j", "-d", "link", "show", "h1"))
    link = told["h1"]
    assert (link["ifindex"], link["name"], link["mac"]) == (shown["ifindex"], "h1", shown["address"])
    assert (link["kind"], link["mtu"], link["alias"]) == ("veth", 1500, "ringside:test")
    assert (link["rx_queues"], link["peer_elsewhere"]) == (shown["num_rx_queues"], True)
    assert (told["none"], told["refused"]) == (None, 19)
    assert told["names"] == ["h1", "lo"]
    assert told["ways"] == [told["index"]]
    assert told["queues"] >= 1
    assert told["lo"] is None


def test_after_an_overrun_the_loss_is_told_and_news_go_on(net: Room) -> None:
    news = json.loads(inside(net, OVERRUN))
    assert "lost" in news
    assert news[-1] == 1300
    assert len(news) < 50
