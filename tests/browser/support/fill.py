"""Stores incidents of the last two years in the database of a server that does not run: fill.py FILE COUNT."""

import pathlib
import sqlite3
import sys
import time

TWO_YEARS_MS = 2 * 365 * 24 * 3_600_000
FILL = pathlib.Path(__file__).parents[2] / "bench" / "fill_sqlite.sql"

file, count = sys.argv[1], int(sys.argv[2])
values = {
    "{count}": count,
    "{first_ms}": int(time.time() * 1000) - TWO_YEARS_MS,
    "{step_ms}": TWO_YEARS_MS // count,
    "{cancelled}": "n % 10 = 0",
}
statements = FILL.read_text()
for name, value in values.items():
    statements = statements.replace(name, str(value))

database = sqlite3.connect(file, isolation_level=None)
database.create_function("unhex", 1, bytes.fromhex)  # SQLite has it from 3.41 on
database.execute("PRAGMA cache_size = -500000")
database.execute("PRAGMA synchronous = OFF")
# Made afterwards they take a minute for millions; beside the rows, an hour.
indexes = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
for name, _ in indexes:
    database.execute(f"DROP INDEX {name}")
database.executescript(statements)
for _, definition in indexes:
    database.execute(definition)
database.close()
