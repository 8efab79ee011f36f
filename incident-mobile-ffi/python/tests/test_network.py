"""How a network fails, on real sockets, and what the queue makes of it."""

import asyncio
import socket
import time
from contextlib import ExitStack

import httpx
import pytest

from incident_sync import (
    AsyncHttpxTransport,
    HttpxTransport,
    NetworkFailure,
    NetworkFailureKind,
    Outbox,
    Upload,
    Wait,
    WaitReason,
)

from conftest import Answers, RealServer, draft, listening

UPLOAD = Upload(1, "POST", "/api/incidents/sync", (("Content-Type", "application/json"),), b"{}", 1000)


def failure(server: str, token: str = "t") -> NetworkFailure:
    with pytest.raises(NetworkFailure) as failed:
        HttpxTransport(server, token).send(UPLOAD)
    return failed.value


def test_a_name_that_nobody_knows_is_no_network():
    failed = failure("http://incidents.invalid")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.OFFLINE, False)


def test_an_address_without_a_route_is_no_network():
    # No connection goes to everybody at once.
    failed = failure("http://255.255.255.255")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.OFFLINE, False)


def test_a_machine_that_takes_no_connection_refuses():
    failed = failure("http://127.0.0.1:9")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.REFUSED, False)


def test_somebody_who_speaks_no_tls_makes_no_secure_connection():
    with listening(lambda connection: (connection.sendall(b"HTTP/1.1 400 \r\n\r\n"), connection.close())) as address:
        failed = failure(f"https://{address}")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.TLS, False)


def test_silence_is_a_time_out_after_the_request_was_sent():
    with listening(lambda connection: connection.recv(1 << 20)) as address:
        failed = failure(f"http://{address}")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.TIMED_OUT, True)


def async_failure(server: str, client: httpx.AsyncClient | None = None) -> NetworkFailure:
    async def send() -> None:
        async with AsyncHttpxTransport(server, "t", client=client) as web:
            await web.send(UPLOAD)

    with pytest.raises(NetworkFailure) as failed:
        asyncio.run(send())
    return failed.value


@pytest.mark.parametrize("how", [failure, async_failure])
def test_a_machine_that_leaves_a_connection_waiting_was_sent_nothing(how):
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        failed = how(f"http://127.0.0.1:{full.getsockname()[1]}")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.TIMED_OUT, False)


@pytest.mark.parametrize("how", [failure, async_failure])
def test_tls_that_is_never_agreed_on_was_sent_nothing(how):
    with listening(lambda connection: time.sleep(5)) as address:
        failed = how(f"https://{address}")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.TIMED_OUT, False)


def test_silence_is_a_time_out_after_the_request_was_sent_for_asyncio_too():
    with listening(lambda connection: connection.recv(1 << 20) and time.sleep(5)) as address:
        failed = async_failure(f"http://{address}")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.TIMED_OUT, True)


def test_a_transport_that_tells_nothing_of_its_connections_may_have_sent_it():
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError

    failed = async_failure("http://x", httpx.AsyncClient(transport=Silent()))
    assert (failed.kind, failed.sent) == (NetworkFailureKind.TIMED_OUT, True)


def test_a_connection_that_breaks_may_have_brought_the_request():
    with listening(lambda connection: (connection.recv(1 << 20), connection.close())) as address:
        failed = failure(f"http://{address}")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.OTHER, True)


class Breaks(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of the app's own that leaves the system's error as it is."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise ConnectionResetError(f"after {request.headers['Authorization']}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def through_a_client(server: str) -> NetworkFailure:
    with pytest.raises(NetworkFailure) as failed:
        HttpxTransport(server, "t", client=httpx.Client(transport=Breaks())).send(UPLOAD)
    return failed.value


@pytest.mark.parametrize(
    "how", [through_a_client, lambda server: async_failure(server, httpx.AsyncClient(transport=Breaks()))]
)
def test_an_error_of_the_systems_is_no_network_and_may_have_left(how):
    failed = how("http://x")
    assert (failed.kind, failed.sent) == (NetworkFailureKind.OTHER, True)
    assert str(failed).endswith("Bearer (token)")


def test_an_error_that_quotes_the_token_is_told_without_it():
    class Quotes(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError(f"no way for\n{request.headers['Authorization']} {'x' * 1000}")

    with pytest.raises(NetworkFailure) as failed:
        HttpxTransport("http://x", "secret", client=httpx.Client(transport=Quotes())).send(UPLOAD)
    error = failed.value
    assert str(error).startswith("ConnectError: no way for Bearer (token) xxx")
    assert len(str(error)) == 200
    assert (error.__cause__, error.__context__) == (None, None)


def test_another_network_ends_the_wait(outbox: Outbox, server: RealServer):
    key = outbox.report(draft()).key
    refused = outbox.sync(HttpxTransport("http://127.0.0.1:9", "t"))
    assert isinstance(refused, Wait) and refused.why == WaitReason.REFUSED
    outbox.network_changed()
    outbox.sync(HttpxTransport(server.url, server.token("alice")))
    assert outbox.entry(key).state.name == "SETTLED"


def test_another_network_does_not_shorten_what_the_server_asked(outbox: Outbox, answers: Answers):
    outbox.report(draft())
    answer = b'{"type":"/problems/overloaded","status":503,"disposition":"retry"}'
    answers.answer = lambda *_: (503, {"Retry-After": "3600", "Content-Type": "application/problem+json"}, answer)
    asked = outbox.sync(HttpxTransport(answers.url, "t"))
    outbox.network_changed()
    assert outbox.sync(HttpxTransport(answers.url, "t")) == asked


def test_a_firewalls_page_is_waited_out_and_quarantines_nothing(outbox: Outbox, answers: Answers, server: RealServer):
    keys = [outbox.report(draft(f"w{n}")).key for n in range(250)]
    answers.answer = lambda *_: (403, {"Content-Type": "text/html"}, b"<html>Blocked by policy</html>")
    end = outbox.sync(HttpxTransport(answers.url, "t"))
    assert isinstance(end, Wait)
    assert (end.why, len(answers.requests)) == (WaitReason.NOT_THE_SERVER, 1)
    assert (outbox.summary().pending, outbox.summary().quarantined) == (250, 0)
    outbox.network_changed()
    outbox.sync(HttpxTransport(server.url, server.token("alice")))
    assert outbox.summary().settled == len(keys)
