"""Features and outcomes: the records are well-formed, and a failing probe cannot pass for an answer."""

import errno

import pytest

from kernel_compat import sandbox, version
from kernel_compat.feature import AS_ROOT, Feature, Outcome, ask, errno_name, from_errno, no, unknown, yes
from kernel_compat.probes import ALL_FEATURES, links, tc


def feature(outcome: Outcome | Exception, option: str = "") -> Feature:
    def probe() -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Feature("test.it", "5.10", "a test", probe, option, sandboxed=False)


def test_every_record_is_whole() -> None:
    names = [one.name for one in ALL_FEATURES]
    assert len(set(names)) == len(names) > 30
    for one in ALL_FEATURES:
        assert one.name.count(".") == 1
        assert one.what_for
        assert version.parse(one.since) < version.parse("100.0")
        assert one.option == "" or one.option.startswith("CONFIG_")


@pytest.mark.parametrize(
    ("number", "answer"),
    [(0, "yes"), (errno.EAFNOSUPPORT, "no"), (errno.EPERM, "unknown"), (errno.EBUSY, "unknown")],
)
def test_an_errno_becomes_an_answer(number: int, answer: str) -> None:
    outcome = from_errno(number, "socket()", {errno.EAFNOSUPPORT})
    assert outcome.answer == answer
    assert number == 0 or errno_name(number) in outcome.evidence


def test_not_permitted_says_how() -> None:
    assert from_errno(errno.EPERM, "bpf()", ()).way_out == AS_ROOT


def test_names_of_errnos_that_python_gets_wrong() -> None:
    assert errno_name(errno.EOPNOTSUPP) == "EOPNOTSUPP"
    assert errno_name(524) == "ENOTSUPP"


def test_a_broken_probe_is_no_answer() -> None:
    outcome = ask(feature(ValueError("oops")))
    assert outcome.answer == "unknown"
    assert "ValueError: oops" in outcome.evidence
    assert ask(feature(OSError(errno.EPERM, "x"))).answer == "unknown"


def test_an_absent_feature_names_its_kernel_option() -> None:
    assert "CONFIG_X" in ask(feature(no("not there"), "CONFIG_X")).way_out
    assert ask(feature(no("not there", "do this"), "CONFIG_X")).way_out == "do this"
    assert ask(feature(yes("there"), "CONFIG_X")).way_out == ""


def test_only_firm_answers_are_remembered() -> None:
    answers = iter([unknown("busy"), yes("there"), no("changed")])
    asked = Feature("test.remembered", "5.0", "a test", lambda: next(answers), sandboxed=False)
    assert [sandbox.survey([asked])[asked.name].answer for _ in range(3)] == ["unknown", "yes", "yes"]


def test_a_child_that_dies_is_an_error() -> None:
    def work() -> dict[str, Outcome]:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="status 1"):
        sandbox.in_child(work)


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(sandbox.MissingTool, match="no-such-tool"):
        sandbox.command("no-such-tool")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Error: Specified qdisc kind is unknown.\n", "no"),
        ("RTNETLINK answers: Operation not permitted\n", "unknown"),
        ("RTNETLINK answers: File exists\n", "unknown"),
    ],
)
def test_the_words_of_tc_are_told_apart(said: str, answer: str) -> None:
    assert tc.judge("tc", 2, said).answer == answer
    assert tc.judge("tc", 0, "").answer == "yes"


def test_the_words_of_ip_are_told_apart() -> None:
    assert links.judge("ip", 2, "Error: Unknown device type.\n").answer == "no"
    assert links.judge("ip", 2, "RTNETLINK answers: Operation not permitted").answer == "unknown"
    assert links.judge("ip", 2, "").evidence == "ip: exit code 2"


@pytest.mark.root
def test_a_survey_is_conclusive_and_leaves_nothing() -> None:
    before = {
        line for line in sandbox.command("ip", "-br", "link").stdout.splitlines() if line.startswith("p")
    }
    answers = sandbox.survey(ALL_FEATURES)
    assert set(answers) == {one.name for one in ALL_FEATURES}
    unsure = {name: outcome.evidence for name, outcome in answers.items() if not outcome.firm}
    assert not unsure
    after = {
        line for line in sandbox.command("ip", "-br", "link").stdout.splitlines() if line.startswith("p")
    }
    assert not any(line.startswith(("pa", "pb")) for line in after - before)


@pytest.mark.root
def test_answers_agree_with_each_other() -> None:
    answers = {name: outcome.answer for name, outcome in sandbox.survey(ALL_FEATURES).items()}
    if answers["af_xdp.socket"] == "no":
        assert answers["af_xdp.umem"] != "yes"
    if answers["xdp.link_native"] == "yes":
        assert answers["xdp.load"] == "yes"
    if answers["af_xdp.shared_umem"] == "yes":
        assert answers["af_xdp.copy"] == "yes"
