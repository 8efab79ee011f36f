"""What somebody does with the terminal of an example, in whatever language it is written."""

import os
from pathlib import Path

from screen import Screen


def use(*command: object, picture: Path) -> None:
    """Two windows on one file. The picture is drawn where DRAW_PICTURES is set."""
    screen, other = Screen(*command), Screen(*command)
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
    other.shows("0 to go   1 settled")
    other.press("rlibrary, first floor\r")
    screen.shows("1 to go", "library, first floor")
    screen.press("c")
    screen.press("s")
    screen.shows("2 settled", "all delivered", "Cancelled")
    other.press("q")
    assert other.process.wait(timeout=30) == 0

    screen.press("a")
    screen.press("rgate 3\r")
    screen.press("s")
    screen.shows("1 to go   2 settled", "gate 3", "again at")
    screen.press("rstairs, north")
    screen.shows("where? stairs, north")
    if "DRAW_PICTURES" in os.environ:
        screen.draw(picture)
    screen.press("\x1bq")
    assert screen.process.wait(timeout=30) == 0
