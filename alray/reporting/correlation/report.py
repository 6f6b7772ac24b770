"""A correlation study's page and figures: the same when the study ends and whenever they are written again."""

import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from alray.analysis.correlation.findings import Prediction, details
from alray.analysis.correlation.opening import opening
from alray.analysis.correlation.verdict import with_verdicts
from alray.analysis.wording import count, counts, is_or_are, listed
from alray.errors import SpecError, StoreError
from alray.reporting.facts import provenance
from alray.settings.base import unknown_name
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.complete import Records, complete_records, summarised_settings
from alray.studies.correlation.results import Correlation
from alray.studies.folder import ERRORS

if TYPE_CHECKING:
    from alray.reporting.correlation.page import CorrelationResults

_EXTENDED = (
    "Seeds, scores or groupings that were added since are not all done: these findings are without them. "
    "The same command completes them."
)


def render_correlation(
    study: Correlation,
    manifest: Mapping[str, Any],
    outcome: str | None,
    formats: Collection[str],
    matters: float | None = None,
) -> tuple[dict[str, bytes], "CorrelationResults"]:
    """Return the files of the report by name, and what was made into them; arguments and errors as in `results_of`."""
    # Altair and vl-convert take a second to import.
    from alray.reporting.correlation.page import render  # noqa: PLC0415

    results = results_of(study, manifest, outcome, formats, matters)
    return render(results), results


def results_of(
    study: Correlation,
    manifest: Mapping[str, Any],
    outcome: str | None,
    formats: Collection[str],
    matters: float | None = None,
) -> "CorrelationResults":
    """Return what a page is made from, about the bases of the stored summary.

    Args:
        study: From its folder.
        manifest: Likewise.
        outcome: The outcome that verdicts are about; the study's own where None.
        formats: html, svg, png, csv.
        matters: Smallest effect that a verdict counts, as a share of what a group changes; the study's own where None.

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
    matters = spec.matters if matters is None else matters
    summary = with_verdicts(study.summary, matters)
    prediction = measured_prediction(spec.replay)
    what = main, "score" if "score" in spec.grouping else spec.grouping[0]
    problems = [] if spec == study.settings else [_EXTENDED]
    if len(study.failures):
        problems.append(_failures(study.failures, bases))
    return CorrelationResults(
        groups=groups,
        outcomes=outcomes,
        bases=bases,
        summary=summary,
        quantiles=study.quantiles,
        checks=study.checks,
        title=f"Does a score predict usefulness? {manifest.get('pool', spec.name)}",
        facts=_facts(spec, manifest, matters),
        problems=problems,
        sentences=opening(summary, study.checks, prediction, what),
        details=details(summary, study.checks, prediction, what),
        main_outcome=main,
        main_epochs=_main_dose(spec, prediction),
        formats=tuple(formats),
    )


def _main_dose(spec: CorrelationSpec, prediction: Prediction) -> int | None:
    """Return the dose whose worth was measured, where the study has it; None where it has not."""
    dose = prediction.epochs
    return dose if dose in spec.epochs and spec.compat is None else None


def measured_prediction(replay: str) -> Prediction:
    """Return what the published prediction study has measured of the default protocol with this replay."""
    text = files("alray").joinpath("data", "prediction.json").read_text()
    return Prediction(**json.loads(text)[replay])


def _failures(failures: pd.DataFrame, bases: pd.DataFrame) -> str:
    tasks = zip(failures["task"], failures["error"], strict=True)
    named = listed([f"{name}: {error}" for name, error in tasks])
    complete = ", ".join(str(base) for base in sorted(bases["base"]))
    failed = count(len(failures), "task")
    return f"{failed} failed ({named}); only bases {complete} are complete and counted. Errors in full are in {ERRORS}."


def _facts(spec: CorrelationSpec, manifest: Mapping[str, Any], matters: float) -> dict[str, str]:
    sizes = [f"{number:,} {name}" for name, number in manifest.get("counts", {}).items()]
    return {
        "pool": ", ".join([str(manifest.get("pool", "unknown")), *sizes]),
        "fingerprint": str(manifest.get("pool_fingerprint", "unknown")),
        "base models": f"{spec.bases}, on {spec.initial:,} random labels each",
        "sample": f"{spec.sample:,} unlabelled objects, groups of {spec.group_size}",
        "fine-tunes": f"{count(spec.fine_tune_seeds, 'seed')}, evaluated after {counts(spec.epochs, 'epoch')} "
        f"on at most {spec.test:,} test objects, replay {spec.replay}",
        "an effect counts from": f"{100 * matters:g} % of what a group changes on average",
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
