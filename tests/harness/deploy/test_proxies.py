"""Caddy and nginx before the real server, each with the configuration that is shipped: streams and uploads."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import subprocess

import pytest
from conftest import DEPLOY, PATIENCE, free_port, get, post, report, until


def caddy(directory, port: int, upstream: int) -> subprocess.Popen:
    variables = os.environ | {
        "SITE_ADDRESS": f"http://127.0.0.1:{port}",
        "INCIDENT_UPSTREAMS": f"127.0.0.1:{upstream}",
        "HOME": str(directory),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(DEPLOY / "proxy" / "Caddyfile")]
    log = (directory / "caddy.log").open("wb")
    return subprocess.Popen(command, env=variables, stdout=log, stderr=log)


def nginx(directory, port: int, upstream: int) -> subprocess.Popen:
    shipped = (DEPLOY / "proxy" / "nginx.conf").read_text()
    site = shipped.replace("listen 80;", f"listen 127.0.0.1:{port};")
    site = site.replace("server 127.0.0.1:8080 ", f"server 127.0.0.1:{upstream} ")
    (directory / "site.conf").write_text(site)
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    paths = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
    user = "user root root;" if os.geteuid() == 0 else ""  # or it could not write into this directory
    main = f"{user} daemon off; pid {directory}/nginx.pid; error_log stderr; events {{}} http {{ {paths} include site.conf; }}"
    (directory / "nginx.conf").write_text(main)
    log = (directory / "nginx.log").open("wb")
    return subprocess.Popen(["nginx", "-p", directory, "-c", directory / "nginx.conf"], stdout=log, stderr=log)


@pytest.fixture(params=[caddy, nginx], ids=["caddy", "nginx"])
def proxied(request, server, tmp_path):
    """The server, and the address of a proxy before it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = request.param(tmp_path, port, server.port)
    log = tmp_path / f"{request.param.__name__}.log"

    def answers():
        assert process.poll() is None, log.read_text()
        return get(f"{url}/api/incidents")[0] == 401

    until("the proxy answers", answers)
    yield server, url
    process.terminate()
    process.wait(timeout=PATIENCE)


@contextlib.contextmanager
def stream_of_changes(url: str, token: str):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    connection.request("GET", "/api/incidents/changes?after=latest", headers=headers)
    with contextlib.closing(connection), connection.getresponse() as stream:
        yield stream


def test_an_event_passes_while_its_stream_goes_on(proxied):
    server, url = proxied
    with stream_of_changes(url, server.token("responder", "incidents:read")) as stream:
        assert stream.status == 200 and stream.headers["Content-Type"].startswith("text/event-stream")

        for number in range(2):
            assert post(f"{url}/api/incidents/sync", report(number), server.token())[0] == 201
            data = next(line for line in iter(stream.readline, b"") if line.startswith(b"data:"))
            assert json.loads(data.removeprefix(b"data:"))["incident"]["createdAt"].endswith(f"30.{number:03}Z")


def test_a_batch_of_the_greatest_length_passes(proxied):
    server, url = proxied
    payloads = [report(number, unknown="x" * 1900) for number in range(500)]
    body = {"incidents": payloads}
    assert 1_000_000 < len(json.dumps(body)) <= 1024 * 1024

    status, answer = post(f"{url}/api/incidents/sync/batch", body, server.token())

    results = json.loads(answer)["results"]
    assert status == 200 and [result["httpStatus"] for result in results] == [201] * 500


def test_what_is_too_long_is_refused_by_the_server_in_its_own_words(proxied):
    server, url = proxied

    status, answer = post(f"{url}/api/incidents/sync", report(roomNumber="x" * 40_000), server.token())

    assert status == 413 and json.loads(answer)["type"] == "/problems/payload-too-large"


def test_health_and_metrics_are_not_for_the_public(proxied):
    _, url = proxied

    assert [get(f"{url}{path}")[0] for path in ["/healthz", "/readyz", "/metrics"]] == [404] * 3


def test_a_reader_waits_while_the_server_restarts_behind_caddy(server, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = caddy(tmp_path, port, server.port)
    until("the proxy answers", lambda: get(f"{url}/api/incidents")[0] == 401)
    token = server.token()
    assert server.stop() == 0

    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(get, f"{url}/api/incidents", token)
        server.start()
        status = answer.result()[0]

    assert status == 200 and post(f"{url}/api/incidents/sync", report(), token)[0] == 201
    process.terminate()
    process.wait(timeout=PATIENCE)
