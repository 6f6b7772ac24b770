"""Files of answers that are added again, that grow, or that are older than the record: what counts stays right."""

import pandas as pd
import pytest

from tests.helpers.campaigns import begun, hidden_pool

A, B, C = "class-0", "class-1", "class-2"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return a campaign that asked about all its objects, and their ids: each test answers about some of its own."""
    folder = tmp_path_factory.mktemp("again")
    campaign = begun(hidden_pool(folder / "posts.parquet"), folder, initial=150)
    return campaign, iter(campaign.next(60).tasks["id"])


class Log:
    """An assessor's answers about one object, each file having some of them."""

    def __init__(self, asked):
        self.campaign, ids = asked
        self.task = next(ids)

    def add(self, *labels, **columns):
        """Return how many rows are new, and the label that counts then."""
        rows = {"task": self.task, "worker": "ann", "label": labels}
        self.added = self.campaign.add(pd.DataFrame({**rows, **columns}, dtype=object))
        label = self.campaign.export().set_index("id")["label"].get(self.task)
        return len(self.added.rows), label


@pytest.fixture
def log(asked):
    return Log(asked)


def test_a_log_with_a_correction_adds_nothing_the_second_time(log):
    assert [log.add(A, B) for _ in range(3)] == [(2, B), (0, B), (0, B)]
    assert log.added.notes == ()


def test_an_assessor_may_return_to_what_he_answered_first(log):
    assert log.add(A, A, B, A) == (3, A)
    assert (log.added.corrections, log.added.repeated) == (2, 1)
    assert log.add(A, B, A) == (0, A)
    assert log.add(A, B, A, C, A) == (2, A)


def test_a_file_that_grows_adds_what_is_new_alone(log):
    files = [(A,), (A,), (A, B), (A, B), (A, B, C)]
    assert [log.add(*labels) for labels in files] == [(1, A), (0, A), (1, B), (0, B), (1, C)]


def test_a_correction_may_come_alone_before_all_answers_come(log):
    files = [(A,), (B,), (A, B)]
    assert [log.add(*labels) for labels in files] == [(1, A), (1, B), (0, B)]


def test_an_older_file_changes_nothing_and_is_named(log):
    log.add(A, B)
    assert log.add(A) == (0, B)
    assert log.added.notes == (
        f"1 answer about {log.task} was replaced since, so it is taken for one of an older file and does not count "
        "again; if it is what the assessor says now, add it with its time (a column time, such as "
        "2026-01-31T12:00:00Z)",
    )
    assert log.add(A, time="2026-01-31T12:00:00Z") == (1, A)


def test_answers_with_keys_of_their_own_may_change_places_in_the_file(log):
    assert log.add(A, B, answer_id=["k1", "k2"]) == (2, B)
    assert log.add(B, A, answer_id=["k2", "k1"]) == (0, B)
    assert log.add(B, C, answer_id=["k2", "k1"]) == (1, C)


def test_a_file_without_times_adds_nothing_to_the_same_answers_with_times(log):
    assert log.add(B, A, time=["2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"]) == (2, B)
    assert log.add(A, B) == (0, B)
    assert log.added.notes == ()


def test_times_of_days_tell_no_order_so_that_of_the_file_counts(log):
    for new in (2, 0):
        assert log.add(A, B, time="2026-01-31") == (new, B)
    assert log.add(A, time="2026-01-31") == (0, B)
    assert "taken for one of an older file" in log.added.notes[0]


def test_mechanical_turk_may_approve_what_was_rejected(log, tmp_path):
    """The time is that of the answer, which stays the same whatever becomes of it."""
    head = "HITId,AssignmentId,WorkerId,AssignmentStatus,SubmitTime,Input.alray_id,Answer.category"
    found = []
    for status in ("Submitted", "Rejected", "Rejected", "Approved", "Approved", "Rejected"):
        path = tmp_path / "results.csv"
        when = "Wed Nov 20 10:11:12 PST 2024"
        path.write_text(f"{head}\nh,a1,w1,{status},{when},{log.task},{A}\n")
        added = log.campaign.add(path)
        found.append((len(added.rows), log.task in set(log.campaign.export()["id"])))
    assert found == [(1, True), (1, False), (0, False), (1, True), (0, True), (0, True)]


def test_what_is_kept_aside_is_taken_once_with_all_its_versions(log):
    there = set(log.campaign._store.batches()["id"])
    task = next(f"object-{row}" for row in range(24, 150) if f"object-{row}" not in there)
    rows = {"task": [task, task, log.task], "worker": "ann", "label": [A, B, A]}
    found = []
    for take in (False, False, True, True, False):
        added = log.campaign.add(pd.DataFrame(rows), take_unasked=take)
        found.append((len(added.rows), added.repeated, added.notes))
    assert found == [(3, 0, ()), (0, 3, ()), (2, 1, ()), (0, 3, ()), (0, 3, ())]
    assert log.campaign.export().set_index("id").loc[task, "label"] == B
