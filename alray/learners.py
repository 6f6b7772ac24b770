"""A learner with fresh weights, drawn from seeds of its own."""

from collections.abc import Callable

from alray.errors import AlrayError, SpecError
from alray.layers import batch_norms
from alray.losses import HeadsLoss
from alray.models import LossPredictor, Network, build_network
from alray.pool import PreparedPool
from alray.seeding import Purpose
from alray.spec import ModelSpec, TrainingSpec
from alray.tensors import PoolTensors
from alray.torch_random import isolated
from alray.training import Learner


def fresh_learner(
    model: ModelSpec, training: TrainingSpec, pool: PoolTensors, seed: Callable[[Purpose], int]
) -> Learner:
    """Return a learner as it is before any fit.

    Args:
        model: The network's settings.
        training: How it will be fitted.
        pool: Decides inputs, classes and the device.
        seed: Returns the seed for a purpose.
    """
    with isolated(seed("weights")):
        network = build_network(model, pool.pool).to(pool.device)
        loss = HeadsLoss(network.head_names, training).to(pool.device)
    predictor = None
    if training.loss_prediction is not None:
        with isolated(seed("loss_prediction_weights")):
            predictor = LossPredictor(network.tap_sizes).to(pool.device)
    return Learner(network, loss, predictor, training)


def try_network(model: ModelSpec, pool: PreparedPool, seed: int) -> Network:
    """Build a network to see whether it can be built.

    Raises:
        SpecError: The settings do not fit the pool, or a user's factory raised an error.
    """
    try:
        with isolated(seed):
            return build_network(model, pool)
    except AlrayError:
        raise
    except Exception as error:
        raise SpecError(
            f"model.name: {model.name!r} raised {type(error).__name__}: {error}"
        ) from error


def check_training(network: Network, training: TrainingSpec) -> None:
    """Refuse training settings that a network cannot follow.

    Raises:
        SpecError: Weights for heads that it lacks, or frozen statistics where it has none.
    """
    HeadsLoss(network.head_names, training)
    if training.batch_norm == "frozen" and not batch_norms(network):
        raise SpecError("training.batch_norm: frozen needs a network with BatchNorm layers")
