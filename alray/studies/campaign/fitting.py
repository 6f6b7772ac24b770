"""The fit before a batch: fresh weights, all labels that are known but those of the audit part."""

import json
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import save

from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.settings.campaign import CampaignSpec
from alray.settings.estimators import class_of
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSplitSpec
from alray.strategies import canonical, identity, parse
from alray.studies.campaign.labels import Posterior, labels_of
from alray.studies.campaign.ledger import Ledger
from alray.studies.campaign.parts import Parts
from alray.studies.rounds.record import Record
from alray.studies.rounds.round_draws import RoundDraws
from alray.studies.rounds.round_fit import learner_of_round, round_fit
from alray.training.fit import complete
from alray.training.learner import Learner

FEWEST = 2
"""Labels, and classes among them, that a network needs to learn."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """What there is to learn from.

    Attributes:
        objects: (n,) positions in the pool, in the order in which they were labelled.
        posterior: (n, classes) probability of each class.
        vanished: Labelled objects that the pool has no longer.
        beside: Labelled objects that are not of the audit part, but of groups that are, and so not learnt from.
    """

    objects: Indices
    posterior: Posterior
    vanished: list[str]
    beside: list[str]

    @property
    def enough(self) -> bool:
        """Whether a network can learn from it."""
        return (
            len(self.objects) >= FEWEST and len(set(self.posterior.argmax(1).tolist())) >= FEWEST
        )


def learnt_of(
    ledger: Ledger, parts: Parts, classes: tuple[str, ...], spec: CampaignSpec
) -> Learnt:
    """Return what the network may learn from: labels of the start, and answers; none of those of the audit part.

    Nor those of groups of which the audit part has asked: `Parts.held`.
    """
    purposes = ledger.asked["purpose"]
    audited = frozenset(purposes.index[purposes == "audit"])
    held = {each for each, row in parts.row.items() if parts.held[row]}
    given = ledger.given[~ledger.given["task"].isin(audited | held)]
    # Their answers are read alone: those of the audit part would say who is to be believed.
    answered = labels_of(given, classes, spec.aggregate)
    codes = {name: number for number, name in enumerate(classes)}
    initial = {each: label for each, label in ledger.initial.items() if each not in held}
    begun = np.zeros((len(initial), len(classes)))
    begun[range(len(begun)), [codes[label] for label in initial.values()]] = 1
    ids = [*initial, *answered.ids]
    posterior = np.concatenate([begun, answered.posterior])
    # A label of the start is kept where somebody answers about the object all the same.
    first = {each: number for number, each in reversed(list(enumerate(ids)))}
    there = [
        number for number, each in enumerate(ids) if first[each] == number and each in parts.row
    ]
    objects = np.array([parts.row[ids[number]] for number in there], dtype=np.int64)
    vanished = [each for each in first if each not in parts.row]
    labelled = dict.fromkeys([*ledger.initial, *ledger.given["task"]])
    beside = [each for each in labelled if each in held and not parts.audit[parts.row[each]]]
    return Learnt(objects, posterior[there], vanished, beside)


def run_of(spec: CampaignSpec, query: int) -> RunSpec:
    """Return the settings of a campaign as those of a run, whose rounds are the batches."""
    strategy = parse(spec.strategy)
    training = spec.training.model_copy(update={"loss_prediction": strategy.loss_prediction})
    if class_of(spec.model.name) is not None:
        training = training.model_copy(update={"stopping": "fixed_epochs"})
    return RunSpec(
        arm=canonical(spec.strategy),
        strategy=canonical(spec.strategy),
        strategy_options=identity(spec.strategy),
        variant="",
        oracle=strategy.oracle,
        seed=0,
        study_seed=spec.seed,
        pool_fingerprint="",
        pool_dtype=spec.pool.dtype,
        split=SweepSplitSpec(),
        model=spec.model,
        training=training,
        initial=spec.initial or FEWEST,
        query=query,
        rounds=1,
        metric_split="test",
        threads=spec.threads,
    )


def known_of(learnt: Learnt) -> Known:
    """Return what a fit learns: classes where all assessors agree everywhere, else probabilities of classes."""
    sure = learnt.posterior.max(1) == 1
    if sure.all():
        return Known(learnt.objects)
    order = np.argsort(learnt.objects, kind="stable")
    objects, posterior = learnt.objects[order], torch.from_numpy(learnt.posterior[order]).float()

    def of(wanted: Indices) -> torch.Tensor:
        return posterior[torch.from_numpy(np.searchsorted(objects, wanted))]

    return Known(learnt.objects, of)


def fit(
    run: RunSpec, pool: PoolTensors, known: Known, draws: RoundDraws
) -> tuple[Learner, Record]:
    """Return a learner that was fitted from fresh weights, with `train_loss` and `epochs`."""
    learner = learner_of_round(run, pool, draws.round)
    return learner, complete(round_fit(learner, pool, known, draws))


def network_file(learner: Learner, classes: tuple[str, ...]) -> bytes:
    """Return a safetensors file with the network's weights, and the classes in the order of its outputs."""
    tensors = {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in learner.network.state_dict().items()
    }
    content: bytes = save(tensors, {"classes": json.dumps(classes)})
    return content
