"""A correlation study's page and figures: the same when the study ends and whenever they are written again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pandas as pd

from alray.analysis.correlation.findings import Prediction, reading
from alray.analysis.correlation.summary import CorrelationSummary, as_original
from alray.analysis.wording import count, listed
from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.correlation import CorrelationSpec
from alray.storage.location import Place
from alray.studies.correlation.results import load_correlation
from alray.studies.correlation.store import CorrelationStore


@dataclass(frozen=True, eq=False)
class Records:
    """What a study has on record of its complete bases.

    Attributes:
        bases: A row per base model.
        groups: A row per base, grouping and object.
        outcomes: A row per fine-tune and dose.
        failures: Tasks that failed for good, each with its error in a line.
    """

    bases: pd.DataFrame
    groups: pd.DataFrame
    outcomes: pd.DataFrame
    failures: Mapping[str, str]


def render_study(
    spec: CorrelationSpec,
    manifest: Mapping[str, Any],
    records: Records,
    found: CorrelationSummary,
    outcome: str,
) -> tuple[dict[str, bytes], list[str]]:
    """Return the report's files by name, and its sentences.

    Args:
        spec: Settings with their numbers filled in.
        manifest: Where the study comes from.
        records: Of the complete bases.
        found: What they show.
        outcome: What verdicts are about.
    """
    from alray.reporting.correlation.page import CorrelationResults, render  # noqa: PLC0415 -- a second of Altair and vl-convert

    grouping = "score" if "score" in spec.grouping else spec.grouping[0]
    prediction = measured_prediction()
    sentences = reading(found.summary, found.checks, prediction, (outcome, grouping))
    if records.failures:
        sentences.insert(0, _told(records))
    dose = prediction.epochs
    results = CorrelationResults(
        groups=records.groups,
        outcomes=records.outcomes,
        bases=records.bases,
        summary=found.summary,
        quantiles=found.quantiles,
        checks=found.checks,
        title=f"Does a score predict usefulness? {manifest.get('pool', spec.name)}",
        facts=_facts(spec, manifest),
        sentences=sentences,
        main_outcome=outcome,
        main_epochs=dose if dose in spec.epochs and spec.compat is None else None,
    )
    return render(results), sentences


def measured_prediction() -> Prediction:
    """Return what the published prediction study has measured of the default protocol."""
    text = files("alray").joinpath("data", "prediction.json").read_text()
    return Prediction(**json.loads(text))


def _told(records: Records) -> str:
    """Say which tasks failed, and why."""
    named = listed([f"{name}: {error}" for name, error in records.failures.items()])
    complete = ", ".join(str(base) for base in sorted(records.bases["base"]))
    failed = count(len(records.failures), "task")
    return f"{failed} failed ({named}); only bases {complete} are complete and counted."


def _facts(spec: CorrelationSpec, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what a reader has to know to judge the study and to repeat it."""
    versions = {"alray": manifest.get("alray"), **manifest.get("versions", {})}
    counts = [f"{count:,} {name}" for name, count in manifest.get("counts", {}).items()]
    return {
        "pool": ", ".join([str(manifest.get("pool", "unknown")), *counts]),
        "fingerprint": str(manifest.get("pool_fingerprint", "unknown")),
        "base models": f"{spec.bases}, on {spec.initial:,} random labels each",
        "sample": f"{spec.sample:,} unlabelled objects, groups of {spec.group_size}",
        "fine-tunes": f"{spec.fine_tune_seeds} seeds, evaluated after {', '.join(map(str, spec.epochs))} epochs on at most "
        f"{spec.test:,} test objects, replay {spec.replay}",
        "model": f"{spec.model.name}, width {spec.model.width}, dropout {spec.model.dropout:g}",
        "training": f"Adam {spec.training.lr:g}, batch size {spec.training.batch_size}, BatchNorm "
        f"{spec.training.batch_norm}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "machine": str(manifest.get("machine", {}).get("processor", "unknown")),
        "begun": str(manifest.get("begun")),
        "ended": str(manifest.get("ended")),
        "command": str(manifest.get("command", "")),
    }


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
