"""The network between the outbox and the server."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import httpx

from . import failures
from .address import server_address
from .deadline import Deadline
from .model import NetworkFailureKind

MAX_ANSWER_BYTES = 1024 * 1024
"""The answer to a full batch stays far below. A longer one is not read on and comes without its body: it is not ours."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be sent; ``path`` is below the server's address, the token is not in the headers.

    ``timeout_ms`` is the time for the whole exchange, token and answer included, which the transport keeps.
    """

    id: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, from the server or from somebody in its place."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)


class NetworkFailure(Exception):
    """No answer: no network, no address, a time-out, a broken connection.

    The text is for a log and holds no token; ``sent`` says whether the request may have left the device.
    """

    def __init__(
        self, detail: str = "", kind: NetworkFailureKind = NetworkFailureKind.OTHER, *, sent: bool = False
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The app did not want to wait for the answer. A sync ends with it."""


UploadResult = Response | NetworkFailure | Cancelled


class Transport(Protocol):
    """Sends one upload, without repeating it and without following redirects.

    It keeps to ``upload.timeout_ms`` itself: a sync waits for it as long as it takes, and the queue gives an upload up some
    seconds after that time. What is late is a :class:`NetworkFailure` of the kind ``TIMED_OUT``, with ``sent`` where the
    request may have left: a batch that was too much is then divided.
    """

    def send(self, upload: Upload) -> Response | Cancelled:
        """The answer, whatever its status; raises :class:`NetworkFailure` where there is none.

        A :class:`Cancelled` hands the upload back and ends the sync.
        """


class AsyncTransport(Protocol):
    """The same for asyncio. Where its task is cancelled, so is the request."""

    async def send(self, upload: Upload) -> Response | Cancelled:
        """The answer, whatever its status; raises :class:`NetworkFailure` where there is none.

        A :class:`Cancelled` hands the upload back and ends the sync.
        """


class HttpxTransport:
    """The transport over httpx to the server at this address, which may have a path.

    ``token`` is the token, or a function that gives the current one, or ``None`` where nobody is signed in. A text that
    no header can carry is no token either: the server then asks to sign in. An :class:`OSError` that names no file, a
    time-out among them, and an :class:`httpx.TransportError` in the function count as no network; what else it raises ends a
    sync. Its time is a part of the upload's, though nothing interrupts it. Anonymous reports, which say ``Connection: close``, go on connections
    of their own; through a ``client`` that is given they use its connections, which are then the app's to separate. A
    time-out that such a client's own transport is told is a number by way of ``float()`` alone.
    """

    def __init__(
        self,
        server: str,
        token: str | None | Callable[[], str | None],
        *,
        client: httpx.Client | None = None,
    ) -> None:
        self._server = server_address(server)
        self._token = token if callable(token) else lambda: token
        self._client = client or httpx.Client(verify=self._tls)
        self._owns_client = client is None

    def send(self, upload: Upload) -> Response:
        deadline = Deadline(upload.timeout_ms / 1000)
        token, asked = None, False
        try:
            token = self._token()
            asked = True
            with failures.of_names():
                return self._exchange(upload, token, deadline)
        except failures.NO_NETWORK as error:
            if failures.names_a_file(error):
                raise
            detail = failures.detail(error, token) if asked else failures.detail_of_token(error)
            failure = NetworkFailure(detail, failures.kind(error), sent=asked and failures.sent(error))
        # Not from within: a traceback would show httpx's own error, too, whatever it quotes.
        raise failure

    def _exchange(self, upload: Upload, token: str | None, deadline: Deadline) -> Response:
        with (
            self._client_for(upload) as client,
            client.stream(
                upload.method,
                self._server + upload.path,
                content=upload.body,
                headers=request_headers(upload, token),
                timeout=deadline.timeouts(),
                follow_redirects=False,
            ) as answer,
        ):
            body = _read(answer, deadline)
            return Response(answer.status_code, tuple(answer.headers.multi_items()), body)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Of all clients of its own: to make one takes 40 ms. No session is resumed, so nothing joins two connections."""
        return httpx.create_ssl_context()

    def _client_for(self, upload: Upload) -> AbstractContextManager[httpx.Client]:
        """The client whose connections the upload may use: for an anonymous one a new one, which is closed with it."""
        is_alone = is_apart(upload) and self._owns_client
        return httpx.Client(verify=self._tls) if is_alone else nullcontext(self._client)

    def close(self) -> None:
        """Closes the connections, unless the client was given."""
        if self._owns_client:
            self._client.close()

    def __enter__(self) -> HttpxTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(answer: httpx.Response, deadline: Deadline) -> bytes:
    if answer.is_stream_consumed:
        return short(answer.content)
    body = bytearray()
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return b""
        if deadline.is_over():
            raise httpx.ReadTimeout("the answer took too long")
    return bytes(body)


def short(body: bytes) -> bytes:
    """A body that the app's client has read before, as for an event hook, unless it is too long."""
    return body if len(body) <= MAX_ANSWER_BYTES else b""


def is_apart(upload: Upload) -> bool:
    """Whether it goes on a connection of its own."""
    return ("connection", "close") in ((name.lower(), value) for name, value in upload.headers)


def request_headers(upload: Upload, token: str | None) -> list[tuple[str, str]]:
    """All headers. An answer that is packed could be a thousand times as long as what was read of it."""
    return [*upload.headers, ("Accept-Encoding", "identity"), *_authorization(token)]


def _authorization(token: str | None) -> list[tuple[str, str]]:
    """The token's header. httpx would refuse a line feed or an umlaut in it with an error that quotes the token."""
    usable = token is not None and re.fullmatch(r"[!-~]+", token)
    return [("Authorization", f"Bearer {token}")] if usable else []
