"""Long calculations beside the server's loop.

Invariant: what runs here is a pure function over values; it sees no rows, so when it runs changes
nothing. One at a time: a second long one waits, and everybody else goes on being answered.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREAD: Final = ThreadPoolExecutor(1, thread_name_prefix="aside")


async def aside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Wait for a calculation on another thread; raises what it raises."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREAD, lambda: work(*arguments, **named))
