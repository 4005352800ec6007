"""Which version this is."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The installed package's version; that of the source tree is not told apart from it."""
    from importlib import metadata  # Costs 20 ms, so only who asks pays.

    try:
        return metadata.version("ringside")
    except metadata.PackageNotFoundError:
        return "0+unknown"
