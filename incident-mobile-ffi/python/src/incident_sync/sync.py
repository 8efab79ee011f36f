"""The loop over the queue and the network, and why it ends."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

from ._generated import incident_mobile_ffi as ffi
from .errors import OutboxError, typed
from .model import Progress, SignInReason, WaitReason, from_ms
from .transport import (
    AsyncTransport,
    Cancelled,
    NetworkFailure,
    Response,
    Transport,
    Upload,
    UploadResult,
)

T = TypeVar("T")

_GENERATED: Any = ffi.UploadResult
"""Its kinds are attributes, of which no type checker sees that they are kinds of it."""
_UNKNOWN = 0
"""No upload's number. To cancel it hands back whichever is under way."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this, and hand back what came of it."""

    upload: Upload


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing goes before ``until``: sync again then."""

    until: datetime
    why: WaitReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Nothing goes before there is a new token: get one, call ``token_changed()``, sync again."""

    why: SignInReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is left to send."""


SyncEnd = Wait | SignIn | Idle
NextUpload = Send | SyncEnd


class _Loop:
    """The steps of a sync, and what it has under way; ``known`` are the numbers that all syncs of the outbox have under way."""

    def __init__(self, outbox: ffi.Outbox, known: set[int]) -> None:
        self._outbox = outbox
        self._known = known
        self._under_way: int | None = None

    def next(self) -> NextUpload:
        # Who is interrupted in here may have been given an upload without having seen its number.
        self._under_way = _UNKNOWN
        try:
            step = next_upload(self._outbox)
        except OutboxError:
            self._under_way = None
            raise
        self._under_way = step.upload.id if isinstance(step, Send) else None
        if self._under_way is not None:
            self._known.add(self._under_way)
        return step

    def complete(self, id: int, result: UploadResult) -> Progress:
        try:
            return complete_upload(self._outbox, id, result)
        finally:
            self._known.discard(id)

    def stop(self) -> None:
        """What was under way is pending again, and another process may send at once."""
        # One upload is under way at a time: where another thread's sync has it, this one was given none.
        if self._under_way is None or (self._under_way == _UNKNOWN and self._known):
            return
        self.complete(self._under_way, Cancelled())


def run(
    outbox: ffi.Outbox,
    known: set[int],
    transport: Transport,
    progress: Callable[[Progress], object] | None,
) -> SyncEnd:
    """Sends until the queue says that there is nothing to do now."""
    loop = _Loop(outbox, known)
    try:
        while isinstance(step := loop.next(), Send):
            result = _deliver(step.upload, transport)
            done = loop.complete(step.upload.id, result)
            if isinstance(result, Cancelled):
                return _cancelled()
            if progress is not None:
                progress(done)
        return step
    except BaseException:
        loop.stop()
        raise


async def run_async(
    outbox: ffi.Outbox,
    known: set[int],
    transport: AsyncTransport,
    progress: Callable[[Progress], object] | None,
) -> SyncEnd:
    """The same as :func:`run`, for asyncio; cancelling the task hands the upload under way back."""
    loop = _Loop(outbox, known)
    # One thread: whatever becomes of who waits for a step, the stop comes behind it.
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="incident_sync")
    try:
        while isinstance(step := await _to_its_end(thread, loop.next), Send):
            result = await _deliver_async(step.upload, transport)
            done = await _to_its_end(thread, partial(loop.complete, step.upload.id, result))
            if isinstance(result, Cancelled):
                return _cancelled()
            if progress is not None and inspect.isawaitable(heard := progress(done)):
                await heard
        return step
    except BaseException:
        await _to_its_end(thread, loop.stop)
        raise
    finally:
        thread.shutdown(wait=False)


def _cancelled() -> Wait:
    """Nothing but the transport holds the queue up: it may be asked again at any time."""
    return Wait(datetime.now(timezone.utc), WaitReason.NO_ANSWER, "the transport cancelled the upload")


async def _to_its_end(thread: Executor, call: Callable[[], T]) -> T:
    """Runs a step on that thread. A task that is cancelled meanwhile waits for it: nobody can take it back."""
    # No task, which the end of asyncio.run would cancel too.
    work = asyncio.wrap_future(thread.submit(copy_context().run, call))
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        work.exception()  # it is looked at: the cancellation says more
        raise cancelled
    return work.result()


async def _deliver_async(upload: Upload, transport: AsyncTransport) -> UploadResult:
    try:
        return await transport.send(upload)
    except NetworkFailure as failure:
        return failure


def _deliver(upload: Upload, transport: Transport) -> UploadResult:
    try:
        return transport.send(upload)
    except NetworkFailure as failure:
        return failure


@typed
def next_upload(outbox: ffi.Outbox) -> NextUpload:
    step = outbox.next_upload()
    if isinstance(step, ffi.NextUpload.SEND):
        upload = step.upload
        headers = tuple((header.name, header.value) for header in upload.headers)
        return Send(Upload(upload.id, upload.method, upload.path, headers, upload.body, upload.timeout_ms))
    if isinstance(step, ffi.NextUpload.WAIT):
        return Wait(from_ms(step.until), WaitReason[step.why.name], step.detail)
    if isinstance(step, ffi.NextUpload.SIGN_IN):
        return SignIn(SignInReason[step.why.name], step.detail)
    return Idle()


@typed
def complete_upload(outbox: ffi.Outbox, upload_id: int, result: UploadResult) -> Progress:
    done = outbox.complete_upload(upload_id, _lowered(result))
    return Progress(done.settled, done.quarantined, done.pending)


def _lowered(result: UploadResult) -> Any:
    if isinstance(result, Response):
        headers = [ffi.Header(name=_encodable(name), value=_encodable(value)) for name, value in result.headers]
        return _GENERATED.RESPONSE(status=result.status, headers=headers, body=_bytes(result.body))
    if isinstance(result, NetworkFailure):
        kind = ffi.NetworkFailureKind[result.kind.name]
        return _GENERATED.NETWORK_FAILURE(kind=kind, detail=_encodable(str(result)), sent=result.sent)
    if isinstance(result, Cancelled):
        return _GENERATED.CANCELLED()
    if inspect.iscoroutine(result):
        result.close()  # otherwise it warns that nobody waited for it
    raise TypeError(
        f"a transport's send returns a Response or raises a NetworkFailure, it returned a {type(result).__name__}; "
        "for an AsyncTransport call sync_async"
    )


def _encodable(text: str) -> str:
    """With a sign in place of half a surrogate pair, which no UTF-8 can hold: others' words may have one."""
    if not isinstance(text, str):
        raise TypeError(f"a header is a str, not a {type(text).__name__}")
    return text.encode(errors="replace").decode()


def _bytes(body: bytes) -> bytes:
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"the body of an answer is bytes, not a {type(body).__name__}")
    return bytes(body)
