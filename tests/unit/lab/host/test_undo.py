"""Undoing runs backwards and does not stop at what fails."""

from lab.errors import fail
from lab.host.undo import Step, undo


def test_the_last_made_goes_first() -> None:
    done: list[str] = []
    assert undo([Step("a", lambda: done.append("a")), Step("b", lambda: done.append("b"))]) == []
    assert done == ["b", "a"]


def test_every_step_is_tried_and_every_failure_told() -> None:
    done: list[str] = []

    def cannot() -> None:
        raise OSError(16, "Device or resource busy")

    def will_not() -> None:
        raise fail("device x", "is in use", "wait")

    left = undo(
        [Step("first", lambda: done.append("first")), Step("second", cannot), Step("third", will_not)]
    )
    assert done == ["first"]
    assert [(problem.where, problem.found) for problem in left] == [
        ("device x", "is in use"),
        ("second", "could not be undone: Device or resource busy"),
    ]
