"""The outbox, and what needs no outbox."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timezone

from . import model
from ._generated import incident_mobile_ffi as ffi
from .errors import typed
from .model import CanonicalPayload, Draft, Entry, EntryState, OutboxSettings, Progress, Summary, to_ms
from .log import listener
from .sync import NextUpload, SyncEnd, complete_upload, next_upload, run, run_async
from .transport import AsyncTransport, Transport, UploadResult
from .watch import watch, watch_async


class Outbox:
    """The queue of one reporter in one file; safe to use from several threads."""

    def __init__(self, inner: ffi.Outbox) -> None:
        self._inner = inner
        self._known: set[int] = set()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        reporter: str,
        settings: OutboxSettings | None = None,
        log: Callable[[str], object] | None = None,
    ) -> Outbox:
        """Opens the file, or makes it. ``reporter`` is the ``sub`` of the access token.

        ``log`` gets one line for each event, without a text of a report, a name or a token, on the thread whose call
        made it. It may call the outbox, and what it raises is passed over, but for what is no ``Exception``: that ends
        the call.
        """
        return cls._open_at(path, reporter, settings, log, None)

    @classmethod
    @typed
    def _open_at(
        cls,
        path: str | os.PathLike[str],
        reporter: str,
        settings: OutboxSettings | None,
        log: Callable[[str], object] | None,
        now: datetime | None,
    ) -> Outbox:
        """For incident_sync_testing: the same under a clock that stands at ``now`` until it is turned."""
        lowered = model.settings(settings or OutboxSettings())
        now_ms = None if now is None else to_ms(now)
        return cls(ffi.Outbox.open(os.fspath(path), reporter, lowered, listener(log), now_ms))

    def _turn_to(self, moment: datetime) -> None:
        """For incident_sync_testing: turns the clock of an outbox that was opened under one."""
        self._inner.turn_to(to_ms(moment))

    @typed
    def report(self, draft: Draft) -> Entry:
        """Takes a report; it is durable when this returns."""
        return model.entry(self._inner.report(model.draft(draft)))

    @typed
    def cancel(self, key: str, reason: str) -> Entry:
        """Calls a report off, sent or not."""
        return model.entry(self._inner.cancel(key, reason))

    @typed
    def entries(
        self, filter: EntryState | None = None, limit: int = 100, after: str | None = None
    ) -> list[Entry]:
        """The entries of this reporter, newest first, at most ``limit``, from the one behind the key ``after`` on."""
        state = None if filter is None else ffi.EntryState[filter.name]
        return [model.entry(entry) for entry in self._inner.entries(state, limit, after)]

    @typed
    def entry(self, key: str) -> Entry:
        """One entry."""
        return model.entry(self._inner.entry(key))

    @typed
    def summary(self) -> Summary:
        """The queue in numbers."""
        return model.summary(self._inner.summary())

    def watch(self) -> Iterator[Summary]:
        """The queue in numbers, now and after every change, by whatever process; ends when the outbox is closed.

        Many changes at once are one. Two that are equal mean that something else of an entry changed, such as its
        reason. Waits between changes: on a thread of its own, or with :meth:`watch_async`.
        """
        return watch(self._inner)

    def watch_async(self) -> AsyncIterator[Summary]:
        """The same as :meth:`watch`, for asyncio."""
        return watch_async(self._inner)

    def sync(
        self,
        transport: Transport,
        progress: Callable[[Progress], object] | None = None,
    ) -> SyncEnd:
        """Sends what can be sent and says why it stopped; ``progress`` hears of every answer.

        What the transport or ``progress`` raises ends it; then the upload under way is handed back.
        """
        return run(self._inner, self._known, transport, progress)

    async def sync_async(
        self,
        transport: AsyncTransport,
        progress: Callable[[Progress], object] | None = None,
    ) -> SyncEnd:
        """The same as :meth:`sync`, for asyncio; ``progress`` may be a coroutine function.

        Cancelling its task hands the upload under way back to the queue.
        """
        return await run_async(self._inner, self._known, transport, progress)

    def next_upload(self) -> NextUpload:
        """Says what to send next; ``sync`` asks for you, unless you bring a loop of your own."""
        return next_upload(self._inner)

    def complete_upload(self, id: int, result: UploadResult) -> Progress:
        """Takes what came of an upload; one that is no longer under way changes nothing."""
        return complete_upload(self._inner, id, result)

    @typed
    def retry(self, key: str) -> Entry:
        """Sends a quarantined entry again; a back-off lapses."""
        return model.entry(self._inner.retry(key))

    @typed
    def discard(self, key: str) -> None:
        """Removes an entry that is settled or quarantined."""
        self._inner.discard(key)

    @typed
    def retry_all(self, filter: EntryState | None = None) -> int:
        """Sends again what is in quarantine and what waits, or the entries of one state; says how many."""
        return self._inner.retry_all(None if filter is None else ffi.EntryState[filter.name])

    @typed
    def discard_all(self, filter: EntryState | None = None) -> int:
        """Removes what is settled or in quarantine, or the entries of one of these; says how many."""
        return self._inner.discard_all(None if filter is None else ffi.EntryState[filter.name])

    @typed
    def network_changed(self) -> None:
        """There is another network, or one again: a back-off lapses; what the server asked is kept."""
        self._inner.network_changed()

    @typed
    def token_changed(self) -> None:
        """There is a new token: what waited for it may go."""
        self._inner.token_changed()

    @typed
    def close(self) -> None:
        """Closes the file; closing twice is no fault."""
        self._inner.close()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@typed
def validate_draft(draft: Draft, now: datetime | None = None) -> str:
    """The canonical payload of a draft; raises :class:`InvalidError` with every violation."""
    return ffi.validate_draft(model.draft(draft), to_ms(now or datetime.now(timezone.utc)))


@typed
def derive_key(reporter: str, created_at: str) -> str:
    """The idempotency key; ``created_at`` is an ISO 8601 date-time with an offset."""
    return ffi.derive_key(reporter, created_at)


@typed
def canonical_payload(json: str | bytes) -> CanonicalPayload:
    """Reads a payload as the server would."""
    read = ffi.canonical_payload(json.encode() if isinstance(json, str) else json)
    return CanonicalPayload(read.text, tuple(read.ignored))
