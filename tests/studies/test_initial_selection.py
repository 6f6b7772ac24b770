"""The objects that a run labels first: those of its `initial_selection`, alike in all arms of a seed."""

import numpy as np
import pytest
import torch

from alray.seeding import generator
from alray.settings.run import RunSpec
from alray.strategies.cold_start import spread_out
from tests.helpers.builders import plan_of
from tests.helpers.experiments import POOL, after_passive

SELECTIONS = ["random", "centroid", "typiclust", "stratified"]


def features_of_train():
    """Return (n, d) the train part's features of all modalities in a row, zeros where one is absent."""
    parts = []
    for modality in POOL.modalities:
        found = np.zeros((len(POOL), modality.dimension), dtype=np.float32)
        found[modality.rows >= 0] = modality.features[modality.rows[modality.rows >= 0]]
        parts.append(found[POOL.train])
    return torch.from_numpy(np.concatenate(parts, axis=1))


def selected(selection, run):
    """Return what the selection itself takes of the train part, by the draws of the run's seed."""
    rng = generator(run.study_seed, run.seed, "initial", -1)
    if selection == "random":
        return rng.choice(POOL.train, size=run.initial, replace=False).tolist()
    return POOL.train[spread_out(selection, features_of_train(), run.initial, rng)].tolist()


@pytest.fixture(scope="module")
def begun():
    """Return {(selection, seed): [run and its first objects]}, of arms that share no passive phase."""
    plan = plan_of(
        POOL,
        vary={"initial_selection": SELECTIONS},
        strategies=["margin", "learning_loss"],
        training={"passive_epochs": 1},
        seeds=2,
    )
    phases = {run.passive_id: run for run in plan.runs}
    found: dict[tuple[str, int], list[tuple[RunSpec, list[int]]]] = {}
    for run in phases.values():
        first = after_passive(run).round_zero().indices.tolist()
        key = run.initial_selection or "random", run.seed
        found.setdefault(key, []).append((run, first))
    return found


@pytest.mark.parametrize("selection", SELECTIONS)
def test_a_run_labels_first_what_its_initial_selection_takes(begun, selection):
    for (kind, _), arms in begun.items():
        for run, first in arms:
            assert (first == selected(selection, run)) == (kind == selection)


def test_arms_of_a_seed_begin_with_the_same_objects_and_seeds_and_selections_do_not(begun):
    assert len(begun) == 2 * len(SELECTIONS)
    for arms in begun.values():
        (one, first), (other, again) = arms
        assert one.passive_id != other.passive_id
        assert first == again
    assert len({tuple(sorted(arms[0][1])) for arms in begun.values()}) == len(begun)
