import os
import signal

import pytest

from lab.bench.guard import alone, interrupted_once
from lab.errors import LockedError
from lab.interrupt import Interrupted


def test_the_second_one_is_refused_and_the_place_is_free_afterwards() -> None:
    with alone(), pytest.raises(LockedError, match="another benchmark runs"), alone():
        pass
    with alone():
        pass


def test_a_second_signal_does_not_disturb_the_undoing(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    undone = False
    with pytest.raises(Interrupted) as caught, interrupted_once():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            undone = True
    assert undone
    assert caught.value.exit_code == 128 + signal.SIGTERM
    assert capfd.readouterr().err.count("ending") == 2
    assert signal.getsignal(signal.SIGTERM) is before
