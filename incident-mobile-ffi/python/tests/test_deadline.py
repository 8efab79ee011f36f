"""The time of an upload is the time of the whole exchange, however it drips."""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from incident_sync import AsyncHttpxTransport, HttpxTransport, NetworkFailure, NetworkFailureKind, Upload

from conftest import listening

UPLOAD = Upload(1, "POST", "/api/incidents/sync", (("Content-Type", "application/json"),), b"{}", 1000)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECONDS = 6
"""How long a server drips: long enough to see that nobody waited for it."""


def take_request(connection: socket.socket) -> None:
    """Head and body come apart; an answer before the end would be one to nothing."""
    request = b""
    while not request.endswith(b"\r\n\r\n" + UPLOAD.body) and (part := connection.recv(1 << 20)):
        request += part


def drips(connection: socket.socket, part: bytes) -> None:
    """Sends this ten times a second."""
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            connection.sendall(part)
            time.sleep(0.1)
    except OSError:
        pass  # whoever asked has gone


def head(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    drips(connection, b"x")


def processing(connection: socket.socket) -> None:
    take_request(connection)
    drips(connection, b"HTTP/1.1 102 Processing\r\n\r\n")


def body(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    drips(connection, b"x")


def second_head(connection: socket.socket) -> None:
    """The first request is answered at once, the second one on the same connection is not."""
    take_request(connection)
    connection.sendall(ANSWER)
    head(connection)


def assert_ends_in_time(send: Callable[[Upload], object]) -> None:
    started = time.monotonic()
    with pytest.raises(NetworkFailure) as failed:
        send(UPLOAD)
    assert time.monotonic() - started < 2.2
    assert (failed.value.kind, failed.value.sent) == (NetworkFailureKind.TIMED_OUT, True)


@pytest.mark.parametrize("drip", [head, processing, body])
def test_an_answer_that_drips_ends_with_the_time_of_the_upload(drip):
    with listening(drip) as address, HttpxTransport(f"http://{address}", "t") as transport:
        assert_ends_in_time(transport.send)


def test_a_head_that_drips_on_a_connection_that_was_used_before_ends_in_time():
    with listening(second_head) as address, HttpxTransport(f"http://{address}", "t") as transport:
        assert transport.send(UPLOAD).status == 200
        assert_ends_in_time(transport.send)


def test_a_head_that_drips_through_a_client_of_the_apps_ends_in_time():
    with listening(second_head) as address, httpx.Client() as client:
        assert client.post(f"http://{address}", content=UPLOAD.body).status_code == 200
        assert_ends_in_time(HttpxTransport(f"http://{address}", "t", client=client).send)


def test_a_server_that_takes_a_long_upload_by_drops_ends_in_time():
    def sips(connection: socket.socket) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and connection.recv(300_000):
            time.sleep(0.1)

    with listening(sips) as address, HttpxTransport(f"http://{address}", "t") as transport:
        assert_ends_in_time(lambda upload: transport.send(replace(upload, body=b"x" * 30_000_000)))


@pytest.mark.parametrize("drip", [head, processing, body])
def test_an_answer_that_drips_for_asyncio_ends_with_the_time_of_the_upload(drip):
    async def send(address: str) -> None:
        async with AsyncHttpxTransport(f"http://{address}", "t") as transport:
            await transport.send(UPLOAD)

    with listening(drip) as address:
        assert_ends_in_time(lambda _: asyncio.run(send(address)))


def test_a_token_that_takes_all_the_time_leaves_none_for_the_exchange():
    def token() -> str:
        time.sleep(0.2)
        return "t"

    with listening(head) as address, HttpxTransport(f"http://{address}", token) as transport:
        with pytest.raises(NetworkFailure) as failed:
            transport.send(replace(UPLOAD, timeout_ms=100))
    assert (failed.value.kind, failed.value.sent) == (NetworkFailureKind.TIMED_OUT, False)


def test_an_answer_in_time_is_an_answer():
    def slow(connection: socket.socket) -> None:
        take_request(connection)
        for at in range(len(ANSWER)):
            connection.sendall(ANSWER[at : at + 1])
            time.sleep(0.01)

    with listening(slow) as address, HttpxTransport(f"http://{address}", "t") as transport:
        assert transport.send(UPLOAD).body == b"{}"
