"""Stopping rules replayed over a study, whatever its records are read from."""

import dataclasses
from collections.abc import Mapping, Sequence

from alray.analysis.stopping_rules.base import StoppingRule
from alray.analysis.stopping_rules.registry import rules_of
from alray.analysis.sweep.along import differ_in_labels
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import DECIDING
from alray.analysis.sweep.stopping_rules.replay import Replay, replay
from alray.errors import SpecError, StoreError
from alray.reporting.curve_tables import read_curves
from alray.reporting.label_cost import parse_cost
from alray.reporting.sources import (
    TABLE,
    Reportable,
    Source,
    find_results,
    read_sweep,
)
from alray.settings.base import unknown_name
from alray.settings.crowd import CrowdSpec
from alray.settings.location import StudyPath
from alray.studies.manifest import SWEEP
from alray.studies.sweep.store import NO_QUERIES

VALIDATION = "validation_accuracy"
NO_VALIDATION = (
    "These curves have no validation accuracy, so rules that go by it saw the accuracy itself, which no campaign "
    "knows."
)


@dataclasses.dataclass(frozen=True, eq=False)
class Stopping:
    """A study with its stopping rules replayed.

    Attributes:
        name: The study.
        replay: Where each rule stops each run.
        problems: Sentences on failed and missing runs.
        label_cost: The price of a label, where known.
        currency: Its currency, empty where not named.
    """

    name: str
    replay: Replay
    problems: tuple[str, ...]
    label_cost: float | None
    currency: str


def stopping(
    results: Reportable,
    *,
    rules: Sequence[str] = (),
    metric: str | None = None,
    label_cost: float | str | None = None,
) -> Stopping:
    """Replay stopping rules over the finished runs of a sweep.

    Args:
        results: A sweep's folder, local or a URI, a sweep that has been read, or a table of curves made elsewhere.
        rules: Their texts, such as `kappa:window=3:threshold=.99`; the usual ones where none are named.
        metric: What losses are in; the first that was recorded, accuracy as a rule, where None.
        label_cost: What a label costs, as a number or with a currency (`0.05 EUR`).

    Raises:
        AlrayError: The results cannot be read, no run has finished, or there is no such rule, option or metric.
    """
    found, (amount, currency) = rules_of(rules), parse_cost(label_cost)
    if metric is not None and metric not in DECIDING:
        raise SpecError(f"--metric {metric}: {unknown_name('metric', metric, list(DECIDING))}")
    there = find_results(results)
    if there.kind not in {SWEEP, TABLE}:
        raise StoreError(
            f"{there.path} holds a {there.kind} study; stopping rules are replayed over the curves of a sweep"
        )
    source = _read_table(there.path) if there.kind == TABLE else read_sweep(there, None)
    if source.has_no_rounds:
        raise SpecError(f"{source.path} has no rounds of querying, so there is nothing to stop")
    recorded = [name for name in DECIDING if name in source.rounds]
    recorded = [name for name in recorded if source.rounds[name].notna().any()]
    if metric is not None and metric not in recorded:
        raise SpecError(
            f"--metric {metric}: {source.path} has no such column; take one of {', '.join(recorded)}"
        )
    if not adds_labels_alike(source):
        raise StoreError(
            f"{source.path}: rounds of one arm do not add labels alike, since a crowd is asked again about some "
            "objects, or yes/no questions are asked; stopping rules are replayed over rounds that do"
        )
    crowd = source.settings.get("crowd")
    if amount is None and crowd:
        amount = CrowdSpec.model_validate(crowd).label_cost
    made = replayed(source, metric or recorded[0], amount, found)
    return Stopping(source.name, made, source.problems, amount, currency)


def adds_labels_alike(source: Source) -> bool:
    """Return whether the same round of all finished runs of an arm has the same labels, more than the one before."""
    split = split_full_data(source.rounds, source.runs)
    finished = split.runs.loc[split.runs["status"] == "finished", "run_id"]
    return not differ_in_labels(split.rounds[split.rounds["run_id"].isin(finished)])


def replayed(
    source: Source,
    metric: str,
    label_cost: float | None,
    rules: Mapping[str, StoppingRule] | None = None,
) -> Replay:
    """Return rules, the usual ones where None, replayed over records that have been read.

    Curves made elsewhere hold no validation accuracy: rules that go by it see the accuracy, which a note says.
    """
    rounds, notes = source.rounds, tuple[str, ...]()
    if not source.settings and VALIDATION not in rounds and rounds["accuracy"].notna().any():
        rounds, notes = rounds.assign(**{VALIDATION: rounds["accuracy"]}), (NO_VALIDATION,)
    found = replay(rounds, source.runs, rules or rules_of(()), metric, label_cost)
    return dataclasses.replace(found, notes=(*notes, *found.notes))


def _read_table(path: StudyPath) -> Source:
    """Read a table of curves, whatever its arms are called: no arm is compared with another."""
    rounds, runs, notes = read_curves(str(path), None)
    return Source(path, rounds, NO_QUERIES.to_pandas(), runs, "", notes)
