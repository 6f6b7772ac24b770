"""Whether each arm of a sweep has a network that it can work with."""

import itertools
from collections.abc import Sequence

from alray.assessors.aggregation import require_crowd_kit
from alray.errors import AlrayError, SpecError
from alray.networks.kernels import has_int8
from alray.networks.network import Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.scoring import rounded
from alray.seeding import torch_seed
from alray.settings.common import ModelSpec, unusual_parts
from alray.settings.estimators import class_of
from alray.settings.sweep import SweepSpec
from alray.strategies import ScoreStrategy
from alray.strategies.signals import Committee
from alray.strategies.stochastic import Stochastic
from alray.studies.rounds.strategy_checks import check_members, check_memory, check_signals
from alray.studies.sweep.arm import Arm
from alray.training.learner import check_training
from alray.training.stopping import check_stopping, held_out_count
from alray.training.trial import check_batches, tried_network


def check_networks(
    arms: Sequence[Arm], views: Sequence[PreparedPool], study: SweepSpec
) -> list[Network]:
    """Return each arm's network, built and tried once for equal settings; refuse one that an arm cannot work with.

    `views` has the pool as each arm sees it.
    """
    _check_devices(arms, study)
    seed = torch_seed(study.seed, 0, "weights")
    learnt = [
        _learnt_counts(arm.study) + [len(view.train)] * study.full_data
        for arm, view in zip(arms, views, strict=True)
    ]
    tried: dict[str, Network] = {}
    disagreeing: set[tuple[str, Committee]] = set()
    networks: list[Network] = []
    for arm, view, counts in zip(arms, views, learnt, strict=True):
        key = f"{arm.model.model_dump_json()} {[each.name for each in view.modalities]}"
        pool = PoolTensors(view)
        if key not in tried:
            alike = [of for each, of in zip(arms, learnt, strict=True) if each.model == arm.model]
            fewest = min(itertools.chain.from_iterable(alike))
            tried[key] = tried_network(arm.model, arm.training, pool, seed, fewest)
        try:
            check_stopping(arm.training, arm.study.initial)
            check_batches(tried[key], arm.model.name, arm.training, pool, seed, counts)
            _check_arm(arm, tried[key])
            check_signals(tried[key], arm.strategy.needs)
            check_memory(tried[key], arm.strategy)
            _check_trials(arm)
            _check_crowd(arm)
            committee = arm.strategy.needs.committee
            if committee is not None and (key, committee) not in disagreeing:
                check_members(tried[key], pool, committee, seed)
                disagreeing.add((key, committee))
        except AlrayError as error:
            raise SpecError(f"{arm.label}: {error}") from None
        networks.append(tried[key])
    return networks


def _check_devices(arms: Sequence[Arm], study: SweepSpec) -> None:
    """Refuse a GPU for networks that cannot use one."""
    for arm in arms:
        if study.execution.gpus_per_run and class_of(arm.model.name) is not None:
            raise SpecError(
                f"{arm.label}: the scikit-learn classifier {arm.model.name} is fitted on the CPU; leave "
                "--gpus-per-run out"
            )


def _learnt_counts(study: SweepSpec) -> list[int]:
    """Return how many objects each fit of an arm's settings learns from: those from fresh weights may stop early."""
    scratch = study.training.mode == "scratch"
    return [
        known - (held_out_count(study.training, known) if scratch or not position else 0)
        for position, known in enumerate(range(study.initial, study.budget + 1, study.query))
    ]


def _check_trials(arm: Arm) -> None:
    """Refuse to choose by the objects on which the study measures: the choice would make its own figure better."""
    if arm.strategy.needs.trial_loss and arm.study.metric_split == "validation":
        raise SpecError(
            "the strategy chooses by the validation part, on which metric_split: validation measures; leave one of "
            "them out"
        )


def _check_crowd(arm: Arm) -> None:
    """Refuse what a crowd cannot answer, or not yet."""
    if arm.study.crowd is None:
        return
    require_crowd_kit(arm.study.crowd.aggregate)
    if arm.strategy.needs.trial_loss:
        raise SpecError(
            "the strategy tries batches with their true labels, which a crowd does not give; leave it or crowd out"
        )


def check_screen(arms: Sequence[Arm], networks: Sequence[Network], study: SweepSpec) -> None:
    """Refuse a screen where there are no scores in a low precision; `networks` has each arm's."""
    if study.screen is None:
        return
    if study.screen.precision == "int8" and not has_int8():
        raise SpecError(
            "screen.precision: this build of PyTorch has no 8-bit products; leave it out, or use bf16"
        )
    if study.execution.gpus_per_run:
        raise SpecError("screen works on the CPU; leave it out, or --gpus-per-run")
    for arm, network in zip(arms, networks, strict=True):
        if arm.strategy.needs.anything:
            _check_screened(arm, network)


def _check_screened(arm: Arm, network: Network) -> None:
    if not rounded.can_score(network):
        raise SpecError(f"{arm.label}: {_unscreened(arm.model)}; leave it out")
    if isinstance(arm.strategy, Stochastic):
        raise SpecError(
            f"{arm.label}: screen keeps the best scores, and stochastic draws from all; leave one of them out"
        )
    by_score = isinstance(arm.strategy, ScoreStrategy)
    if not by_score or not rounded.can_compute(arm.strategy.needs):
        raise SpecError(
            f"{arm.label}: screen needs a strategy that ranks objects by a score from probabilities; leave screen "
            "out, or the strategy"
        )


def _unscreened(model: ModelSpec) -> str:
    """Return which networks a screen works with, for one of these settings."""
    if model.name != "late_fusion":
        return f"screen works with model late_fusion, not {model.name}"
    parts = [f"model.{key}: {value}" for key, value in unusual_parts(model.model_dump()).items()]
    return f"screen works with the usual parts of late_fusion, not with {', '.join(parts)}"


def _check_arm(arm: Arm, network: Network) -> None:
    check_training(network, arm.training)
    needs = arm.strategy.needs
    wanted = needs.predicted_loss or arm.training.loss_prediction is not None
    if wanted and not network.tap_sizes:
        raise SpecError(
            "predicting the loss needs hidden layers to tap: use model late_fusion or cnn"
        )
