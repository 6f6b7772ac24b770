"""A custom network is tried on a few objects before a study: called, trained for two steps, and restored."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from alray.custom.user_errors import named_errors
from alray.errors import SpecError
from alray.networks.custom_module import CustomModule
from alray.networks.generators import forked_rng, torch_generator
from alray.networks.layers import seed_dropouts
from alray.networks.models import BUILT_IN
from alray.networks.network import Network
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.estimators import class_of
from alray.training.batches import batches
from alray.training.checkpoint import learner_tensors, restore_learner
from alray.training.estimator_trial import tried_estimator
from alray.training.hidden_state import changed, numbers, snapshot, unsaved_buffers
from alray.training.learner import Learner, fresh_learner, train_mode, try_network
from alray.training.steps import Steps
from alray.training.trial_outputs import check_logits, differ, warn_of_outputs

_logger = logging.getLogger(__name__)

PER_PATTERN, FEWEST = 4, 8
"""Objects of the train part that a network is tried on: so many of each presence pattern, and so many at least."""


def tried_network(
    model: ModelSpec,
    training: TrainingSpec,
    pool: PoolTensors,
    seed: int,
    label_count: int,
) -> Network:
    """Return the network of these settings; a custom one is trained for two steps, a scikit-learn classifier fitted.

    What it learns from may still come in batches that it cannot be trained on: see `check_batches`.

    Args:
        model: The network's settings.
        training: The fit's settings.
        pool: The pool.
        seed: Of weights and masks; it changes no draw of a study.
        label_count: How many objects a study's smallest fit learns from.

    Raises:
        SpecError: The settings do not fit the pool, or what is wrong with a custom network.
    """
    if model.name in BUILT_IN:
        return try_network(model, pool.pool, seed)
    if class_of(model.name) is not None:
        return tried_estimator(model, pool, seed, label_count, trial_objects(pool))
    trial = Trial(model, training, pool, seed)
    trial.run()
    return trial.network


def check_batches(
    network: Network,
    name: str,
    training: TrainingSpec,
    pool: PoolTensors,
    seed: int,
    label_counts: Sequence[int],
) -> None:
    """Refuse a custom network that cannot be trained on a single object, where a batch may have one only.

    Args:
        network: From `tried_network`.
        name: Its `model.name`.
        training: The fits' settings, which may differ from those that it was tried with.
        pool: The pool.
        seed: Of masks and of trial batches; it changes no draw of a study.
        label_counts: How many objects each fit of these settings learns from.

    Raises:
        SpecError: Says what it raises, and which settings avoid it.
    """
    if not isinstance(network, CustomModule):
        return
    network.train()
    try:
        with forked_rng(seed):
            seed_dropouts(network, torch_generator(seed))
            _logits(network, name, pool, pool.batch(trial_objects(pool)[:1]), "in training mode")
    except SpecError as error:
        rng = np.random.default_rng(0)
        if any(_smallest(count, training, rng) == 1 for count in label_counts):
            raise SpecError(
                f"{error}; some batches of this study have one object: set training.batch_rule: upsample, or another "
                "training.batch_size"
            ) from error


def trial_objects(pool: PoolTensors) -> Indices:
    """Return (n,) a few objects of the train part, some of each presence pattern."""
    train = pool.pool.train
    found = [train[:FEWEST]]
    found += [train[positions[:PER_PATTERN]] for _, positions in pool.by_pattern(train)]
    return np.unique(np.concatenate(found))


class Trial:
    """A custom network's trial. No random draw of a study is changed by it.

    Attributes:
        network: The network, trained for two steps once `run` has passed.
    """

    def __init__(
        self, model: ModelSpec, training: TrainingSpec, pool: PoolTensors, seed: int
    ) -> None:
        """Build the network as a run does; errors of its factory are named."""
        self._name, self._pool, self._seed = model.name, pool, seed
        self._spec = model
        self._training = training.model_copy(update={"loss_prediction": None})
        self._objects = trial_objects(pool)
        self._learner = self._built()
        self.network = self._custom(self._learner)

    def run(self) -> None:
        """Try the network; warn of what looks wrong, and refuse what cannot work.

        Raises:
            SpecError: Says what is wrong with the network, and where in its file if it raised an error.
        """
        if not any(weight.requires_grad for weight in self.network.parameters()):
            raise self._refusal(
                "has no parameter that can be trained: create its layers in __init__ as attributes of the module, "
                "and leave requires_grad on"
            )
        with forked_rng(self._seed):
            before = self._evaluated(self._learner)
            self._check_repeats(before)
            self._check_alone(before)
            state = snapshot(self.network.module)
            self._check_gradient()
            self._step(self._learner)
            self._check_saved(state)
            self._check_restored(state)
            after = self._evaluated(self._learner)
            warn_of_outputs(self._name, self.network.module, before, after)

    def _built(self) -> Learner:
        with named_errors(self._name, "while it was built"):
            return fresh_learner(self._spec, self._training, self._pool, lambda _: self._seed)

    def _custom(self, learner: Learner) -> CustomModule:
        network = learner.network
        if not isinstance(network, CustomModule):
            raise TypeError("only custom networks are tried")
        return network

    def _refusal(self, reason: str) -> SpecError:
        return _refusal(self._name, reason)

    def _logits(self, learner: Learner, batch: Batch, when: str) -> Tensor:
        return _logits(self._custom(learner), self._name, self._pool, batch, when)

    @torch.no_grad()
    def _evaluated(self, learner: Learner) -> Tensor:
        """Return (n, classes) the logits of all objects of the trial in evaluation mode."""
        learner.eval()
        return self._logits(learner, self._pool.batch(self._objects), "in evaluation mode")

    def _check_repeats(self, logits: Tensor) -> None:
        if differ(logits, self._evaluated(self._learner)):
            raise self._refusal(
                "returns other numbers for the same objects when it is called again in evaluation mode: it draws at "
                "random (functional.dropout needs training=self.training), so no score could be repeated"
            )

    @torch.no_grad()
    def _check_alone(self, logits: Tensor) -> None:
        """Call it with each presence pattern's objects, and with one of them, as scoring may."""
        depends = False
        for _, positions in self._pool.by_pattern(self._objects):
            for chosen in (positions, positions[:1]):
                batch = self._pool.batch(self._objects[chosen])
                found = self._logits(self._learner, batch, "in evaluation mode")
                depends = depends or differ(logits[chosen], found, share=1e-3)
        if depends:
            _logger.warning(
                "model.name: %r returns other numbers for an object in evaluation mode if it is called with other "
                "objects: scores depend on which objects are scored together (BatchNorm without running statistics, "
                "or a layer that takes the objects for a sequence?)",
                self._name,
            )

    def _check_gradient(self) -> None:
        train_mode(self._learner, freeze_batch_norm=False)
        seed_dropouts(self.network, torch_generator(self._seed))
        logits = self._logits(self._learner, self._pool.batch(self._objects), "in training mode")
        if not logits.requires_grad:
            raise self._refusal(
                "returns logits without a gradient in training mode, so it would learn nothing: leave torch.no_grad, "
                "detach and NumPy out of forward"
            )

    def _step(self, learner: Learner, number: int = 0) -> Tensor:
        """Take a training step as a run does; return the loss. Equal numbers draw the same."""
        train_mode(learner, freeze_batch_norm=False)
        generator = torch_generator(self._seed + number)
        seed_dropouts(learner.network, generator)
        steps = Steps(learner, self._pool)
        batch, labels = self._pool.batch(self._objects), self._pool.labels(self._objects)
        with forked_rng(self._seed + number), named_errors(self._name, "in a training step"):
            return steps.take(batch, labels, steps.draw(len(labels), generator))

    def _check_saved(self, state: dict[str, object]) -> None:
        """Refuse buffers that change and that checkpoints do not hold."""
        lost = [
            name
            for name in changed(self.network.module, state)
            if name in unsaved_buffers(self.network.module)
        ]
        if lost:
            raise self._refusal(
                f"changes {', '.join(lost)} in training, which no checkpoint holds: a run that is interrupted would "
                "end otherwise; register the buffer with persistent=True"
            )

    def _check_restored(self, state: dict[str, object]) -> None:
        """Compare the network with a fresh one that has been given its weights, as a run that goes on is."""
        tensors = learner_tensors(self._learner)
        restored, again = self._restored(tensors), self._restored(tensors)
        names = changed(self.network.module, state)
        found = [self._next(each) for each in (self._learner, restored, again)]
        if _unlike(found[1], found[2]):
            raise self._refusal(
                "trains otherwise when the same step is repeated: it draws random numbers that are not PyTorch's, "
                "which alone are seeded; use torch.rand and its like, or nn.Dropout"
            )
        if _unlike(found[0], found[1]):
            suspects = f" ({', '.join(names)} changed)" if names else ""
            raise self._refusal(
                f"keeps something that no checkpoint holds{suspects}: with its weights given to a fresh one, the next "
                "step differs, and so would a run that is interrupted; keep it in a buffer (register_buffer)"
            )
        counting = numbers(self.network.module, names)
        if counting:
            _logger.warning(
                "model.name: %r changes %s in training, which no checkpoint holds: if its logits depend on that, a run "
                "that is interrupted ends otherwise; keep it in a buffer (register_buffer)",
                self._name,
                ", ".join(counting),
            )

    def _restored(self, tensors: dict[str, Tensor]) -> Learner:
        learner = self._built()
        with named_errors(
            self._name, "when a fresh one was given its weights (create every layer in __init__)"
        ):
            restore_learner(learner, tensors)
        return learner

    def _next(self, learner: Learner) -> Sequence[Tensor]:
        """Return the logits, the loss of the next step, and the logits behind it."""
        return self._evaluated(learner), self._step(learner, 1), self._evaluated(learner)


def _refusal(name: str, reason: str) -> SpecError:
    return SpecError(f"model.name: {name!r} {reason}")


def _logits(
    network: CustomModule, name: str, pool: PoolTensors, batch: Batch, when: str
) -> Tensor:
    """Call the network and return its logits, once they have been checked."""
    with named_errors(name, f"when it was called as module(features, present) {when}"):
        answer = network.answer(batch)
    reason = check_logits(answer, batch.size, pool.pool.class_count)
    if reason:
        raise _refusal(name, f"{reason} (called with {batch.size} objects {when})")
    logits: Tensor = answer
    return logits


def _unlike(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    return any(differ(one, other) for one, other in zip(some, others, strict=True))


def _smallest(count: int, training: TrainingSpec, rng: np.random.Generator) -> int:
    return min(len(batch) for batch in batches(count, training, rng))
