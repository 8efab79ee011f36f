"""The real server, and what the tests of a deployment share."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "incident-server" / "deploy"
SERVER = os.environ["INCIDENT_SERVER_BIN"]
PATIENCE = 30


def until(what, look):
    """Looks again and again, until there is something to see."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"in vain: {what}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url: str, token: str | None = None) -> tuple[int, str]:
    return ask(urllib.request.Request(url, headers=bearer(token)))


def post(url: str, body: object, token: str) -> tuple[int, str]:
    headers = {"Content-Type": "application/json"} | bearer(token)
    return ask(urllib.request.Request(url, json.dumps(body).encode(), headers))


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def ask(request: urllib.request.Request) -> tuple[int, str]:
    """Through no proxy but the one under test."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except urllib.error.URLError:
        return 0, ""


def report(number: int = 0, **fields) -> dict:
    created = f"2026-11-22T10:15:30.{number:03}Z"
    point = {"type": "Point", "coordinates": [12.4924, 41.8902]}
    return {"locationId": "ward-7", "gpsCoordinates": point, "isAnonymous": False, "createdAt": created} | fields


class Server:
    """`incident-server` with its own directory, with health and metrics at an address of their own."""

    def __init__(self, directory: pathlib.Path, variables: dict[str, str] | None = None):
        self.port, self.operations_port = free_port(), free_port()
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith("INCIDENT_")}
        self.variables |= {"INCIDENT_DATA_DIR": str(directory / "data")} | (variables or {})
        self.variables["INCIDENT_LISTEN"] = f"127.0.0.1:{self.port}"
        self.variables["INCIDENT_OPERATIONS_LISTEN"] = f"127.0.0.1:{self.operations_port}"
        self.log = directory / "log"
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def operations(self) -> str:
        return f"http://127.0.0.1:{self.operations_port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([SERVER], env=self.variables, stdout=subprocess.DEVNULL, stderr=log)
        until("the server is ready", lambda: self.ended() or get(f"{self.operations}/readyz")[0] == 200)

    def ended(self) -> None:
        assert self.process.poll() is None, self.log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def token(self, sub: str = "alice", scope: str | None = None) -> str:
        command = [SERVER, "token", "--sub", sub] + (["--scope", scope] if scope else [])
        return subprocess.run(command, env=self.variables, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def start_server(tmp_path):
    """Starts servers that end with the test."""
    with contextlib.ExitStack() as running:

        def start(variables: dict[str, str] | None = None) -> Server:
            server = Server(tmp_path, variables)
            running.callback(lambda: server.process.poll() is None and server.stop())
            return server

        yield start


@pytest.fixture
def server(start_server):
    return start_server()


def known_variables() -> set[str]:
    """Every setting that the server has."""
    help_text = subprocess.run([SERVER, "--help"], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\[env: (INCIDENT_\w+)", help_text))
