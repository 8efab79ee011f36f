"""Hooks of tests/schemathesis. What comes by a link is left alone: they change what is made up, and only that."""

import schemathesis
from schemathesis.specs.openapi import stateful


@schemathesis.hook
def map_headers(_context, headers):
    """Leaves the idempotency key away: a made-up one is refused, and nothing behind that check would be tried."""
    return {name: value for name, value in (headers or {}).items() if name.lower() != "idempotency-key"}


@schemathesis.hook.apply_to(name="GET /api/incidents")
def map_query(_context, query):
    """Makes pages short, so that there is a next one, and leaves a made-up cursor out beside a limit: it is refused."""
    limit = (query or {}).get("limit")
    if not isinstance(limit, int) or not 1 <= limit <= 200:
        return query
    return {name: value for name, value in query.items() if name != "cursor"} | {"limit": 1 + limit % 5}


# Histories begin with a report, too. For its `locationId` Schemathesis would wait for somebody who makes locations.
is_likely_root = stateful.is_likely_root_transition
stateful.is_likely_root_transition = lambda operation, *rest: operation.method == "post" or is_likely_root(operation, *rest)
