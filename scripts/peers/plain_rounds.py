"""A plain PyTorch loop: tensors in memory, large blocks without gradients, no library.

Variant `whole` runs the whole network once per committee member; `split` computes what lies before the dropout layer
once for all of them, which takes a user who looks into the network.
"""

import torch
from peers.network import make_adam, make_network, seed_globally
from peers.play import phased
from peers.task import BATCH, MEMBERS, QUERY, START_EPOCHS, World, initial_labels
from torch import Tensor, nn
from torch.nn import functional

PACKAGES: tuple[str, ...] = ()
BLOCK = 1024


class PlainRounds:
    def __init__(self, world: World, strategy: str, seed: int, variant: str) -> None:
        self._features, self._labels = (torch.from_numpy(part) for part in world.pool)
        self._test, self._test_labels = (torch.from_numpy(part) for part in world.test)
        self._score = {"margin": self._margin, "bald": self._bald}[strategy]
        self._split = variant == "split"
        self._unlabelled = torch.ones(len(self._features), dtype=torch.bool)
        self._labelled = torch.from_numpy(initial_labels(seed))
        self._unlabelled[self._labelled] = False
        self._network = make_network(seed)
        self._adam = make_adam(self._network.parameters())
        seed_globally(seed)
        for _ in range(START_EPOCHS):
            self._fit()

    def play(self) -> tuple[float, dict[str, float]]:
        return phased(self._query, self._fit, self._evaluate)

    @torch.inference_mode()
    def _query(self) -> None:
        candidates = self._unlabelled.nonzero().squeeze(1)
        scores = torch.cat([self._score(self._features[b]) for b in candidates.split(BLOCK)])
        chosen = candidates[scores.topk(QUERY).indices]
        self._labelled = torch.cat([self._labelled, chosen])
        self._unlabelled[chosen] = False

    def _margin(self, x: Tensor) -> Tensor:
        self._network.eval()
        top = torch.softmax(self._network(x), dim=1).topk(2, dim=1).values
        return top[:, 1] - top[:, 0]

    def _bald(self, x: Tensor) -> Tensor:
        self._network.train()
        later: nn.Module = self._network
        if self._split:
            x, later = self._network[:2](x), self._network[2:]
        mean, entropy = torch.zeros(()), torch.zeros(())
        for _ in range(MEMBERS):
            log_probs = torch.log_softmax(later(x), dim=1)
            probs = log_probs.exp()
            mean = mean + probs
            entropy = entropy - (probs * log_probs).sum(1)
        mean = mean / MEMBERS
        return torch.special.entr(mean).sum(1) - entropy / MEMBERS

    def _fit(self) -> None:
        self._network.train()
        order = self._labelled[torch.randperm(len(self._labelled))]
        for batch in order.split(BATCH):
            loss = functional.cross_entropy(
                self._network(self._features[batch]), self._labels[batch]
            )
            self._adam.zero_grad()
            loss.backward()
            self._adam.step()

    @torch.inference_mode()
    def _evaluate(self) -> float:
        self._network.eval()
        right = sum(
            int((self._network(x).argmax(1) == y).sum())
            for x, y in zip(self._test.split(BLOCK), self._test_labels.split(BLOCK), strict=True)
        )
        return right / len(self._test)


make = PlainRounds
