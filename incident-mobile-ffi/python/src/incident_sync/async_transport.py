"""The network between the outbox and the server, for asyncio."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cached_property

import httpx

from . import failures
from .address import server_address
from .deadline import within
from .transport import (
    MAX_ANSWER_BYTES,
    NetworkFailure,
    Response,
    Upload,
    is_apart,
    request_headers,
    short,
)


class _Way:
    """How far an upload came. httpx's own transports tell each step; of another's nothing is known."""

    def __init__(self) -> None:
        self._token: str | None = None
        self._has_token = self._is_told = self._has_left = False

    def begin(self, token: str | None) -> None:
        self._token, self._has_token = token, True

    async def note(self, step: str, _: object) -> None:
        self._is_told = True
        self._has_left = self._has_left or step.endswith("send_request_headers.started")

    def failure(self, error: BaseException) -> NetworkFailure:
        if not self._has_token:
            return NetworkFailure(failures.detail_of_token(error), failures.kind(error))
        sent = failures.sent(error) and (self._has_left or not self._is_told)
        return NetworkFailure(failures.detail(error, self._token), failures.kind(error), sent=sent)


class AsyncHttpxTransport:
    """:class:`HttpxTransport` for asyncio: the same rules, with ``httpx.AsyncClient``.

    ``token`` may also be a coroutine function, which ends with the time of the upload.
    """

    def __init__(
        self,
        server: str,
        token: str | None | Callable[[], str | None | Awaitable[str | None]],
        *,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._server = server_address(server)
        self._token = token if callable(token) else lambda: token
        self._client = client or httpx.AsyncClient(verify=self._tls)
        self._owns_client = client is None

    async def send(self, upload: Upload) -> Response:
        way = _Way()
        try:
            return await within(upload.timeout_ms / 1000, self._exchange(upload, way))
        except failures.NO_NETWORK as error:
            if failures.names_a_file(error):
                raise
            failure = way.failure(error)
        # Not from within: a traceback would show httpx's own error, too, whatever it quotes.
        raise failure

    async def _exchange(self, upload: Upload, way: _Way) -> Response:
        given = self._token()
        token = await given if inspect.isawaitable(given) else given
        way.begin(token)
        with failures.of_names():
            return await self._exchange_with(token, upload, way)

    async def _exchange_with(self, token: str | None, upload: Upload, way: _Way) -> Response:
        async with (
            self._client_for(upload) as client,
            client.stream(
                upload.method,
                self._server + upload.path,
                content=upload.body,
                headers=request_headers(upload, token),
                timeout=upload.timeout_ms / 1000,
                follow_redirects=False,
                extensions={"trace": way.note},
            ) as answer,
        ):
            body = await _read(answer)
            return Response(answer.status_code, tuple(answer.headers.multi_items()), body)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Of all clients of its own: to make one takes 40 ms. No session is resumed, so nothing joins two connections."""
        return httpx.create_ssl_context()

    def _client_for(self, upload: Upload) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        """The client whose connections the upload may use: for an anonymous one a new one, which is closed with it."""
        is_alone = is_apart(upload) and self._owns_client
        return httpx.AsyncClient(verify=self._tls) if is_alone else nullcontext(self._client)

    async def aclose(self) -> None:
        """Closes the connections, unless the client was given."""
        if self._owns_client:
            await self._client.aclose()

    async def __aenter__(self) -> AsyncHttpxTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def _read(answer: httpx.Response) -> bytes:
    if answer.is_stream_consumed:
        return short(answer.content)
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return b""
    return bytes(body)
