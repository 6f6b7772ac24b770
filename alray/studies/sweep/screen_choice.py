"""What a screen computes its scores in: the faster precision where a study begins, on record from then on.

As with `product_choice`, a study that goes on keeps its choice, and a machine keeps what it has measured.
"""

import logging
import math
from dataclasses import replace

from alray.errors import SpecError
from alray.networks.kernels import has_int8
from alray.settings.common import Precision
from alray.strategies.base import ScoreStrategy
from alray.studies.folder import Folder
from alray.studies.manifest import read
from alray.studies.recorded_choices import SCREENING, recorded_precision
from alray.studies.sweep.arm import Arm
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.screen_timing import Seconds, seconds_here

CLEARLY = 0.97
"""bf16 is chosen where it takes less than this share of int8's time."""

_logger = logging.getLogger(__name__)


def choose_precision(plan: Plan) -> Plan:
    """Return a plan whose runs have the faster precision for their screen, where the settings leave it open.

    A warning says so where a screen saves no time here.
    """
    study = plan.study
    if study.screen is None or study.screen.precision is not None:
        return plan
    arms = [arm for arm in plan.arms if _is_screened(arm)]
    if not arms or study.rounds == 0:
        return plan
    seconds = seconds_here(arms, [plan.seen_by(arm) for arm in arms])
    precision = faster(seconds)
    ratio = seconds[precision] / seconds["exact"] + study.screen.share
    if ratio >= 1:
        _logger.warning(
            "screen: neither int8 nor bf16 saves time here for this network and pool: to rank in %s and score %.0f%% "
            "exactly takes %.2f times as long as to score all exactly; leave screen out",
            precision,
            100 * study.screen.share,
            ratio,
        )
    return _with_precision(plan, precision)


def settle_precision(folder: Folder, plan: Plan) -> Plan:
    """Return a plan whose runs have the precision on record, where the study goes on.

    A study that was begun before there was a choice goes on with int8.

    Raises:
        SpecError: It is int8, which this build of PyTorch lacks.
    """
    recorded = recorded_precision(read(folder, warn=False)) if folder.has_progress() else None
    if plan.study.screen is None or recorded is None:
        return plan
    if recorded == "int8" and not has_int8():
        raise SpecError(
            f"{folder.root} was begun with a screen in int8, and this build of PyTorch has no 8-bit products: go on "
            "with the build that it was begun with, or give this study another --name"
        )
    return _with_precision(plan, recorded)


def screen_entry(plan: Plan) -> dict[str, Precision]:
    """Return what the manifest holds of a screen's precision; empty without a screen."""
    return {} if plan.study.screen is None else {SCREENING: plan.runs[0].precision}


def faster(seconds: Seconds) -> Precision:
    """Return the precision to use: int8 unless bf16 is clearly faster, or there is no int8."""
    int8, bf16 = (seconds.get(way, math.inf) for way in ("int8", "bf16"))
    return "bf16" if bf16 < CLEARLY * int8 else "int8"


def _is_screened(arm: Arm) -> bool:
    return isinstance(arm.strategy, ScoreStrategy) and arm.strategy.needs.anything


def _with_precision(plan: Plan, precision: Precision) -> Plan:
    runs = tuple(run.model_copy(update={"screen_precision": precision}) for run in plan.runs)
    return replace(plan, runs=runs)
