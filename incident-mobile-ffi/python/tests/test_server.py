"""The promise against the real server."""

import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from incident_sync import (
    EntryState,
    HttpxTransport,
    Idle,
    NetworkFailure,
    NotFoundError,
    Outbox,
    OutboxSettings,
    Outcome,
    SignIn,
    SignInReason,
    Wait,
    WaitReason,
)

from conftest import RealServer, draft

UNAUTHORIZED = "the server wants a valid access token"


def history(server: RealServer, reporter: str, incident_id: str) -> list[str]:
    headers = {"Authorization": f"Bearer {server.token(reporter)}"}
    answer = httpx.get(f"{server.url}/api/incidents/{incident_id}/history", headers=headers)
    return [event["kind"] for event in answer.raise_for_status().json()["events"]]


def count(server: RealServer) -> int:
    """How many incidents the server has, whoever reported them."""
    headers = {"Authorization": f"Bearer {server.token('auditor', '--scope', 'incidents:read')}"}
    incidents, more = 0, {}
    while True:
        url = f"{server.url}/api/incidents"
        page = httpx.get(url, params={"limit": 200, **more}, headers=headers).raise_for_status().json()
        incidents += len(page["incidents"])
        if "nextCursor" not in page:
            return incidents
        more = {"cursor": page["nextCursor"]}


def test_reported_offline_and_synced_later(outbox, server):
    key = outbox.report(draft(room_number="12B")).key
    assert outbox.sync(HttpxTransport(server.url, server.token("alice"))) == Idle()
    entry = outbox.entry(key)
    assert (entry.state, entry.incident.outcome) == (EntryState.SETTLED, Outcome.CREATED)


def test_reported_and_cancelled_offline_leaves_both_in_the_history(outbox, server):
    key = outbox.report(draft()).key
    outbox.cancel(key, "false alarm")
    outbox.sync(HttpxTransport(server.url, server.token("alice")))
    incident = outbox.entry(key).incident
    assert incident.outcome == Outcome.CREATED_AND_CANCELLED
    assert history(server, "alice", incident.id) == ["created", "cancelled"]


def test_a_settled_report_can_still_be_cancelled(outbox, server):
    transport = HttpxTransport(server.url, server.token("alice"))
    key = outbox.report(draft()).key
    outbox.sync(transport)
    outbox.cancel(key, "false alarm")
    assert outbox.sync(transport) == Idle()
    assert outbox.entry(key).incident.outcome == Outcome.CANCELLED


class LosesAnswers:
    """The server commits, then dies before its answer arrives."""

    def __init__(self, server: RealServer, transport: HttpxTransport) -> None:
        self.server, self.transport = server, transport

    def send(self, request):
        self.transport.send(request)
        self.server.kill()
        raise NetworkFailure("the connection broke")


def test_a_server_killed_after_the_commit_makes_no_duplicate(outbox, server):
    transport = HttpxTransport(server.url, server.token("alice"))
    key = outbox.report(draft()).key
    outbox.sync(LosesAnswers(server, transport))
    assert outbox.entry(key).state == EntryState.PENDING
    server.start()
    outbox.retry(key)
    assert outbox.sync(transport) == Idle()
    assert outbox.entry(key).incident.outcome == Outcome.UNCHANGED
    assert count(server) == 1


def test_an_expired_token_waits_for_a_new_one(outbox, server):
    key = outbox.report(draft()).key
    assert outbox.sync(HttpxTransport(server.url, "expired")) == SignIn(SignInReason.UNAUTHORIZED, UNAUTHORIZED)
    outbox.token_changed()
    assert outbox.sync(HttpxTransport(server.url, server.token("alice"))) == Idle()
    assert outbox.entry(key).state == EntryState.SETTLED


def test_one_bad_entry_among_good_ones(tmp_path, outbox, server):
    transport = HttpxTransport(server.url, server.token("alice"))
    with Outbox.open(tmp_path / "other-phone.db", "alice") as other:
        earlier = other.report(draft("other facts"))
        other.sync(transport)
    bad = outbox.report(draft(created_at=earlier.created_at)).key
    good = [outbox.report(draft(f"w{n}")).key for n in range(5)]
    assert outbox.sync(transport) == Idle()
    assert outbox.entry(bad).state == EntryState.QUARANTINED
    assert outbox.entry(bad).problem.slug == "idempotency-conflict"
    assert outbox.entry(bad).problem.fields == ("locationId",)
    assert all(outbox.entry(key).state == EntryState.SETTLED for key in good)


def test_another_user_signs_in_and_sends_only_their_own(tmp_path, server):
    path = tmp_path / "shared.db"
    with Outbox.open(path, "alice") as outbox:
        key = outbox.report(draft()).key
    with Outbox.open(path, "bob") as outbox:
        outbox.report(draft("bob's"))
        assert outbox.sync(HttpxTransport(server.url, server.token("bob"))) == Idle()
        assert outbox.summary().of_others == 1
    assert count(server) == 1
    with Outbox.open(path, "alice") as outbox:
        assert outbox.sync(HttpxTransport(server.url, server.token("alice"))) == Idle()
        assert outbox.entry(key).state == EntryState.SETTLED


def incidents(server: RealServer, reporter: str) -> list[dict]:
    headers = {"Authorization": f"Bearer {server.token(reporter)}"}
    return httpx.get(f"{server.url}/api/incidents", headers=headers).raise_for_status().json()["incidents"]


def test_under_another_persons_token_nothing_is_stored(outbox, server):
    for entries in (1, 3):
        keys = [outbox.report(draft(f"w{n}")).key for n in range(entries)]
        end = outbox.sync(HttpxTransport(server.url, server.token("bob")))
        assert isinstance(end, SignIn) and end.why == SignInReason.WRONG_REPORTER
        assert "not that of the reporter" in end.detail
        assert (incidents(server, "bob"), count(server)) == ([], 0 if entries == 1 else 1)
        for key in keys:
            assert (outbox.entry(key).state, outbox.entry(key).attempts) == (EntryState.PENDING, 0)
        outbox.token_changed()
        assert outbox.sync(HttpxTransport(server.url, server.token("alice"))) == Idle()
    assert (len(incidents(server, "alice")), incidents(server, "bob")) == (4, [])


class SlowLine:
    """A TCP proxy that carries so many bytes a second towards the server."""

    def __init__(self, server: str, bytes_per_second: int) -> None:
        self.target = tuple(server.removeprefix("http://").split(":"))
        self.pause = 128 / bytes_per_second
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                phone, _ = self.listener.accept()
            except OSError:
                return
            # Otherwise the line would seem fast until the buffers are full.
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            server = socket.create_connection(self.target)
            threading.Thread(target=self.carry, args=[phone, server, 128, self.pause], daemon=True).start()
            threading.Thread(target=self.carry, args=[server, phone, 65536, 0], daemon=True).start()

    @staticmethod
    def carry(source: socket.socket, sink: socket.socket, size: int, pause: float) -> None:
        try:
            while part := source.recv(size):
                sink.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # one of the two has gone
        for end in (source, sink):
            end.close()


class Impatient:
    """Gives each upload a twentieth of its time, so that a test takes a twentieth, too."""

    def __init__(self, inner: HttpxTransport) -> None:
        self.inner, self.sizes = inner, []

    def send(self, upload):
        self.sizes.append(len(upload.body))
        return self.inner.send(replace(upload, timeout_ms=upload.timeout_ms // 20))


def test_a_slow_line_delivers_all_in_smaller_batches(outbox, server):
    for n in range(100):
        outbox.report(draft(f"w{n}"))
    line = SlowLine(server.url, 2000)
    transport = Impatient(HttpxTransport(line.url, server.token("alice")))
    for _ in range(50):
        if outbox.sync(transport) == Idle():
            break
        outbox.network_changed()
    line.listener.close()
    assert (outbox.summary().settled, count(server)) == (100, 100)
    assert max(transport.sizes) > 6_000 > transport.sizes[-1]


def test_an_anonymous_report_arrives(outbox, server):
    key = outbox.report(draft(is_anonymous=True)).key
    assert outbox.sync(HttpxTransport(server.url, server.token("alice"))) == Idle()
    with pytest.raises(NotFoundError):
        outbox.entry(key)
    assert count(server) == 1


def test_an_anonymous_report_waits_behind_a_named_one(outbox, server):
    outbox.report(draft(is_anonymous=True))
    outbox.report(draft())
    end = outbox.sync(HttpxTransport(server.url, server.token("alice")))
    assert isinstance(end, Wait) and end.why == WaitReason.SPACING
    assert (outbox.summary().settled, outbox.summary().pending) == (1, 1)


def test_an_app_may_keep_no_settled_report_and_space_no_anonymous_one(tmp_path, server):
    settings = OutboxSettings(settled_for_ms=0, longest_spacing_ms=0)
    with Outbox.open(tmp_path / "outbox.db", "alice", settings) as outbox:
        outbox.report(draft())
        outbox.report(draft(is_anonymous=True))
        assert outbox.sync(HttpxTransport(server.url, server.token("alice"))) == Idle()
        assert outbox.entries() == []
    assert count(server) == 2


KILLED = """
import os, sys
from incident_sync import HttpxTransport, Outbox

class Kills:
    def __init__(self): self.inner, self.left = HttpxTransport(sys.argv[2], sys.argv[3]), 2
    def send(self, request):
        answer = self.inner.send(request)
        self.left -= 1
        if self.left == 0: os.kill(os.getpid(), 9)
        return answer

Outbox.open(sys.argv[1], "alice").sync(Kills())
"""


def test_an_app_killed_in_the_middle_of_a_sync_goes_on(tmp_path, server):
    path, token = tmp_path / "outbox.db", server.token("alice")
    with Outbox.open(path, "alice") as outbox:
        for n in range(350):
            outbox.report(draft(f"w{n}"))
    killed = subprocess.run([sys.executable, "-c", KILLED, path, server.url, token])
    assert killed.returncode == -9
    with Outbox.open(path, "alice") as outbox:
        assert outbox.summary().pending == 250
        assert outbox.sync(HttpxTransport(server.url, token)) == Idle()
        assert outbox.summary().settled == 350
    assert count(server) == 350


def test_ten_thousand_entries_are_delivered_with_progress(outbox, server):
    for n in range(10_000):
        outbox.report(draft(f"w{n}"))
    transport, seen = HttpxTransport(server.url, server.token("alice")), []
    started = time.monotonic()
    assert outbox.sync(transport, seen.append) == Idle()
    print(f"10,000 entries delivered in {time.monotonic() - started:.2f} s")
    assert (sum(p.settled for p in seen), seen[-1].pending, len(seen)) == (10_000, 0, 100)
    assert count(server) == 10_000


def test_the_example_reports(tmp_path, server):
    example = Path(__file__).parents[1] / "examples/report.py"
    arguments = [tmp_path / "outbox.db", "alice", server.url, server.token("alice")]
    run = subprocess.run([sys.executable, example, *arguments], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "settled created"
