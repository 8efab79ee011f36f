"""The loop over the queue and the network, and why it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ._generated import incident_mobile_ffi as ffi
from .errors import typed
from .model import Progress, WaitReason, from_ms
from .transport import NetworkFailure, Request, Response, Transport


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is left to send."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Nothing goes before there is a new token: get one, call ``token_changed()``, sync again."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing goes before ``until``: sync again then."""

    until: datetime
    why: WaitReason


@dataclass(frozen=True, slots=True)
class Cancelled:
    """``progress`` answered ``False``."""


SyncEnd = Idle | SignIn | Wait | Cancelled


@typed
def run(
    outbox: ffi.Outbox,
    transport: Transport,
    progress: Callable[[Progress], bool | None] | None,
) -> SyncEnd:
    """Sends until the queue says that there is nothing to do now."""
    settled = quarantined = 0
    while True:
        step = outbox.next_upload()
        if not isinstance(step, ffi.NextUpload.SEND):
            return _end(step)
        done = outbox.complete_upload(step.upload.id, _send(outbox, transport, step.upload))
        settled += done.settled
        quarantined += done.quarantined
        if progress is not None and progress(Progress(settled, quarantined, done.pending)) is False:
            return Cancelled()


def _end(step: ffi.NextUpload) -> SyncEnd:
    if isinstance(step, ffi.NextUpload.WAIT):
        return Wait(from_ms(step.until_ms), WaitReason[step.why.name])
    return SignIn() if isinstance(step, ffi.NextUpload.SIGN_IN) else Idle()


def _send(outbox: ffi.Outbox, transport: Transport, upload: ffi.Upload) -> ffi.UploadResult:
    headers = tuple((header.name, header.value) for header in upload.headers)
    request = Request(upload.method, upload.path, headers, upload.body, upload.timeout_ms / 1000)
    try:
        return _result(transport.send(request))
    except NetworkFailure:
        return ffi.UploadResult.NETWORK_FAILURE()
    except BaseException:
        # A transport that breaks, or Ctrl-C: the entries are pending again at once.
        outbox.complete_upload(upload.id, ffi.UploadResult.CANCELLED())
        raise


def _result(response: Response) -> ffi.UploadResult:
    headers = [ffi.Header(name=name, value=value) for name, value in response.headers]
    return ffi.UploadResult.RESPONSE(status=response.status, headers=headers, body=response.body)
