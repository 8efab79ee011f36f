"""Watching an outbox, its log, and asyncio."""

import asyncio
import json
import subprocess
import sys
import threading

import pytest

from incident_sync import (
    AsyncHttpxTransport,
    ClosedError,
    EntryState,
    Idle,
    Outbox,
    Response,
    SignIn,
    Wait,
    WaitReason,
)

from conftest import Answers, draft
from test_sync import reply, settled


def test_a_watcher_sees_the_present_and_every_change_and_ends_with_its_outbox(outbox):
    changes = outbox.watch()
    assert next(changes).pending == 0
    key = outbox.report(draft()).key
    assert next(changes).pending == 1
    outbox.cancel(key, "false alarm")
    assert next(changes).pending == 1
    outbox.close()
    assert list(changes) == []
    assert list(outbox.watch()) == []


REPORTS = """
import sys
from incident_sync import Draft, Outbox
with Outbox.open(sys.argv[1], "alice") as outbox:
    sys.stdin.readline()
    outbox.report(Draft(location_id="ward-7", longitude=1, latitude=2))
"""


def test_a_watcher_sees_what_another_process_reports(tmp_path, outbox):
    command = [sys.executable, "-c", REPORTS, tmp_path / "outbox.db"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        changes = outbox.watch()
        assert next(changes).pending == 0
        process.stdin.write("now\n")
        process.stdin.flush()
        assert any(summary.pending == 1 for summary in changes)
    assert process.returncode == 0


def test_watchers_that_are_not_read_or_left_half_way_hold_up_nobody(outbox):
    left = [outbox.watch() for _ in range(100)]
    for changes in left[:50]:
        next(changes)
    for changes in left[:25]:
        changes.close()
    assert outbox.report(draft()).state == EntryState.PENDING


def test_the_close_of_the_outbox_ends_a_watcher_on_another_thread(outbox):
    began = threading.Event()

    def watch() -> None:
        for _ in outbox.watch():
            began.set()

    thread = threading.Thread(target=watch)
    thread.start()
    began.wait()
    outbox.close()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_the_log_gets_one_line_for_each_event(tmp_path, answers: Answers):
    lines = []
    with Outbox.open(tmp_path / "log.db", "alice", log=lines.append) as outbox:
        outbox.report(draft("Sekretariat"))
        outbox.sync(_Silent())
    assert lines == ["sending 1", "sent, answered 500: 0 settled, 0 quarantined, 1 pending", lines[2]]
    assert lines[2].startswith("waiting until ") and lines[2].endswith("the server asks for patience")


def test_a_log_that_raises_or_calls_the_outbox_harms_nobody(tmp_path, caplog):
    def log(_line: str) -> None:
        outbox.report(draft("from the log"))
        outbox.sync(_Silent())
        raise RuntimeError("a bug in the app's log")

    outbox = Outbox.open(tmp_path / "log.db", "alice", log=log)
    outbox.report(draft())
    assert isinstance(outbox.sync(_Silent()), Wait)
    assert outbox.summary().pending > 1
    assert "a bug in the app's log" in caplog.text
    outbox.close()


class _Silent:
    def send(self, _upload):
        return Response(500, (), b"")


def test_asyncio_syncs_and_watches(outbox, answers: Answers):
    entry = outbox.report(draft())
    answers.answer = lambda *_: reply(201, settled(entry.key))

    async def app() -> None:
        seen, heard = [], []
        changes = outbox.watch_async()
        seen.append(await anext(changes))

        async def token() -> str:
            return "secret"

        async with AsyncHttpxTransport(answers.url, token) as web:
            assert await outbox.sync_async(web, heard.append) == Idle()
        async for summary in changes:
            seen.append(summary)
            if summary.settled:
                break
        await changes.aclose()
        assert (seen[0].pending, seen[-1].settled, heard[-1].settled) == (1, 1, 1)

    asyncio.run(app())
    assert answers.requests[0][1]["Authorization"] == "Bearer secret"


def test_asyncio_that_is_cancelled_while_it_watches_holds_up_nobody(outbox):
    async def app() -> None:
        shown = asyncio.Event()

        async def screen() -> None:
            async for _ in outbox.watch_async():
                shown.set()

        task = asyncio.create_task(screen())
        await shown.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(app())
    assert outbox.report(draft()).state == EntryState.PENDING


def test_a_cancelled_task_hands_its_upload_back(outbox):
    key = outbox.report(draft()).key

    class Never:
        def __init__(self) -> None:
            self.asked = asyncio.Event()

        async def send(self, _upload):
            self.asked.set()
            await asyncio.Event().wait()

    async def app() -> None:
        never = Never()
        task = asyncio.create_task(outbox.sync_async(never))
        await never.asked.wait()
        assert outbox.summary().sending == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(app())
    assert (outbox.entry(key).state, outbox.summary().sending) == (EntryState.PENDING, 0)


def test_a_task_that_is_cancelled_at_any_moment_leaves_nothing_under_way(outbox):
    for n in range(30):
        outbox.report(draft(f"w{n}"))

    class Refuses:
        async def send(self, _upload):
            await asyncio.sleep(0)
            return Response(413, (), json.dumps({"disposition": "quarantine"}).encode())

    async def app(steps: int) -> None:
        task = asyncio.create_task(outbox.sync_async(Refuses()))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    for steps in range(12):
        asyncio.run(app(steps))
        assert outbox.summary().sending == 0


def test_asyncio_without_a_server_says_why(outbox):
    outbox.report(draft())

    async def app() -> object:
        async with AsyncHttpxTransport("http://127.0.0.1:9", None) as web:
            return await outbox.sync_async(web)

    assert asyncio.run(app()).why == WaitReason.REFUSED


def test_asyncio_reads_no_endless_answer_and_ends_what_takes_too_long(outbox, answers: Answers):
    key = outbox.report(draft()).key
    answers.answer = lambda *_: (200, {}, b" " * (1024 * 1024 + 1))

    async def app() -> object:
        async with AsyncHttpxTransport(answers.url, "t") as web:
            return await outbox.sync_async(web)

    assert asyncio.run(app()).why == WaitReason.NOT_THE_SERVER
    answers.answer = lambda *_: reply(401, {})
    outbox.retry(key)
    assert isinstance(asyncio.run(app()), SignIn)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_of_the_log_reaches_the_caller_and_leaves_nothing_under_way(tmp_path, interruption):
    def log(_line: str) -> None:
        raise interruption

    with Outbox.open(tmp_path / "log.db", "alice", log=log) as outbox:
        outbox.report(draft())
        with pytest.raises(interruption):
            outbox.sync(_Silent())
        assert outbox.summary().sending == 0


def test_a_closed_outbox_ends_asyncio_too(outbox):
    outbox.close()

    async def app() -> list:
        return [summary async for summary in outbox.watch_async()]

    assert asyncio.run(app()) == []
    with pytest.raises(ClosedError):
        asyncio.run(outbox.sync_async(_Silent()))
