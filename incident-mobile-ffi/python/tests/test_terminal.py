"""The example with live counts, in a terminal of its own, against the real server."""

import sys
from pathlib import Path

import terminal_app

from conftest import RealServer

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_terminal_follows_what_it_and_another_process_do(server: RealServer, tmp_path):
    command = [sys.executable, EXAMPLES / "terminal.py", tmp_path / "outbox.db", server.url, "alice", server.token("alice")]
    terminal_app.use(*command, picture=EXAMPLES / "terminal.svg")
