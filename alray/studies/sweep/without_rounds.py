"""A sweep without rounds (`rounds = 0`): strategies choose nothing there, and variants are what is compared."""

import logging
from collections.abc import Sequence

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.wording import joined
from alray.errors import SpecError
from alray.settings.base import is_set
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.arm import Arm

_logger = logging.getLogger(__name__)


def with_random_alone(study: SweepSpec) -> SweepSpec:
    """Return a study whose only strategy is random, where it has no round and names no strategies itself.

    All arms of a variant would be the same fit.
    """
    if study.rounds > 0 or is_set(study, "strategies"):
        return study
    return study.model_copy(update={"strategies": (RANDOM,)})


def say_idle(arms: Sequence[Arm]) -> None:
    """Warn of strategies that were asked for and do nothing in a study without rounds.

    One that trains a loss predictor does something: its fit is another one.
    """
    idle = dict.fromkeys(
        arm.text for arm in arms if arm.text != RANDOM and arm.strategy.loss_prediction is None
    )
    if idle and all(arm.study.rounds == 0 for arm in arms):
        _logger.warning(
            "rounds = 0 queries nothing, so %s %s nothing: every strategy of a variant has the same fit; leave "
            "--strategies out, or give --rounds",
            joined(list(idle)),
            "does" if len(idle) == 1 else "do",
        )


def refuse_equal_fits(runs: Sequence[RunSpec]) -> None:
    """Refuse two variants of a strategy whose runs of one seed, without rounds, would be the same fit.

    Raises:
        SpecError: Names both, and what to do.
    """
    seen: dict[tuple[str, str], RunSpec] = {}
    for run in runs:
        if run.rounds > 0 or run.seed != runs[0].seed or run.full_data:
            continue
        first = seen.setdefault((run.strategy_options, run.passive_id), run)
        if first is not run:
            names = [each.variant or "the study's own settings" for each in (first, run)]
            raise SpecError(
                f"vary: with rounds = 0, {names[0]} and {names[1]} are the same fit, since what differs between them "
                "acts in rounds only; leave it out of --vary, or give --rounds"
            )
