"""What an app sees: drafts, entries, and what the server said. No ``repr`` shows what people wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum

from ._generated import incident_mobile_ffi as ffi

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MS = timedelta(milliseconds=1)
_LAST_MS = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // _MS


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970; a time without an offset is refused, for it names no moment."""
    if not isinstance(moment, datetime):
        raise TypeError(f"a moment is an aware datetime, not a {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise ValueError("a moment needs an offset: pass an aware datetime")
    return (moment - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The moment in UTC; the last one for what is later, such as the end of a wait that begins in 9999."""
    return _EPOCH + min(ms, _LAST_MS) * _MS


class EntryState(Enum):
    """Where an entry stands."""

    PENDING = "pending"
    SENDING = "sending"
    SETTLED = "settled"
    QUARANTINED = "quarantined"


class IncidentStatus(Enum):
    """Where an incident stands on the server."""

    OPEN = "Open"
    CANCELLED = "Cancelled"


class Outcome(Enum):
    """What the last sync did to the incident."""

    CREATED = "created"
    CREATED_AND_CANCELLED = "createdAndCancelled"
    UNCHANGED = "unchanged"
    CANCELLED = "cancelled"
    ALREADY_CANCELLED = "alreadyCancelled"
    ERASED = "erased"


class WaitReason(Enum):
    """What the queue waits for."""

    OFFLINE = "offline"
    NOT_THE_SERVER = "notTheServer"
    SERVER_BUSY = "serverBusy"
    WRONG_ADDRESS = "wrongAddress"
    ANOTHER_SENDER = "anotherSender"
    TLS = "tls"
    REFUSED = "refused"
    TIMED_OUT = "timedOut"
    NO_ANSWER = "noAnswer"
    SPACING = "spacing"


class SignInReason(Enum):
    """What is wrong with the token."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    WRONG_REPORTER = "wrongReporter"


class NetworkFailureKind(Enum):
    """How a network fails."""

    OFFLINE = "offline"
    TLS = "tls"
    REFUSED = "refused"
    TIMED_OUT = "timedOut"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Draft:
    """A report as a form gives it; nothing is checked yet.

    ``created_at`` is the moment of the report and half of the incident's name: best left out, which means now. It is no
    field for when something happened.
    """

    location_id: str = field(repr=False)
    longitude: float = field(repr=False)
    latitude: float = field(repr=False)
    room_number: str | None = field(default=None, repr=False)
    is_anonymous: bool = field(default=False, repr=False)
    created_at: datetime | None = field(default=None, repr=False)
    cancellation_reason: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule of one field; ``pointer`` is a JSON Pointer (RFC 6901) into the payload."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the server did not take a report."""

    status: int
    slug: str | None
    detail: str | None = field(repr=False)
    errors: tuple[Violation, ...] = field(repr=False)
    fields: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Incident:
    """What the server says about a settled report."""

    id: str
    status: IncidentStatus
    outcome: Outcome
    received_at: datetime = field(repr=False)
    clock_suspect: bool = field(repr=False)
    cancelled_at: datetime | None = field(repr=False)
    cancellation_reason: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One report and what became of it; ``payload`` is the canonical text that goes to the server."""

    key: str = field(repr=False)
    state: EntryState
    location_id: str = field(repr=False)
    room_number: str | None = field(repr=False)
    longitude: float = field(repr=False)
    latitude: float = field(repr=False)
    is_anonymous: bool = field(repr=False)
    created_at: datetime = field(repr=False)
    cancellation_reason: str | None = field(repr=False)
    payload: str = field(repr=False)
    reported_at: datetime = field(repr=False)
    changed_at: datetime = field(repr=False)
    attempts: int
    problem: Problem | None
    incident: Incident | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was saved from a corrupt file."""

    saved: int
    lost: int
    moved_to: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The queue of one reporter in numbers; ``pending`` includes ``sending``."""

    pending: int
    sending: int
    settled: int
    quarantined: int
    of_others: int
    recovery: Recovery | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What one answer settled and quarantined, and what is still to go."""

    settled: int
    quarantined: int
    pending: int


@dataclass(frozen=True, slots=True)
class CanonicalPayload:
    """A payload in its canonical form, and the unknown fields that were skipped."""

    text: str = field(repr=False)
    ignored: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """What an app may set; what is ``None`` is as it always is."""

    settled_for_ms: int | None = None
    """How long a settled entry is remembered: 30 days. 0: it goes at once, and can no longer be called off."""
    shortest_spacing_ms: int | None = None
    """How long an anonymous report stays behind a named one at least: 2 minutes."""
    longest_spacing_ms: int | None = None
    """And at most: 10 minutes. 0: it does not wait, and the order in which they arrive may say whose it is."""


def settings(value: OutboxSettings) -> ffi.OutboxSettings:
    return ffi.OutboxSettings(
        settled_for_ms=value.settled_for_ms,
        shortest_spacing_ms=value.shortest_spacing_ms,
        longest_spacing_ms=value.longest_spacing_ms,
    )


def draft(value: Draft) -> ffi.Draft:
    if value.is_anonymous not in (True, False):
        raise TypeError(f"is_anonymous is True or False, not a {type(value.is_anonymous).__name__}")
    return ffi.Draft(
        location_id=value.location_id,
        room_number=value.room_number,
        longitude=value.longitude,
        latitude=value.latitude,
        is_anonymous=value.is_anonymous,
        created_at=None if value.created_at is None else to_ms(value.created_at),
        cancellation_reason=value.cancellation_reason,
    )


def violation(value: ffi.Violation) -> Violation:
    return Violation(value.pointer, value.code, value.detail)


def entry(value: ffi.Entry) -> Entry:
    return Entry(
        key=value.key,
        state=EntryState[value.state.name],
        location_id=value.location_id,
        room_number=value.room_number,
        longitude=value.longitude,
        latitude=value.latitude,
        is_anonymous=value.is_anonymous,
        created_at=from_ms(value.created_at),
        cancellation_reason=value.cancellation_reason,
        payload=value.payload,
        reported_at=from_ms(value.reported_at),
        changed_at=from_ms(value.changed_at),
        attempts=value.attempts,
        problem=None if value.problem is None else _problem(value.problem),
        incident=None if value.incident is None else _incident(value.incident),
    )


def _problem(value: ffi.Problem) -> Problem:
    errors = tuple(violation(error) for error in value.errors)
    return Problem(value.status, value.slug, value.detail, errors, tuple(value.fields))


def _incident(value: ffi.Incident) -> Incident:
    return Incident(
        id=value.id,
        status=IncidentStatus[value.status.name],
        outcome=Outcome[value.outcome.name],
        received_at=from_ms(value.received_at),
        clock_suspect=value.clock_suspect,
        cancelled_at=None if value.cancelled_at is None else from_ms(value.cancelled_at),
        cancellation_reason=value.cancellation_reason,
    )


def summary(value: ffi.Summary) -> Summary:
    found = value.recovery
    recovery = None if found is None else Recovery(found.saved, found.lost, found.moved_to)
    counts = (value.pending, value.sending, value.settled, value.quarantined, value.of_others)
    return Summary(*counts, recovery)
