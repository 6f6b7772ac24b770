"""What is missing from a sweep's results: runs that have failed, with where and why, and runs that have not ended."""

from typing import Any

import pandas as pd

from alray.analysis.wording import count, is_or_are, listed
from alray.studies.retries import HERE


def problems_of(runs: pd.DataFrame, *, written: bool) -> list[str]:
    """Return a sentence per kind of problem.

    Args:
        runs: A row per run.
        written: Whether the rows are those that the study's driver has written.
    """
    failed = runs[runs["status"] == "failed"]
    unfinished = runs[~runs["status"].isin(["finished", "failed"])]
    problems = []
    if len(failed):
        named = listed(
            [f"{arm}, seed {seed}{place}" for arm, seed, place in _named(_placed(failed), "place")]
        )
        problems.append(
            f"{count(len(failed), 'run')} failed and {is_or_are(len(failed))} left out: {named}."
        )
    if len(unfinished):
        named = listed(
            [
                f"{arm}, seed {seed}: round {done}"
                for arm, seed, done in _named(unfinished, "rounds_done")
            ]
        )
        problems.append(
            f"{count(len(unfinished), 'run')} {is_or_are(len(unfinished))} not finished and left out: {named}."
        )
    if not written:
        problems.append(
            "The study has not ended: runs that have not played a round yet are not counted."
        )
    return problems


def _placed(failed: pd.DataFrame) -> pd.DataFrame:
    """Return failed runs with where and why in a column `place`; an error after several starts names its nodes itself."""
    known = failed["host"].fillna("") if "host" in failed else [""] * len(failed)
    places = [
        f" on {host}: {error}" if host not in ("", HERE) and host not in error else f": {error}"
        for host, error in zip(known, failed["error"], strict=True)
    ]
    return failed.assign(place=places)


def _named(runs: pd.DataFrame, column: str) -> list[tuple[str, int, Any]]:
    return list(zip(runs["arm"], runs["seed"], runs[column], strict=True))
