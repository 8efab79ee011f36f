"""What a type checker says of the packages, and of an app that uses them."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
APP = """
import asyncio

from incident_sync import (
    AsyncHttpxTransport, AsyncTransport, Cancelled, Draft, HttpxTransport, Idle, Outbox, Progress, Response, SignIn,
    SyncEnd, Transport, Upload, Wait,
)
from incident_sync_testing import FakeServer


class Mine:
    def send(self, upload: Upload) -> Response | Cancelled:
        return Cancelled() if upload.timeout_ms < 1 else Response(200, (), b"")


class MineForAsyncio:
    async def send(self, upload: Upload) -> Response | Cancelled:
        return Cancelled()


def token() -> str | None:
    return None


async def later() -> str | None:
    return None


async def progress(done: Progress) -> None:
    print(done.settled)


def sync(outbox: Outbox, transport: Transport) -> str:
    match outbox.sync(transport, lambda done: print(done.pending)):
        case Wait(until, why, detail):
            return f"{until} {why.name} {detail}"
        case SignIn(why):
            return why.name
        case Idle():
            return "idle"


async def sync_async(outbox: Outbox, transport: AsyncTransport) -> SyncEnd:
    async for summary in outbox.watch_async():
        print(summary.pending)
    return await outbox.sync_async(transport, progress)


with Outbox.open("file", "alice") as outbox:
    key: str = outbox.report(Draft("ward-7", 12.4924, 41.8902)).key
    for transport in (Mine(), HttpxTransport("http://x", token), FakeServer("alice")):
        sync(outbox, transport)
    for other in (MineForAsyncio(), AsyncHttpxTransport("http://x", later), FakeServer("alice").for_asyncio):
        asyncio.run(sync_async(outbox, other))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def assert_no_errors(cache: Path, *what: object) -> None:
    command = [sys.executable, "-m", "mypy", "--config-file", HERE / "pyproject.toml", "--cache-dir", cache, *what]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_packages_are_typed(cache):
    assert_no_errors(cache, "-p", "incident_sync", "-p", "incident_sync_testing")


def test_an_app_is_typed(cache, tmp_path):
    (tmp_path / "app.py").write_text(APP)
    assert_no_errors(cache, tmp_path / "app.py")
