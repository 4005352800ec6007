"""The datapaths that traffic tests run over: written once, each test holds for all of them.

Only how a lab is brought up differs, and that is one word of `lab.up`.
"""

import pytest

RINGSIDE = pytest.param("ringside", marks=pytest.mark.afxdp)
LINUX_BRIDGE = pytest.param("linux-bridge")
ALL = (RINGSIDE, LINUX_BRIDGE)
