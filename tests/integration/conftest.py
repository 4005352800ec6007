"""Labs that several tests of a module share: one for each datapath and topology."""

from collections.abc import Iterator

import pytest

from tests.integration import datapaths
from tests.lab import harness


@pytest.fixture(scope="module", params=datapaths.ALL)
def datapath(request: pytest.FixtureRequest) -> str:
    """Every datapath in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def pair(datapath: str) -> Iterator[harness.Lab]:
    """Two hosts and a switch, on every datapath."""
    with harness.running("--topology", "pair", "--datapath", datapath, "--no-check") as lab:
        yield lab


@pytest.fixture(scope="module")
def ringside_pair() -> Iterator[harness.Lab]:
    """Two hosts and our switch."""
    with harness.running("--topology", "pair", "--datapath", "ringside", "--no-check") as lab:
        yield lab
