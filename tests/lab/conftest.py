"""Labs of real namespaces: a test gets a name, and the host is the same after it as before."""

from collections.abc import Iterator

import pytest

from tests.lab import harness


@pytest.fixture
def lab() -> Iterator[harness.Lab]:
    """A lab that is not up yet; taken away at the end, and then nothing of it may be left."""
    before = harness.host_state()
    with harness.lab() as made:
        yield made
    assert harness.host_state(made.name) == before
