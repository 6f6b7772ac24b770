"""The arm that each arm of a sweep is compared with: random choice with the same settings, its training included.

A strategy may train the network too: the loss predictor of learning loss sends gradients into it. Compared with a
network that is trained without, its choice of objects and its training could not be told apart. An arm that asks
yes/no questions is compared with the one that asks about random objects by halves.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from alray.analysis.sweep.arms import RANDOM, arm_label
from alray.analysis.wording import count
from alray.settings.common import LossPredictionSpec
from alray.settings.questions import PASSIVE
from alray.strategies import identity, parse
from alray.strategies.questions.arms import QuestionStrategy
from alray.studies.sweep.arm import Arm

_logger = logging.getLogger(__name__)


def with_controls(arms: Sequence[Arm]) -> list[Arm]:
    """Return the arms, each with the name of the arm that it is compared with, and random arms that were missing.

    A random arm is added after the first arm whose strategy trains the network in a way that no random arm does, and
    `questions:passive`, which is compared with random itself, after the first arm that asks questions.
    """
    controls = {_settings(arm): arm.label for arm in arms if arm.text == RANDOM}
    passive = {_settings(arm): arm.label for arm in arms if arm.text == PASSIVE}
    complete: list[Arm] = []
    for arm in arms:
        added = None
        if arm.strategy.loss_prediction is not None and _settings(arm) not in controls:
            added = _control(arm)
            controls[_settings(arm)] = added.label
        against = controls.get(_settings(arm), arm_label(RANDOM, arm.variant))
        if isinstance(arm.strategy, QuestionStrategy) and arm.text != PASSIVE:
            if _settings(arm) not in passive:
                added = _passive(arm, controls.get(_settings(arm), ""))
                passive[_settings(arm)] = added.label
            against = passive[_settings(arm)]
        elif arm.text == PASSIVE:
            against = controls.get(_settings(arm), "")
        complete.append(replace(arm, against="" if against == arm.label else against))
        if added is not None:
            complete.append(added)
    return complete


def say_added(arms: Sequence[Arm], seeds: int) -> None:
    """Log which random arms a study has besides those that were asked for, and why."""
    for control in arms:
        if control.text == PASSIVE and control.added:
            _logger.info(
                "%s is added (%s): arms that ask questions are compared with it",
                control.label,
                count(seeds, "run"),
            )
        if control.text == RANDOM and control.against:
            named = [arm.label for arm in arms if arm.against == control.label]
            _logger.info(
                "%s is added (%s): a loss predictor trains the network too, so %s is compared with random choice that "
                "trains it alike",
                control.label,
                count(seeds, "run"),
                " and ".join(named),
            )


def _control(arm: Arm) -> Arm:
    name = f"{RANDOM} + loss predictor{_options(arm.training.loss_prediction)}"
    return replace(
        arm,
        label=arm_label(name, arm.variant),
        text=RANDOM,
        strategy=parse(RANDOM),
        options=identity(RANDOM),
        strategy_code=None,
        against=arm_label(RANDOM, arm.variant),
    )


def _passive(arm: Arm, against: str) -> Arm:
    """Return the arm that asks about random objects by halves, with the settings of another that asks."""
    return replace(
        arm,
        label=arm_label(PASSIVE, arm.variant),
        text=PASSIVE,
        strategy=parse(PASSIVE),
        options=identity(PASSIVE),
        against=against,
        added=True,
    )


def _options(predictor: LossPredictionSpec | None) -> str:
    """Return the options of a loss predictor that are not the usual ones, as a strategy has them."""
    usual = LossPredictionSpec()
    values = {} if predictor is None else dict(predictor)
    return "".join(
        f":{name}={value}" for name, value in values.items() if value != getattr(usual, name)
    )


def _settings(arm: Arm) -> str:
    """Return a text that arms share whose runs differ in nothing but the strategy."""
    return arm.study.model_dump_json()
