"""Which objects of a campaign's pool are measured by, learnt from, or left to choose from, as the pool changes."""

import numpy as np
import pandas as pd
import pytest

from alray.pools.columns.labels import NO_LABEL
from alray.pools.open_pool import OpenLabels, OpenPool
from alray.settings.campaign import CampaignSpec
from alray.studies.campaign.audit import places
from alray.studies.campaign.fitting import learnt_of
from alray.studies.campaign.ledger import Ledger
from alray.studies.campaign.next_batch import Wish, _notes, _numbers
from alray.studies.campaign.parts import Parts, parts_of

SHARE = 0.1
MEASURED, LEARNT = (
    next(name for name in map(str, range(999)) if (places(0, [f"group {name}"])[0] < SHARE) == low)
    for low in (True, False)
)
"""A group that the audit part draws, and one that it does not."""


def ledger_of(labels, purposes=(), answers=()):
    """Return a ledger of these objects' labels, and of questions and answers, each by an object's id."""
    objects = pd.DataFrame({"id": list(labels), "label": list(labels.values())}, dtype=object)
    batches = pd.DataFrame(dict(purposes).items(), columns=["id", "purpose"]).assign(batch=1)
    given = pd.DataFrame(dict(answers).items(), columns=["task", "label"], dtype=object)
    given = given.assign(worker="ann", outcome="used", time=None, answer_id=None)
    return Ledger(objects, batches, given)


def ids_by_part(ledger, groups):
    """Return ids of the audit part, to choose from, and learnt from; and what is said besides."""
    ids = np.array(list(groups), dtype=object)
    known = OpenLabels("pool.parquet", ids, np.full(len(ids), NO_LABEL), ())
    pool = OpenPool(known, (), np.array(list(groups.values()), dtype=object), pd.DataFrame, ())
    parts = parts_of(pool, ledger, 0, SHARE)
    spec = CampaignSpec(initial=1)
    learnt = learnt_of(ledger, parts, ("A", "B"), spec)
    rows = (np.flatnonzero(parts.audit), parts.candidates, learnt.objects, parts.audits)
    notes = _notes(spec, learnt, Wish(2, 0), [], by_strategy=True)
    return [sorted(ids[each]) for each in rows], notes


@pytest.mark.parametrize("group", [MEASURED, LEARNT])
def test_a_label_that_joins_an_audited_group_neither_dissolves_it_nor_is_learnt_from(group):
    """Also where the group's name came to be another since, by which it would not be drawn."""
    ledger = ledger_of(
        {"a": None, "b": None, "c": None, "new": "A", "z": "B"}, {"a": "audit"}, {"a": "A"}
    )
    found, notes = ids_by_part(ledger, {**dict.fromkeys(("a", "b", "c", "new"), group), "z": ""})
    assert found == [["a", "b", "c"], [], ["z"], ["b", "c"]]
    (note,) = notes
    assert note == (
        "1 label is kept and not learnt from, as other objects of the same group measure the accuracy: new"
    )


def test_a_label_that_joins_a_group_before_it_was_audited_is_learnt_from():
    ledger = ledger_of({"a": None, "b": None, "new": "A"})
    found, notes = ids_by_part(ledger, dict.fromkeys(("a", "b", "new"), MEASURED))
    assert found == [[], ["a", "b"], ["new"], []]
    assert notes == ()


def test_a_group_that_was_learnt_from_stays_so_when_its_label_has_left_the_pool():
    ledger = ledger_of({"old": "A", "a": None, "b": None}, {"a": "strategy"}, {"a": "B"})
    found, _ = ids_by_part(ledger, dict.fromkeys(("a", "b"), MEASURED))
    assert found == [[], ["b"], ["a"], []]


def test_a_group_that_was_learnt_from_and_measured_by_is_learnt_from_no_longer():
    """So it was where a label had dissolved the group: what the strategy chose of it is kept, and not learnt from."""
    ledger = ledger_of(
        {"a": None, "b": None, "c": None, "new": "A"},
        {"a": "audit", "b": "strategy"},
        {"a": "A", "b": "A"},
    )
    found, notes = ids_by_part(ledger, dict.fromkeys(("a", "b", "c", "new"), MEASURED))
    assert found == [["a", "c"], [], [], ["c"]]
    assert notes[0].startswith("2 labels are kept")
    assert notes[0].endswith("new, b")


@pytest.mark.parametrize(
    ("wanted", "left", "expected"),
    [
        (1, 0, (1, 0)),
        (5, 0, (5, 0)),
        (9, 0, (5, 0)),
        (9, 6, (3, 6)),
        (9, 20, (0, 9)),
        (30, 20, (5, 20)),
    ],
)
def test_what_is_left_of_the_audit_part_is_asked_about_where_candidates_run_out(
    wanted, left, expected
):
    """Of 995 that were asked about, 100 were of the audit part, which is more than its share; 5 of it are left."""
    purposes = {str(row): "audit" if row < 100 else "strategy" for row in range(995)}
    none = np.zeros(1000 + left, dtype=bool)
    audit = none.copy()
    audit[[*range(100), *range(995, 1000)]] = True
    asked = none.copy()
    asked[:995] = True
    rows = {str(row): row for row in range(len(none))}
    parts = Parts(rows, audit, audit, np.arange(len(none)) / len(none), asked, none, none)
    assert (len(parts.audits), len(parts.candidates)) == (5, left)
    ledger = ledger_of(dict.fromkeys(rows), purposes)
    assert _numbers(CampaignSpec(), ledger, parts, Wish(9, wanted), 0) == expected
