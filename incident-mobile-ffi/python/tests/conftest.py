"""A real server, a server that is only answers, and an outbox."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from incident_sync import Draft, Outbox

ROOT = Path(__file__).resolve().parents[3]


def server_program() -> Path:
    program = Path(os.environ.get("INCIDENT_SERVER_BIN", ROOT / "target/release/incident-server"))
    assert program.is_file(), f"no server at {program}: build it or set INCIDENT_SERVER_BIN"
    return program


class RealServer:
    """The server binary on a data directory of its own; can be killed and started again."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.listen = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        command = [server_program(), "--listen", self.listen, "--data-dir", self.data_dir, "--payload-rate-limit", "off"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if found := re.search(r"127\.0\.0\.1:\d+", line):
                self.listen = found.group()
                self.drain = threading.Thread(target=self.process.stdout.read, daemon=True)
                self.drain.start()
                return
        raise AssertionError("the server told no address")

    @property
    def url(self) -> str:
        return f"http://{self.listen}"

    def token(self, reporter: str, *more: str) -> str:
        command = [server_program(), "token", "--data-dir", self.data_dir, "--sub", reporter, *more]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    server = RealServer(tmp_path / "server")
    yield server
    server.kill()


Answer = tuple[int, dict[str, str], bytes]


class Answers:
    """A server that answers with what a function of path, headers and body says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[str, dict[str, str], bytes], Answer] = lambda *_: (500, {}, b"")
        self.connections: list[tuple[str, int]] = []
        """From where each request came."""
        self.drip = 0.0
        """Seconds after each byte of an answer."""
        answers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = (self.path, dict(self.headers), body)
                answers.requests.append(request)
                answers.connections.append(self.client_address)
                status, headers, answer = answers.answer(*request)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                parts = [answer[at : at + 1] for at in range(len(answer))] if answers.drip else [answer]
                try:
                    for part in parts:
                        self.wfile.write(part)
                        time.sleep(answers.drip)
                except OSError:
                    pass  # whoever asked has gone

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.http.shutdown()
    answers.http.server_close()


@contextmanager
def listening(act: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that does this with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=act, args=[connection], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.db", "alice") as outbox:
        yield outbox


def draft(location: str = "ward-7", **more: object) -> Draft:
    return Draft(location_id=location, longitude=12.4924, latitude=41.8902, **more)
