"""The labels of a campaign as a table: what each object is, how sure that is, and who said so."""

import pandas as pd

from alray.studies.campaign.campaign import settings_of
from alray.studies.campaign.labels import labels_of
from alray.studies.campaign.ledger import read_ledger
from alray.studies.campaign.status import source_of
from alray.studies.campaign.store import CampaignStore

EXPORT_COLUMNS = {
    "id": "the object",
    "label": "its label: of the pool at the start, else what the answers say together",
    "confidence": "the probability of that class by the answers, 1 at the start",
    "source": "start, initial, strategy, audit, or unasked where no batch had it",
    "workers": "the assessors who named a class, by name, with commas between them",
    "answers": "how many they are",
    "time": "the time of the last answer, or when it was added; null at the start",
}
"""Columns of an export, with their meaning."""


def labels_table(store: CampaignStore) -> pd.DataFrame:
    """Return a row per object with a label, with `EXPORT_COLUMNS`: those of the start first.

    Raises:
        StoreError: No campaign lies in the folder.
    """
    spec = settings_of(store)
    ledger = read_ledger(store)
    given = ledger.given[~ledger.given["task"].isin(ledger.initial.keys())]
    classes = ledger.classes(spec.classes)
    found = labels_of(given, classes, spec.aggregate)
    purposes = ledger.asked["purpose"]
    when = given["time"].fillna(given["added"])
    by_task = given.assign(when=when).groupby("task")
    workers = by_task["worker"].agg(lambda names: ",".join(sorted(set(names))))
    counts, last = by_task.size(), by_task["when"].max()
    rows = [
        {
            "id": each,
            "label": label,
            "confidence": 1.0,
            "source": "start",
            "workers": "",
            "answers": 0,
            "time": pd.NaT,
        }
        for each, label in ledger.initial.items()
    ]
    rows += [
        {
            "id": each,
            "label": classes[row.argmax()],
            "confidence": float(row.max()),
            "source": source_of(str(purposes.get(each, ""))),
            "workers": workers[each],
            "answers": int(counts[each]),
            "time": last[each],
        }
        for each, row in zip(found.ids, found.posterior, strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(EXPORT_COLUMNS))
    table["time"] = pd.Series([row["time"] for row in rows], dtype="datetime64[us, UTC]")
    return table
