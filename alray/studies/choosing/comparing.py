"""Strategies that compare objects with each other choose from a short list, with the signals that they always get."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from alray.errors import SpecError
from alray.networks.generators import forked_rng
from alray.networks.targets import Known
from alray.networks.tensors import ArrayTensors, PoolTensors
from alray.pools.objects import joined
from alray.pools.pool import Indices, PreparedPool
from alray.scoring import engine
from alray.scoring.further_signals import with_further
from alray.seeding import generator, torch_seed
from alray.strategies import Query
from alray.strategies.checking import check_query
from alray.strategies.signals import Signals
from alray.studies.choosing.ranked import Ranked
from alray.studies.choosing.scoring import members_of
from alray.studies.choosing.work import Choosing
from alray.studies.devices import take_device


def require_labelled(work: Choosing) -> None:
    """Refuse a strategy that looks at what is labelled where nothing was given, or what does not fit the network.

    Raises:
        SpecError: Names the strategy, or the modalities.
    """
    if work.labelled is not None:
        have, takes = [m.name for m in work.labelled.modalities], list(work.trained.shapes)
        if have != takes:
            raise SpecError(
                f"labelled objects have the modalities {', '.join(have)}, and the network takes {', '.join(takes)}; "
                "give these, in this order"
            )
    if work.rule.compares and work.rule.strategy.needs.labelled and work.labelled is None:
        raise SpecError(
            f"strategy {work.strategy!r} compares candidates with the labelled objects: give these too "
            "(labelled=LabelledObjects(...)), or choose by another strategy, such as margin"
        )


def choose_by_comparing(work: Choosing, kept: Ranked, number: int) -> Query:
    """Return so many of the kept objects, by their positions, as the strategy chooses them.

    Args:
        work: What the choice goes by.
        kept: The short list, with features.
        number: At most as many as there are kept.
    """
    strategy, draws = work.rule.strategy, (work.seed.seed, 0)
    needs, round_number = strategy.needs, work.seed.round
    candidates = np.arange(len(kept))
    device = take_device(work.execution)
    objects = _objects(work, kept)
    pool = PoolTensors(objects.pool, ArrayTensors(device))
    network, predictor = work.trained.build(device)
    signals = Signals(candidates)
    if needs.anything:
        members = members_of(needs, work.seed)
        signals = engine.score(network, pool, candidates, needs, members, predictor)
    rng = generator(*draws, "input_dropout", round_number)
    signals = with_further(signals, network, pool, Known(objects.labelled), needs, rng)
    with forked_rng(torch_seed(*draws, "strategy", round_number)):
        query = strategy.select(signals, number, generator(*draws, "strategy", round_number))
    check_query(strategy, query, candidates, number)
    return query


class _Objects(NamedTuple):
    pool: PreparedPool
    labelled: Indices


def _objects(work: Choosing, kept: Ranked) -> _Objects:
    """Return the short list, with the labelled objects behind it, as one pool."""
    modalities, ids = kept.modalities, kept.ids
    labels = np.zeros(
        len(kept), np.int64
    )  # nobody knows them: strategies that read them were refused
    labelled = work.labelled
    if labelled is not None:
        modalities = tuple(
            joined([each, known])
            for each, known in zip(modalities, labelled.modalities, strict=True)
        )
        names = np.array([f"labelled object {n}" for n in range(len(labelled.labels))], object)
        ids = np.concatenate([ids, names])
        labels = np.concatenate([labels, labelled.labels])
    pool = work.trained.prepare(modalities, ids)
    return _Objects(replace(pool, labels=labels), np.arange(len(kept), len(ids)))
