"""What an error of httpx says about the network."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from .model import NetworkFailureKind

_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}
_AFTER_THE_CONNECTION = (
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
)
_TIME_OUTS = (httpx.TimeoutException, TimeoutError, asyncio.TimeoutError)
"""That of asyncio is one of its own before Python 3.11."""
NO_NETWORK = (httpx.TransportError, httpx.DecodingError, OSError, asyncio.TimeoutError)
"""What counts as no network, while the token is fetched as well: most libraries' errors of a connection are an OSError."""
_LONGEST_DETAIL = 200
"""Enough for a line of a log."""


def kind(error: BaseException) -> NetworkFailureKind:
    """How the network failed; what httpx only wraps says more than what it wraps it in."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) or getattr(cause, "errno", None) in _NO_ROUTE for cause in causes):
        return NetworkFailureKind.OFFLINE
    if any(isinstance(cause, _TIME_OUTS) for cause in causes):
        return NetworkFailureKind.TIMED_OUT
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return NetworkFailureKind.REFUSED
    if not isinstance(error, _AFTER_THE_CONNECTION) and any(isinstance(cause, ssl.SSLError) for cause in causes):
        return NetworkFailureKind.TLS
    return NetworkFailureKind.OTHER


def names_a_file(error: BaseException) -> bool:
    """Whether it is about a file, such as one that a token should be in: waiting for a network would hide that for good."""
    return getattr(error, "filename", None) is not None


def sent(error: BaseException) -> bool:
    """Whether the request may have left the device; what is not httpx's own says nothing of it."""
    return isinstance(error, _AFTER_THE_CONNECTION) or not isinstance(error, httpx.TransportError)


@contextmanager
def of_names() -> Iterator[None]:
    """A name that nothing can be sent to, such as a proxy's, counts as no connection; to httpx it is no network's error."""
    try:
        yield
    except (httpx.InvalidURL, UnicodeError) as error:
        raise httpx.ConnectError(str(error)) from error


def detail_of_token(error: BaseException) -> str:
    """One line for a log. The words are the app's, or of whom it asks for a token, and may hold anything."""
    return f"no token: {type(error).__name__}"


def detail(error: BaseException, token: str | None) -> str:
    """One line for a log: what lies between here and the network may have put the token into its error."""
    text = f"{type(error).__name__}: {error}"
    if token:
        text = text.replace(token, "(token)")
    return " ".join(text.split())[:_LONGEST_DETAIL]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
