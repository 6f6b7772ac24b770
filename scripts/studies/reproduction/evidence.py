"""The stored tables as claims ask for them: differences of a part's arms, tested together, on one data set."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.analysis.sweep.arms import ArmCurves, Pair, arm_curves, pair
from alray.analysis.sweep.savings import milestones, saving_at_budget
from alray.seeding import generator
from alray.statistics.curves import area_under_curve
from alray.statistics.joint import joint_sign_flip
from alray.statistics.paired import excludes_zero
from studies.reproduction.collecting import Frames
from studies.reproduction.parts import Part
from studies.reproduction.registry import PARTS
from studies.reproduction.rules import Effect

PerSeed = Float[np.ndarray, " seed"]
Value = Callable[[Pair], PerSeed]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Stored tables with the parts' differences.

    A difference is None where its arms have no common seed: the part has not run on that data set.
    """

    frames: Frames

    @functools.cache  # noqa: B019 -- there is one for a page
    def records(self, part: str, data: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return rounds and runs of a part's arms by their names on the page, with the metric as `accuracy`."""
        of_part = PARTS[part]
        rounds = _of_arms(self.frames.rounds, of_part, data)
        runs = _of_arms(self.frames.runs, of_part, data).assign(variant="")
        if of_part.metric != "accuracy":
            rounds = rounds.assign(accuracy=rounds[of_part.metric])
        return rounds, runs

    @functools.cache  # noqa: B019 -- as above
    def arms(self, part: str, data: str) -> dict[str, ArmCurves]:
        """Return a part's arms that have finished runs, by their names on the page."""
        rounds, runs = self.records(part, data)
        if rounds.empty:
            return {}
        return {arm.name: arm for arm in arm_curves(rounds, runs) if arm.seeds}

    def pairs(self, part: str, data: str) -> dict[tuple[str, str], Pair]:
        """Return the pairs of a part that have common seeds."""
        arms = self.arms(part, data)
        both = {
            names: pair(arms[names[0]], arms[names[1]])
            for names in PARTS[part].pairs
            if set(names) <= set(arms)
        }
        return {names: each for names, each in both.items() if each.seeds}

    def area(self, part: str, data: str, arm: str, against: str) -> Effect | None:
        """Return the difference of the areas under two arms' learning curves."""
        return self._joint(part, data, _areas).get((arm, against))

    def at(self, part: str, data: str, arm: str, against: str, labels: float) -> Effect | None:
        """Return the difference of accuracies at the evaluated label count next to `labels`."""
        return self._joint(part, data, lambda each: _at(each, labels)).get((arm, against))

    def end(self, part: str, data: str, arm: str, against: str) -> Effect | None:
        """Return the difference of accuracies at the last label count."""
        return self.at(part, data, arm, against, math.inf)

    def saved(self, part: str, data: str, arm: str, against: str) -> Effect | None:
        """Return the share of labels that an arm saves at the end of the curves."""
        pairs = self.pairs(part, data)
        if (arm, against) not in pairs:
            return None
        found = saving_at_budget(pairs[arm, against], "accuracy", len(pairs))
        if found is None:
            return None
        saving = found.saving
        low, high = saving.low, saving.high
        area = self.area(part, data, arm, against)
        if area is not None and not excludes_zero(area.low, area.high):
            # As in a sweep's summary: it must not say of a part what is not shown of the whole.
            low, high = float(np.minimum(low, 0.0)), float(np.maximum(high, 0.0))
        return Effect(saving.estimate, low, high, saving.n, share=True)

    def milestones(self, part: str, data: str, arm: str, against: str) -> pd.DataFrame:
        """Return the label savings at quarters of the budget, empty where the part has not run."""
        pairs = self.pairs(part, data)
        chosen = [pairs[arm, against]] if (arm, against) in pairs else []
        return milestones(chosen)

    def seconds(self, part: str, data: str, arm: str) -> float:
        """Return an arm's seconds per round after the first, mean over its runs; NaN where it has not run."""
        _, runs = self.records(part, data)
        return float(runs.loc[runs["arm"] == arm, "seconds_per_round"].mean())

    def joint(self, values: dict[str, dict[int, float]]) -> dict[str, Effect]:
        """Return the means of differences by seed, tested together."""
        if not values:
            return {}
        seeds = sorted(set().union(*values.values()))
        matrix = np.array([[of.get(seed, math.nan) for seed in seeds] for of in values.values()])
        test = joint_sign_flip(matrix, generator(0, 0, "bootstrap"))
        return {
            name: Effect(
                float(np.nanmean(row)),
                float(test.low[i]),
                float(test.high[i]),
                int(np.isfinite(row).sum()),
            )
            for i, (name, row) in enumerate(zip(values, matrix, strict=True))
        }

    def _joint(self, part: str, data: str, value: Value) -> dict[tuple[str, str], Effect]:
        pairs = self.pairs(part, data)
        values = {
            " - ".join(names): dict(zip(each.seeds, value(each).tolist(), strict=True))
            for names, each in pairs.items()
        }
        return dict(zip(pairs, self.joint(values).values(), strict=True))


def _areas(each: Pair) -> PerSeed:
    return area_under_curve(each.labels, each.differences("accuracy"))


def _at(each: Pair, labels: float) -> PerSeed:
    nearest = int(np.abs(each.labels - min(labels, each.labels[-1])).argmin())
    return np.asarray(each.differences("accuracy")[:, nearest])


def _of_arms(frame: pd.DataFrame, part: Part, data: str) -> pd.DataFrame:
    """Return the rows of a part's arms, named as on the page, each run with an identity."""
    of_data = frame[frame["data"] == data]
    rows = [
        of_data[(of_data["sweep"] == arm.sweep) & (of_data["arm"] == arm.recorded)].assign(
            arm=name
        )
        for name, arm in part.arms.items()
    ]
    joined = pd.concat(rows, ignore_index=True) if rows else of_data.head(0)
    return joined.assign(run_id=joined["arm"] + "__seed-" + joined["seed"].astype(str))
