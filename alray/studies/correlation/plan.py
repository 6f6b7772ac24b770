"""From a correlation study's settings and its pool to tasks, everything checked before anything expensive starts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.analysis.wording import count
from alray.custom.code import NO_CODE, CustomCode
from alray.errors import SpecError
from alray.networks.tensors import PoolTensors
from alray.networks.threads import threads
from alray.pools.pool import Indices, Pool, PreparedPool
from alray.scoring.agreement import check_committee, check_disagreement
from alray.seeding import generator, torch_seed
from alray.settings.correlation import CorrelationSpec
from alray.settings.estimators import class_of
from alray.settings.names import study_name
from alray.strategies.signals import Committee
from alray.studies.correlation import grouping, protocol
from alray.studies.correlation.base_model import initial_order
from alray.studies.correlation.grouping import Groups
from alray.studies.correlation.protocol import CONTROL, GROUPS_A_TASK, SHUFFLED, SHUFFLED_GROUPS
from alray.studies.correlation.tasks import FineTune
from alray.studies.effects import Configuration, refuse_without_effect
from alray.training.learner import check_training
from alray.training.stopping import check_stopping, held_out_count
from alray.training.trial import check_batches, trial_objects, tried_network

USUAL_INITIAL, USUAL_SAMPLE, USUAL_GROUPS, USUAL_GROUP_SIZE = 2_000, 10_000, 100, 100
NAME_ENDING = "-correlation"
"""What a study's name adds to its pool's where none is given."""

FEWEST_GROUPS = 20
"""With fewer the tenth at the queried end is one group, and a rank correlation of .44 would not differ from chance."""


@dataclass(frozen=True)
class Grouping:
    """One way to cut a base's sample.

    Attributes:
        grouping: score, within_class, random or shuffled_labels.
        sorted_by: The score, "" where none.
        objects: (group, member) pool indices.
        labels: (group, member) labels to learn.
    """

    grouping: str
    sorted_by: str
    objects: Groups
    labels: Groups


@dataclass(frozen=True)
class CorrelationPlan:
    """A checked study: its settings, every number and the name filled in, and the pool as read and as tasks see it."""

    spec: CorrelationSpec
    pool: Pool
    prepared: PreparedPool
    code: CustomCode = NO_CODE

    @property
    def counts(self) -> dict[str, int]:
        """How many objects there are, and where."""
        return {
            "objects": len(self.pool),
            "classes": len(self.pool.classes),
            "train": len(self.prepared.train),
            "test": len(self.prepared.test),
        }

    @property
    def fine_tunes(self) -> int:
        """Number of fine-tunes, the control's included."""
        names = protocol.grouping_names(self.spec)
        groups = sum(protocol.group_count(self.spec, kind) for kind, _ in names)
        groups += protocol.has_control(self.spec)
        return self.spec.bases * self.spec.fine_tune_seeds * groups

    def task_names(self) -> frozenset[str]:
        """Return the names of all fine-tuning tasks."""
        bases = range(self.spec.bases)
        return frozenset(name for base in bases for name in protocol.task_names(self.spec, base))

    def groupings(
        self, base: int, sample: Indices, scores: Mapping[str, npt.NDArray[np.float64]]
    ) -> list[Grouping]:
        """Cut a base's sample in every way that is asked for."""
        size, labels = int(self.spec.group_size or 0), self.prepared.labels
        groupings = []
        for kind, by in protocol.grouping_names(self.spec):
            rng = generator(self.spec.seed, base, "groups")
            if kind == "score":
                objects = grouping.by_score(sample, scores[by], size, rng)
            elif kind == "within_class":
                objects = grouping.within_class(sample, scores[by], labels[sample], size, rng)
            else:
                objects = grouping.at_random(sample, size, rng)
            to_learn = labels[objects]
            if kind == SHUFFLED:
                objects = objects[:SHUFFLED_GROUPS]
                to_learn = rng.permutation(labels[objects].ravel()).reshape(objects.shape)
            groupings.append(Grouping(kind, by, objects, to_learn))
        return groupings

    def tasks(self, base: int, groupings: list[Grouping]) -> Iterator[FineTune]:
        """Yield the fine-tunes of a base; the control's have no objects."""
        by_name = {(each.grouping, each.sorted_by): each for each in groupings}
        nothing = np.empty((0, 0), dtype=np.int64)
        for seed, (kind, by, first) in protocol.task_parts(self.spec):
            name = protocol.task_name(base, kind, by, seed, first)
            objects = labels = nothing
            if kind != CONTROL:
                cut, part = by_name[kind, by], slice(first, first + GROUPS_A_TASK)
                objects, labels = cut.objects[part], cut.labels[part]
            yield FineTune(name, base, kind, by, seed, first, objects, labels)


def make_correlation_plan(
    spec: CorrelationSpec, pool: Pool, prepared: PreparedPool, code: CustomCode = NO_CODE
) -> CorrelationPlan:
    """Fill in what was left open and refuse what cannot work; `code` is what the user supplies of it.

    Raises:
        SpecError: Names the setting and the nearest value that works.
    """
    if class_of(spec.model.name) is not None:
        raise SpecError(
            f"model.name: {spec.model.name!r}: a correlation study fine-tunes one model on each group, and a "
            "scikit-learn classifier is fitted anew each time; use model late_fusion or cnn, or a module of your own"
        )
    initial = _initial(spec, pool, prepared)
    unlabelled = len(prepared.train) - initial
    size = spec.group_size or _group_size(spec.sample, unlabelled)
    sample = spec.sample or min(USUAL_SAMPLE, unlabelled) // size * size
    _check_sizes(spec.sample, size, unlabelled, len(prepared.train), initial)
    filled = spec.model_copy(
        update={
            "name": spec.name or study_name(pool.name, NAME_ENDING),
            "initial": initial,
            "group_size": size,
            "sample": sample,
        }
    )
    with threads(1):
        _check_network(filled, prepared)
    return CorrelationPlan(filled, pool, prepared, code)


def _initial(spec: CorrelationSpec, pool: Pool, prepared: PreparedPool) -> int:
    """Return how many initial labels there are; every base must have seen every class."""
    train = len(prepared.train)
    needed, missing = 0, ""
    for base in range(spec.bases):
        labels = prepared.labels[initial_order(spec, prepared, base)]
        _, first = np.unique(labels, return_index=True)
        if first.max() + 1 > needed:
            needed = int(first.max()) + 1
            missing = pool.classes[labels[first.max()]]
    usual = min(USUAL_INITIAL, train // 10)
    initial = spec.initial or max(usual, needed)
    if initial < needed:
        raise SpecError(
            f"initial: class {missing!r} is absent from the first {initial:,} labels of a base, which could then only "
            f"be wrong about it; use --initial {needed:,}, or drop small classes with --min-class-size"
        )
    return initial


def _group_size(sample: int | None, unlabelled: int) -> int:
    """Return the largest size up to the usual one that makes the usual number of groups, and divides a given sample."""
    largest = max(2, min(USUAL_GROUP_SIZE, (sample or unlabelled) // USUAL_GROUPS))
    divisors = [size for size in range(2, largest + 1) if sample is None or sample % size == 0]
    return max(divisors, default=largest)


def _check_sizes(asked: int | None, size: int, unlabelled: int, train: int, initial: int) -> None:
    """Refuse sizes that do not make enough groups; `asked` is the sample that the settings name."""
    least = 2 * FEWEST_GROUPS
    there = f"({train:,} in the train part, {initial:,} initial labels)"
    if unlabelled < least:
        fewer = f"at most --initial {train - least}, or " if train > least else ""
        raise SpecError(
            f"sample: {max(0, unlabelled):,} objects are unlabelled {there}, and {FEWEST_GROUPS} groups of 2 need "
            f"{least}; use {fewer}a larger pool"
        )
    if asked is not None and asked > unlabelled:
        raise SpecError(
            f"sample: {asked:,} objects of {unlabelled:,} that are unlabelled {there}; use "
            f"{_sizes(unlabelled, size, min(size, unlabelled // FEWEST_GROUPS))} or fewer --initial labels"
        )
    objects = min(USUAL_SAMPLE, unlabelled) if asked is None else asked
    nearest = objects // size * size
    choices = [
        number
        for number in (nearest, nearest + size)
        if size * FEWEST_GROUPS <= number <= unlabelled
    ]
    if asked is not None and asked % size and choices:
        raise SpecError(
            f"sample: groups of {size} do not divide {asked:,} objects; use --sample "
            + " or ".join(f"{number:,}" for number in choices)
        )
    if objects // size < FEWEST_GROUPS:
        raise SpecError(
            f"group_size: {objects:,} objects make {count(objects // size, 'group')} of {size:,}, too few for a rank "
            f"correlation; use {_smaller_groups(asked, size, unlabelled)}"
        )


def _smaller_groups(asked: int | None, size: int, unlabelled: int) -> str:
    """Return options that make enough groups."""
    objects = min(USUAL_SAMPLE, unlabelled) if asked is None else asked
    if objects < 2 * FEWEST_GROUPS:
        wanted = size if size * FEWEST_GROUPS <= unlabelled else 2
        return _sizes(wanted * FEWEST_GROUPS, size, wanted)
    usual = _group_size(asked, unlabelled)
    divisors = [
        number
        for number in range(2, objects // FEWEST_GROUPS + 1)
        if asked is None or asked % number == 0
    ]
    if not divisors:
        return _sizes(objects, size, 2)
    return f"--group-size {usual}, which makes {objects // usual}, or at most {divisors[-1]}"


def _sizes(objects: int, size: int, wanted: int) -> str:
    """Return options of a sample of at most so many objects, in groups of the wanted size."""
    group_size = "" if wanted == size else f" --group-size {wanted}"
    return f"--sample {objects // wanted * wanted}{group_size}"


def _check_network(spec: CorrelationSpec, prepared: PreparedPool) -> None:
    """Refuse a network that the study cannot work with; `spec` has its numbers filled in."""
    refuse_without_effect([Configuration("the study", "", spec.model, spec.training)])
    pool, seed = PoolTensors(prepared), torch_seed(spec.seed, 0, "weights")
    initial, group = int(spec.initial or 0), int(spec.group_size or 0)
    check_stopping(spec.training, initial)
    learnt = initial - held_out_count(spec.training, initial)
    counts = (learnt, group + (initial if spec.replay == "initial" else 0))
    network = tried_network(spec.model, spec.training, pool, seed, min(counts))
    check_batches(network, spec.model.name, spec.training, pool, seed, counts)
    check_training(network, spec.training)
    if "bald" in spec.scores:
        committee = Committee(spec.members)
        try:
            check_committee(network, committee)
            check_disagreement(network, pool, trial_objects(pool), committee, seed)
        except SpecError as error:
            others = ",".join(score for score in spec.scores if score != "bald")
            raise SpecError(
                f"scores: bald: {error}; or leave it out{others and f': --scores {others}'}"
            ) from None
