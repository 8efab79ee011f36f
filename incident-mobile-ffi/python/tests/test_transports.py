"""What a transport of the app's own may bring back, and how a sync ends that cannot use it."""

import asyncio
import gc
import warnings

import httpx
import pytest

from incident_sync import (
    AsyncHttpxTransport,
    Cancelled,
    EntryState,
    HttpxTransport,
    NetworkFailure,
    Outbox,
    Response,
    Send,
    Upload,
    Wait,
    WaitReason,
)
from incident_sync.transport import MAX_ANSWER_BYTES

from conftest import draft

MANY = 20
UPLOAD = Upload(1, "POST", "/api/incidents/sync", (), b"{}", 30_000)
LENGTHS = [(2, 2), (MAX_ANSWER_BYTES, MAX_ANSWER_BYTES), (MAX_ANSWER_BYTES + 1, 0)]
"""Of an answer, and how much of it is taken."""


class Brings:
    """A transport that brings back the same, so often that a loop without end is seen."""

    def __init__(self, result: object) -> None:
        self.result, self.uploads = result, 0

    def send(self, _upload: object) -> object:
        self.uploads += 1
        assert self.uploads < MANY, "the sync does not end"
        return self.result


class AsyncBrings(Brings):
    """The same for asyncio."""

    async def send(self, upload: object) -> object:
        return super().send(upload)


def assert_free(outbox: Outbox, path: object) -> None:
    """The upload was handed back: its entry is pending, and another process may send at once."""
    entry = outbox.entries()[0]
    assert (entry.state, entry.attempts) == (EntryState.PENDING, 0)
    with Outbox.open(path, "alice") as other:
        assert isinstance(other.next_upload(), Send)


@pytest.mark.parametrize("result", [None, 200, b"{}", ValueError("returned")])
def test_what_is_no_result_ends_a_sync_with_a_sentence(outbox, tmp_path, result):
    outbox.report(draft())
    with pytest.raises(TypeError, match="returns a Response or raises a NetworkFailure"):
        outbox.sync(Brings(result))
    assert_free(outbox, tmp_path / "outbox.db")


def test_what_is_no_result_ends_an_async_sync_with_a_sentence(outbox, tmp_path):
    outbox.report(draft())
    with pytest.raises(TypeError, match="returns a Response or raises a NetworkFailure"):
        asyncio.run(outbox.sync_async(AsyncBrings(None)))
    assert_free(outbox, tmp_path / "outbox.db")


def test_a_transport_for_asyncio_is_told_to_call_sync_async(outbox, tmp_path):
    outbox.report(draft())
    calls = iter(range(MANY))

    class ForAsyncio:
        def send(self, upload):
            next(calls)
            return AsyncBrings(None).send(upload)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(TypeError, match="for an AsyncTransport call sync_async"):
            outbox.sync(ForAsyncio())
        gc.collect()
    assert not [warning for warning in warned if "never awaited" in str(warning.message)]
    assert_free(outbox, tmp_path / "outbox.db")


def test_a_result_that_is_none_is_refused_by_the_queue_itself(outbox):
    outbox.report(draft())
    upload = outbox.next_upload().upload
    with pytest.raises(TypeError, match="Response"):
        outbox.complete_upload(upload.id, None)
    assert outbox.complete_upload(upload.id, Cancelled()).pending == 1


@pytest.mark.parametrize(
    "result", [Response(503, (("X-\udc80", "\ud800"),), b""), NetworkFailure("no way to \udc80")]
)
def test_half_a_surrogate_pair_ends_no_sync(outbox, result):
    outbox.report(draft())
    end = outbox.sync(Brings(result))
    assert isinstance(end, Wait)
    assert end.why in (WaitReason.SERVER_BUSY, WaitReason.NO_ANSWER)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_body_may_be_any_bytes(outbox, kind):
    outbox.report(draft())
    assert isinstance(outbox.sync(Brings(Response(503, (), kind(b"{}")))), Wait)


def test_a_transport_that_cancels_ends_the_sync(outbox, tmp_path):
    outbox.report(draft())
    transport, heard = Brings(Cancelled()), []
    end = outbox.sync(transport, heard.append)
    assert isinstance(end, Wait) and end.detail == "the transport cancelled the upload"
    assert (transport.uploads, heard) == (1, [])
    assert_free(outbox, tmp_path / "outbox.db")


def test_an_async_transport_that_cancels_ends_the_sync(outbox, tmp_path):
    outbox.report(draft())
    transport = AsyncBrings(Cancelled())
    end = asyncio.run(outbox.sync_async(transport))
    assert isinstance(end, Wait) and end.detail == "the transport cancelled the upload"
    assert transport.uploads == 1
    assert_free(outbox, tmp_path / "outbox.db")


def has_read(length: int) -> httpx.MockTransport:
    """Its answers were read before the transport sees them, as by an event hook of a client's that reads."""
    return httpx.MockTransport(lambda _request: httpx.Response(200, content=b"x" * length))


@pytest.mark.parametrize(("length", "taken"), LENGTHS)
def test_an_answer_that_the_apps_client_has_read_is_taken(length, taken):
    with httpx.Client(transport=has_read(length)) as client:
        assert len(HttpxTransport("http://x", "t", client=client).send(UPLOAD).body) == taken


@pytest.mark.parametrize(("length", "taken"), LENGTHS)
def test_an_answer_that_the_apps_client_has_read_for_asyncio_is_taken(length, taken):
    async def send() -> Response:
        async with httpx.AsyncClient(transport=has_read(length)) as client:
            return await AsyncHttpxTransport("http://x", "t", client=client).send(UPLOAD)

    assert len(asyncio.run(send()).body) == taken
