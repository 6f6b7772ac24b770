"""`alray.report` from Python: the findings of a study as a page, pictures and tables."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from alray.analysis.sweep.metrics import DECIDING, metric_title
from alray.analysis.targets import check_targets
from alray.errors import SpecError, StoreError
from alray.reporting.axis import along, common_axis, wish_of
from alray.reporting.correlation.report import render_correlation
from alray.reporting.next_steps import steps_of
from alray.reporting.sources import (
    TABLE,
    Reportable,
    Results,
    Source,
    find_results,
    read_sweep,
    read_table,
)
from alray.reporting.sweep.outlooks import with_outlook
from alray.reporting.sweep_findings import first_metric, results_from
from alray.reporting.writing import DEFAULT_FORMATS, FORMATS, Report, write_report
from alray.settings.base import unknown_name
from alray.settings.correlation import OUTCOMES
from alray.settings.location import Location, StudyPath, location_of
from alray.studies.correlation.results import Correlation, read_correlation
from alray.studies.correlation.store import CorrelationStore
from alray.studies.manifest import CORRELATION, SWEEP


def report(  # noqa: PLR0913 -- options, each by its name
    results: Reportable,
    *,
    out: str | Path | Location | None = None,
    against: str | None = None,
    metric: str | None = None,
    formats: Collection[str] = DEFAULT_FORMATS,
    label_cost: float | str | None = None,
    x: str | None = None,
    currency: str | None = None,
    target: float | Sequence[float] = (),
    horizon: int | None = None,
) -> Report:
    """Write the findings of a study: a page, pictures, tables.

    Args:
        results: A study's folder, local or a URI; a study that `sweep`, `load` and the like have returned, whose
            records are not read again; or a table (CSV or Parquet) of learning curves made elsewhere, with the columns
            arm, seed, labels, and one of the metrics below.
        out: Folder to write to, likewise. None: the study's own folder; for a table `<name>-report` beside it.
        against: The arm, or strategy, that others are compared with; random where None.
        metric: What arms are compared by and figures show: accuracy, macro_f1, balanced_accuracy, nll or rare_recall.
            None: accuracy; in a correlation study its own outcome, and accuracy, macro_f1 or nll.
        formats: Any of html, svg, png, csv.
        label_cost: What a label costs, as a number or with a currency (`0.05 EUR`).
        x: What curves, areas and savings are along: labels, answers (of a crowd) or cost (money). None: labels, or cost
            where runs pay different amounts for a label.
        currency: Of what a crowd was paid, such as EUR.
        target: One or more values of the metric, a share: how many labels will each arm need for it?
        horizon: What will each arm reach with so many labels, beyond the end of its curve? Where only targets are
            given, they are looked for up to three times the labels of the study.

    Raises:
        AlrayError: The results cannot be read, no run has finished, or there is no such arm, metric or format; a target
            or a horizon makes no sense.
    """
    _check(metric, formats)
    wish = wish_of(x, label_cost, currency)
    targets = (target,) if isinstance(target, (int, float)) else tuple(dict.fromkeys(target))
    check_targets(targets, metric_title(metric or "accuracy"))
    of_curves = {"--against": against, "--label-cost": label_cost, "--horizon": horizon}
    of_curves |= {"--target": targets[0] if targets else None, "--x": x, "--currency": currency}
    there = find_results(results)
    path = there.path
    folder = path.parent / f"{path.stem}-report" if there.kind == TABLE else path
    if out is not None:
        folder = location_of(out)
    if there.kind == CORRELATION:
        _refuse(of_curves, f"has no use: {path} is a correlation study, which has no arms")
        return _report_correlation(there, folder, metric, formats)
    if there.kind not in {SWEEP, TABLE}:
        raise StoreError(
            f"{path} holds a {there.kind} study; this version of alray cannot report on it"
        )
    source = read_table(path, against) if there.kind == TABLE else read_sweep(there, against)
    if source.has_no_rounds:
        _refuse(
            of_curves,
            f"is about rounds of querying, and {path} has none: its variants are compared",
        )
        from alray.reporting.sweep.choice_page import render_choice  # noqa: PLC0415 -- Altair, a second

        files, words = render_choice(source, folder, metric or "accuracy", formats)
        return write_report(folder, files, words, source.problems)
    found = results_from(source, folder, metric or first_metric(source), formats, wish)
    if targets or horizon is not None:
        found = with_outlook(found, *along(source, wish), targets, horizon)
    found = dataclasses.replace(found, next_steps=steps_of(along(source, wish)[0], found.summary))
    from alray.reporting.sweep.page import render  # noqa: PLC0415 -- as above

    files = render(found)
    return write_report(folder, files, found.verdict, source.problems, found.next_steps)


def report_correlation(
    results: Reportable,
    *,
    out: str | Path | Location | None = None,
    metric: str | None = None,
    formats: Collection[str] = DEFAULT_FORMATS,
    matters: float | None = None,
) -> Report:
    """Write the findings of a correlation study, as `report` does, with another size that matters.

    Args:
        results: A study's folder, local or a URI; or a study that `correlate` or `load_correlation` has returned.
        out: Folder to write to, likewise. None: the study's own folder.
        metric: accuracy, macro_f1 or nll: what verdicts are about. None: the study's own outcome.
        formats: Any of html, svg, png, csv.
        matters: Smallest effect that a verdict counts, as a share of what a group changes on average; the study's own
            setting where None.

    Raises:
        AlrayError: The results cannot be read or are of another kind, or there is no such metric or format.
    """
    _check(metric, formats)
    there = find_results(results)
    if there.kind != CORRELATION:
        raise SpecError(
            f"--matters is about correlation studies, and {there.path} is a {there.kind}; leave it out"
        )
    folder = there.path if out is None else location_of(out)
    return _report_correlation(there, folder, metric, formats, matters)


def _report_correlation(
    there: Results,
    folder: StudyPath,
    metric: str | None,
    formats: Collection[str],
    matters: float | None = None,
) -> Report:
    if metric not in {None, *OUTCOMES}:
        raise SpecError(
            f"--metric {metric}: {there.path} holds a correlation study; take one of {', '.join(OUTCOMES)}"
        )
    study = there.loaded
    if not isinstance(study, Correlation):
        study = read_correlation(CorrelationStore(there.path))
    files, made = render_correlation(study, there.manifest, metric, formats, matters)
    return write_report(folder, files, " ".join(made.sentences), tuple(made.problems))


def report_pair(  # noqa: PLR0913 -- as above
    results: tuple[Reportable, Reportable],
    *,
    out: str | Path | Location | None = None,
    against: str | None = None,
    metric: str | None = None,
    formats: Collection[str] = DEFAULT_FORMATS,
    label_cost: float | str | None = None,
    x: str | None = None,
    currency: str | None = None,
) -> Report:
    """Write the findings of two sweeps of one pool side by side: as `report` does, on one page.

    Arguments are those of `report`, for both; where `out` is None, it is `<first>-and-<second>` beside the first, and
    where `x` is None, both are along labels unless the usual axis of both is another.

    Raises:
        AlrayError: As in `report`, or the two are not of the same pool.
    """
    _check(metric, formats)
    wish = wish_of(x, label_cost, currency)
    there = [find_results(each) for each in results]
    for each in there:
        if each.kind != SWEEP:
            raise StoreError(
                f"--compare takes the folders of two sweeps; {each.path} is a {each.kind}"
            )
    sources = [read_sweep(each, against) for each in there]
    _check_pair(sources)
    paths = [each.path for each in there]
    beside = paths[0].parent / f"{paths[0].name}-and-{paths[1].name}"
    folder = beside if out is None else location_of(out)
    chosen = metric or first_metric(sources[0])
    alike = dataclasses.replace(wish, name=wish.name or common_axis(sources))
    parts = [results_from(source, folder, chosen, formats, alike) for source in sources]
    names = (paths[0].name, paths[1].name)
    if names[0] == names[1]:
        names = (str(paths[0]), str(paths[1]))
    # Altair and vl-convert take a second to import.
    from alray.reporting.sweep.page import render  # noqa: PLC0415
    from alray.reporting.sweep.pair import side_by_side  # noqa: PLC0415

    both = side_by_side((parts[0], parts[1]), names)
    return write_report(folder, render(both), both.verdict, tuple(both.problems))


def _check_pair(sources: Sequence[Source]) -> None:
    for source in sources:
        if source.has_no_rounds:
            raise SpecError(
                f"--compare takes sweeps with curves, and {source.path} has no rounds; report it alone"
            )
    prints = [source.manifest.get("pool_fingerprint") for source in sources]
    if None in prints or prints[0] != prints[1]:
        described = "\n".join(
            f"  {source.path}: {mark or 'unknown'}"
            for source, mark in zip(sources, prints, strict=True)
        )
        raise StoreError(
            f"two studies of different pools cannot be compared; fingerprints of their pools:\n{described}"
        )


def _check(metric: str | None, formats: Collection[str]) -> None:
    if metric is not None and metric not in DECIDING:
        raise SpecError(f"--metric {metric}: {unknown_name('metric', metric, list(DECIDING))}")
    for name in formats:
        if name not in FORMATS:
            raise SpecError(f"--format {name}: {unknown_name('format', name, list(FORMATS))}")
    if not formats:
        raise SpecError(f"--format: name one of {', '.join(FORMATS)}")


def _refuse(asked: Mapping[str, object], why: str) -> None:
    """Refuse options that were given though a study cannot answer them."""
    for option, value in asked.items():
        if value is not None:
            raise SpecError(f"{option} {value} {why}; leave it out")
