"""A run round by round: resumed, shared and repeated to the bit, with its strategies and fits."""

from dataclasses import replace

import numpy as np
import pytest

from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.strategies import scores
from alray.strategies.base import given
from alray.strategies.signals import Request
from alray.studies.rounds import round_fit as round_fit_module
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.state import RunState
from alray.training.checkpoint import learner_tensors
from alray.training.fit import fitting
from tests.helpers.builders import image_pool, one_run, plan_of, same_tensors
from tests.helpers.experiments import POOL, after_passive, complete, experiment
from tests.helpers.run_kinds import KINDS


def repeatable(result):
    """Return the parts of a result that must repeat to the bit: all but the seconds. NaN equals itself here."""
    record = {key: value for key, value in result.record.items() if key not in TIMING_COLUMNS}
    return repr(record), result.indices.tolist(), repr(result.scores.tolist())


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS.keys())
def test_a_run_resumed_after_any_round_goes_on_alike_to_the_bit(settings):
    run = one_run(POOL, **settings)
    results, states = complete(run)
    assert [result.record["round"] for result in results] == [0, 1, 2, 3]
    for number, content in enumerate(states[:-1]):
        resumed = experiment(run, state=RunState.from_bytes(content))
        assert resumed.round == number
        assert repeatable(resumed.round_zero()) == repeatable(results[0])
        assert repeatable(resumed.next_round()) == repeatable(results[number + 1])
        after, expected = resumed.state(), RunState.from_bytes(states[number + 1])
        assert same_tensors(after.tensors, expected.tensors)
        assert after.labelled.tolist() == expected.labelled.tolist()
        if run.crowd is not None:
            assert (
                given(after.answers).table().tolist() == given(expected.answers).table().tolist()
            )


def test_late_fusion_sees_the_pixels_of_images_in_a_row():
    """Steps, scores and metrics are those of the same pixels as vectors."""
    images = image_pool(objects=120, shape=(3, 4, 3), classes=3)
    vectors = replace(images, modalities=(replace(images.modalities[0], shape=(36,)),))
    run = one_run(images, strategies=["bald:members=3"])
    (results, states), (expected, same_states) = complete(run, images), complete(run, vectors)
    assert [repeatable(each) for each in results] == [repeatable(each) for each in expected]
    for state, same in zip(states, same_states, strict=True):
        assert same_tensors(RunState.from_bytes(state).tensors, RunState.from_bytes(same).tensors)


def test_another_seed_is_another_run():
    runs = [*plan_of(POOL, seeds=2).runs, one_run(POOL, seed=1)]
    passive = [experiment(run).passive() for run in runs]
    assert len({repeatable(result)[0] for result in passive}) == 3
    assert len({tuple(result.indices) for result in passive}) == 3


def test_arms_of_a_seed_share_the_passive_phase():
    margin, other = plan_of(POOL, strategies=["margin", "bald"]).runs
    assert margin.passive_id == other.passive_id
    shared = after_passive(margin).state()
    (zero, first, *_), (content, *_) = complete(other)
    assert same_tensors(shared.tensors, RunState.from_bytes(content).tensors)
    started = experiment(other, state=shared)
    assert repeatable(started.round_zero()) == repeatable(zero)
    assert repeatable(started.next_round()) == repeatable(first)


def test_variants_that_act_in_the_rounds_share_it_too():
    live, frozen, scratch = (
        one_run(POOL, training={"passive_epochs": 2, **training})
        for training in ({}, {"batch_norm": "frozen"}, {"mode": "scratch"})
    )
    passive = [experiment(run).passive() for run in (live, frozen, scratch)]
    assert repeatable(passive[0]) == repeatable(passive[1]) == repeatable(passive[2])
    rounds = [complete(run)[0][1] for run in (live, frozen, scratch)]
    assert len({repeatable(result)[0] for result in rounds}) == 3


def test_labels_are_distinct_objects_of_the_train_part():
    results, states = complete(one_run(POOL, strategies=["entropy"]))
    labelled = RunState.from_bytes(states[-1]).labelled
    assert [len(result.indices) for result in results] == [12, 4, 4, 4]
    assert [result.record["labels"] for result in results] == [12, 16, 20, 24]
    assert len(np.unique(labelled)) == 24
    assert np.isin(labelled, POOL.train).all()
    assert np.concatenate([result.indices for result in results]).tolist() == labelled.tolist()
    _, states = complete(one_run(POOL, initial=len(POOL.train) - 8, query=4, rounds=2))
    everything = RunState.from_bytes(states[-1]).labelled
    assert np.array_equal(np.sort(everything), POOL.train)


@pytest.mark.parametrize("name", ["Repeating", "OneTooMany", "Stranger"])
def test_a_strategy_that_breaks_its_contract_is_caught(name):
    running = after_passive(one_run(POOL, strategies=[f"tests.helpers.own_modules:{name}"]))
    with pytest.raises(RuntimeError, match=f"{name}.*instead of 4"):
        running.next_round()


def test_a_custom_strategy_that_keeps_it_is_used():
    results, _ = complete(one_run(POOL, strategies=["tests.helpers.own_modules:Plain"]))
    unlabelled = np.setdiff1d(POOL.train, results[0].indices)
    assert results[1].indices.tolist() == unlabelled[:4].tolist()


@pytest.mark.parametrize(("strategy", "sign"), [("ideal_loss", -1), ("reverse_ideal_loss", 1)])
def test_oracles_choose_by_the_true_labels(strategy, sign):
    running = experiment(one_run(POOL, strategies=[strategy]))
    passive = running.passive()
    candidates = np.setdiff1d(POOL.train, passive.indices)
    tensors = PoolTensors(POOL)
    found = score(running.learner.network, tensors, candidates, Request(log_probs=True))
    losses = scores.true_loss(given(found.log_probs), tensors.labels(candidates)).numpy()
    expected = candidates[np.argsort(sign * losses)[:4]]
    result = running.next_round()
    assert result.indices.tolist() == expected.tolist()
    np.testing.assert_allclose(result.scores, np.sort(sign * losses)[:4] * sign, rtol=1e-6)


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"passive_epochs": 3}, [3, 1]),
        ({"passive_epochs": 3, "round_epochs": 2}, [3, 2]),
        ({"passive_epochs": 3, "mode": "scratch"}, [3, 3]),
        ({"passive_epochs": 3, "mode": "scratch", "round_epochs": 2}, [3, 2]),
    ],
)
def test_epochs(training, expected):
    results, _ = complete(one_run(POOL, training=training, rounds=1))
    assert [result.record["epochs"] for result in results] == expected


def test_finetuning_starts_from_the_present_weights_and_scratch_from_fresh_ones():
    """With a learning rate of nearly nothing, a round's weights are those that it starts from."""
    for mode, same in (("finetune", True), ("scratch", False)):
        training = {"mode": mode, "lr": 1e-30, "passive_epochs": 1, "weight_decay": 0}
        running = after_passive(one_run(POOL, training=training))
        before = learner_tensors(running.learner)["weights.network.output.weight"]
        running.next_round()
        after = learner_tensors(running.learner)["weights.network.output.weight"]
        assert np.array_equal(before, after) == same


def test_the_loss_predictor_leaves_the_networks_first_weights_alone():
    """Its weights come from a separate stream, so that arms with and without it start alike."""
    margin, learning, _ = plan_of(POOL, strategies=["margin", "learning_loss"]).runs
    one, two = (learner_tensors(experiment(run).learner) for run in (margin, learning))
    assert same_tensors(one, {name: two[name] for name in one})
    assert len(two) > len(one)


@pytest.mark.parametrize(
    ("settings", "detach_from", "stops_early"),
    [
        ({"strategies": ["learning_loss:detach_after=0.5"]}, [0.5, 0.0], [True, False]),
        ({"strategies": ["learning_loss:detach_after=1.0"]}, [1.0, 1.0], [True, False]),
        ({"training": {"mode": "scratch", "passive_epochs": 2}}, [1.0, 1.0], [True, True]),
        ({"training": {"stopping": "fixed_epochs"}}, [1.0, 1.0], [False, False]),
    ],
)
def test_fits_from_fresh_weights_stop_early_and_a_later_fit_detaches_the_loss_predictor(
    monkeypatch, settings, detach_from, stops_early
):
    seen = []

    def recording(*arguments):
        seen.append(arguments[-1])
        return fitting(*arguments)

    monkeypatch.setattr(round_fit_module, "fitting", recording)
    complete(one_run(POOL, rounds=1, **settings))
    assert [options.detach_from for options in seen] == detach_from
    assert [options.validate is not None for options in seen] == stops_early


@pytest.mark.parametrize(
    ("training", "learnt"),
    [
        ({"stopping": "held_out"}, [12, 16, 20]),
        ({"stopping": "from_labels", "stopping_share": 0.25}, [9, 16, 20]),
        ({"stopping": "from_labels", "stopping_share": 0.25, "mode": "scratch"}, [9, 12, 15]),
    ],
)
def test_a_fit_that_stops_by_its_own_labels_learns_from_the_others(monkeypatch, training, learnt):
    """Fine-tuning rounds do not stop early, and learn from all labels."""
    seen = []

    def recording(learner, pool, labelled, *others):
        seen.append(len(labelled.objects))
        return fitting(learner, pool, labelled, *others)

    monkeypatch.setattr(round_fit_module, "fitting", recording)
    complete(one_run(POOL, training={"passive_epochs": 1, **training}, rounds=2))
    assert seen == learnt
