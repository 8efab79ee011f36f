"""A process that is forked has all that its parent has open, but not the locks of it."""

import multiprocessing

import pytest

from incident_sync import Outbox, UnavailableError
from conftest import draft


def told_by_a_child(work):
    """What `work` returns in a process that is forked here."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(target=lambda: there.send(work()))
    child.start()
    assert here.poll(30)
    child.join()
    return here.recv()


def refusal(work):
    with pytest.raises(UnavailableError) as refused:
        work()
    return str(refused.value)


def locations(path):
    with Outbox.open(path, "alice") as outbox:
        return sorted(entry.location_id for entry in outbox.entries())


def test_what_is_open_at_a_fork_is_refused_in_the_child(tmp_path):
    path = tmp_path / "outbox.db"
    with Outbox.open(path, "alice") as outbox:
        outbox.report(draft("before"))
        of_its_parent = told_by_a_child(lambda: refusal(lambda: outbox.report(draft("lost"))))
        of_its_own = told_by_a_child(lambda: refusal(lambda: Outbox.open(path, "alice")))
        outbox.report(draft("after"))

    assert "forked" in of_its_parent and "forked" in of_its_own
    assert locations(path) == ["after", "before"]


def test_a_child_has_its_own_outbox_where_none_was_open(tmp_path):
    path = tmp_path / "outbox.db"
    with Outbox.open(path, "alice") as outbox:
        outbox.report(draft("before"))

    def report():
        with Outbox.open(path, "alice") as outbox:
            return outbox.report(draft("in the child")).location_id

    assert told_by_a_child(report) == "in the child"
    assert locations(path) == ["before", "in the child"]
