"""A fine-tune of a correlation study beside a plain training loop.

The two give the same numbers, to rounding. Both fine-tune one group of `icons` after another from the same weights and
evaluate it along the way, in turn, on one thread; times are processor time, medians over groups.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count

import click
import numpy as np
import torch
from torch import Tensor

from alray.networks.generators import torch_generator
from alray.networks.late_fusion import LateFusion
from alray.networks.layers import dropouts, seed_dropouts
from alray.networks.network import FUSED
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.pools.preparing import prepare
from alray.pools.reading import read_pool
from alray.scoring.cached import CachedScorer
from alray.scoring.metrics import measure
from alray.settings.common import ModelSpec, PoolSpec, SplitSpec, TrainingSpec
from alray.training.batches import batches
from alray.training.checkpoint import learner_tensors, restore_learner
from alray.training.fit import Draws, FitOptions, fit
from alray.training.learner import fresh_learner, train_mode
from alray.training.steps import Steps
from benchmarks.harness.options import COUNT
from benchmarks.harness.tables import Table, print_table, verdict
from benchmarks.harness.timing import Phases, take_turns, timed
from benchmarks.products import use_faster_products

DOSES = (1, 2, 5, 10, 20)
INITIAL, GROUP, TEST, BLOCK = 2000, 100, 5000, 1024
SEED = 7
LEAST_RATIO = 1.8


@click.command("fine-tune", help=__doc__)
@click.option("--groups", default=9, type=COUNT, help="Fine-tuned by each.")
def fine_tune(*, groups: int) -> None:
    torch.set_num_threads(1)
    tunes = FineTunes()
    actions: dict[str, Callable[[], Phases]] = {
        "draw": lambda: {"draw": timed(tunes.draw)()},
        "plain": partial(tunes.next_group, "plain", tunes.train_plainly, tunes.score_plainly),
        "alray": partial(tunes.next_group, "alray", tunes.train, tunes.score),
    }
    print_table(table_of(take_turns(actions, groups), groups, tunes.mask_units))
    gaps = [abs(a - b) for a, b in zip(tunes.nll["plain"], tunes.nll["alray"], strict=True)]
    print(f"  largest difference of an NLL between the two: {max(gaps):.1e}")


class FineTunes:
    """A base model that is fine-tuned on one group after another.

    Attributes:
        mask_units: Numbers in an object's dropout masks.
        nll: After each dose, group by group, of the plain loop and of alray.
    """

    def __init__(self) -> None:
        spec, training = PoolSpec(source="icons"), TrainingSpec()
        prepared = prepare(read_pool(spec), spec, SplitSpec(), 0)
        self._pool = PoolTensors(prepared)
        self._learner = fresh_learner(ModelSpec(), training, self._pool, lambda _: 0)
        self._steps = Steps(self._learner, self._pool)
        network = self._learner.network
        if not isinstance(network, LateFusion):
            raise TypeError("only late fusion is compared")
        use_faster_products(network, training.batch_size)
        self._network = network
        order = np.random.default_rng(0).permutation(prepared.train)
        draws = Draws(np.random.default_rng(SEED), torch_generator(SEED))
        fit(self._learner, self._pool, Known(order[:INITIAL]), draws, FitOptions(epochs=15))
        self._weights = learner_tensors(self._learner)
        # Objects that have every modality: elsewhere the two draw different masks, and differ by more than rounding.
        complete = self._pool.patterns(order) == 2 ** len(prepared.modalities) - 1
        self._objects = order[INITIAL:][complete[INITIAL:]]
        self._test = prepared.test[:TEST]
        self._labels = prepared.labels[self._test]
        self._scorer = CachedScorer(self._pool, self._test)
        self._batches: list[list[tuple[Indices, Sequence[Tensor]]]] = []
        self.mask_units = sum(layer.size or 0 for layer in dropouts(network))
        self.nll: dict[str, list[float]] = {"plain": [], "alray": []}
        self._numbers = {name: count() for name in self.nll}

    def draw(self) -> None:
        """Draw the batches that all groups of a seed share: per epoch, each one's positions and dropout masks."""
        rng, dropout = np.random.default_rng(SEED), torch_generator(SEED)
        self._batches = [
            [
                (positions, self._steps.draw(len(positions), dropout))
                for positions in batches(GROUP, TrainingSpec(), rng)
            ]
            for _ in range(max(DOSES))
        ]

    def next_group(
        self, name: str, train: Callable[[Indices, int], None], score: Callable[[], Tensor]
    ) -> Phases:
        """Fine-tune on the next group; return the seconds of each epoch's training and each evaluation."""
        objects = self._objects[next(self._numbers[name]) * GROUP :][:GROUP]
        restore_learner(self._learner, self._weights)
        seed_dropouts(self._network, torch_generator(SEED))

        def evaluate() -> None:
            self.nll[name].append(measure(score().numpy(), self._labels).nll)

        phases = {}
        for epoch in range(max(DOSES)):
            phases[f"train {epoch}"] = timed(partial(train, objects, epoch))()
            if epoch + 1 in DOSES:
                phases[f"evaluate {epoch}"] = timed(evaluate)()
        return phases

    def train_plainly(self, objects: Indices, epoch: int) -> None:
        """Train for an epoch as usually written: by PyTorch's gradients and its Adam; layers draw their masks."""
        learner = self._learner
        train_mode(learner, freeze_batch_norm=False)
        for positions, _ in self._batches[epoch]:
            outputs = self._network(self._pool.batch(objects[positions]))
            labels = self._pool.labels(objects[positions])
            learner.optimizer.zero_grad()
            learner.objective(outputs, labels, detach=False).backward()  # type: ignore[no-untyped-call]
            learner.optimizer.step()
            learner.loss.keep_in_range()

    @torch.no_grad()
    def score_plainly(self) -> Tensor:
        """Return the test objects' log-probabilities as usually computed: by the module, in blocks."""
        self._learner.eval()
        blocks = [self._test[start : start + BLOCK] for start in range(0, TEST, BLOCK)]
        logits = [self._network(self._pool.batch(block)).heads[FUSED].values for block in blocks]
        return torch.log_softmax(torch.cat(logits), 1)

    def train(self, objects: Indices, epoch: int) -> None:
        """Train for an epoch as correlation studies do."""
        train_mode(self._learner, freeze_batch_norm=False)
        for positions, masks in self._batches[epoch]:
            chosen = objects[positions]
            self._steps.take(self._pool.batch(chosen), self._pool.labels(chosen), masks)

    def score(self) -> Tensor:
        """Return the test objects' log-probabilities as correlation studies do."""
        return self._scorer.log_probs(self._network)


def table_of(measured: Mapping[str, Sequence[Phases]], groups: int, mask_units: int) -> Table:
    """Return the milliseconds of a fine-tune by each, in parts; a part is the sum of its calls' medians over groups."""

    def milliseconds(name: str, part: str) -> float:
        calls = [phase for phase in measured[name][0] if phase.startswith(part)]
        medians = [statistics.median(each[call] for each in measured[name]) for call in calls]
        return 1e3 * sum(medians)

    parts = {"train": "train", "evaluate": "evaluate", "total": ""}
    times = {
        title: (milliseconds("plain", part), milliseconds("alray", part))
        for title, part in parts.items()
    }
    ratio = times["total"][0] / times["total"][1]
    return Table(
        f"One fine-tune of {GROUP} objects of icons: {max(DOSES)} epochs, {len(DOSES)} evaluations of {TEST:,} "
        f"objects; processor milliseconds, medians of {groups}",
        ["part", "plain", "alray", "ratio"],
        [[title, f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}"] for title, (a, b) in times.items()],
        [
            f"ratio {ratio:.2f}, target at least {LEAST_RATIO}: {verdict(met=ratio >= LEAST_RATIO)}",
            f"once per seed, for all its groups: {milliseconds('draw', 'draw'):.1f} ms to draw batches and "
            f"{mask_units} masks a step",
        ],
    )
