"""A program in a terminal of its own: what it shows, what is pressed, and a picture of it."""

import os
import pty
import select
import subprocess
from html import escape
from pathlib import Path

COLUMN, LINE, MARGIN = 8.43, 20, 16
"""Pixels: of a character of 14 px in DejaVu Sans Mono, from line to line, around all."""


class Screen:
    def __init__(self, *command: object) -> None:
        self.fd, inside = pty.openpty()
        self.process = subprocess.Popen(list(map(str, command)), stdin=inside, stdout=inside)
        os.close(inside)
        self.text = ""

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def shows(self, *words: str) -> None:
        """Waits until all of them are on the screen at once; what stood before it was cleared does not count."""
        while not all(word in self.text for word in words):
            assert select.select([self.fd], [], [], 30)[0], f"{words} in vain: {self.text}"
            self.text = (self.text + os.read(self.fd, 65536).decode(errors="replace")).rpartition("\x1b[2J")[2]

    def draw(self, picture: Path) -> None:
        """The text of the screen as an SVG."""
        lines = self.text.replace("\r", "").split("\n")
        width = round(max(map(len, lines)) * COLUMN) + 2 * MARGIN
        height = len(lines) * LINE + 2 * MARGIN
        texts = [
            f'<text x="{MARGIN}" y="{MARGIN + number * LINE + 14}" xml:space="preserve">{escape(line)}</text>'
            for number, line in enumerate(lines)
            if line.strip()
        ]
        picture.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
            f'<rect width="{width}" height="{height}" rx="8" fill="#1d2430"/>\n'
            '<g fill="#e6e6e6" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">\n'
            + "\n".join(texts)
            + "\n</g>\n</svg>\n"
        )
