"""The lines that an app begins with, as the READMEs have them, whatever the server says."""

import re
from pathlib import Path

import pytest

import incident_sync
from incident_sync import Upload
from incident_sync_testing import FakeServer, Fault

from conftest import ROOT, Answers

PACKAGE = Path(__file__).parents[1] / "README.md"


def first_lines(readme: Path) -> str:
    return re.search(r"```python\n(.*?)```", readme.read_text(), re.DOTALL).group(1)


@pytest.mark.parametrize(
    ("readme", "fault", "end"),
    [
        (PACKAGE, None, "EntryState.SETTLED"),
        (PACKAGE, Fault.CONFLICT, "EntryState.QUARANTINED"),
        (PACKAGE, Fault.UNAUTHORIZED, "sign in"),
        (PACKAGE, Fault.FIREWALL, "schedule"),
        (ROOT / "README.md", None, "nothing left to send"),
        (ROOT / "README.md", Fault.CONFLICT, "nothing left to send"),
        (ROOT / "README.md", Fault.UNAUTHORIZED, "sign in"),
        (ROOT / "README.md", Fault.FIREWALL, "schedule"),
    ],
)
def test_the_first_lines_hold_whatever_the_server_says(readme, fault, end, answers: Answers, tmp_path, capsys):
    def answer(path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        response = server.send(Upload(1, "POST", path, tuple(headers.items()), body, 30_000))
        return response.status, dict(response.headers), response.body

    server, answers.answer = FakeServer("alice"), answer
    if fault is not None:
        server.order(fault)
    names = vars(incident_sync) | {"file": tmp_path / "outbox.db", "server": answers.url, "token": "t"}
    names |= {"schedule": lambda *_: print("schedule"), "sign_in": lambda *_: print("sign in")}
    exec(first_lines(readme).replace("https://incidents.example", answers.url), names)
    assert capsys.readouterr().out.splitlines()[-1] == end
