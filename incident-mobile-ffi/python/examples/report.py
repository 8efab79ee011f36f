"""Reports an incident, with or without network: report.py FILE REPORTER SERVER TOKEN"""

import sys

from incident_sync import Draft, HttpxTransport, Outbox, Wait

if len(sys.argv) != 5:
    sys.exit("usage: report.py FILE REPORTER SERVER TOKEN")
path, reporter, server, token = sys.argv[1:]

with Outbox.open(path, reporter) as outbox, HttpxTransport(server, token) as transport:
    entry = outbox.report(Draft(location_id="ward-7", room_number="12B", longitude=12.4924, latitude=41.8902))
    print("reported", entry.key)

    end = outbox.sync(transport, lambda progress: print(progress.pending, "to go"))
    if isinstance(end, Wait):
        print("waiting for", end.why.value, "until", end.until.isoformat())

    entry = outbox.entry(entry.key)
    print(entry.state.value, entry.incident.outcome.value if entry.incident else "")
