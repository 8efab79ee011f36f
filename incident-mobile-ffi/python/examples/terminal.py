"""A terminal that reports, and shows what becomes of it: python terminal.py FILE SERVER REPORTER TOKEN

The list follows every change of the file, by whatever process: start it twice.
"""

import asyncio
import os
import sys
import termios
import tty

from incident_sync import (
    AsyncHttpxTransport,
    Draft,
    EntryState,
    Idle,
    InvalidError,
    NetworkFailure,
    NetworkFailureKind,
    Outbox,
    OutboxError,
    Response,
    SignIn,
    Summary,
    Upload,
    Wait,
)

KEYS = "r report   c call off the newest   s sync   a airplane mode   q quit"
MARKS = {EntryState.PENDING: "·", EntryState.SENDING: "↑", EntryState.SETTLED: "✓", EntryState.QUARANTINED: "!"}


class Network:
    """The way to the server, with a switch."""

    def __init__(self, web: AsyncHttpxTransport) -> None:
        self.web = web
        self.airplane = False

    async def send(self, upload: Upload) -> Response:
        if self.airplane:
            raise NetworkFailure("airplane mode", NetworkFailureKind.OFFLINE)
        return await self.web.send(upload)


class Terminal:
    """What stands on the screen, and what the keys do."""

    def __init__(self, outbox: Outbox, network: Network) -> None:
        self.outbox = outbox
        self.network = network
        self.counts: Summary = outbox.summary()
        self.form: str | None = None
        self.words = ""
        self.over = asyncio.Event()
        self.syncing: asyncio.Task | None = None

    def draw(self) -> None:
        counts = self.counts
        lines = [
            f"{counts.pending} to go   {counts.settled} settled   {counts.quarantined} refused"
            + ("   ✈ airplane mode" if self.network.airplane else ""),
            "",
        ]
        for entry in self.outbox.entries(limit=10):
            status = entry.incident.status.value if entry.incident else entry.state.value
            lines.append(f" {MARKS[entry.state]} {entry.created_at:%H:%M:%S}  {entry.location_id:24.24}  {status}")
        lines += ["", self.words, KEYS if self.form is None else f"where? {self.form}▏   Enter reports, Esc does not"]
        print("\x1b[H\x1b[2J" + "\r\n".join(lines), end="", flush=True)

    async def follow(self) -> None:
        async for self.counts in self.outbox.watch_async():
            self.draw()

    def press(self, key: str) -> None:
        if self.form is not None:
            self.write(key)
        elif key == "q":
            self.over.set()
        elif key == "r":
            self.form = ""
        elif key == "a":
            self.network.airplane = not self.network.airplane
            if not self.network.airplane:
                self.outbox.network_changed()
        elif key == "c":
            self.act(lambda: self.outbox.cancel(self.outbox.entries(limit=1)[0].key, "called off at the terminal"))
        elif key == "s" and (self.syncing is None or self.syncing.done()):
            self.syncing = asyncio.create_task(self.sync())
        self.draw()

    def write(self, key: str) -> None:
        if key in "\r\n":
            draft = Draft(location_id=self.form, longitude=12.4924, latitude=41.8902)
            self.form = None
            self.act(lambda: self.outbox.report(draft))
        elif key == "\x1b":
            self.form = None
        elif key in "\x7f\b":
            self.form = self.form[:-1]
        else:
            self.form += key

    def act(self, change) -> None:
        self.words = ""
        try:
            change()
        except InvalidError as error:
            self.words = "; ".join(violation.detail for violation in error.violations)
        except (OutboxError, IndexError) as error:
            self.words = str(error)

    async def sync(self) -> None:
        match await self.outbox.sync_async(self.network):
            case Wait(until, _, detail):
                self.words = f"again at {until.astimezone():%H:%M:%S}: {detail}"
            case SignIn(_, detail):
                self.words = f"sign in: {detail}"
            case Idle():
                self.words = "all delivered"
        self.draw()


async def main(file: str, server: str, reporter: str, token: str) -> None:
    with Outbox.open(file, reporter) as outbox:
        async with AsyncHttpxTransport(server, token) as web:
            terminal = Terminal(outbox, Network(web))
            loop = asyncio.get_running_loop()
            loop.add_reader(sys.stdin, lambda: [terminal.press(key) for key in os.read(sys.stdin.fileno(), 64).decode()])
            following = asyncio.create_task(terminal.follow())
            await terminal.over.wait()
            for task in filter(None, [terminal.syncing, following]):
                task.cancel()
                await asyncio.wait([task])


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: terminal.py FILE SERVER REPORTER TOKEN")
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        asyncio.run(main(*sys.argv[1:]))
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        print()
