"""The loop and the transport, against a server that is only answers."""

import asyncio
import gzip
import json
import ssl
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from incident_sync import (
    AsyncHttpxTransport,
    Cancelled,
    EntryState,
    HttpxTransport,
    Idle,
    NetworkFailure,
    Outbox,
    Response,
    Send,
    SignIn,
    SignInReason,
    Upload,
    Wait,
    WaitReason,
)

from incident_sync.transport import MAX_ANSWER_BYTES

from conftest import Answers, draft

UNAUTHORIZED = "the server wants a valid access token"


def settled(key: str) -> dict:
    return {"disposition": "settled", "idempotencyKey": key}


def reply(status: int, body: object) -> tuple:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def test_the_token_is_added_and_nothing_else_changed(outbox, answers: Answers):
    entry = outbox.report(draft())
    answers.answer = lambda *_: reply(201, settled(entry.key))
    assert outbox.sync(HttpxTransport(answers.url + "/", lambda: "secret")) == Idle()
    path, headers, body = answers.requests[0]
    assert (path, body.decode()) == ("/api/incidents/sync", entry.payload)
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Idempotency-Key"] == f'"{entry.key}"'


def test_no_server_is_a_wait_that_says_why(outbox):
    key = outbox.report(draft()).key
    end = outbox.sync(HttpxTransport("http://127.0.0.1:9", "t"))
    assert isinstance(end, Wait)
    assert (end.why, end.detail) == (WaitReason.REFUSED, "the server takes no connection")
    assert outbox.entry(key).state == EntryState.PENDING


def test_a_captive_portal_is_a_wait_and_no_redirect_is_followed(outbox, answers: Answers):
    key = outbox.report(draft()).key
    answers.answer = lambda *_: (302, {"Location": answers.url + "/portal"}, b"<html>")
    end = outbox.sync(HttpxTransport(answers.url, "t"))
    assert isinstance(end, Wait) and end.why == WaitReason.NOT_THE_SERVER
    assert len(answers.requests) == 1
    answers.answer = lambda *_: (200, {"Content-Type": "text/html"}, b"<html>\xff")
    outbox.retry(key)
    outbox.sync(HttpxTransport(answers.url, "t"))
    assert outbox.entry(key).state == EntryState.PENDING


def test_401_asks_for_a_sign_in_and_a_new_token_goes_on(outbox, answers: Answers):
    key = outbox.report(draft()).key
    answers.answer = lambda _path, headers, _body: (
        reply(200, settled(key)) if headers["Authorization"] == "Bearer new" else reply(401, {})
    )
    assert outbox.sync(HttpxTransport(answers.url, "old")) == SignIn(SignInReason.UNAUTHORIZED, UNAUTHORIZED)
    assert outbox.sync(HttpxTransport(answers.url, "new")) == SignIn(SignInReason.UNAUTHORIZED, UNAUTHORIZED)
    assert len(answers.requests) == 1
    outbox.token_changed()
    assert outbox.sync(HttpxTransport(answers.url, "new")) == Idle()
    assert outbox.entry(key).state == EntryState.SETTLED


@pytest.mark.parametrize(("body", "seconds"), [(b'{"disposition":"retry"}', 3600), (b"<html>", 900)])
def test_retry_after_is_the_end_of_the_wait_and_a_portal_has_no_more_than_15_minutes(
    outbox, answers: Answers, body, seconds
):
    entry = outbox.report(draft())
    answers.answer = lambda *_: (503, {"Retry-After": "3600"}, body)
    end = outbox.sync(HttpxTransport(answers.url, "t"))
    assert isinstance(end, Wait) and end.why == WaitReason.SERVER_BUSY
    assert seconds - 10 < (end.until - entry.created_at).total_seconds() < seconds + 20


def test_a_batch_is_halved_on_413(outbox, answers: Answers):
    keys = {outbox.report(draft(f"w{n}")).created_at: n for n in range(8)}
    sizes = []

    def answer(_path, _headers, body):
        sent = json.loads(body).get("incidents", [{}])
        sizes.append(len(sent))
        return reply(413, {}) if len(sent) > 2 else reply(401, {})

    answers.answer = answer
    assert outbox.sync(HttpxTransport(answers.url, "t")) == SignIn(SignInReason.UNAUTHORIZED, UNAUTHORIZED)
    assert (sizes, len(keys)) == ([8, 4, 2], 8)


def test_progress_hears_of_every_answer_and_may_stop_the_loop(outbox, answers: Answers):
    for n in range(250):
        outbox.report(draft(f"w{n}"))
    keys = {entry.payload: entry.key for entry in outbox.entries(limit=1000)}

    def answer(_path, _headers, body):
        sent = json.loads(body)["incidents"]
        texts = [json.dumps(p, separators=(",", ":"), ensure_ascii=False) for p in sent]
        return reply(200, {"results": [{**settled(keys[text]), "httpStatus": 201} for text in texts]})

    answers.answer = answer
    seen = []

    def twice(progress):
        seen.append(progress)
        if len(seen) == 2:
            raise StopIteration

    with pytest.raises(StopIteration):
        outbox.sync(HttpxTransport(answers.url, "t"), twice)
    assert [(p.settled, p.pending) for p in seen] == [(100, 150), (100, 50)]
    assert outbox.sync(HttpxTransport(answers.url, "t")) == Idle()


def test_nobody_signed_in_is_a_reason_to_sign_in(outbox, answers: Answers):
    outbox.report(draft())
    answers.answer = lambda _path, headers, _body: reply(500 if "Authorization" in headers else 401, {})
    assert outbox.sync(HttpxTransport(answers.url, lambda: None)) == SignIn(SignInReason.UNAUTHORIZED, UNAUTHORIZED)


def test_an_address_that_is_none_is_told_at_once():
    for address in ["nonsense", "http://", "ftp://x", ""]:
        with pytest.raises(ValueError):
            HttpxTransport(address, "t")


def test_an_answer_that_drips_ends_with_the_time_of_the_upload(outbox, answers: Answers):
    outbox.report(draft())
    upload = outbox.next_upload().upload
    answers.drip = 0.3
    answers.answer = lambda *_: (200, {}, b"slowly")
    started = time.monotonic()
    with pytest.raises(NetworkFailure):
        HttpxTransport(answers.url, "t").send(replace(upload, timeout_ms=1000))
    assert time.monotonic() - started < 1.7


def test_an_answer_of_the_longest_length_is_read_and_a_longer_one_is_not(outbox, answers: Answers):
    outbox.report(draft())
    upload = outbox.next_upload().upload
    for length, read in [(MAX_ANSWER_BYTES, MAX_ANSWER_BYTES), (MAX_ANSWER_BYTES + 1, 0), (9_000_000, 0)]:
        answers.answer = lambda *_: (200, {}, b"x" * length)
        assert len(HttpxTransport(answers.url, "t").send(upload).body) == read


def test_an_answer_that_is_too_long_is_waited_for_like_a_portals(outbox, answers: Answers):
    key = outbox.report(draft()).key
    padded = json.dumps(settled(key)).encode() + b" " * MAX_ANSWER_BYTES
    answers.answer = lambda *_: (201, {"Content-Type": "application/json"}, padded)
    end = outbox.sync(HttpxTransport(answers.url, "t"))
    assert isinstance(end, Wait) and end.why == WaitReason.NOT_THE_SERVER
    assert (outbox.entry(key).state, outbox.entry(key).attempts) == (EntryState.PENDING, 0)


LONG = """
import resource, sys
from incident_sync import HttpxTransport, Outbox

with Outbox.open(sys.argv[1], "alice") as outbox:
    with HttpxTransport(sys.argv[2], "t") as web:
        web.send(outbox.next_upload().upload)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outbox.retry(outbox.entries()[0].key)
        outbox.sync(web)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_long_answer_takes_no_more_than_16_mib(outbox, answers: Answers, tmp_path, encoding):
    outbox.report(draft())
    long = b"[" + b"[]," * 20_000_000 + b"[]]"
    body = gzip.compress(long, 1) if encoding == "gzip" else long
    answers.answer = lambda *_: (
        (200, {"Content-Encoding": encoding}, body) if len(answers.requests) > 1 else (500, {}, b"")
    )
    outbox.close()
    command = [sys.executable, "-c", LONG, tmp_path / "outbox.db", answers.url]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 16 * 1024, f"{run.stdout} KiB more"


@pytest.mark.parametrize("token", ["secret\n", "secret\r\nX: y", "sécret", "secret\ud800", " secret", ""])
def test_a_token_that_no_header_can_carry_is_none_and_is_told_to_nobody(outbox, answers: Answers, token):
    outbox.report(draft())
    answers.answer = lambda _path, headers, _body: reply(500 if "Authorization" in headers else 401, {})
    assert isinstance(outbox.sync(HttpxTransport(answers.url, token)), SignIn)
    assert "cret" not in f"{answers.requests}"


async def sends(server: str, uploads: list[Upload]) -> None:
    async with AsyncHttpxTransport(server, "token") as transport:
        for upload in uploads:
            await transport.send(upload)


def test_an_anonymous_report_goes_on_a_connection_of_its_own(answers: Answers):
    answers.answer = lambda *_: (200, {}, b"{}")
    uploads = [
        Upload(1, "POST", "/api/incidents/sync", headers, b"{}", 30_000)
        for headers in [(), (("Connection", "close"),), ()]
    ]
    with HttpxTransport(answers.url, "token") as transport:
        for upload in uploads:
            transport.send(upload)
    asyncio.run(sends(answers.url, uploads))
    for before, alone, after in [answers.connections[:3], answers.connections[3:]]:
        assert before == after != alone


def test_anonymous_reports_need_no_certificates_of_their_own(answers: Answers, monkeypatch):
    reads, read = [], ssl.SSLContext.load_verify_locations
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *a, **more: reads.append(1) or read(*a, **more))
    answers.answer = lambda *_: (200, {}, b"{}")
    anonymous = Upload(1, "POST", "/api/incidents/sync", (("Connection", "close"),), b"{}", 30_000)
    with HttpxTransport(answers.url, "token") as transport:
        for _ in range(3):
            transport.send(anonymous)
    asyncio.run(sends(answers.url, [anonymous] * 3))
    assert (len(reads), len(set(answers.connections))) == (2, 6)


def test_a_sync_that_stops_lets_another_send_at_once(outbox, tmp_path):
    outbox.report(draft())

    class Broken:
        def send(self, _upload):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.sync(Broken())
    with Outbox.open(tmp_path / "outbox.db", "alice") as other:
        assert isinstance(other.next_upload(), Send)


def test_a_loop_of_ones_own(outbox):
    entry = outbox.report(draft())
    first = outbox.next_upload()
    assert isinstance(first, Send) and first.upload.body.decode() == entry.payload
    assert outbox.complete_upload(first.upload.id, Cancelled()).pending == 1
    second = outbox.next_upload()
    assert outbox.complete_upload(second.upload.id, NetworkFailure()).pending == 1
    assert outbox.next_upload().why == WaitReason.NO_ANSWER
    outbox.retry(entry.key)
    third = outbox.next_upload().upload
    status, headers, body = reply(201, settled(entry.key))
    assert outbox.complete_upload(third.id, Response(status, tuple(headers.items()), body)).settled == 1
    assert outbox.next_upload() == Idle()


def test_a_transport_that_breaks_leaves_the_entries_pending(outbox):
    key = outbox.report(draft()).key

    class Broken:
        def send(self, _upload):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.sync(Broken())
    assert outbox.entry(key).state == EntryState.PENDING
