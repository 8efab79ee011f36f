"""The known answers of the contract: this package gives the same bytes and keys as every other."""

import json
from pathlib import Path

import pytest

from incident_sync import Draft, InvalidError, OutboxSettings, canonical_payload, derive_key, model
from incident_sync._generated import incident_mobile_ffi as ffi

VECTORS = Path(__file__).resolve().parents[3] / "incident-core/tests/vectors"
KEYS = json.loads((VECTORS / "keys.json").read_text("utf-8"))
PAYLOADS = json.loads((VECTORS / "payloads.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", KEYS["keys"], ids=lambda vector: vector["createdAt"])
def test_every_key_vector_gives_its_key(vector):
    assert derive_key(vector["reporter"], vector["createdAt"]) == vector["idempotencyKey"]


@pytest.mark.parametrize("text", KEYS["refusedTimestamps"])
def test_every_refused_timestamp_is_refused(text):
    with pytest.raises(InvalidError) as refused:
        derive_key("alice", text)
    assert [v.code for v in refused.value.violations] == ["timestamp"]


@pytest.mark.parametrize("vector", PAYLOADS["accepted"])
def test_every_accepted_payload_has_its_canonical_form(vector):
    read = canonical_payload(vector["payload"])
    assert read.text == vector["canonical"]
    assert list(read.ignored) == vector.get("ignored", [])


@pytest.mark.parametrize("vector", PAYLOADS["refused"])
def test_every_refused_payload_is_refused_with_all_its_violations(vector):
    with pytest.raises(InvalidError) as refused:
        canonical_payload(vector["payload"])
    found = [(v.pointer, v.code) for v in refused.value.violations]
    assert found == [(error["pointer"], error["code"]) for error in vector["errors"]]


def test_what_a_draft_and_settings_leave_out_is_what_the_core_says():
    plain = ffi.Draft(location_id="ward-7", longitude=12.5, latitude=41.9)
    assert model.draft(Draft("ward-7", 12.5, 41.9)) == plain
    assert model.settings(OutboxSettings()) == ffi.OutboxSettings()
