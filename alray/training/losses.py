"""The loss of a batch: the heads' losses weighted by learned noise or constants, and learning loss's ranking loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from alray.errors import SpecError
from alray.networks.network import FUSED, Outputs
from alray.networks.targets import Targets, mean_target_loss, target_losses
from alray.settings.common import LossPredictionSpec, TrainingSpec


class HeadsLoss(nn.Module):
    """Adds the cross-entropies L_i of the heads.

    `learned_noise` (Kendall et al. 2018, equation 7, with s_i = log sigma_i^2): sum_i L_i exp(-s_i) + s_i / 2. Its
    optimum is sigma_i^2 = 2 L_i; since it falls without bound as L_i goes to 0, s_i is clamped, and `keep_in_range`
    follows each step, since a clamped s_i has no gradient that could lead it back. A head that no object of a batch
    has adds nothing.

    s_i begins at 0 and takes steps of Adam at the learning rate of the network, so it lags behind that optimum by far.
    A step size of its own (.03, from log(2 log classes)), which keeps it there, gained nothing on openclipart: with
    six seeds the area under the learning curve changed by +.002 (-.002, +.005) for random and -.003 (-.013, +.006)
    for margin, and random's final NLL rose by .05 (.00, .09).
    """

    def __init__(self, head_names: tuple[str, ...], spec: TrainingSpec) -> None:
        super().__init__()
        self.head_names = head_names
        self._spec = spec
        unknown = sorted(set(spec.loss_weights) - set(head_names))
        if unknown:
            raise SpecError(
                f"training.loss_weights names no head of this network: {', '.join(unknown)}; "
                f"its heads are: {', '.join(head_names)}"
            )
        self.log_variance = nn.Parameter(torch.zeros(len(head_names)))
        self.log_variance.requires_grad_(spec.loss == "learned_noise")

    @override
    def forward(self, outputs: Outputs, targets: Targets) -> tuple[Tensor, Tensor]:
        """Return the loss of the batch, and (batch,) the fused head's cross-entropy of each object."""
        total = targets.new_zeros((), dtype=torch.float32)
        each = target_losses(outputs.heads[FUSED].values, targets)
        s = self.log_variance.clamp(*self._spec.log_variance_range)
        for position, name in enumerate(self.head_names):
            head = outputs.heads.get(name)
            if head is None:
                continue
            wanted = targets if head.rows is None else targets[head.rows]
            mean = each.mean() if name == FUSED else mean_target_loss(head.values, wanted)
            total = total + self.weighted(name, mean, s[position])
        return total, each

    def weighted(self, name: str, loss: Tensor, s: Tensor | None) -> Tensor:
        """Return what a head adds to a batch's loss, by its mean cross-entropy and, where that is learned, its s_i."""
        if s is not None and self._spec.loss == "learned_noise":
            return loss * torch.exp(-s) + s / 2
        return loss * self._spec.loss_weights.get(name, 1.0)

    @torch.no_grad()
    def keep_in_range(self, log_variance: Tensor | None = None) -> None:
        """Move every s_i, or these of several learners, to the nearest value of its range."""
        s = self.log_variance if log_variance is None else log_variance
        s.clamp_(*self._spec.log_variance_range)

    def sigmas(self) -> dict[str, float]:
        """Return the learned noise of each head; 1 where it is not learned."""
        s = self.log_variance.detach().clamp(*self._spec.log_variance_range)
        return dict(zip(self.head_names, torch.exp(s / 2).tolist(), strict=True))


def ranking_loss(predicted: Tensor, true: Tensor, spec: LossPredictionSpec) -> Tensor:
    """Return the pairwise hinge of learning loss, a scalar >= 0 (Yoo and Kweon 2019, equation 2).

    The batch of B is paired (i, B - 1 - i); the middle object of an odd batch has no partner. With l the true and lhat
    the predicted losses: mean of max(0, margin - sign(l_i - l_j) (lhat_i - lhat_j)).

    Args:
        predicted: (B,) with gradient.
        true: (B,); no gradient flows into it.
        spec: Margin.
    """
    half = len(true) // 2
    if half == 0:
        return predicted.sum() * 0
    sign = torch.sign(true - true.flip(0))[:half].detach()
    difference = (predicted - predicted.flip(0))[:half]
    return functional.relu(spec.margin - sign * difference).mean()
