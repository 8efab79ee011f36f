"""What the examples say to somebody who starts them without more ado."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("arguments", [[], ["one"], ["1", "2", "3", "4", "5"]])
@pytest.mark.parametrize(
    ("example", "usage"),
    [
        ("report.py", "usage: report.py FILE REPORTER SERVER TOKEN\n"),
        ("terminal.py", "usage: terminal.py FILE SERVER REPORTER TOKEN\n"),
    ],
)
def test_an_example_that_lacks_arguments_says_which(example, usage, arguments):
    command = [sys.executable, EXAMPLES / example, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", usage)
