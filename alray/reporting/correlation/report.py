"""A correlation study's page and figures: the same when the study ends and whenever they are written again."""

import json
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from alray.analysis.correlation.findings import Prediction, reading
from alray.analysis.wording import count, counts, is_or_are, listed
from alray.errors import SpecError, StoreError
from alray.reporting.facts import provenance
from alray.settings.base import unknown_name
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.protocol import Records, complete_records, summarised_settings
from alray.studies.correlation.results import Correlation
from alray.studies.folder import ERRORS

if TYPE_CHECKING:
    from alray.reporting.correlation.page import CorrelationResults

_EXTENDED = (
    "Seeds, scores or groupings that were added since are not all done: these findings are without them. "
    "The same command completes them."
)


def render_correlation(
    study: Correlation, manifest: Mapping[str, Any], outcome: str | None, formats: Collection[str]
) -> tuple[dict[str, bytes], Sequence[str]]:
    """Return the files of the report by name, and its sentences; arguments and errors are those of `results_of`."""
    # Altair and vl-convert take a second to import.
    from alray.reporting.correlation.page import render  # noqa: PLC0415

    results = results_of(study, manifest, outcome, formats)
    return render(results), results.sentences


def results_of(
    study: Correlation, manifest: Mapping[str, Any], outcome: str | None, formats: Collection[str]
) -> "CorrelationResults":
    """Return what a page is made from, about the bases of the stored summary.

    Args:
        study: From its folder.
        manifest: Likewise.
        outcome: The outcome that verdicts are about; the study's own where None.
        formats: html, svg, png, csv.

    Raises:
        StoreError: The stored summary is not that of the complete bases.
        SpecError: It has no such outcome.
    """
    # Altair and vl-convert take a second to import.
    from alray.reporting.correlation.page import CorrelationResults  # noqa: PLC0415

    known = sorted(study.summary["outcome"].unique())
    main = outcome or study.settings.outcome
    if main not in known:
        raise SpecError(f"--metric {main}: {unknown_name('outcome', main, known)}")
    spec = summarised_settings(study.settings, study.summary)
    bases, groups, outcomes = _complete(study, spec)
    prediction = measured_prediction()
    grouping = "score" if "score" in spec.grouping else spec.grouping[0]
    sentences = reading(study.summary, study.checks, prediction, (main, grouping))
    if len(study.failures):
        sentences.insert(0, _failures(study.failures, bases))
    if spec != study.settings:
        sentences.insert(0, _EXTENDED)
    dose = prediction.epochs
    return CorrelationResults(
        groups=groups,
        outcomes=outcomes,
        bases=bases,
        summary=study.summary,
        quantiles=study.quantiles,
        checks=study.checks,
        title=f"Does a score predict usefulness? {manifest.get('pool', spec.name)}",
        facts=_facts(spec, manifest),
        sentences=sentences,
        main_outcome=main,
        main_epochs=dose if dose in spec.epochs and spec.compat is None else None,
        formats=tuple(formats),
    )


def measured_prediction() -> Prediction:
    """Return what the published prediction study has measured of the default protocol."""
    text = files("alray").joinpath("data", "prediction.json").read_text()
    return Prediction(**json.loads(text))


def _failures(failures: pd.DataFrame, bases: pd.DataFrame) -> str:
    tasks = zip(failures["task"], failures["error"], strict=True)
    named = listed([f"{name}: {error}" for name, error in tasks])
    complete = ", ".join(str(base) for base in sorted(bases["base"]))
    failed = count(len(failures), "task")
    return f"{failed} failed ({named}); only bases {complete} are complete and counted. Errors in full are in {ERRORS}."


def _facts(spec: CorrelationSpec, manifest: Mapping[str, Any]) -> dict[str, str]:
    sizes = [f"{number:,} {name}" for name, number in manifest.get("counts", {}).items()]
    return {
        "pool": ", ".join([str(manifest.get("pool", "unknown")), *sizes]),
        "fingerprint": str(manifest.get("pool_fingerprint", "unknown")),
        "base models": f"{spec.bases}, on {spec.initial:,} random labels each",
        "sample": f"{spec.sample:,} unlabelled objects, groups of {spec.group_size}",
        "fine-tunes": f"{count(spec.fine_tune_seeds, 'seed')}, evaluated after {counts(spec.epochs, 'epoch')} "
        f"on at most {spec.test:,} test objects, replay {spec.replay}",
        "model": f"{spec.model.name}, width {spec.model.width}, dropout {spec.model.dropout:g}",
        "training": f"Adam {spec.training.lr:g}, batch size {spec.training.batch_size}, BatchNorm "
        f"{spec.training.batch_norm}",
        **provenance(manifest, {"alray": manifest.get("alray")}),
    }


def _complete(study: Correlation, spec: CorrelationSpec) -> Records:
    """Return the bases, groups and outcomes that the stored summary was computed from."""
    bases, groups, outcomes = complete_records(spec, study.bases, study.groups, study.outcomes)
    summarised = int(study.summary["bases"].iloc[0])
    if len(bases) != summarised:
        raise StoreError(
            f"{study.path}: the summary is of {count(summarised, 'base')}, and {len(bases)} "
            f"{is_or_are(len(bases))} complete: run the same command again, which brings it up to date"
        )
    return bases, groups, outcomes
