"""A plain PyTorch loop: tensors in memory, large blocks without gradients, no library.

Variant `whole` runs the whole network once per committee member; `split` computes the layers before
dropout once for all of them, which needs a look into the network.
"""

import torch
from torch import Tensor, nn

from benchmarks.libraries import task
from benchmarks.libraries.worker import run_phases

PACKAGES: tuple[str, ...] = ()
BLOCK = 1024


class Rounds:
    def __init__(self, objects: task.Objects, strategy: str, seed: int, variant: str) -> None:
        self._features, self._labels = (torch.from_numpy(part) for part in objects.pool)
        self._test, self._test_labels = (torch.from_numpy(part) for part in objects.test)
        self._score = {"margin": self._margin, "bald": self._bald}[strategy]
        self._split = variant == "split"
        self._unlabelled = torch.ones(len(self._features), dtype=torch.bool)
        self._labelled = torch.from_numpy(task.initial_labels(seed))
        self._unlabelled[self._labelled] = False
        self._network = task.make_network(seed)
        self._adam = task.make_adam(self._network.parameters())
        task.seed_globally(seed)
        for _ in range(task.START_EPOCHS):
            self._fit()

    def next_round(self) -> tuple[float, dict[str, float]]:
        return run_phases(self._query, self._fit, self._evaluate)

    @torch.inference_mode()
    def _query(self) -> None:
        candidates = self._unlabelled.nonzero().squeeze(1)
        scores = torch.cat(
            [self._score(self._features[b]) for b in task.blocks(candidates, BLOCK)]
        )
        chosen = candidates[scores.topk(task.QUERY).indices]
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
        for _ in range(task.MEMBERS):
            log_probs = torch.log_softmax(later(x), dim=1)
            probs = log_probs.exp()
            mean = mean + probs
            entropy = entropy - (probs * log_probs).sum(1)
        mean = mean / task.MEMBERS
        scores: Tensor = torch.special.entr(mean).sum(1) - entropy / task.MEMBERS
        return scores

    def _fit(self) -> None:
        order = self._labelled[torch.randperm(len(self._labelled))]
        task.train_epoch(self._network, self._adam, self._features, self._labels, order)

    @torch.inference_mode()
    def _evaluate(self) -> float:
        self._network.eval()
        classes = [self._network(x).argmax(1) for x in task.blocks(self._test, BLOCK)]
        return task.accuracy(torch.cat(classes).numpy(), self._test_labels.numpy())
