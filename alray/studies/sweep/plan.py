"""From a study's settings and its pool to arms and runs, everything checked before anything expensive starts."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alray.errors import AlrayError, SpecError
from alray.networks.kernels import INT8, available
from alray.networks.models import Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Pool, PreparedPool
from alray.scoring import int8
from alray.scoring.agreement import check_committee, check_disagreement
from alray.seeding import torch_seed
from alray.settings.base import Settings, assign, look_up, setting_names, unknown_name, validate
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import FULL_DATA, SweepSpec
from alray.strategies import ScoreStrategy, Strategy, canonical, identity, parse
from alray.strategies.signals import Committee
from alray.studies.effects import Configuration, refuse_equal, refuse_without_effect
from alray.studies.sweep.screening import is_exact_round, shortlist_size
from alray.training.learner import check_training
from alray.training.trial import trial_objects, tried_network

VARIED: Mapping[str, type[Settings]] = {"model": ModelSpec, "training": TrainingSpec}


@dataclass(frozen=True)
class Arm:
    """A strategy with its parameters and training settings: what is compared.

    Attributes:
        label: Its name in records and reports, unique within the study.
        text: The strategy as it is written.
        variant: The varied settings that differ from the study's own, "" where none does.
        training: With the loss predictor if the strategy wants one.
    """

    label: str
    text: str
    strategy: Strategy
    variant: str
    model: ModelSpec
    training: TrainingSpec


@dataclass(frozen=True)
class Plan:
    """A checked study: its settings with the name filled in, the pool as read and as runs see it, its arms and runs.

    All arms of a seed are together in `runs`; then come the runs on full data, if they are wanted.
    """

    study: SweepSpec
    pool: Pool
    prepared: PreparedPool
    arms: tuple[Arm, ...]
    runs: tuple[RunSpec, ...]

    @property
    def queue(self) -> tuple[RunSpec, ...]:
        """The runs as they should start: of a seed's runs those that score most first, full data last.

        At the end of a study workers then wait for short runs only.
        """
        passes = {arm.label: self.forward_passes(arm) for arm in self.arms}
        seeds = {seed: position for position, seed in enumerate(self.study.seeds)}
        compared = [run for run in self.runs if not run.full_data]
        compared.sort(key=lambda run: (seeds[run.seed], -passes[run.arm]))
        return (*compared, *(run for run in self.runs if run.full_data))

    def forward_passes(self, arm: Arm) -> int:
        """Return how many objects a run of this arm scores exactly, each committee member counted."""
        study, needs = self.study, arm.strategy.needs
        if not needs.anything:
            return 0
        objects, numbers = len(self.prepared.train), range(1, study.rounds + 1)
        scored = sum(_scored(study, objects, number) for number in numbers)
        committee = needs.committee
        return scored * (committee.members if committee and committee.kind != "heads" else 1)


def make_plan(study: SweepSpec, pool: Pool, prepared: PreparedPool) -> Plan:
    """Expand a study into arms and runs.

    Raises:
        SpecError: A strategy, setting or combination of them cannot work on this pool.
    """
    if study.budget > len(prepared.train):
        raise SpecError(
            f"initial + rounds x query = {study.initial} + {study.rounds} x {study.query} = {study.budget} labels, "
            f"but the train part of pool {pool.name!r} has {len(prepared.train)} objects: lower --rounds to "
            f"{max(0, (len(prepared.train) - study.initial) // study.query)}, or --initial or --query"
        )
    arms = _arms(study)
    configurations = [
        Configuration(arm.label, _choice(arm), arm.model, arm.training) for arm in arms
    ]
    refuse_without_effect(configurations)
    if study.rounds > 0:
        refuse_equal(configurations, len(prepared.modalities))
    networks = _check_networks(arms, prepared, study)
    _check_screen(arms, networks, study)
    runs = [_run(study, pool, arm, seed) for seed in study.seeds for arm in arms]
    if study.full_data:
        runs += _full_data_runs(study, pool, len(prepared.train))
    named = study.model_copy(update={"name": study.name or pool.name})
    return Plan(named, pool, prepared, tuple(arms), tuple(runs))


def _scored(study: SweepSpec, objects: int, round_number: int) -> int:
    """Return how many of a train part's objects a round scores exactly."""
    labels = study.initial + (round_number - 1) * study.query
    unlabelled = objects - labels
    if study.screen is not None and not is_exact_round(study.screen, round_number):
        return shortlist_size(study.screen, unlabelled, study.query)
    return min(unlabelled, study.candidates or unlabelled)


def _arms(study: SweepSpec) -> list[Arm]:
    """Multiply strategies by the variants of the settings."""
    arms = [
        _arm(study, text, choice) for choice in _choices(study.vary) for text in study.strategies
    ]
    labels = [arm.label for arm in arms]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise SpecError(
            f"these arms appear more than once: {', '.join(repeated)}; see strategies and vary"
        )
    return arms


def _choice(arm: Arm) -> str:
    """Return the strategy's identity, without the members that a committee of heads does not use."""
    committee = arm.strategy.needs.committee
    name = identity(arm.text)
    if committee is None or committee.kind != "heads":
        return name
    return name.replace(f":members={committee.members}", "")


def _full_data_runs(study: SweepSpec, pool: Pool, objects: int) -> list[RunSpec]:
    """Return the runs whose passive phase has every label of the train part, and which have no rounds."""
    runs = []
    for seed, choice in itertools.product(study.seeds, _choices(study.vary)):
        arm = _arm(study, "random", choice)
        run = _run(study, pool, arm, seed)
        everything = {"arm": _label(FULL_DATA, arm.variant), "initial": objects, "rounds": 0}
        runs.append(run.model_copy(update={**everything, "full_data": True}))
    return runs


def _choices(vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the varied settings' values."""
    valid = [
        f"{section}.{name}" for section, kind in VARIED.items() for name in setting_names(kind)
    ]
    for key in vary:
        if key not in valid and not key.startswith("model.options."):
            raise SpecError(f"vary: {unknown_name('setting', key, valid)}")
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def _arm(study: SweepSpec, text: str, choice: Mapping[str, Any]) -> Arm:
    strategy = parse(text)
    settings = {section: getattr(study, section).model_dump() for section in VARIED}
    for name, value in choice.items():
        assign(settings, name, value)
    if strategy.loss_prediction is not None:
        if study.training.loss_prediction not in (None, strategy.loss_prediction):
            raise SpecError(
                f"training.loss_prediction has no effect on {text}, which has its own; give it as options, such as "
                f"{text.partition(':')[0]}:margin={study.training.loss_prediction.margin:g}, or leave it out"
            )
        settings["training"]["loss_prediction"] = strategy.loss_prediction.model_dump()
    model = validate(ModelSpec, settings["model"], "vary: model")
    training = validate(TrainingSpec, settings["training"], "vary: training")
    varied = study.model_copy(update={"model": model, "training": training})
    variant = _variant(study, varied, choice)
    label = _label(canonical(text), variant)
    return Arm(label, canonical(text), strategy, variant, model, training)


def _label(name: str, variant: str) -> str:
    return name + (f" [{variant}]" if variant else "")


def _variant(study: SweepSpec, varied: SweepSpec, names: Iterable[str]) -> str:
    """Name the settings that differ from the study's own; an arm that does not differ is the plain arm."""
    differing = [name for name in names if look_up(varied, name) != look_up(study, name)]
    return ", ".join(f"{name.partition('.')[2]}={look_up(varied, name)}" for name in differing)


def _check_networks(
    arms: Sequence[Arm], prepared: PreparedPool, study: SweepSpec
) -> list[Network]:
    """Return each arm's network, built and tried once for equal settings; refuse one that an arm cannot work with."""
    pool, seed = PoolTensors(prepared), torch_seed(study.seed, 0, "weights")
    counts = [*range(study.initial, study.budget + 1, study.query)]
    counts += [len(prepared.train)] * study.full_data
    tried: dict[str, Network] = {}
    disagreeing: set[tuple[str, Committee]] = set()
    networks: list[Network] = []
    for arm in arms:
        key = arm.model.model_dump_json()
        if key not in tried:
            tried[key] = tried_network(arm.model, arm.training, pool, seed, counts)
        try:
            _check_arm(arm, tried[key])
            committee = arm.strategy.needs.committee
            if committee is not None and (key, committee) not in disagreeing:
                _check_committee(tried[key], pool, committee, seed)
                disagreeing.add((key, committee))
        except AlrayError as error:
            raise SpecError(f"{arm.label}: {error}") from None
        networks.append(tried[key])
    return networks


def _check_committee(network: Network, pool: PoolTensors, committee: Committee, seed: int) -> None:
    try:
        check_committee(network, committee)
        check_disagreement(network, pool, trial_objects(pool), committee, seed)
    except SpecError as error:
        by_heads = committee.kind == "dropout" and len(network.head_names) > 1
        raise SpecError(f"{error}{', or use committee=heads' if by_heads else ''}") from None


def _check_screen(arms: Sequence[Arm], networks: Sequence[Network], study: SweepSpec) -> None:
    """Refuse a screen where there are no int8 scores; `networks` has each arm's."""
    if study.screen is None:
        return
    if not available() >= INT8:
        raise SpecError("screen: this build of PyTorch has no 8-bit products; leave it out")
    if study.execution.gpus_per_run:
        raise SpecError("screen works on the CPU; leave it out, or --gpus-per-run")
    for arm, network in zip(arms, networks, strict=True):
        needs = arm.strategy.needs
        if not needs.anything:
            continue
        if not int8.can_score(network):
            raise SpecError(
                f"{arm.label}: screen works with model late_fusion, not {arm.model.name}; leave it out"
            )
        if not isinstance(arm.strategy, ScoreStrategy) or not int8.can_compute(needs):
            raise SpecError(
                f"{arm.label}: screen needs a strategy that ranks objects by a score from probabilities; leave screen "
                "out, or the strategy"
            )


def _check_arm(arm: Arm, network: Network) -> None:
    check_training(network, arm.training)
    needs = arm.strategy.needs
    wanted = needs.predicted_loss or arm.training.loss_prediction is not None
    if wanted and not network.tap_sizes:
        raise SpecError(
            "predicting the loss needs hidden layers to tap: use model late_fusion or cnn"
        )


def _run(study: SweepSpec, pool: Pool, arm: Arm, seed: int) -> RunSpec:
    return RunSpec(
        arm=arm.label,
        strategy=arm.text,
        strategy_options=identity(arm.text),
        variant=arm.variant,
        oracle=arm.strategy.oracle,
        seed=seed,
        study_seed=study.seed,
        pool_fingerprint=pool.fingerprint,
        pool_dtype=study.pool.dtype,
        split=study.split,
        model=arm.model,
        training=arm.training,
        initial=study.initial,
        query=study.query,
        rounds=study.rounds,
        metric_split=study.metric_split,
        threads=study.execution.cpus_per_run,
        device="cuda" if study.execution.gpus_per_run else "cpu",
        candidates=study.candidates,
        screen=study.screen,
    )
