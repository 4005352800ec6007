"""Kernel versions: read from releases as distributions write them, ordered by number."""

import pytest

from kernel_compat import version


@pytest.mark.parametrize(
    ("release", "text"),
    [
        ("6.1.0-18-amd64", "6.1.0"),
        ("5.10", "5.10.0"),
        ("6.18.44-fc-v657", "6.18.44"),
        ("5.14.0-427.el9", "5.14.0"),
    ],
)
def test_releases_are_read(release: str, text: str) -> None:
    assert str(version.parse(release)) == text


def test_order_is_by_number_not_by_text() -> None:
    assert version.parse("5.9") < version.parse("5.10") < version.parse("5.10.1") < version.parse("6.0-rc1")


def test_what_is_no_release_is_refused_with_its_text() -> None:
    with pytest.raises(ValueError, match="'linux'"):
        version.parse("linux")


def test_the_running_kernel_has_a_version() -> None:
    assert version.running() > version.parse("3.0")
