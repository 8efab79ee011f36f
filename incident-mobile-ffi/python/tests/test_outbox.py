"""The outbox without a network."""

import copy
import pickle
from datetime import date, datetime, timezone

import pytest

import incident_sync
from incident_sync import (
    AlreadyCancelledError,
    ClosedError,
    EntryState,
    Incident,
    IncidentStatus,
    InvalidArgumentError,
    InvalidError,
    InvalidReporterError,
    MalformedError,
    NetworkFailure,
    NetworkFailureKind,
    NewerSchemaError,
    NoSpaceError,
    NotFoundError,
    Outbox,
    OutboxError,
    OutboxSettings,
    Outcome,
    Problem,
    Response,
    Send,
    StillPendingError,
    UnavailableError,
    Violation,
    canonical_payload,
    validate_draft,
)

from conftest import draft


def test_a_report_is_there_after_a_restart(tmp_path):
    with Outbox.open(tmp_path / "outbox.db", "alice") as outbox:
        reported = outbox.report(draft(room_number=" 12B "))
    with Outbox.open(tmp_path / "outbox.db", "alice") as outbox:
        assert outbox.entries() == [reported]
    assert (reported.state, reported.room_number) == (EntryState.PENDING, "12B")


def test_a_given_moment_is_kept_to_the_millisecond(outbox):
    moment = datetime(2026, 11, 22, 10, 15, 30, 120_999, tzinfo=timezone.utc)
    entry = outbox.report(draft(created_at=moment))
    assert entry.created_at == moment.replace(microsecond=120_000)
    assert entry.key == "01a202c0-f648-81b8-95f2-469ecf9e3f4e"


def test_a_moment_without_an_offset_is_refused(outbox):
    with pytest.raises(ValueError, match="offset"):
        outbox.report(draft(created_at=datetime(2026, 11, 22)))


@pytest.mark.parametrize("moment", ["2026-11-22T10:15:30Z", 1_795_000_000_000, date(2026, 11, 22)])
def test_a_moment_that_is_no_datetime_is_told_in_a_sentence(outbox, moment):
    with pytest.raises(TypeError, match="a moment is an aware datetime, not a (str|int|date)"):
        outbox.report(draft(created_at=moment))
    assert outbox.summary().pending == 0


@pytest.mark.parametrize(
    "times",
    [
        {"settled_for_ms": -1},
        {"shortest_spacing_ms": -1},
        {"longest_spacing_ms": -1},
        {"shortest_spacing_ms": 2, "longest_spacing_ms": 1},
        {"settled_for_ms": 2**63 - 1},
        {"shortest_spacing_ms": 36_500 * 86_400_000 + 1},
        {"longest_spacing_ms": 2**63 - 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, times):
    with pytest.raises(InvalidArgumentError, match="negative|longer than|a hundred years"):
        Outbox.open(tmp_path / "outbox.db", "alice", OutboxSettings(**times))


@pytest.mark.parametrize(
    "times", [{"longest_spacing_ms": 0}, {"shortest_spacing_ms": 1_000_000}, {"settled_for_ms": 0}]
)
def test_settings_may_leave_out_a_bound(tmp_path, times):
    Outbox.open(tmp_path / "outbox.db", "alice", OutboxSettings(**times)).close()


def test_a_bad_draft_is_refused_with_all_its_violations(outbox):
    with pytest.raises(InvalidError) as refused:
        outbox.report(draft(" ", room_number="x" * 65, cancellation_reason=""))
    pointers = [(v.pointer, v.code) for v in refused.value.violations]
    assert pointers == [("/locationId", "blank"), ("/roomNumber", "too-long"), ("/cancellationReason", "blank")]
    assert outbox.summary().pending == 0


KINDS = [kind for kind in vars(incident_sync).values() if isinstance(kind, type) and issubclass(kind, OutboxError)]
ERRORS = [
    InvalidError((Violation("/locationId", "blank", "is blank"), Violation("/longitude", "out-of-range", "is too large"))),
    NetworkFailure("no way", NetworkFailureKind.TLS, sent=True),
    *(kind("words") for kind in KINDS if kind is not InvalidError),
]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error, again):
    error.note = "an attribute of the app's"
    other = again(error)
    assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))


def test_a_lone_surrogate_is_a_typed_error(outbox):
    with pytest.raises(MalformedError):
        outbox.report(draft("ward \ud800"))
    with pytest.raises(MalformedError):
        canonical_payload(r'{"locationId":"\ud800"}')


@pytest.mark.parametrize("is_anonymous", [None, "no", 2])
def test_whether_a_draft_is_anonymous_is_true_or_false(outbox, is_anonymous):
    with pytest.raises(TypeError, match="is_anonymous is True or False, not a (NoneType|str|int)"):
        outbox.report(draft(is_anonymous=is_anonymous))


def test_a_draft_can_be_checked_without_an_outbox():
    now = datetime(2026, 11, 22, tzinfo=timezone.utc)
    assert '"createdAt":"2026-11-22T00:00:00.000Z"' in validate_draft(draft(), now)


def test_cancelling_keeps_the_first_reason(outbox):
    key = outbox.report(draft()).key
    assert outbox.cancel(key, "false alarm").cancellation_reason == "false alarm"
    assert outbox.cancel(key, "false alarm").state == EntryState.PENDING
    with pytest.raises(AlreadyCancelledError):
        outbox.cancel(key, "another reason")


def test_what_waits_is_not_discarded(outbox):
    with pytest.raises(StillPendingError):
        outbox.discard(outbox.report(draft()).key)


def test_an_unknown_key_is_not_found(outbox):
    for key in ["", "nonsense", "01a202c0-f648-81b8-95f2-469ecf9e3f4e"]:
        with pytest.raises(NotFoundError):
            outbox.entry(key)


def test_a_closed_outbox_says_so(outbox):
    outbox.close()
    outbox.close()
    with pytest.raises(ClosedError):
        outbox.report(draft())


def test_a_bad_reporter_or_path_is_a_typed_error(tmp_path):
    with pytest.raises(InvalidReporterError):
        Outbox.open(tmp_path / "outbox.db", "")
    with pytest.raises(UnavailableError):
        Outbox.open(tmp_path / "missing" / "outbox.db", "alice")


def test_a_newer_schema_is_refused(tmp_path):
    import sqlite3

    path = tmp_path / "outbox.db"
    Outbox.open(path, "alice").close()
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerSchemaError):
        Outbox.open(path, "alice")


def test_a_corrupt_file_is_moved_aside_and_saved_from(tmp_path):
    path = tmp_path / "outbox.db"
    with Outbox.open(path, "alice") as outbox:
        key = outbox.report(draft()).key
    path.write_bytes(b"spam" * 1024 + path.read_bytes()[4096:])
    with Outbox.open(path, "alice") as outbox:
        recovery = outbox.summary().recovery
        assert (recovery.saved, recovery.lost) == (1, 0)
        assert outbox.entry(key).state == EntryState.PENDING


def test_a_write_that_the_system_refuses_is_a_typed_error_and_loses_nothing(tmp_path, outbox):
    import resource

    before = [outbox.report(draft(f"w{n}")).key for n in range(3)]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    longest = max(file.stat().st_size for file in tmp_path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest, limits[1]))
    try:
        with pytest.raises((UnavailableError, NoSpaceError)):
            for n in range(1000):
                before.append(outbox.report(draft(f"x{n}")).key)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    after = outbox.report(draft("y")).key
    assert outbox.summary().recovery is None
    assert {entry.key for entry in outbox.entries(limit=10_000)} == {*before, after}


def test_nothing_that_is_printed_shows_a_text_of_a_report(outbox):
    words = ["Sekretariat", "R-4711", "12.4924", "41.8902", "falscher Alarm", "2026"]
    report = draft("Sekretariat", room_number="R-4711", cancellation_reason="falscher Alarm")
    entry = outbox.report(report)
    sent = outbox.next_upload()
    response = Response(403, (("X", "Sekretariat"),), entry.payload.encode())
    printed = [report, entry, sent, sent.upload, response, canonical_payload(entry.payload)]
    incident = Incident("id", IncidentStatus.CANCELLED, Outcome.CREATED, entry.created_at, False, None, "falscher Alarm")
    printed += [incident, Problem(409, None, "Sekretariat", (), ("R-4711",))]
    for value in printed:
        for text in (repr(value), str(value), f"{value}"):
            assert not [word for word in words if word in text], text


def test_an_upload_that_is_printed_shows_no_key(outbox):
    entry = outbox.report(draft(is_anonymous=True))
    sent = outbox.next_upload()
    assert entry.key in f"{sent.upload.headers}"
    for text in (repr(sent), repr(sent.upload)):
        assert entry.key not in text


def test_the_entries_come_in_pages(outbox):
    keys = [outbox.report(draft(f"w{n}")).key for n in range(25)][::-1]
    first = outbox.entries(limit=10)
    second = outbox.entries(limit=10, after=first[-1].key)
    third = outbox.entries(limit=10, after=second[-1].key)
    assert [entry.key for entry in first + second + third] == keys
    assert outbox.entries(after=third[-1].key) == []
    with pytest.raises(NotFoundError):
        outbox.entries(after="no key")


def test_a_list_of_fewer_than_no_entries_is_refused(outbox):
    outbox.report(draft())
    assert outbox.entries(limit=0) == []
    assert len(outbox.entries(limit=2**63 - 1)) == 1
    with pytest.raises(InvalidArgumentError, match="the limit of a list is negative"):
        outbox.entries(limit=-1)


def refuse_all(outbox):
    """What comes of a report that the server refuses."""
    body = b'{"type":"/problems/validation-failed","status":422,"disposition":"quarantine"}'
    while isinstance(step := outbox.next_upload(), Send):
        outbox.complete_upload(step.upload.id, Response(422, (("Content-Type", "application/problem+json"),), body))


def test_all_that_was_refused_is_sent_again_or_discarded(outbox):
    for n in range(3):
        outbox.report(draft(f"w{n}"))
    refuse_all(outbox)
    assert outbox.summary().quarantined == 3
    assert outbox.retry_all(EntryState.QUARANTINED) == 3
    assert (outbox.summary().pending, outbox.summary().quarantined) == (3, 0)
    refuse_all(outbox)
    assert outbox.discard_all(EntryState.QUARANTINED) == 3
    assert outbox.entries() == []

