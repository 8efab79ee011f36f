"""Seeing every change of a queue, by whatever process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from . import model
from ._generated import incident_mobile_ffi as ffi
from .errors import ClosedError, typed
from .model import Summary


def watch(outbox: ffi.Outbox) -> Iterator[Summary]:
    """The queue in numbers, now and after every change."""
    watcher = _watcher(outbox)
    while (step := _look(watcher)) is not None:
        summary, pause = step
        if summary is not None:
            yield summary
        time.sleep(pause)


async def watch_async(outbox: ffi.Outbox) -> AsyncIterator[Summary]:
    """The same for asyncio."""
    watcher = _watcher(outbox)
    # A look waits for whoever else uses the outbox at the moment.
    while (step := await asyncio.to_thread(_look, watcher)) is not None:
        summary, pause = step
        if summary is not None:
            yield summary
        await asyncio.sleep(pause)


@typed
def _watcher(outbox: ffi.Outbox) -> ffi.Watcher:
    return outbox.watch()


def _look(watcher: ffi.Watcher) -> tuple[Summary | None, float] | None:
    """What is new, and for how many seconds to pause; ``None`` once the outbox is closed."""
    try:
        step = _step(watcher)
    except ClosedError:
        return None
    summary = None if step.summary is None else model.summary(step.summary)
    return summary, step.again_ms / 1000


@typed
def _step(watcher: ffi.Watcher) -> ffi.WatchStep:
    return watcher.look()
