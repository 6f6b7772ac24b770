"""Fine-tunes of many groups at once, by networks that are small enough to repeat a study a hundred times.

One hidden layer, dropout and Adam stand in for alray's networks: base models, groups, controls, seeds, replay and doses
are those of a correlation study. All groups of a base and seed are one batch of networks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from studies.planted_pools import CLASSES, FEATURES, TEST, TRAIN, Planted

HIDDEN, DROPOUT, RATE, BATCH, BASE_EPOCHS = 32, 0.1, 3e-3, 10, 40
INITIAL, GROUP, GROUPS = 200, 10, 100
"""Initial labels, objects in a group, groups by score (and as many at random): a group is 5 % of the initial labels."""


@dataclass(frozen=True)
class Found:
    """What the groups of a base did.

    Attributes:
        useful: Accuracy minus the control's, [seed, dose, group]: groups by rising loss first, then random ones.
        loss: Mean loss of each group under the base model, [group].
    """

    useful: np.ndarray
    loss: np.ndarray


class _Networks:
    """Networks that take their steps together: weights, Adam's moments and its count of steps."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.weights = list(weights)
        self.first = [torch.zeros_like(each) for each in weights]
        self.second = [torch.zeros_like(each) for each in weights]
        self.steps = 0

    def copies(self, number: int) -> "_Networks":
        made = _Networks([each.expand(number, *each.shape[1:]) for each in self.weights])
        made.first = [each.expand(number, *each.shape[1:]) for each in self.first]
        made.second = [each.expand(number, *each.shape[1:]) for each in self.second]
        made.steps = self.steps
        return made

    def logits(self, x: Tensor, mask: Tensor | float = 1.0) -> Tensor:
        """Return [network, object, class] of features [network, object, feature]."""
        w, b, v, c = self.weights
        return torch.baddbmm(c[:, None], torch.relu(torch.baddbmm(b[:, None], x, w)) * mask, v)

    def step(self, x: Tensor, y: Tensor, rng: np.random.Generator) -> None:
        """Take one step; the dropout mask is the same for all networks."""
        keep = torch.from_numpy(rng.random((1, x.shape[1], HIDDEN)) > DROPOUT).float()
        self.weights = [each.detach().requires_grad_() for each in self.weights]
        logits = self.logits(x, keep / (1 - DROPOUT))
        loss = cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum") / x.shape[1]
        gradients = torch.autograd.grad(loss, self.weights)
        self.steps += 1
        for number, gradient in enumerate(gradients):
            first = 0.9 * self.first[number] + 0.1 * gradient
            second = 0.999 * self.second[number] + 0.001 * gradient**2
            self.first[number], self.second[number] = first, second
            size = (second / (1 - 0.999**self.steps)).sqrt() + 1e-8
            change = RATE * first / (1 - 0.9**self.steps) / size
            self.weights[number] = self.weights[number].detach() - change

    @torch.no_grad()
    def accuracy(self, x: Tensor, y: Tensor) -> np.ndarray:
        """Return [network]."""
        right = self.logits(x.expand(len(self.weights[0]), -1, -1)).argmax(-1) == y
        return right.float().mean(dim=1).numpy()


def fine_tuned(pool: Planted, base: int, seeds: int, replay: str, doses: Sequence[int]) -> Found:
    """Return what the groups of a base do; everything is drawn from the numbers of base and seed."""
    x, y = torch.from_numpy(pool[0]).float(), torch.from_numpy(pool[1])
    test_x, test_y = x[TRAIN : TRAIN + TEST], y[TRAIN : TRAIN + TEST]
    rng = np.random.default_rng([base, 0])
    order = rng.permutation(TRAIN)
    initial, sample = np.split(order[: INITIAL + GROUP * GROUPS], [INITIAL])
    trained = _base(x, y, initial, rng)
    with torch.no_grad():
        logits = trained.logits(x[sample][None])[0]
    loss = cross_entropy(logits, y[sample], reduction="none").numpy()
    orders = np.argsort(loss), rng.permutation(len(sample))
    groups = np.concatenate([each.reshape(GROUPS, GROUP) for each in orders])
    changes = []
    for seed in range(seeds):
        networks = trained.copies(len(groups) + 1)
        of_seed = []
        for epoch, batches in enumerate(
            _epochs(sample[groups], initial, (base, seed), replay, doses), 1
        ):
            for objects in batches:
                networks.step(
                    x[objects], y[objects], np.random.default_rng([seed, networks.steps])
                )
            if epoch in doses:
                of_seed.append(networks.accuracy(test_x[None], test_y))
        changes.append(np.stack(of_seed))
    found = np.stack(changes)
    return Found(found[..., :-1] - found[..., -1:], loss[groups].mean(axis=1))


def _base(x: Tensor, y: Tensor, initial: np.ndarray, rng: np.random.Generator) -> _Networks:
    shapes = (FEATURES, HIDDEN), (HIDDEN, CLASSES)
    weights = []
    for rows, columns in shapes:
        weights += [rng.normal(0, rows**-0.5, size=(1, rows, columns)), np.zeros((1, columns))]
    networks = _Networks([torch.from_numpy(each).float() for each in weights])
    for _ in range(BASE_EPOCHS):
        for objects in rng.permutation(initial).reshape(-1, BATCH):
            networks.step(x[objects][None], y[objects][None], rng)
    return networks


def _epochs(
    groups: np.ndarray,
    initial: np.ndarray,
    key: tuple[int, int],
    replay: str,
    doses: Sequence[int],
) -> Iterator[list[np.ndarray]]:
    """Yield for each epoch its batches [network, object]: the groups and, last, the control, in one order for all."""
    base, seed = key
    drawn, order = np.random.default_rng([base, seed, 1]), np.random.default_rng([seed, 2])
    for _ in range(max(doses)):
        control = drawn.choice(initial, size=GROUP, replace=False)
        objects = np.concatenate([groups, control[None]])
        if replay == "initial":
            objects = np.concatenate([objects, np.tile(initial, (len(objects), 1))], axis=1)
        positions = order.permutation(objects.shape[1])
        parts = np.array_split(positions, max(1, round(len(positions) / BATCH)))
        yield [objects[:, part] for part in parts]
