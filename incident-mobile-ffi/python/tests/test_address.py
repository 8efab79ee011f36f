"""What is an address of a server, and what is none."""

import asyncio

import httpx
import pytest

from incident_sync import AsyncHttpxTransport, HttpxTransport, NetworkFailure, Upload

UPLOAD = Upload(1, "POST", "/api/incidents/sync", (("Content-Type", "application/json"),), b"{}", 1000)
FAULTS = [
    ("", "http:// or https:// is missing"),
    ("nonsense", "http:// or https:// is missing"),
    ("//incidents.example", "http:// or https:// is missing"),
    ("ftp://incidents.example", "http:// or https:// is missing"),
    ("http://", "the host is missing"),
    ("http:///path", "the host is missing"),
    ("http://x/\n", "no space and no control character"),
    ("https://x y", "no space and no control character"),
    (" http://x", "no space and no control character"),
    ("http://x?a=b", "no query and no fragment"),
    ("http://x/?", "no query and no fragment"),
    ("http://x/#f", "no query and no fragment"),
    ("http://user:pw@host", "no user"),
    ("http://user@host", "no user"),
    ("http://a..b", "no host and no port"),
    ("http://" + "a" * 70 + ".example", "no host and no port"),
    ("http://.example", "no host and no port"),
    ("http://x\ud800", "no host and no port"),
    ("http://xn--a", "no host and no port"),
    ("http://x:port", "no host and no port"),
    ("http://x:99999", "a port is"),
    ("http://x:0", "a port is"),
]


@pytest.mark.parametrize("transport", [HttpxTransport, AsyncHttpxTransport])
@pytest.mark.parametrize(("address", "fault"), FAULTS)
def test_what_is_no_address_is_told_at_once(transport, address, fault):
    with pytest.raises(ValueError, match=fault) as told:
        transport(address, "t")
    assert "pw" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    ["http://x", "HTTPS://X/", "http://x:8080/tenant/", "http://[::1]:1", "http://127.0.0.1:9/", "https://münchen.example",
     "http://a_b", "http://x./@"],
)
def test_what_is_an_address_is_taken(address):
    HttpxTransport(address, "t").close()


class Raises(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """What a proxy with a bad name makes of a request, say."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        raise self.error

    async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
        raise self.error


BAD = [httpx.InvalidURL("Invalid port: 'secret'"), UnicodeError("label empty or too long")]


@pytest.mark.parametrize("error", BAD)
def test_a_name_that_turns_out_to_be_none_is_a_failure_of_the_network(error):
    client = httpx.Client(transport=Raises(error))
    with pytest.raises(NetworkFailure) as failed:
        HttpxTransport("http://x", "secret", client=client).send(UPLOAD)
    assert not failed.value.sent
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("error", BAD)
def test_a_name_that_turns_out_to_be_none_is_a_failure_of_the_network_for_asyncio(error):
    client = httpx.AsyncClient(transport=Raises(error))
    with pytest.raises(NetworkFailure) as failed:
        asyncio.run(AsyncHttpxTransport("http://x", "secret", client=client).send(UPLOAD))
    assert not failed.value.sent
    assert "secret" not in str(failed.value)
