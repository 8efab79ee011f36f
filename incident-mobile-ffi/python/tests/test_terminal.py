"""The example with live counts, in a terminal of its own, against the real server."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from incident_sync import Outbox

from conftest import RealServer, draft

TERMINAL = Path(__file__).parents[1] / "examples/terminal.py"


class Screen:
    def __init__(self, *arguments: object) -> None:
        self.fd, inside = pty.openpty()
        command = [sys.executable, TERMINAL, *arguments]
        self.process = subprocess.Popen(command, stdin=inside, stdout=inside)
        os.close(inside)
        self.text = ""

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def shows(self, *words: str) -> None:
        while not all(word in self.text for word in words):
            assert select.select([self.fd], [], [], 30)[0], f"{words} in vain: {self.text}"
            self.text = (self.text + os.read(self.fd, 65536).decode(errors="replace")).rpartition("\x1b[2J")[2]


def test_the_terminal_follows_what_it_and_another_process_do(server: RealServer, tmp_path):
    file = tmp_path / "outbox.db"
    screen = Screen(file, server.url, "alice", server.token("alice"))
    screen.shows("0 to go")
    screen.press("a")
    screen.shows("✈ airplane mode")
    screen.press("rward-7\r")
    screen.shows("1 to go", "ward-7")
    screen.press("s")
    screen.shows("again at", "there is no network")
    screen.press("r \r")
    screen.shows("locationId must not be blank")
    screen.press("as")
    screen.shows("0 to go   1 settled", "all delivered", "Open")
    with Outbox.open(file, "alice") as other:
        other.report(draft("from elsewhere"))
    screen.shows("1 to go", "from elsewhere")
    screen.press("c")
    screen.press("s")
    screen.shows("2 settled", "Cancelled")
    screen.press("q")
    assert screen.process.wait(timeout=30) == 0
