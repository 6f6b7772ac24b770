"""The page of a correlation study again, from its folder: after an update of alray, or with another outcome."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from alray.correlation import as_original
from alray.correlation_api import Correlation, load_correlation
from alray.correlation_findings import BEST_DOSE, reading
from alray.correlation_store import CorrelationStore
from alray.errors import SpecError
from alray.settings import unknown_name

_ENDINGS = {"html": ".html", "svg": ".svg", "png": ".png"}


def render_correlation(
    path: Path, outcome: str | None, formats: Collection[str]
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
    spec = study.settings
    grouping = "score" if "score" in spec.grouping else spec.grouping[0]
    sentences = reading(study.summary, study.checks, (main, grouping))
    complete = _complete(study.outcomes)
    if len(study.failures):
        sentences.insert(
            0, f"{len(study.failures)} tasks failed; bases {sorted(complete)} are complete."
        )
    # Altair and vl-convert take a second to import.
    from alray.reporting.correlation_page import CorrelationResults, render  # noqa: PLC0415

    groups, bases, runs = (
        frame[frame["base"].isin(complete)]
        for frame in (study.groups, study.bases, study.outcomes)
    )
    made = render(
        CorrelationResults(
            groups=groups,
            outcomes=as_original(runs) if spec.compat == "original" else runs,
            bases=bases,
            summary=study.summary,
            quantiles=study.quantiles,
            checks=study.checks,
            title=f"Does a score predict usefulness? {_pool(study)}",
            facts=_facts(study),
            sentences=sentences,
            main_outcome=main,
            main_epochs=BEST_DOSE if BEST_DOSE in spec.epochs and spec.compat is None else None,
        )
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


def _pool(study: Correlation) -> str:
    return str(_manifest(study).get("pool", study.path.name))


def _manifest(study: Correlation) -> dict[str, Any]:
    return CorrelationStore(study.path).read_manifest()


def _facts(study: Correlation) -> dict[str, str]:
    """Return what a reader has to know, as far as the folder says it: the pool itself may be gone."""
    spec, manifest = study.settings, _manifest(study)
    versions = {"alray": manifest.get("alray"), **manifest.get("versions", {})}
    return {
        "pool": _pool(study),
        "fingerprint": str(manifest.get("pool_fingerprint", "unknown")),
        "base models": f"{spec.bases}, on {spec.initial:,} random labels each",
        "sample": f"{spec.sample:,} unlabelled objects, groups of {spec.group_size}",
        "fine-tunes": f"{spec.fine_tune_seeds} seeds, evaluated after {', '.join(map(str, spec.epochs))} epochs, "
        f"replay {spec.replay}",
        "model": f"{spec.model.name}, width {spec.model.width}, dropout {spec.model.dropout:g}",
        "training": f"Adam {spec.training.lr:g}, batch size {spec.training.batch_size}, BatchNorm "
        f"{spec.training.batch_norm}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "machine": str(manifest.get("machine", {}).get("processor", "unknown")),
        "begun": str(manifest.get("begun")),
        "ended": str(manifest.get("ended")),
        "command": str(manifest.get("command", "")),
    }
