"""The address of a server."""

from __future__ import annotations

import re

import httpx


def server_address(server: str) -> str:
    """The address without a slash at its end; a :class:`ValueError` says what is wrong with one that is none."""
    fault = _fault(server)
    if fault is not None:
        # Without the address itself: there may be a password in it.
        raise ValueError(f"not the address of a server: {fault}")
    return server.rstrip("/")


def _fault(server: str) -> str | None:
    if not re.fullmatch(r"[^\x00-\x20\x7f]*", server):
        return "an address has no space and no control character in it"
    if not re.match("https?://", server, re.IGNORECASE):
        return "http:// or https:// is missing"
    if re.search("[?#]", server):
        return "an address has no query and no fragment"
    try:
        address = httpx.URL(server)
        host = address.host
        # As the socket will do with the name.
        address.raw_host.decode().encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        return "no host and no port is written like that"
    if not host:
        return "the host is missing"
    if address.userinfo:
        return "an address has no user in it; the token says who sends"
    if address.port is not None and not 0 < address.port < 65536:
        return "a port is a number from 1 to 65535"
    return None
