"""What an app's own test does: no server, no network, no sleep."""

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from incident_sync import (
    EntryState,
    Idle,
    IncidentStatus,
    SignIn,
    SignInReason,
    Upload,
    Wait,
    WaitReason,
)
from incident_sync_testing import Busy, FakeServer, Fault

from conftest import draft

NOW = datetime(2026, 11, 22, 10, 15, 30, 120_000, tzinfo=timezone.utc)


@pytest.fixture
def server():
    return FakeServer("alice", NOW)


@pytest.fixture
def app(server, tmp_path):
    with server.open(tmp_path / "app.db", "alice") as outbox:
        yield outbox


def test_a_report_arrives_is_cancelled_and_is_erased(server, app):
    entry = app.report(draft(room_number="12B"))
    assert entry.created_at == NOW
    assert app.sync(server) == Idle()
    app.cancel(entry.key, "false alarm")
    assert app.sync(server) == Idle()
    (incident,) = server.incidents
    assert (incident.reporter, incident.location_id) == ("alice", "ward-7")
    assert incident.payload == app.entry(entry.key).payload
    assert '"roomNumber":"12B"' in incident.payload
    assert (incident.status, incident.cancellation_reason) == (IncidentStatus.CANCELLED, "false alarm")
    assert app.entry(entry.key).incident.id == incident.id
    server.erase(incident.id)
    assert server.incidents[0].status is None


def test_many_reports_arrive_as_one_batch(server, app):
    for n in range(5):
        app.report(draft(f"w{n}"))
    assert app.sync(server) == Idle()
    assert ([i.location_id for i in server.incidents], server.uploads) == ([f"w{n}" for n in range(5)], 1)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault.OFFLINE, WaitReason.OFFLINE),
        (Fault.LOST_ANSWER, WaitReason.NO_ANSWER),
        (Fault.SLOW_LINE, WaitReason.TIMED_OUT),
        (Fault.FIREWALL, WaitReason.NOT_THE_SERVER),
        (Busy(30), WaitReason.SERVER_BUSY),
    ],
)
def test_a_fault_that_is_waited_out(server, app, fault, why):
    key = app.report(draft()).key
    server.order(fault)
    wait = app.sync(server)
    assert isinstance(wait, Wait) and wait.why == why
    assert len(server.incidents) == (fault == Fault.LOST_ANSWER)
    server.turn(timedelta(hours=1))
    assert app.sync(server) == Idle()
    assert (app.entry(key).state, len(server.incidents)) == (EntryState.SETTLED, 1)


def test_tokens(server, app):
    app.report(draft())
    server.order(Fault.UNAUTHORIZED)
    assert app.sync(server).why == SignInReason.UNAUTHORIZED
    server.sign_in("bob")
    app.token_changed()
    assert app.sync(server).why == SignInReason.WRONG_REPORTER
    server.sign_out()
    app.token_changed()
    assert isinstance(app.sync(server), SignIn)
    server.sign_in("alice")
    app.token_changed()
    assert app.sync(server) == Idle()


def test_a_conflict_is_quarantined_and_sent_again_under_another_name(server, app):
    key = app.report(draft()).key
    server.order(Fault.CONFLICT)
    assert app.sync(server) == Idle()
    assert app.entry(key).problem.slug == "idempotency-conflict"
    assert app.retry(key).key != key
    assert app.sync(server) == Idle()


def test_an_anonymous_report_waits_for_its_turn_and_leaves_no_name(server, app):
    app.report(draft())
    app.report(draft(is_anonymous=True))
    wait = app.sync(server)
    assert wait.why == WaitReason.SPACING
    server.now = wait.until
    assert app.sync(server) == Idle()
    assert [incident.reporter for incident in server.incidents] == ["alice", None]


def test_a_settled_report_is_forgotten_after_30_days(server, app, tmp_path):
    app.report(draft())
    app.sync(server)
    app.close()
    server.turn(timedelta(days=31))
    with server.open(tmp_path / "app.db", "alice") as outbox:
        assert outbox.entries() == []


def test_a_wait_beyond_all_datetimes_ends_with_the_last_one(tmp_path):
    last = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=timezone.utc)
    server = FakeServer("alice", last)
    with server.open(tmp_path / "outbox.db", "alice") as outbox:
        outbox.report(draft())
        server.order(Busy(retry_after_s=60))
        assert outbox.sync(server).until == last
        assert outbox.next_upload().until == last


def test_an_incident_that_is_printed_shows_no_text(server, app):
    key = app.report(draft("Sekretariat", room_number="R-4711")).key
    app.cancel(key, "falscher Alarm")
    app.sync(server)
    (incident,) = server.incidents
    words = ["alice", "Sekretariat", "R-4711", "12.4924", "falscher Alarm", "2026"]
    for text in (repr(incident), str(incident), f"{server.incidents}"):
        assert incident.id in text
        assert not [word for word in words if word in text], text


def test_asyncio(server, app):
    app.report(draft())
    assert asyncio.run(app.sync_async(server.for_asyncio)) == Idle()


def test_a_coroutine_function_hears_of_every_answer(server, app):
    app.report(draft())
    heard = []

    async def progress(done):
        await asyncio.sleep(0)
        heard.append(done.settled)

    assert asyncio.run(app.sync_async(server.for_asyncio, progress)) == Idle()
    assert heard == [1]


def test_what_a_coroutine_function_of_the_progress_raises_ends_the_sync(server, app):
    app.report(draft())

    async def progress(_done):
        raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        asyncio.run(app.sync_async(server.for_asyncio, progress))
    assert len(server.incidents) == 1


def test_nonsense_is_a_value_error_in_words(server):
    for nonsense in [
        lambda: server.order(Fault.OFFLINE, 0),
        lambda: server.order(Fault.OFFLINE, 10**9),
        lambda: server.order("offline"),
        lambda: server.order(Busy(-1)),
        lambda: server.erase("no id"),
        lambda: server.sign_in(""),
        lambda: setattr(server, "now", datetime(1969, 1, 1, tzinfo=timezone.utc)),
        lambda: setattr(server, "now", datetime(2026, 1, 1)),
        lambda: FakeServer("\n"),
    ]:
        with pytest.raises(ValueError):
            nonsense()


def test_an_upload_that_no_outbox_made_is_answered_as_by_the_real_server(server):
    def answer(path, body, *headers):
        return server.send(Upload(1, "POST", path, headers, body, 1000)).status

    assert answer("/", b"{}") == 404
    assert answer("/api/incidents/sync", b"\xff") == 400
    assert answer("/api/incidents/sync", b"{}") == 422
    assert answer("/api/incidents/sync/batch", b"[]") == 422
    assert answer("/api/incidents/sync/batch", b'{"incidents":[]}') == 200
