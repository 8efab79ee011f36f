"""A token that cannot be fetched, and one that takes its time."""

import asyncio
import errno
import time

import httpx
import pytest

from incident_sync import AsyncHttpxTransport, HttpxTransport, NetworkFailure, NetworkFailureKind, Upload

UPLOAD = Upload(1, "POST", "/api/incidents/sync", (), b"{}", 100)


def send(token: object) -> None:
    HttpxTransport("http://x", token).send(UPLOAD)


def send_async(token: object) -> None:
    asyncio.run(AsyncHttpxTransport("http://x", token).send(UPLOAD))


def raises(error: Exception) -> object:
    def token() -> str:
        raise error

    return token


@pytest.mark.parametrize("send", [send, send_async])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ReadTimeout("secret"), NetworkFailureKind.TIMED_OUT),
        (httpx.ReadError("secret"), NetworkFailureKind.OTHER),
        (TimeoutError("secret"), NetworkFailureKind.TIMED_OUT),
        (asyncio.TimeoutError("secret"), NetworkFailureKind.TIMED_OUT),
        (ConnectionRefusedError("secret"), NetworkFailureKind.REFUSED),
        (OSError("secret"), NetworkFailureKind.OTHER),
    ],
)
def test_a_token_that_cannot_be_fetched_is_no_network_and_no_request_that_left(send, error, kind):
    with pytest.raises(NetworkFailure) as failed:
        send(raises(error))
    assert (failed.value.kind, failed.value.sent) == (kind, False)
    assert str(failed.value) == f"no token: {type(error).__name__}"
    assert (failed.value.__cause__, failed.value.__context__) == (None, None)


@pytest.mark.parametrize("send", [send, send_async])
@pytest.mark.parametrize("error", [UnicodeError("a bug of the app's"), FileNotFoundError(errno.ENOENT, "a bug", "token")])
def test_what_else_the_token_raises_is_no_failure_of_the_network(send, error):
    with pytest.raises(type(error), match="a bug"):
        send(raises(error))


def test_a_token_that_never_comes_ends_with_the_time_of_the_upload():
    ends = []

    async def token() -> str:
        try:
            await asyncio.sleep(10)
        finally:
            ends.append(time.monotonic())

    started = time.monotonic()
    with pytest.raises(NetworkFailure) as failed:
        send_async(token)
    assert (failed.value.kind, failed.value.sent) == (NetworkFailureKind.TIMED_OUT, False)
    assert ends[0] - started < 2
