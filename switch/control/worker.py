"""The control thread: everything that touches the switch runs here, one call after another.

The event loop hands calls over and goes on serving clients; opening a port may take a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Worker:
    """One thread and its queue of calls."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="control")

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs `call` in the control thread; its result or its exception. It is not cut short by
        cancelling.
        """
        future = self._executor.submit(call, *args, **kwargs)
        return await asyncio.shield(asyncio.wrap_future(future))

    def post(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> None:
        """Runs `call` some time later; nobody waits for it, so it must not raise."""
        self._executor.submit(call, *args, **kwargs)

    def close(self) -> None:
        """Waits for the calls that were handed over, then ends the thread."""
        self._executor.shutdown(wait=True)
