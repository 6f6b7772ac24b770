"""A learner: the network and the parts that are fitted with it. Its start, and a step of Adam on a batch."""

from collections.abc import Callable

from torch import Tensor, nn

from alray.custom.user_errors import named_errors
from alray.errors import SpecError
from alray.networks.generators import forked_rng
from alray.networks.layers import batch_norms
from alray.networks.loss_predictor import LossPredictor
from alray.networks.models import build_network
from alray.networks.network import Network, Outputs, Values
from alray.networks.targets import Targets
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import PreparedPool
from alray.seeding import Purpose
from alray.settings.common import ModelSpec, TrainingSpec
from alray.training.adam import Adam, WeightGroup
from alray.training.losses import HeadsLoss, ranking_loss


class Learner(nn.Module):
    """The network, the loss weights, and the loss predictor where there is one: all that a fit changes.

    Attributes:
        place: Where its tensors lie among those of other learners (`alray.training.gpu.stack`), None for its own.
    """

    def __init__(
        self,
        network: Network,
        loss: HeadsLoss,
        predictor: LossPredictor | None,
        spec: TrainingSpec,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.predictor = predictor
        self.spec = spec
        self.place: object = None
        weights = [
            parameter for name, parameter in self.named_parameters() if name != "loss.log_variance"
        ]
        groups = [WeightGroup(weights, spec.weight_decay)]
        if spec.loss == "learned_noise":
            groups.append(WeightGroup([loss.log_variance], 0.0))
        # Adam's moments are carried from round to round: a round is a few steps, and a step without them moves
        # every weight by the full learning rate, however small its gradient.
        self.optimizer = Adam(groups, spec.lr)

    def objective(self, outputs: Outputs, targets: Targets, *, detach: bool) -> Tensor:
        """Return the loss of a batch; `detach` keeps the loss predictor's gradient out of the network."""
        total: Tensor
        total, each = self.loss(outputs, targets)
        wanted = self.spec.loss_prediction
        if self.predictor is None or wanted is None:
            return total
        taps = outputs.taps
        if detach:
            taps = [Values(tap.values.detach(), tap.rows) for tap in taps]
        predicted: Tensor = self.predictor(taps, len(targets))
        total = total + wanted.weight * ranking_loss(predicted, each, wanted)
        return total

    def update(self) -> None:
        """Take a step of Adam with the gradients that the parameters have."""
        self.optimizer.step()
        self.loss.keep_in_range()


def fresh_learner(
    model: ModelSpec, training: TrainingSpec, pool: PoolTensors, seed: Callable[[Purpose], int]
) -> Learner:
    """Return a learner as it is before any fit.

    Args:
        model: The network's settings.
        training: The fit's settings.
        pool: Decides inputs, classes and the device.
        seed: Returns the seed for a purpose.
    """
    with forked_rng(seed("weights")):
        network = build_network(model, pool.pool).to(pool.device)
        loss = HeadsLoss(network.head_names, training).to(pool.device)
    predictor = None
    if training.loss_prediction is not None:
        with forked_rng(seed("loss_prediction_weights")):
            predictor = LossPredictor(network.tap_sizes).to(pool.device)
    return Learner(network, loss, predictor, training)


def try_network(model: ModelSpec, pool: PreparedPool, seed: int) -> Network:
    """Build a network, or say why it cannot be built.

    Raises:
        SpecError: The settings do not fit the pool, or a user's factory raised an error.
    """
    with forked_rng(seed), named_errors(model.name, "while it was built"):
        return build_network(model, pool)


def check_training(network: Network, training: TrainingSpec) -> None:
    """Refuse training settings that a network cannot follow.

    Raises:
        SpecError: Weights for heads that it lacks, or frozen statistics where it has none.
    """
    HeadsLoss(network.head_names, training)
    if training.batch_norm == "frozen" and not batch_norms(network):
        raise SpecError("training.batch_norm: frozen needs a network with BatchNorm layers")


def step(learner: Learner, batch: Batch, targets: Targets, *, detach: bool = False) -> Tensor:
    """Take one step of Adam on a batch; return its loss, a scalar without gradient."""
    outputs: Outputs = learner.network(batch)
    loss = learner.objective(outputs, targets, detach=detach)
    learner.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    learner.update()
    return loss.detach()


def train_mode(learner: Learner, *, freeze_batch_norm: bool) -> None:
    """Put a learner into training mode; where asked, BatchNorm's running statistics stay as they are."""
    learner.train()
    if freeze_batch_norm:
        for layer in batch_norms(learner.network):
            layer.eval()
