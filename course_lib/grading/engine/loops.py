"""Event loops: cells and tests that await something, as in a kernel, where a loop always runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["awaited", "in_loop", "may_await", "wants_loop"]

# What finds the loop that runs, and has none to find in a cell that awaits nothing.
_WANTS_LOOP = re.compile(r"\b(create_task|ensure_future|get_running_loop)\b")
_AWAITS = re.compile(r"\b(await|async)\b")

# How long a cell is kept for what it has started and does not wait for, in seconds. In a kernel
# that goes on until somebody runs the next cell.
PATIENCE = 0.5


def wants_loop(source: str) -> bool:
    """Tell whether code wants a loop to run while it does."""
    return bool(_WANTS_LOOP.search(source))


def may_await(source: str) -> bool:
    """Tell whether code may wait for something, or wants a loop."""
    return bool(_AWAITS.search(source)) or wants_loop(source)


def awaited(value: Awaitable[Any]) -> Any:
    """Return what an awaitable comes to, in the loop that this process's cells share."""

    async def wait() -> Any:
        return await value

    return _loop().run_until_complete(wait())


def in_loop(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do something while a loop runs, and give what it has started a moment to end."""

    async def run() -> Any:
        result = await work()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left, timeout=PATIENCE)
        return result

    return _loop().run_until_complete(run())


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop in which IPython runs cells that await."""
    from IPython.core.async_helpers import get_asyncio_loop

    return get_asyncio_loop()
