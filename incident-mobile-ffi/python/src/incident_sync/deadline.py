"""The time that an exchange has as a whole."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Coroutine
from typing import TypeVar, cast

import httpx

T = TypeVar("T")


class Deadline:
    """The end of an exchange, and a time-out that each wait of it takes for what is left then.

    httpx has a time-out for each read, so that an answer which drips would never end. It hands the time-out as it is to
    :meth:`socket.socket.settimeout` before each read, and that asks for its ``__index__``: hence in whole seconds, and up
    to one more in all.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def is_over(self) -> bool:
        return self._left() <= 0

    def timeouts(self) -> httpx.Timeout:
        """For a request. A place among the connections is not waited for by a socket."""
        return httpx.Timeout(cast(float, self), pool=max(0.0, self._left()))

    def __float__(self) -> float:
        left = self._left()
        if left <= 0:
            raise TimeoutError("the exchange took too long")
        return left

    def __index__(self) -> int:
        return math.ceil(float(self))

    def _left(self) -> float:
        return self._end - time.monotonic()


async def within(seconds: float, exchange: Coroutine[object, object, T]) -> T:
    """What asyncio has for that drops a cancellation, before Python 3.12, that comes together with the result."""
    task = asyncio.ensure_future(exchange)
    try:
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            raise TimeoutError("the exchange took too long")
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
