"""A correlation study's settings: what is filled in, what is refused and with which advice, which tasks follow."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from alray.errors import SpecError
from alray.settings.base import validate
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.base_model import draw_sample, draw_test, initial_order
from alray.studies.correlation.plan import _check_sizes, _group_size
from alray.studies.correlation.protocol import (
    CONTROL,
    SHUFFLED_GROUPS,
    grouping_names,
    has_control,
    task_names,
)
from tests.helpers.builders import make_pool
from tests.helpers.correlation_studies import correlation_plan


@pytest.fixture(scope="module")
def pool():
    return make_pool(400)


def test_open_numbers_are_filled_in(pool):
    spec = correlation_plan(pool, initial=None, sample=None, group_size=None).spec
    assert (spec.initial, spec.group_size, spec.sample) == (24, 2, 216)


@pytest.mark.parametrize(
    ("sample", "size"), [(10_000, 100), (20_000, 100), (4_000, 40), (3_024, 28), (210, 2)]
)
def test_an_open_group_size_divides_a_given_sample(sample, size):
    assert _group_size(sample, 30_000) == size


def test_the_initial_labels_are_as_many_as_it_takes_to_hold_every_class():
    labels = np.zeros(400, dtype=np.int64)
    labels[7] = labels[290] = labels[390] = 1
    train, validation, test = np.split(np.arange(400), [280, 340])
    rare = replace(
        make_pool(400, classes=2), labels=labels, train=train, validation=validation, test=test
    )
    numbers = {"bases": 3, "sample": 40, "group_size": 2}
    plan = correlation_plan(rare, initial=None, **numbers)
    positions = [
        int(np.flatnonzero(labels[initial_order(plan.spec, rare, base)] == 1)[0])
        for base in range(3)
    ]
    assert plan.spec.initial == max(28, max(positions) + 1)
    with pytest.raises(SpecError, match=r"class 'class 1' is absent.*--initial \d+"):
        correlation_plan(rare, initial=min(positions), **numbers)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sample": 300},
            r"sample: 300 objects of 220 .*240 in the train part, 20 initial.*--sample 216",
        ),
        ({"sample": 121}, r"groups of 6 do not divide 121 objects; use --sample 120 or 126"),
        ({"sample": 219}, r"do not divide 219 objects; use --sample 216$"),
        (
            {"group_size": 12},
            r"make 10 groups of 12, too few.*--group-size 2, which makes 60, or at most 6",
        ),
        ({"initial": 1}, r"absent from the first 1 labels of a base.*--initial"),
        (
            {"model": {"width": 8, "dropout": 0}, "scores": ["bald"]},
            r"needs a network with dropout",
        ),
        ({"model": {"name": "nothing"}}, r"model\.name: there is no model 'nothing'"),
        ({"training": {"loss": "fixed", "loss_weights": {"sound": 1}}}, r"no head.*sound"),
    ],
)
def test_what_cannot_work_is_refused_with_the_nearest_that_does(pool, changes, message):
    with pytest.raises(SpecError, match=message):
        correlation_plan(pool, **changes)


@pytest.mark.parametrize("unlabelled", [45, 100, 3000])
@pytest.mark.parametrize("asked", [None, 2, 10, 40, 41, 97, 121, 200, 4000])
@pytest.mark.parametrize("size", [None, 2, 3, 12, 60, 5000])
def test_advice_on_sizes_works(unlabelled, asked, size):
    def check(asked, size):
        _check_sizes(
            asked, size or _group_size(asked, unlabelled), unlabelled, unlabelled + 20, 20
        )

    try:
        check(asked, size)
    except SpecError as error:
        advice = str(error).partition("; use ")[2]
        samples = re.search(r"--sample ([\d,]+)(?: or ([\d,]+))?", advice)
        sizes = re.findall(r"(?:--group-size|at most) (\d+)", advice)
        for sample in filter(None, samples.groups()) if samples else [asked]:
            for of in sizes or [size]:
                check(
                    None if sample is None else int(str(sample).replace(",", "")), of and int(of)
                )


@pytest.mark.parametrize(
    ("train", "advice"), [(100, "use at most --initial 60, or a"), (30, "use a")]
)
def test_a_pool_that_is_too_small_for_any_sample_is_named(train, advice):
    with pytest.raises(SpecError, match=rf"unlabelled \({train} in the .*{advice} larger pool"):
        _check_sizes(10, 2, 10, train, train - 10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scores": "los"}, r"scores\.0: .*'loss'"),
        ({"scores": []}, "scores: name at least one"),
        ({"scores": "loss,loss"}, "scores names loss more than once"),
        ({"epochs": [5, 1]}, "epochs must rise: 1,5"),
        ({"epochs": [0]}, r"epochs\.0: .*greater than or equal to 1"),
        ({"grouping": "window"}, r"grouping\.0: .*'within_class'"),
        ({"training": {"mode": "scratch"}}, "training.mode: a correlation study fine-tunes"),
        ({"training": {"loss_prediction": {}}}, "loss_prediction is not used"),
        ({"sampel": 3}, "there is no setting 'sampel'; did you mean 'sample'"),
    ],
)
def test_wrong_settings_are_named(values, message):
    with pytest.raises(SpecError, match=message):
        validate(CorrelationSpec, values, "the command line")


def test_text_and_numbers_are_read_as_they_are_typed():
    spec = validate(CorrelationSpec, {"scores": "loss, bald", "epochs": 5}, "here")
    assert spec.scores == ("loss", "bald")
    assert spec.epochs == (5,)


def test_the_published_choices_give_way_to_what_is_set():
    spec = validate(CorrelationSpec, {"compat": "original", "fine_tune_seeds": 4}, "here")
    assert (spec.replay, spec.fine_tune_seeds, spec.grouping) == ("initial", 4, ("score",))
    assert not has_control(spec)


def test_sample_and_initial_labels_are_apart_and_differ_between_bases(pool):
    spec = correlation_plan(pool).spec
    for base in (0, 1):
        initial = initial_order(spec, pool, base)[: spec.initial]
        sample = draw_sample(spec, pool, base)
        assert not set(initial) & set(sample)
        assert set(sample) <= set(pool.train)
        assert len(np.unique(sample)) == spec.sample
    assert set(initial_order(spec, pool, 0)[:20]) != set(initial_order(spec, pool, 1)[:20])


def test_test_objects_are_capped_and_common_to_all(pool):
    spec = correlation_plan(pool, test=30).spec
    drawn = draw_test(spec, pool)
    assert len(drawn) == 30
    assert set(drawn) <= set(pool.test)
    assert np.array_equal(drawn, draw_test(spec, pool))
    assert np.array_equal(draw_test(correlation_plan(pool).spec, pool), pool.test)


def test_tasks_cover_every_group_of_every_arrangement_with_every_seed(pool):
    plan = correlation_plan(pool, scores=["loss", "margin"], sample=150, fine_tune_seeds=3)
    sample = draw_sample(plan.spec, pool, 0)
    scores = {name: np.arange(150.0) for name in ("loss", "margin")}
    groupings = plan.groupings(0, sample, scores)
    names = [(grouping.grouping, grouping.sorted_by) for grouping in groupings]
    assert names == grouping_names(plan.spec)
    tasks = list(plan.tasks(0, groupings))
    assert len({task.name for task in tasks}) == len(tasks)
    assert [task.name for task in tasks] == task_names(plan.spec, 0)
    assert sum(len(task) for task in tasks) * plan.spec.bases == plan.fine_tunes
    for grouping, seed in itertools.product(groupings, range(3)):
        key = (grouping.grouping, grouping.sorted_by, seed)
        found = [task for task in tasks if (task.grouping, task.sorted_by, task.seed) == key]
        assert np.array_equal(np.concatenate([task.objects for task in found]), grouping.objects)
        assert [task.first for task in found] == list(range(0, len(grouping.objects), 20))
    assert [task.seed for task in tasks if task.grouping == CONTROL] == [0, 1, 2]


def test_shuffled_labels_are_those_of_random_groups_in_another_order(pool):
    plan = correlation_plan(pool)
    sample = draw_sample(plan.spec, pool, 0)
    groupings = plan.groupings(0, sample, {"loss": np.zeros(120)})
    by_name = {grouping.grouping: grouping for grouping in groupings}
    shuffled, random = by_name["shuffled_labels"], by_name["random"]
    assert np.array_equal(shuffled.objects, random.objects[:SHUFFLED_GROUPS])
    true = pool.labels[shuffled.objects]
    assert sorted(shuffled.labels.ravel()) == sorted(true.ravel())
    assert (shuffled.labels != true).any()
    assert np.array_equal(random.labels, pool.labels[random.objects])
