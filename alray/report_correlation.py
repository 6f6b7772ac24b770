"""The page of a correlation study again, from its folder: after an update of alray, or with another outcome."""

from collections.abc import Collection

import pandas as pd

from alray.correlation import CorrelationSummary, as_original
from alray.correlation_api import load_correlation
from alray.correlation_report import Records, render_study
from alray.correlation_store import CorrelationStore
from alray.errors import SpecError
from alray.settings import unknown_name
from alray.storage.location import Place

_ENDINGS = {"html": ".html", "svg": ".svg", "png": ".png"}


def render_correlation(
    path: Place, outcome: str | None, formats: Collection[str]
) -> tuple[dict[str, bytes], list[str]]:
    """Return the files of the report by name, and its sentences.

    Args:
        path: The study's folder.
        outcome: What verdicts are about; the study's own where None.
        formats: html, svg, png, csv.

    Raises:
        StoreError: The study cannot be read, or has not been run to its end.
        SpecError: It has no such outcome.
    """
    study = load_correlation(path)
    outcomes = sorted(study.summary["outcome"].unique())
    main = outcome or study.settings.outcome
    if main not in outcomes:
        raise SpecError(f"--metric {main}: {unknown_name('outcome', main, outcomes)}")
    spec, complete = study.settings, _complete(study.outcomes)
    groups, bases, runs = (
        frame[frame["base"].isin(complete)]
        for frame in (study.groups, study.bases, study.outcomes)
    )
    if spec.compat == "original":
        runs = as_original(runs)
    failures = dict(zip(study.failures["task"], study.failures["error"], strict=True))
    made, sentences = render_study(
        spec,
        CorrelationStore(path).read_manifest(),
        Records(bases, groups, runs, failures),
        CorrelationSummary(study.summary, study.quantiles, study.checks),
        main,
    )
    endings = tuple(_ENDINGS[name] for name in formats if name in _ENDINGS)
    files = {name: content for name, content in made.items() if name.endswith(endings)}
    if "csv" in formats:
        tables = {"summary": study.summary, "quantiles": study.quantiles, "checks": study.checks}
        files |= {f"findings/{n}.csv": _csv(frame) for n, frame in tables.items()}
    return files, sentences


def _csv(frame: pd.DataFrame) -> bytes:
    text: str = frame.to_csv(index=False)
    return text.encode()


def _complete(outcomes: pd.DataFrame) -> set[int]:
    """Return the bases that have as many fine-tunes on record as any other."""
    counts = outcomes.groupby("base").size()
    return set(counts.index[counts == counts.max()].tolist())
