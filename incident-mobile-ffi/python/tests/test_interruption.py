"""A sync that is interrupted while it asks what to send: what the queue had given out by then is handed back."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from incident_sync import AsyncHttpxTransport, EntryState, Idle, Outbox, Response, Send, Upload
from incident_sync_testing import FakeServer

from conftest import draft


class Silent:
    def send(self, _upload):
        time.sleep(30)


class AsyncSilent:
    async def send(self, _upload):
        await asyncio.sleep(30)


HOLD = """
import sqlite3, sys, time

file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held_for(seconds: float, path) -> Iterator[None]:
    """Another process writes into the file for so long, and whoever wants to send waits for it."""
    command = [sys.executable, "-c", HOLD, path, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        yield


def assert_free(outbox: Outbox, path) -> None:
    assert (outbox.entries()[0].state, outbox.summary().sending) == (EntryState.PENDING, 0)
    with Outbox.open(path, "alice") as other:
        assert isinstance(other.next_upload(), Send)


def test_a_loop_that_ends_while_the_queue_is_asked(outbox, tmp_path):
    outbox.report(draft())

    async def app() -> None:
        asyncio.create_task(outbox.sync_async(AsyncSilent()))
        await asyncio.sleep(0.1)

    with held_for(0.5, tmp_path / "outbox.db"):
        asyncio.run(app())
        assert_free(outbox, tmp_path / "outbox.db")


def test_a_task_that_is_cancelled_many_times_while_the_queue_is_asked(outbox, tmp_path):
    outbox.report(draft())

    async def app() -> None:
        task = asyncio.create_task(outbox.sync_async(AsyncSilent()))
        while not task.done():
            await asyncio.sleep(0.05)
            task.cancel()

    with held_for(0.5, tmp_path / "outbox.db"):
        asyncio.run(app())
        assert_free(outbox, tmp_path / "outbox.db")


@contextmanager
def interrupted_after(seconds: float, error: type[BaseException]) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise error

    before = signal.signal(signal.SIGUSR1, interrupt)
    threading.Timer(seconds, os.kill, [os.getpid(), signal.SIGUSR1]).start()
    try:
        with pytest.raises(error):
            yield
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_an_interruption_while_the_queue_is_asked(outbox, tmp_path, error):
    outbox.report(draft())
    with held_for(0.3, tmp_path / "outbox.db"), interrupted_after(0.1, error):
        outbox.sync(Silent())
    assert_free(outbox, tmp_path / "outbox.db")


class Held:
    """Holds an upload until it is let go."""

    def __init__(self) -> None:
        self.server = FakeServer("alice")
        self.has_come, self.may_go = threading.Event(), threading.Event()

    def send(self, upload: Upload) -> Response:
        self.has_come.set()
        assert self.may_go.wait(10)
        return self.server.send(upload)


def test_an_interruption_of_one_thread_leaves_anothers_upload_under_way(tmp_path):
    def log(_line: str) -> None:
        if threading.current_thread() is threading.main_thread() and transport.has_come.is_set():
            raise KeyboardInterrupt

    transport, ends = Held(), []
    with transport.server.open(tmp_path / "outbox.db", "alice", log=log) as outbox:
        key = outbox.report(draft()).key
        other = threading.Thread(target=lambda: ends.append(outbox.sync(transport)))
        other.start()
        assert transport.has_come.wait(10)
        with pytest.raises(KeyboardInterrupt):
            outbox.sync(transport)
        assert outbox.entry(key).state == EntryState.SENDING
        transport.may_go.set()
        other.join()
        assert (ends, outbox.entry(key).state, transport.server.uploads) == ([Idle()], EntryState.SETTLED, 1)


@pytest.mark.parametrize("turns", range(14))
def test_a_cancellation_that_comes_with_the_answer_is_not_dropped(turns):
    def cancel_after(turns: int, task: asyncio.Task, taken: asyncio.Future) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(cancel_after, turns - 1, task, taken)
        else:
            taken.set_result(task.cancel())

    async def app() -> None:
        async def answer(_request: httpx.Request) -> httpx.Response:
            cancel_after(turns, task, taken)
            return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

        taken = asyncio.get_running_loop().create_future()
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            transport = AsyncHttpxTransport("http://x", "t", client=client)
            task = asyncio.create_task(transport.send(Upload(1, "POST", "/", (), b"{}", 30_000)))
            await asyncio.wait([task])
            assert task.cancelled() == await taken

    asyncio.run(app())
