"""A server for an app's own tests: no server, no network, no sleep.

>>> server = FakeServer("alice")
>>> with server.open(path, "alice") as outbox:
...     outbox.report(Draft(location_id="ward-7", longitude=12.4924, latitude=41.8902))
...     server.order(Fault.OFFLINE)
...     wait = outbox.sync(server)
...     server.now = wait.until
...     assert outbox.sync(server) == Idle()
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, ParamSpec, TypeVar

from incident_sync import (
    IncidentStatus,
    NetworkFailure,
    NetworkFailureKind,
    Outbox,
    OutboxSettings,
    Response,
    Upload,
)
from incident_sync.model import from_ms, to_ms

from ._generated import incident_mobile_testing as ffi

P = ParamSpec("P")
T = TypeVar("T")
_GENERATED: Any = ffi
"""Where kinds of an error or of a value are asked for: no type checker sees that they are kinds of it."""

__all__ = ["AsyncFakeServer", "Busy", "FakeIncident", "FakeServer", "Fault"]


class Fault(Enum):
    """What becomes of an upload instead of an answer."""

    OFFLINE = "offline"
    """There is no network; nothing reached the server."""
    LOST_ANSWER = "lostAnswer"
    """The server took it, and its answer was lost on the way."""
    SLOW_LINE = "slowLine"
    """So slow a line that the time was over before the server had all of it."""
    UNAUTHORIZED = "unauthorized"
    """The server takes the token for expired: 401."""
    FIREWALL = "firewall"
    """A firewall on the way refuses it with a page of its own: 403, which is no word of the server's."""
    CONFLICT = "conflict"
    """Somebody else has a report of this name: 409 for each entry."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The server asks for patience: 429."""

    retry_after_s: int


@dataclass(frozen=True, slots=True)
class FakeIncident:
    """An incident as the fake server has it; of an erased one nothing but its id and its moment is left.

    ``payload`` is all that it says, as an entry's ``payload`` has it.
    """

    id: str
    reporter: str | None = field(repr=False)
    status: IncidentStatus | None
    location_id: str | None = field(repr=False)
    cancellation_reason: str | None = field(repr=False)
    created_at: datetime = field(repr=False)
    payload: str | None = field(repr=False)


class FakeServer:
    """A transport that answers by the rules of the real server, in memory, under a clock that the test turns.

    ``reporter`` is whose token comes with the uploads, ``None`` where nobody is signed in. The outboxes that it opens go
    by its clock, which begins at ``now``, or at the device's time. What makes no sense is a :class:`ValueError`.
    """

    def __init__(self, reporter: str | None = None, now: datetime | None = None) -> None:
        self._server = _sensible(ffi.FakeServer, reporter, to_ms(now or datetime.now(timezone.utc)))
        self._outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()

    def open(
        self,
        path: str | os.PathLike[str],
        reporter: str,
        settings: OutboxSettings | None = None,
        log: Callable[[str], object] | None = None,
    ) -> Outbox:
        """:meth:`Outbox.open`, with the clock of this server."""
        outbox = Outbox._open_at(path, reporter, settings, log, self.now)
        self._outboxes.add(outbox)
        return outbox

    def send(self, upload: Upload) -> Response:
        """Answers, or lets the upload fail as ordered."""
        headers = [ffi.Header(name=name, value=value) for name, value in upload.headers]
        request = ffi.Request(path=upload.path, headers=headers, body=upload.body)
        answer: Any = _sensible(self._server.answer, request)
        if isinstance(answer, ffi.Answer.NETWORK_FAILURE):
            raise NetworkFailure(answer.detail, NetworkFailureKind[answer.kind.name], sent=answer.sent)
        return Response(answer.status, tuple((header.name, header.value) for header in answer.headers), answer.body)

    @property
    def for_asyncio(self) -> AsyncFakeServer:
        """The same server as a transport for ``sync_async``."""
        return AsyncFakeServer(self)

    def order(self, fault: Fault | Busy, times: int = 1) -> None:
        """Lets the next uploads fail in this way, ``times`` of them, behind those that were ordered before."""
        if isinstance(fault, Busy):
            lowered = _GENERATED.FakeFault.BUSY(retry_after_s=fault.retry_after_s)
        elif isinstance(fault, Fault):
            lowered = getattr(_GENERATED.FakeFault, fault.name)()
        else:
            raise ValueError(f"not a fault: {fault!r}")
        _sensible(self._server.order, lowered, times)

    def sign_in(self, reporter: str) -> None:
        """From now on the token that comes with uploads is this reporter's."""
        _sensible(self._server.sign_in, reporter)

    def sign_out(self) -> None:
        """From now on no token comes with uploads."""
        _sensible(self._server.sign_in, None)

    @property
    def now(self) -> datetime:
        """What the clock of the server and of its outboxes says; set it to turn it, forwards or back."""
        return from_ms(_sensible(self._server.now))

    @now.setter
    def now(self, moment: datetime) -> None:
        _sensible(self._server.turn_to, to_ms(moment))
        for outbox in self._outboxes:
            outbox._turn_to(moment)

    def turn(self, by: timedelta) -> None:
        """Turns the clock on."""
        self.now += by

    @property
    def incidents(self) -> list[FakeIncident]:
        """What the server has, oldest first."""
        return [_incident(incident) for incident in _sensible(self._server.incidents)]

    @property
    def uploads(self) -> int:
        """How many uploads it has seen, whatever became of them."""
        return _sensible(self._server.uploads)

    def erase(self, id: str) -> None:
        """Erases an incident, as an operator of the server would."""
        _sensible(self._server.erase, id)


class AsyncFakeServer:
    """A fake server for asyncio."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    async def send(self, upload: Upload) -> Response:
        """Answers, or lets the upload fail as ordered."""
        return self._server.send(upload)


def _incident(value: ffi.FakeIncident) -> FakeIncident:
    return FakeIncident(
        id=value.id,
        reporter=value.reporter,
        status=None if value.status is None else IncidentStatus[value.status.name],
        location_id=value.location_id,
        cancellation_reason=value.cancellation_reason,
        created_at=from_ms(value.created_at),
        payload=value.payload,
    )


def _sensible(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return call(*args, **kwargs)
    except _GENERATED.FakeServerError.Nonsense as error:
        raise ValueError(error.detail) from None
