"""The settings that a campaign takes from a sweep: those of the arm that its verdict favours."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from alray.analysis.sweep.advice import advice
from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.findings import named
from alray.analysis.sweep.picking import above_random, picked_row, shown_better
from alray.errors import SpecError
from alray.labelling.study_saving import needed_at_random
from alray.settings.base import unknown_name, with_values
from alray.settings.campaign import Aggregation, as_campaign
from alray.settings.location import Location
from alray.settings.questions import PREFIX
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.results import load
from alray.studies.sweep.variation import settings_of_variants

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Taken:
    """What a study gives to a campaign.

    Attributes:
        values: Settings of a campaign, as nested plain values.
        arm: The arm that they are of.
        found: What the study found, in sentences.
        said: Why this arm, and what is otherwise than in the study, a line each.
        needed: What the study says about savings, see `study_saving.needed_at_random`.
    """

    values: dict[str, Any]
    arm: str
    found: str
    said: tuple[str, ...]
    needed: Mapping[str, Any]


def take_from(path: str | Path | Location, arm: str | None = None) -> Taken:
    """Return the settings of a study's best arm, where it is shown better than random, else of random; or of an arm.

    Raises:
        StoreError: No sweep lies there.
        SpecError: There is no such arm, or it is none that a campaign can follow.
    """
    study = load(path)
    rows: Sequence[Row] = study.summary.to_dict("records")
    if study.settings.rounds == 0:
        raise SpecError(
            f"--from {study.path}: the study has no rounds, so it says nothing of strategies; name one with rounds, or "
            "take --strategy and --set instead"
        )
    row, why = _row_of(rows, arm, str(study.path))
    name, strategy = str(row["arm"]), str(row["strategy"])
    if row["oracle"] or strategy.startswith(PREFIX):
        reason = "needs labels that are not bought" if row["oracle"] else "asks yes/no questions"
        raise SpecError(f"--arm {name}: it {reason}, which a campaign cannot follow; take another")
    settings = _of_variant(study.settings, str(row["variant"]), name)
    values, changed = _values(settings, strategy)
    said = (f"{study.path}: {why}", *(f"{study.path}: {line}" for line in changed))
    return Taken(
        values, name, " ".join(advice(rows)[:2]), said, needed_at_random(study, name, strategy)
    )


def _row_of(rows: Sequence[Row], arm: str | None, path: str) -> tuple[Row, str]:
    """Return the row of the arm to follow, and why it is that one."""
    names = [str(row["arm"]) for row in rows]
    if arm is not None:
        if arm not in names:
            raise SpecError(f"--arm: {unknown_name('arm', arm, names)}")
        return rows[names.index(arm)], f"the campaign follows the arm {arm}, as asked"
    usable = [row for row in rows if not str(row["strategy"]).startswith(PREFIX)]
    if picked := picked_row(usable):
        why = (
            f"{named(picked)} is shown to be better than random choice, so the campaign follows it"
        )
        return picked, why
    at_random = [row for row in rows if row["strategy"] == RANDOM and not row["full_data"]]
    if not at_random:
        raise SpecError(f"--from {path}: the study has no random arm; name an arm with --arm")
    another = f"--arm NAME takes another arm of {', '.join(names)}"
    if (better := shown_better(usable)) and (ahead := above_random(better[0], usable)):
        return ahead, (
            f"{named(better[0])} is better than the random arm of its own settings, but {named(ahead)} has a larger "
            f"area, so the campaign chooses at random with the settings of {named(ahead)}; {another}"
        )
    return at_random[0], (
        f"no strategy is shown to be better than random choice, so the campaign chooses at random; {another}"
    )


def _of_variant(study: SweepSpec, variant: str, arm: str) -> SweepSpec:
    known = settings_of_variants(study) if study.vary else {"": {}}
    if variant not in known:
        raise SpecError(
            f"--arm {arm}: its settings ({variant}) cannot be found in the study's file; give them with --set"
        )
    return with_values(study, known[variant], f"the variant {variant}")


def _values(settings: SweepSpec, strategy: str) -> tuple[dict[str, Any], list[str]]:
    """Return the settings as a campaign has them, and what is otherwise, a line each."""
    changed = []
    plain = settings.model_dump(mode="json")
    pool = {**plain["pool"], "source": settings.pool.source}
    if pool.pop("min_class_size"):
        changed.append(
            "the study left out small classes (pool.min_class_size); the campaign takes all"
        )
    if settings.training.mode == "finetune":
        changed.append(
            "the study went on training the network from round to round; the campaign fits it from fresh weights "
            "before each batch, so its curve may differ"
        )
    if settings.training.stopping == "held_out":
        changed.append(
            "the study stopped fits by a validation part; the campaign stops them by a part of its labels"
        )
    values = as_campaign(
        {
            "pool": pool,
            "model": plain["model"],
            "training": plain["training"],
            "strategy": strategy,
            "initial": settings.initial,
            "initial_selection": settings.initial_selection,
        }
    )
    if settings.crowd is not None:
        values["answers"] = settings.crowd.answers
        if settings.crowd.aggregate in get_args(Aggregation):
            values["aggregate"] = settings.crowd.aggregate
        else:
            changed.append(
                f"the study read answers by {settings.crowd.aggregate}, which a campaign cannot; it takes the majority"
            )
    return values, changed
