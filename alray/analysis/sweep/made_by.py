"""Which software and which machines have made the runs of a sweep, where these are not the same for all."""

import itertools

import pandas as pd

from alray.analysis.columns import text_column
from alray.analysis.wording import count, listed

_KINDS = {"software": "versions", "machine": "machines"}
"""Column of `runs`: what its values are."""


def made_by(runs: pd.DataFrame) -> str:
    """Return a sentence on what differs between finished runs in what has made them; empty where nothing does.

    Other software or another processor rounds otherwise, which changes a run as another seed does. Runs that say
    nothing of it, as those from before it was recorded, count as one of their own.
    """
    finished = runs[runs["status"] == "finished"]
    parts = []
    for column, noun in _KINDS.items():
        if column not in finished:
            continue
        values = text_column(finished[column]).fillna("")
        times = (_shared(values) if column == "software" else values).value_counts()
        if len(times) > 1:
            named = [f"{number:,} by {str(name) or 'unknown'}" for name, number in times.items()]
            parts.append(f"{len(times)} {noun} ({listed(named)})")
    if not parts:
        return ""
    return (
        f"{count(len(finished), 'run')} made by {' and '.join(parts)}: they may differ by that, as runs with other "
        "seeds do."
    )


def _shared(software: "pd.Series[str]") -> "pd.Series[str]":
    """Return what has made each run, without a package that others did not need and that has one version.

    Arms of a strategy, or of initial objects, that scikit-learn chooses name it; the others cannot differ by it.
    """
    # What two versions have made in turn stays as it is.
    parts = [[text] if "; " in text else text.split(", ") for text in software]
    known = sum(each != [""] for each in parts)
    versions: dict[str, list[str]] = {}
    for part in itertools.chain.from_iterable(parts):
        versions.setdefault(part.partition(" ")[0], []).append(part)
    alone = {
        each[0] for each in versions.values() if len(set(each)) == 1 and len(each) < known
    } - {""}
    return pd.Series([", ".join(part for part in each if part not in alone) for each in parts])
