"""From a sweep's records to what its page shows: everything is computed again."""

from collections.abc import Collection

import pandas as pd

from alray.analysis.sweep.arms import Criterion
from alray.analysis.sweep.common_stretch import stretch_said
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.full_data import finished_split
from alray.analysis.sweep.labels_outside import labels_outside
from alray.analysis.sweep.metrics import DECIDING
from alray.analysis.sweep.original import original_intervals
from alray.analysis.sweep.saving_words import price_in
from alray.analysis.sweep.summary import summarise
from alray.analysis.sweep.texts import paragraph
from alray.errors import SpecError
from alray.reporting.axis import NO_WISH, Wish, along, why
from alray.reporting.facts import facts_of, setting_texts
from alray.reporting.links import links_of
from alray.reporting.sources import Source
from alray.reporting.stopping import adds_labels_alike, replayed
from alray.reporting.sweep.results import SweepResults
from alray.seeding import generator
from alray.settings.location import StudyPath


def first_metric(source: Source) -> str:
    """Return the first metric that was recorded."""
    return next(name for name in DECIDING if _is_recorded(source, name))


def results_from(
    source: Source,
    folder: StudyPath,
    metric: str,
    formats: Collection[str],
    wish: Wish = NO_WISH,
) -> SweepResults:
    """Return what a page is made from: everything is computed again from the records.

    Raises:
        SpecError: The metric or the axis was not recorded.
        StoreError: The records contradict each other.
    """
    if not _is_recorded(source, metric):
        names = [name for name in DECIDING if _is_recorded(source, name)]
        raise SpecError(
            f"--metric {metric}: {source.path} has no such column; take one of {', '.join(names)}"
        )
    seed = int(source.settings.get("seed", 0))
    rng = generator(seed, 0, "bootstrap")
    recorded, (source, axis) = source, along(source, wish)
    rounds, runs = source.rounds, source.runs
    begun = source.settings.get("initial_selection", "random") if source.settings else ""
    criterion = Criterion(source.reference, metric, axis, begun)
    summary = summarise(rounds, runs, rng, criterion)
    found = compare(rounds, source.queries, runs, source.train_classes, rng, criterion)
    split = finished_split(rounds, runs)
    stretch = stretch_said(split.rounds, axis)
    amount = wish.label_cost
    if amount is None:
        amount = price_in(summary.to_dict("records"))
    price = amount, axis.currency
    by_crowd = bool(source.settings.get("crowd"))
    findings = paragraph(summary, found, source.reference, price, by_crowd=by_crowd)
    of_label = wish.label_cost if axis.name == "answers" else amount
    outside = labels_outside(source.manifest).cost(of_label, axis.currency)
    return SweepResults(
        title=source.name,
        summary=summary,
        comparison=found,
        verdict="\n".join(filter(None, [findings, " ".join(stretch), outside])),
        problems=source.problems,
        facts={
            **why(source, axis, asked=wish.name is not None),
            **facts_of(source, split.ceilings),
        },
        settings=setting_texts(source.settings),
        links=links_of(source, folder),
        metric=metric,
        ceilings=_ceilings(split.ceilings, metric),
        by_crowd=by_crowd,
        label_cost=amount,
        currency=axis.currency,
        stopping=replayed(recorded, metric, of_label) if adds_labels_alike(recorded) else None,
        original=original_intervals(rounds, runs)
        if source.is_original and axis.name == "labels"
        else None,
        formats=tuple(formats),
    )


def _is_recorded(source: Source, metric: str) -> bool:
    return metric in source.rounds and bool(source.rounds[metric].notna().any())


def _ceilings(ceilings: pd.DataFrame, metric: str) -> dict[str, float]:
    """Return variant: what the model reaches with all labels; studies from before a metric was kept have none."""
    if metric not in ceilings:
        return {}
    return dict(zip(ceilings["variant"], ceilings[metric], strict=True))
