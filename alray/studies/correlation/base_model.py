"""A base model: fitted on random initial labels, with its scores of a sample of the unlabelled objects."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from alray.errors import SpecError
from alray.networks.generators import forked_rng, torch_generator
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices, PreparedPool
from alray.scoring import engine
from alray.scoring.agreement import check_committee, check_disagreement
from alray.scoring.evaluation import evaluate, nll_of
from alray.scoring.metrics import Metrics
from alray.seeding import generator, torch_seed
from alray.settings.correlation import SCORES, CorrelationSpec
from alray.strategies import scores
from alray.strategies.base import given
from alray.strategies.signals import Committee, Request
from alray.training.checkpoint import learner_tensors, read_metadata
from alray.training.fit import Draws, FitOptions, fit
from alray.training.learner import Learner, fresh_learner
from alray.training.stopping import stopping_parts

SAMPLE, SCORE = "sample", "score."

ASKED = 16
"""Objects about which a committee is asked whether it can disagree."""


@dataclass(frozen=True)
class Base:
    """A base model and the sample that it has scored.

    Attributes:
        metrics: On the test objects, before any fine-tuning.
        sample: (objects,) pool indices.
        scores: Per score (objects,) float64; a score that the network cannot give is left out.
        tensors: Weights and Adam's moments, by name.
    """

    metrics: Metrics
    sample: Indices
    scores: Mapping[str, npt.NDArray[np.float64]]
    tensors: Mapping[str, Tensor]

    def to_bytes(self) -> bytes:
        """Return the content of a safetensors file."""
        scores_ = {f"{SCORE}{name}": torch.from_numpy(v) for name, v in self.scores.items()}
        tensors = {**self.tensors, **scores_, SAMPLE: torch.from_numpy(self.sample)}
        content: bytes = save_tensors(tensors, {"metrics": json.dumps(asdict(self.metrics))})
        return content

    @staticmethod
    def from_bytes(content: bytes) -> "Base":
        """Return the base model that `to_bytes` wrote."""
        tensors: dict[str, Tensor] = load_tensors(content)
        sample: Indices = tensors.pop(SAMPLE).numpy()
        # The file does not keep the scores' order.
        names = [name for name in SCORES if f"{SCORE}{name}" in tensors]
        found = {str(name): tensors.pop(f"{SCORE}{name}").numpy() for name in names}
        metrics = Metrics(**json.loads(read_metadata(content)["metrics"]))
        return Base(metrics, sample, found, tensors)


def initial_order(spec: CorrelationSpec, pool: PreparedPool, base: int) -> Indices:
    """Return the train part in the order in which this base's initial labels are drawn."""
    return generator(spec.seed, base, "initial").permutation(pool.train)


def draw_sample(spec: CorrelationSpec, pool: PreparedPool, base: int) -> Indices:
    """Return (sample,) unlabelled objects at random; `spec` has its numbers filled in."""
    unlabelled = np.sort(initial_order(spec, pool, base)[spec.initial :])
    rng = generator(spec.seed, base, "sample")
    return rng.choice(unlabelled, size=spec.sample, replace=False)


def draw_test(spec: CorrelationSpec, pool: PreparedPool) -> Indices:
    """Return the objects that every fine-tune is evaluated on: the test part, or a random part of it."""
    if len(pool.test) <= spec.test:
        return pool.test
    rng = generator(spec.seed, 0, "test_objects")
    return np.sort(rng.choice(pool.test, size=spec.test, replace=False))


def train_base(spec: CorrelationSpec, pool: PoolTensors, base: int) -> Base:
    """Fit a base model on its initial labels, stopped as the settings say, and score its sample."""
    learner = new_learner(spec, pool, base)
    initial = initial_order(spec, pool.pool, base)[: spec.initial]
    dropout = torch_seed(spec.seed, base, "dropout")
    draws = Draws(generator(spec.seed, base, "batches"), torch_generator(dropout))
    rng = generator(spec.seed, base, "stopping")
    parts = stopping_parts(spec.training, initial, pool.pool.validation, rng)
    options = FitOptions(
        epochs=spec.training.passive_epochs,
        validate=nll_of(learner.network, pool, parts.held_out),
    )
    with forked_rng(dropout):
        fit(learner, pool, Known(parts.learned), draws, options)
        sample = draw_sample(spec, pool.pool, base)
        return Base(
            evaluate(learner.network, pool, draw_test(spec, pool.pool)),
            sample,
            _score(spec, pool, learner, sample, base),
            learner_tensors(learner),
        )


def new_learner(spec: CorrelationSpec, pool: PoolTensors, base: int) -> Learner:
    """Return the base's learner with fresh weights."""
    return fresh_learner(
        spec.model, spec.training, pool, lambda purpose: torch_seed(spec.seed, base, purpose)
    )


def _score(
    spec: CorrelationSpec, pool: PoolTensors, learner: Learner, sample: Indices, base: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Return every score that the network can give, since groups sorted by any of them report the means of all."""
    committee = _committee(spec, pool, learner, sample)
    masks = torch_generator(torch_seed(spec.seed, base, "committee")) if committee else None
    request = Request(log_probs=True, committee=committee, true_loss=True)
    signals = engine.score(learner.network, pool, sample, request, masks)
    log_probs = given(signals.log_probs)
    found = {
        "loss": given(signals.true_loss),
        "margin": scores.margin(log_probs),
        "entropy": scores.entropy(log_probs),
        "least_confidence": scores.least_confidence(log_probs),
    }
    if committee is not None:
        log_mean, entropy = given(signals.committee_log_mean), signals.committee_mean_entropy
        found["bald"] = scores.bald(log_mean, given(entropy))
    return {name: values.to("cpu", torch.float64).numpy() for name, values in found.items()}


def _committee(
    spec: CorrelationSpec, pool: PoolTensors, learner: Learner, sample: Indices
) -> Committee | None:
    """Return the committee of BALD; None where its members would agree, and nobody asks for it."""
    committee = Committee(spec.members)
    if "bald" not in spec.scores:
        try:
            check_committee(learner.network, committee)
            check_disagreement(learner.network, pool, sample[:ASKED], committee, spec.seed)
        except SpecError:
            return None
    return committee
