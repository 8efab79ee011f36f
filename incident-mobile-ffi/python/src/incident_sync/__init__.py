"""Offline-first incident reporting: an outbox that cannot lose a report.

>>> with Outbox.open(path, reporter="alice") as outbox:
...     outbox.report(Draft(location_id="ward-7", longitude=12.4924, latitude=41.8902))
...     outbox.sync(HttpxTransport("https://incidents.example", token))
"""

from .errors import (
    AlreadyCancelledError,
    ClosedError,
    FullError,
    HurtError,
    InvalidError,
    InvalidReporterError,
    MalformedError,
    NewerSchemaError,
    NoSpaceError,
    NotFoundError,
    OutboxError,
    StillPendingError,
    UnavailableError,
)
from .model import (
    CanonicalPayload,
    Draft,
    Entry,
    EntryState,
    Incident,
    IncidentStatus,
    Outcome,
    Problem,
    Progress,
    Recovery,
    Summary,
    Violation,
    WaitReason,
)
from .outbox import Outbox, canonical_payload, derive_key, validate_draft
from .sync import Idle, NextUpload, Send, SignIn, SyncEnd, Wait
from .transport import Cancelled, HttpxTransport, NetworkFailure, Response, Transport, Upload, UploadResult

__all__ = [
    "AlreadyCancelledError",
    "Cancelled",
    "CanonicalPayload",
    "ClosedError",
    "Draft",
    "Entry",
    "EntryState",
    "FullError",
    "HttpxTransport",
    "HurtError",
    "Idle",
    "Incident",
    "IncidentStatus",
    "InvalidError",
    "InvalidReporterError",
    "MalformedError",
    "NetworkFailure",
    "NewerSchemaError",
    "NextUpload",
    "NoSpaceError",
    "NotFoundError",
    "Outbox",
    "OutboxError",
    "Outcome",
    "Problem",
    "Progress",
    "Recovery",
    "Response",
    "Send",
    "SignIn",
    "StillPendingError",
    "Summary",
    "SyncEnd",
    "Transport",
    "UnavailableError",
    "Upload",
    "UploadResult",
    "Violation",
    "Wait",
    "WaitReason",
    "canonical_payload",
    "derive_key",
    "validate_draft",
]
