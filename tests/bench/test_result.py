import json

import pytest

from lab.bench.dut_base import DutCounters
from lab.bench.dut_ovs import parse_ports
from lab.bench.lane import Turn
from lab.bench.result import Measured, document, judge
from lab.bench.schedule import rotated
from lab.errors import LabError
from lab.measure.packet_rate import RateResult, RateSample


def turn(*rates: float, share: float | None = 1.0, lost: int = 0, sent: int = 100) -> Turn:
    samples = tuple(RateSample(0.4, 9e6, rate, share) for rate in rates)
    return Turn(RateResult(samples, (), 1000, 100), DutCounters(100, sent), lost)


def dut(name: str, *turns: Turn, checked: int = 256) -> Measured:
    return Measured(name, name.title(), {}, checked, turns)


CEILING = dut("ceiling", turn(8e6, share=None), turn(8e6, share=None), checked=0)


def test_ratio_is_the_median_of_the_rounds_with_its_spread() -> None:
    ours = dut("ringside", turn(0.9e6), turn(0.4e6), turn(1.1e6))
    plain = dut("plain", turn(1e6), turn(0.5e6), turn(1e6))
    outcome = judge([CEILING, ours, plain], {})
    (verdict,) = outcome.verdicts
    assert verdict.row == "Ringside / Plain"
    assert verdict.value == pytest.approx(0.9)
    assert verdict.holds is True
    assert "spread 0.80 to 1.10" in verdict.why


def test_every_row_of_ours_meets_every_yardstick_present() -> None:
    names = ["ringside", "ringside-normal", "plain", "bridge"]
    outcome = judge([CEILING, *(dut(name, turn(1e6)) for name in names)], {})
    assert [(ratio.above, ratio.below) for ratio in outcome.ratios] == [
        ("ringside", "plain"),
        ("ringside", "bridge"),
        ("ringside-normal", "plain"),
        ("ringside-normal", "bridge"),
    ]


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (dut("ringside", turn(1e6), checked=0), "content not checked"),
        (dut("ringside", turn(1e6, sent=103)), "3 packets unexplained"),
        (dut("ringside", turn(6e6)), "ceiling is less than 1.5 times"),
    ],
)
def test_a_figure_that_cannot_be_believed_gets_no_verdict(ours: Measured, said: str) -> None:
    (verdict,) = judge([CEILING, ours, dut("plain", turn(1e6))], {}).verdicts
    assert verdict.holds is None
    assert said in verdict.why


def test_packets_that_the_kernel_dropped_behind_the_datapath_are_explained() -> None:
    assert turn(1e6, sent=103, lost=3).unexplained == 0


def test_without_a_ceiling_nothing_is_held() -> None:
    (verdict,) = judge([dut("ringside", turn(1e6)), dut("plain", turn(1e6))], {}).verdicts
    assert verdict.holds is None
    assert "ceiling was not measured" in verdict.why


def test_a_datapath_that_was_left_out_is_told_with_the_reason() -> None:
    left_out = {"bridge": "in0: threaded NAPI: not there"}
    *_, verdict = judge([CEILING, dut("ringside", turn(1e6)), dut("plain", turn(1e6))], left_out).verdicts
    assert (verdict.row, verdict.value, verdict.holds) == ("bridge", None, None)
    assert "threaded NAPI" in verdict.why


def test_a_shared_core_is_told_and_taken_out_per_core_second() -> None:
    ours, plain = dut("ringside", turn(0.5e6, share=0.5)), dut("plain", turn(1e6))
    outcome = judge([CEILING, ours, plain], {})
    assert outcome.ratios[0].rounds == (0.5,)
    assert outcome.ratios[0].per_core == (1.0,)
    assert outcome.verdicts[0].holds is None
    assert "had its core for as little as 50% of a sample" in outcome.verdicts[0].why
    assert "for each second of core time 1.00" in outcome.verdicts[0].why


def test_the_document_survives_json_and_has_what_the_design_asks() -> None:
    outcome = judge([CEILING, dut("ringside", turn(1e6)), dut("plain", turn(1e6))], {})
    read = json.loads(json.dumps(document(outcome, {"kernel": "6"}, {"rounds": 1})))
    assert set(read["verdicts"][0]) == {"row", "value", "unit", "reach", "holds", "why"}
    assert read["duts"]["ringside"]["turns"][0]["rate"]["samples"][0]["delivered"] == 1e6


def test_over_the_rounds_each_datapath_is_first_equally_often() -> None:
    assert [rotated("abc", number)[0] for number in range(6)] == list("abcabc")
    assert rotated("abc", 1) == ["b", "c", "a"]


DUMP = """OFPST_PORT reply (xid=0x2): 3 ports
  port LOCAL: rx pkts=0, bytes=0, drop=17, errs=0, frame=0, over=0, crc=0
           tx pkts=12, bytes=936, drop=0, errs=0, coll=0
  port  1: rx pkts=4096, bytes=245760, drop=?, errs=?, frame=?, over=?, crc=?
           tx pkts=3, bytes=180, drop=0, errs=0, coll=0
  port  2: rx pkts=?, bytes=?, drop=?, errs=?, frame=?, over=?, crc=?
           tx pkts=?, bytes=?, drop=?, errs=?, coll=?
"""


def test_ports_of_ovs_are_read_and_unknown_counts_left_out() -> None:
    assert parse_ports(DUMP) == {"LOCAL": {"rx": 0, "tx": 12}, "1": {"rx": 4096, "tx": 3}}


def test_a_dump_without_ports_is_an_error() -> None:
    with pytest.raises(LabError, match="no port that counts"):
        parse_ports("OFPST_PORT reply (xid=0x2): 0 ports\n")
