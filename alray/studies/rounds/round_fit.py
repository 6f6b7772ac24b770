"""The fit of a round, and trials of it: what it would come to if other objects were labelled."""

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np

from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.evaluation import evaluate, nll_of
from alray.seeding import torch_seed
from alray.settings.run import RunSpec
from alray.studies.rounds.record import Record
from alray.studies.rounds.round_draws import RoundDraws
from alray.training.checkpoint import learner_tensors, restore_learner
from alray.training.fit import Draws, Epochs, FitOptions, complete, fitting
from alray.training.gpu.stacks import Stacks
from alray.training.learner import Learner, fresh_learner
from alray.training.stopping import StoppingParts, stopping_parts


def learner_of_round(
    run: RunSpec, pool: PoolTensors, round_number: int, stacks: Stacks | None = None
) -> Learner:
    """Return a learner of a round's fresh weights, in one of these stacks where they are given and can hold it."""
    learner = fresh_learner(
        run.model,
        run.training,
        pool,
        lambda purpose: torch_seed(run.study_seed, run.seed, purpose, round_number),
    )
    if stacks is not None:
        stacks.place(learner, run.model, pool)
    return learner


def round_fit(
    learner: Learner, pool: PoolTensors, labelled: Known, draws: RoundDraws
) -> Epochs[Record]:
    """Fit a learner as a round does, and return its columns; yield the epochs where the learner is in a stack.

    Args:
        learner: The one of the round before, or a fresh one in round 0 and where each round trains from scratch.
        pool: The pool.
        labelled: The labelled objects.
        draws: The round's generators.
    """
    training, first = draws.run.training, draws.round == 0
    scratch = first or training.mode == "scratch"
    epochs = training.passive_epochs if scratch else 1
    if not first:
        epochs = training.round_epochs or epochs
    prediction = training.loss_prediction
    detach_from = prediction.detach_after if prediction else 1.0
    # Fine-tuning continues after the passive phase, which has passed that share of its epochs.
    if not scratch and detach_from < 1:
        detach_from = 0.0
    parts = StoppingParts(labelled.objects, None)
    if scratch:
        parts = stopping_parts(
            training, labelled.objects, pool.pool.validation, draws.numpy("stopping")
        )
    options = FitOptions(
        epochs=epochs,
        freeze_batch_norm=training.batch_norm == "frozen" and not first,
        detach_from=detach_from,
        validate=nll_of(learner.network, pool, parts.held_out, labelled.targets),
    )
    learned = Known(parts.learned, labelled.targets)
    drawn = Draws(draws.numpy("batches"), draws.torch("dropout"))
    # In a stack, where runs take turns, nothing draws from the global generators.
    with draws.seeded("dropout") if learner.place is None else nullcontext():
        fitted = yield from fitting(learner, pool, learned, drawn, options)
    return {"train_loss": fitted.train_loss, "epochs": fitted.epochs}


def trial_loss(
    learner: Learner, pool: PoolTensors, labelled: Indices, draws: RoundDraws
) -> Callable[[Indices], float]:
    """Return a function from a batch of objects to the NLL on the validation part after the round's fit with it.

    The fit is that of the round itself, with the same draws, on a copy of the learner: of the batch that is then
    chosen, it is what the round comes to. Arguments are as in `round_fit`, before the batch is labelled.
    """
    kept = learner_tensors(learner)
    scratch = draws.run.training.mode == "scratch"

    def loss_after(batch: Indices) -> float:
        copy = learner_of_round(draws.run, pool, draws.round)
        if not scratch:
            restore_learner(copy, kept)
        complete(round_fit(copy, pool, Known(np.concatenate([labelled, batch])), draws))
        with draws.seeded("dropout"):
            return evaluate(copy.network, pool, pool.pool.validation).nll

    return loss_after
