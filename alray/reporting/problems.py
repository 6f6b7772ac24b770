"""What is missing from a sweep's results: failed runs, with node and error, and runs that have not ended."""

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
        causes = _causes(failed)
        named = listed(
            [f"{run}{cause}" for run, cause in zip(_names(failed), causes, strict=True)]
        )
        number = f"{count(len(failed), 'run')} failed and {is_or_are(len(failed))}"
        problems.append(f"{number} left out: {named}.")
    if len(unfinished):
        rounds = unfinished["rounds_done"]
        named = listed(
            [f"{run}: round {done}" for run, done in zip(_names(unfinished), rounds, strict=True)]
        )
        number = f"{count(len(unfinished), 'run')} {is_or_are(len(unfinished))}"
        problems.append(f"{number} not finished and left out: {named}.")
    if not written:
        problems.append(
            "The study has not ended: runs that have not finished a round yet are not counted."
        )
    return problems


def _causes(failed: pd.DataFrame) -> list[str]:
    """Return node and error of each run; an error after several starts names its nodes already."""
    hosts = failed["host"].fillna("") if "host" in failed else [""] * len(failed)
    return [
        f" on {host}: {error}" if host not in ("", HERE) and host not in error else f": {error}"
        for host, error in zip(hosts, failed["error"], strict=True)
    ]


def _names(runs: pd.DataFrame) -> list[str]:
    return [f"{arm}, seed {seed}" for arm, seed in zip(runs["arm"], runs["seed"], strict=True)]
