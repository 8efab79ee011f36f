"""The network between the outbox and the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""No answer of the server is longer; what is, comes from somebody else."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be sent; ``path`` is below the server's address, the token is not in the headers."""

    id: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, from the server or from somebody in its place."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class NetworkFailure(Exception):
    """No answer: no network, no address, a time-out, a broken connection."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The app did not want to wait for the answer."""


UploadResult = Response | NetworkFailure | Cancelled


class Transport(Protocol):
    """Sends one upload, without repeating it and without following redirects."""

    def send(self, upload: Upload) -> Response:
        """The answer, whatever its status; raises :class:`NetworkFailure` where there is none."""


class HttpxTransport:
    """The transport over httpx. ``token`` is the token, or a function that gives the current one."""

    def __init__(
        self,
        server: str,
        token: str | Callable[[], str],
        *,
        client: httpx.Client | None = None,
    ) -> None:
        self._server = server.rstrip("/")
        self._token = token if callable(token) else lambda: token
        self._client = client or httpx.Client()
        self._owns_client = client is None

    def send(self, upload: Upload) -> Response:
        headers = [*upload.headers, ("Authorization", f"Bearer {self._token()}")]
        try:
            with self._client.stream(
                upload.method,
                self._server + upload.path,
                content=upload.body,
                headers=headers,
                timeout=upload.timeout_ms / 1000,
                follow_redirects=False,
            ) as answer:
                body = _read(answer)
                return Response(answer.status_code, tuple(answer.headers.multi_items()), body)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise NetworkFailure(str(error)) from error

    def close(self) -> None:
        """Closes the connections, unless the client was given."""
        if self._owns_client:
            self._client.close()

    def __enter__(self) -> HttpxTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise NetworkFailure("the answer is too long to be the server's")
    return bytes(body)
