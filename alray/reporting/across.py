"""`alray.report_across` from Python: the arms of several studies, compared over their pools."""

from collections.abc import Collection, Sequence
from pathlib import Path

from alray.analysis.sweep.across import StudyArms, across
from alray.analysis.sweep.arms import arm_curves
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import DECIDING
from alray.errors import SpecError
from alray.reporting.curve_tables import read_curves
from alray.reporting.links import links_of
from alray.reporting.sources import TABLE, Reportable, Source, find_results, read_sweep
from alray.reporting.writing import DEFAULT_FORMATS, FORMATS, Report, write_report
from alray.settings.base import unknown_name
from alray.settings.location import Location, location_of
from alray.studies.manifest import SWEEP

MOST_NAMES = 3
"""Studies whose names make that of the folder; of more, how many there are."""


def report_across(
    results: Sequence[Reportable],
    *,
    out: str | Path | Location | None = None,
    metric: str | None = None,
    formats: Collection[str] = DEFAULT_FORMATS,
) -> Report:
    """Write what several studies say of the arms that all of them have: ranks over their pools, and who is safest.

    Args:
        results: Folders of sweeps, local or URIs, studies in memory, or tables of curves, as `report` takes them; of
            two pools or more. Studies of one pool count as settings of it.
        out: Folder to write to. None: `across-<names>` beside the first.
        metric: What arms are compared by. None: accuracy, or the first metric that all have.
        formats: Any of html, svg, png, csv.

    Raises:
        AlrayError: The results cannot be read, or there are too few pools or common arms, or no such metric or format.
    """
    for name in formats:
        if name not in FORMATS:
            raise SpecError(f"--format {name}: {unknown_name('format', name, list(FORMATS))}")
    if not formats:
        raise SpecError(f"--format: name one of {', '.join(FORMATS)}")
    if len(results) < 2:
        raise SpecError(
            f"--across compares arms over several studies, and there {'is one' if results else 'are none'}; name two "
            "or more, such as alray report results/a results/b --across"
        )
    sources = [_read(each) for each in results]
    names = _names(sources)
    chosen = _metric(sources, metric)
    found = across(_studies(sources, names), chosen)
    first = sources[0].path
    own = "-".join(names) if len(names) <= MOST_NAMES else f"{names[0]}-and-{len(names) - 1}-more"
    folder = first.parent / f"across-{own.replace('/', '-')}" if out is None else location_of(out)
    problems = tuple(
        f"{name}: {problem}"
        for name, source in zip(names, sources, strict=True)
        for problem in source.problems
    )
    facts = {
        name: f"{source.path}, {len(source.runs)} runs"
        for name, source in zip(names, sources, strict=True)
    }
    links = [
        (f"{name}/{text}", address)
        for name, source in zip(names, sources, strict=True)
        for text, address in links_of(source, folder)
    ]
    # Altair and vl-convert take a second to import.
    from alray.reporting.sweep.across_page import render_across  # noqa: PLC0415

    files, words = render_across(
        found, f"{len(found.pools)} pools", problems, facts, links, formats
    )
    return write_report(folder, files, words, problems)


def _read(study: Reportable) -> Source:
    there = find_results(study)
    if there.kind == TABLE:
        rounds, runs, notes = read_curves(str(there.path), None)
        empty = rounds.iloc[:0]
        return Source(there.path, rounds, empty, runs, "", notes, data=(there.path.name,))
    if there.kind != SWEEP:
        raise SpecError(
            f"--across takes sweeps and tables of curves, and {there.path} is a {there.kind}; leave it out"
        )
    source = read_sweep(there, None)
    if source.has_no_rounds:
        raise SpecError(
            f"--across takes sweeps with curves, and {source.path} has no rounds; leave it out"
        )
    return source


def _names(sources: Sequence[Source]) -> list[str]:
    """Return a name for each study: that of its folder or table, or the whole path where two are called alike."""
    paths = [source.path for source in sources]
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise SpecError(f"--across: {twice[0]} is named twice; name each study once")
    short = [source.path.name.removesuffix(".csv").removesuffix(".parquet") for source in sources]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _metric(sources: Sequence[Source], metric: str | None) -> str:
    """Return the metric that is asked for, or the first that all studies have.

    Raises:
        SpecError: There is no such metric, or a study does not have it.
    """
    if metric is not None and metric not in DECIDING:
        raise SpecError(f"--metric {metric}: {unknown_name('metric', metric, list(DECIDING))}")
    recorded = [
        [name for name in DECIDING if name in source.rounds and source.rounds[name].notna().any()]
        for source in sources
    ]
    common = [name for name in recorded[0] if all(name in names for names in recorded)]
    if metric is None and common:
        return common[0]
    for source, names in zip(sources, recorded, strict=True):
        if metric not in names:
            has = f"has no such column; it has {', '.join(names)}"
            raise SpecError(f"--metric {metric or 'accuracy'}: {source.path} {has}")
    return str(metric)


def _studies(sources: Sequence[Source], names: Sequence[str]) -> list[StudyArms]:
    """Return the studies with their pools: studies whose pools have one fingerprint are of one pool."""
    pools: dict[str, str] = {}
    studies = []
    for source, name in zip(sources, names, strict=True):
        mark = str(source.manifest.get("pool_fingerprint") or name)
        split = split_full_data(source.rounds, source.runs)
        arms = arm_curves(split.rounds, split.runs)
        oracles = frozenset(split.runs.loc[split.runs["oracle"], "arm"])
        studies.append(StudyArms(pools.setdefault(mark, name), name, arms, oracles))
    return studies
