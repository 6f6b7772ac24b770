"""The results of a sweep with forecasts beyond the end of its curves."""

import dataclasses
from collections.abc import Sequence

from alray.analysis.sweep.arms import arm_curves
from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.forecast import outlook
from alray.analysis.sweep.forecast_words import outlook_sentences
from alray.analysis.sweep.full_data import split_full_data
from alray.errors import SpecError
from alray.reporting.sources import Source
from alray.reporting.sweep.results import SweepResults


def with_outlook(
    found: SweepResults, source: Source, axis: Axis, targets: Sequence[float], horizon: int | None
) -> SweepResults:
    """Return the results with forecasts, and with what these say in a paragraph of the findings.

    Raises:
        SpecError: As `outlook`, or curves run along something else than labels.
    """
    if axis.name != "labels":
        option = "--target" if targets else "--horizon"
        raise SpecError(
            f"{option} is about labels, and these curves run along {axis.name}; add --x labels"
        )
    split = split_full_data(source.rounds, source.runs)
    arms = arm_curves(split.rounds, split.runs)
    oracles = found.summary.loc[found.summary["oracle"], "arm"]
    ahead = outlook(arms, oracles, found.metric, targets, horizon)
    said = " ".join(outlook_sentences(ahead, float(found.summary["labels"].max())))
    return dataclasses.replace(found, outlook=ahead, verdict=f"{found.verdict}\n{said}")
