"""Impairment is where the packets of an AF_XDP switch go too: measured, in each direction."""

from pathlib import Path

import pytest

from lab.host import qdisc
from tests.integration import datapaths
from tests.integration.traffic import iperf
from tests.lab.harness import Lab, topology_file

pytestmark = [pytest.mark.root, pytest.mark.netns]

RATE = 20e6
PAIR = (
    "name: t\nhosts: {h1: , h2: }\nswitches: {s1: {datapath: %s}}\n"
    "links: [{ends: [h1, s1]%s}, {ends: [h2, s1]}]"
)
CHAIN = (
    "name: t\nhosts: {h1: , h2: }\nswitches: {s1: {datapath: %s}, s2: {datapath: %s}}\n"
    "links: [{ends: [h1, s1]}, {ends: [s1, s2], impair: {s1->s2: {rate: 20mbit}}}, {ends: [s2, h2]}]"
)
# That a bridge is limited too is no news; that AF_XDP is, is the point.
ALL = (datapaths.RINGSIDE, pytest.param("linux-bridge", marks=pytest.mark.slow))
NETEM = pytest.mark.skipif(not qdisc.has_netem(), reason="this kernel has no netem (CONFIG_NET_SCH_NETEM)")


def rate(lab: Lab, *words: str) -> float:
    """Bits a second of UDP offered at 60 Mbit/s, as received by h2, or with -R by h1."""
    end = iperf(lab, "h2", "h1", "-u", "-b", "60M", "-l", "1200", *words)["end"]
    received: float = end["sum"]["bits_per_second"] * (1 - end["sum"]["lost_percent"] / 100)
    return received


def is_limited(bits: float) -> bool:
    return 0.5 * RATE < bits < 1.25 * RATE


@pytest.mark.parametrize("datapath", ALL)
@pytest.mark.parametrize(("direction", "limited"), [("h1->s1", "forth"), ("s1->h1", "back")])
def test_rate_of_one_direction(lab: Lab, tmp_path: Path, datapath: str, direction: str, limited: str) -> None:
    text = PAIR % (datapath, f", impair: {{{direction}: {{rate: 20mbit}}}}")
    lab.up("--topology", topology_file(tmp_path, text), "--no-check")
    forth, back = rate(lab), rate(lab, "-R")
    assert is_limited(forth) == (limited == "forth"), f"forth {forth:.3g}, back {back:.3g}"
    assert is_limited(back) == (limited == "back"), f"forth {forth:.3g}, back {back:.3g}"


@pytest.mark.parametrize("datapath", ALL)
def test_rate_between_switches(lab: Lab, tmp_path: Path, datapath: str) -> None:
    document = lab.up_document("--topology", topology_file(tmp_path, CHAIN % (datapath, datapath)))
    assert document["tcp"]["bits_per_second"] < 1.25 * RATE
    assert is_limited(rate(lab))
    assert not is_limited(rate(lab, "-R"))


@pytest.mark.slow
def test_impairment_comes_changes_and_goes_while_the_lab_runs(lab: Lab, tmp_path: Path) -> None:
    def up(impair: str) -> None:
        lab.up("--topology", topology_file(tmp_path, PAIR % ("linux-bridge", impair)), "--no-check")

    up("")
    assert not is_limited(rate(lab))
    up(", impair: {rate: 20mbit}")
    assert is_limited(rate(lab))
    assert is_limited(rate(lab, "-R"))
    up("")
    assert not is_limited(rate(lab))
    assert not is_limited(rate(lab, "-R"))
    assert "ifb" not in lab.exec("h1", "ip", "link").stdout


@pytest.mark.skipif(qdisc.has_netem(), reason="this kernel has netem: nothing is refused")
def test_delay_without_netem_names_the_kernel_option(lab: Lab, tmp_path: Path) -> None:
    text = PAIR % ("linux-bridge", ", impair: {delay: 10ms}")
    done = lab.up("--topology", topology_file(tmp_path, text), check=False)
    assert done.returncode == 1
    needs = "delay and loss need the kernel's netem (CONFIG_NET_SCH_NETEM)"
    assert f"error: links[0].impair: {needs}" in done.stderr
    assert "a rate alone works" in done.stderr


@NETEM
@pytest.mark.parametrize("datapath", datapaths.ALL)
def test_delay_of_both_directions(lab: Lab, tmp_path: Path, datapath: str) -> None:
    text = PAIR % (datapath, ", impair: {delay: 10ms}")
    document = lab.up_document("--topology", topology_file(tmp_path, text))
    assert 20 <= document["pings"][0]["rtt_min_ms"] < 40
