import itertools

import pytest

from alray.errors import SpecError
from tests.helpers.builders import image_pool, make_pool, plan_of

POOL = make_pool()
OWN = "tests.helpers.own_modules"


def test_arms_are_strategies_times_variants_and_runs_are_arms_times_seeds():
    plan = plan_of(
        POOL,
        strategies=["random", "bald:members=3"],
        vary={"training.batch_norm": ["live", "frozen"], "model.width": [8, 16]},
        seeds=[5, 2],
    )
    variants = ["", "width=16", "batch_norm=frozen", "batch_norm=frozen, width=16"]
    expected = [
        strategy + (f" [{variant}]" if variant else "")
        for variant, strategy in itertools.product(variants, ["random", "bald:members=3"])
    ]
    assert [arm.label for arm in plan.arms] == expected
    assert [(run.seed, run.arm) for run in plan.runs] == list(itertools.product([5, 2], expected))
    # Those that score most start first, so that a study ends with short runs.
    long_first = [*expected[1::2], *expected[::2]]
    assert [(run.seed, run.arm) for run in plan.queue] == list(
        itertools.product([5, 2], long_first)
    )
    assert len({run.run_id for run in plan.runs}) == 16
    frozen = plan.arms[-1]
    assert (frozen.training.batch_norm, frozen.model.width) == ("frozen", 16)
    assert (frozen.text, frozen.variant) == ("bald:members=3", variants[-1])


def test_arms_are_labelled_by_what_a_value_means_not_by_how_it_is_written():
    plan = plan_of(POOL, training={"lr": 1e-3}, vary={"training.lr": ["1e-3", "0.0030"]})
    assert [arm.label for arm in plan.arms] == ["margin", "margin [lr=0.003]"]


def test_arms_with_another_initial_or_query_end_at_the_same_labels():
    """Rounds follow, rounded down; what equals the study's own settings is the plain arm."""
    vary = {"query": [4, 8, 7], "initial": [12, 16]}
    plan = plan_of(POOL, vary=vary, rounds=6, strategies=["random", "margin"])
    found = {
        arm.label: (arm.study.initial, arm.study.query, arm.study.rounds, arm.against)
        for arm in plan.arms
        if arm.text == "margin"
    }
    assert found == {
        "margin": (12, 4, 6, "random"),
        "margin [initial=16]": (16, 4, 5, "random [initial=16]"),
        "margin [query=8]": (12, 8, 3, "random [query=8]"),
        "margin [query=8, initial=16]": (16, 8, 2, "random [query=8, initial=16]"),
        "margin [query=7]": (12, 7, 3, "random [query=7]"),
        "margin [query=7, initial=16]": (16, 7, 2, "random [query=7, initial=16]"),
    }
    runs = {run.arm: (run.initial, run.query, run.rounds, run.against) for run in plan.runs}
    assert runs.items() >= found.items()
    plain = plan_of(POOL, rounds=6, strategies=["random", "margin"]).runs
    assert {run.run_id for run in plain} <= {run.run_id for run in plan.runs}


def test_bait_is_refused_where_its_matrices_would_not_fit():
    pool = make_pool(2500, {"image": 4}, classes=1000)
    settings = {"model": {"width": 40}, "initial": 1100}
    message = (
        r"^bait: the strategy holds .* 1,000 classes and a width of 30 each takes 7.2 GB, and 1 GB is the most; use "
        "bait:width=11, or strategy badge"
    )
    with pytest.raises(SpecError, match=message):
        plan_of(pool, strategies=["bait"], **settings)
    with pytest.raises(SpecError, match=r"width of 12 each takes 1\.2 GB.*use bait:width=11"):
        plan_of(pool, strategies=["bait:width=12"], **settings)
    plan_of(pool, strategies=["bait:width=11"], **settings)
    # The layer's inputs are fewer.
    plan_of(pool, strategies=["bait"], **{**settings, "model": {"width": 8}})


def test_each_variant_scores_its_own_candidates():
    plan = plan_of(POOL, vary={"candidates": [None, 10]}, strategies=["margin"])
    assert [(arm.label, plan.forward_passes(arm)) for arm in plan.arms] == [
        ("margin", 60 + 56 + 52),
        ("margin [candidates=10]", 30),
    ]


@pytest.mark.parametrize(
    ("changes", "controls"),
    [
        ({"strategies": ["margin"]}, {"margin": "random"}),
        (
            {"strategies": ["random", "learning_loss", "learning_loss:margin=2:weight=0.5"]},
            {
                "random": "",
                "learning_loss": "random + loss predictor",
                "random + loss predictor": "random",
                "learning_loss:margin=2.0:weight=0.5": "random + loss predictor:margin=2.0:weight=0.5",
                "random + loss predictor:margin=2.0:weight=0.5": "random",
            },
        ),
        (
            {"strategies": ["learning_loss"], "vary": {"training.batch_norm": ["frozen"]}},
            {
                "learning_loss [batch_norm=frozen]": "random + loss predictor [batch_norm=frozen]",
                "random + loss predictor [batch_norm=frozen]": "random [batch_norm=frozen]",
            },
        ),
        (
            {"strategies": ["random", "learning_loss"], "training": {"loss_prediction": {}}},
            {"random": "", "learning_loss": "random"},
        ),
    ],
    ids=str,
)
def test_each_arm_is_compared_with_a_random_arm_of_the_same_training(changes, controls):
    """It is added where a strategy trains the network in a way that no random arm does; its passive phase is shared."""
    plan = plan_of(POOL, **changes)
    assert {arm.label: arm.against for arm in plan.arms} == controls
    by_label = {arm.label: arm for arm in plan.arms}
    for arm in plan.arms:
        if arm.against in by_label and arm.text != "random":
            assert arm.study == by_label[arm.against].study
    passives = {run.arm: run.passive_id for run in plan.runs}
    assert len({run.run_id for run in plan.runs}) == len(plan.runs)
    assert all(
        passives[arm.label] == passives[arm.against]
        for arm in plan.arms
        if arm.against in passives and arm.text != "random"
    )


def test_the_budget_must_fit_the_train_part():
    assert len(POOL.train) == 72
    plan_of(POOL, initial=12, query=4, rounds=15)
    with pytest.raises(SpecError) as caught:
        plan_of(POOL, initial=12, query=4, rounds=16)
    for number in ("12 + 16 x 4 = 76", "72 objects", "--rounds to 15"):
        assert number in str(caught.value)


def test_each_arm_needs_a_label_to_stop_by_in_its_own_first_set():
    """The study's own first set counts only where an arm has it."""
    training = {"stopping": "from_labels"}
    message = r"margin \[initial=1\]: training.stopping: .* initial is 1; use an initial of 2"
    with pytest.raises(SpecError, match=message):
        plan_of(POOL, training=training, vary={"initial": [12, 1]})
    plan = plan_of(POOL, training=training, initial=1, query=1, vary={"initial": [2, 3]})
    assert [arm.study.initial for arm in plan.arms] == [2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": ["bald"], "model": {"dropout": 0}}, "bald: a committee by dropout"),
        (
            {"strategies": ["committee_margin:committee=heads"], "model": {"heads": "one"}},
            "committee_margin:committee=heads: a committee of heads",
        ),
        (
            {"strategies": ["learning_loss"], "model": {"name": f"{OWN}:OwnNetwork"}},
            "learning_loss: predicting the loss",
        ),
        (
            {"training": {"loss_prediction": {}}, "model": {"name": f"{OWN}:OwnNetwork"}},
            "margin: predicting the loss",
        ),
        (
            {"training": {"batch_norm": "frozen"}, "model": {"name": f"{OWN}:linear_network"}},
            "margin: training.batch_norm: frozen",
        ),
        (
            {"training": {"loss": "fixed", "loss_weights": {"sound": 1}}},
            "margin: training.loss_weights",
        ),
        (
            {"strategies": [f"{OWN}:NeedsFeatures"], "model": {"name": f"{OWN}:OwnNetwork"}},
            f"{OWN}:NeedsFeatures: the strategy needs features.*use model late_fusion or cnn",
        ),
        (
            {"strategies": [f"{OWN}:NeedsLastLayer"], "model": {"name": f"{OWN}:OwnNetwork"}},
            f"{OWN}:NeedsLastLayer: the strategy needs the last layer's.*use model late_fusion",
        ),
        (
            {"strategies": ["alfa_mix"], "model": {"name": f"{OWN}:OwnNetwork"}},
            "alfa_mix: the strategy needs features.*use model late_fusion or cnn",
        ),
        (
            {"strategies": ["product_margin"], "vary": {"model.heads": ["all", "one"]}},
            r"product_margin \[heads=one\]: the strategy needs several heads",
        ),
        (
            {"strategies": ["product_margin"], "model": {"name": "linear"}},
            "product_margin: the strategy needs several heads.*use strategy margin",
        ),
        ({"strategies": [f"{OWN}:NeedsSound"]}, "lacks: sound; its heads are: fused, image, text"),
        ({"model": {"name": "cnn"}}, "one image array"),
        ({"model": {"name": f"{OWN}:broken_network"}}, "ZeroDivisionError: no weights today"),
        ({"vary": {"model.dropout": [0.5, 0]}, "strategies": ["bald"]}, r"bald \[dropout=0.0\]"),
        ({"strategies": ["bold"]}, "did you mean 'bald'"),
        ({"strategies": ["bald", "bald:members=10"]}, "more than once"),
        ({"vary": {"training.lr": [0.003, "3e-3"]}}, "more than once"),
        ({"vary": {"model.width": [8, 8]}}, "more than once"),
        ({"vary": {"training.batchnorm": ["live"]}}, "'training.batch_norm'"),
        ({"vary": {"batch_norm": ["live"]}}, "'training.batch_norm'"),
        (
            {"vary": {"rounds": [1]}},
            "vary: rounds is the same for all arms .* read it off the curves",
        ),
        ({"vary": {"evaluate_every": [3]}}, "a finer curve has all points of a coarser one"),
        ({"vary": {"metric_split": ["test"]}}, "every run records the metrics of both parts"),
        ({"vary": {"screen.share": [0.2]}}, "vary: screen.share is .* screen_recall says"),
        ({"vary": {"seed": [1, 2]}}, "run a study of its own for each value"),
        ({"vary": {"quary": [1]}}, "did you mean 'query'"),
        ({"vary": {"query": [0]}}, "vary: query: .* greater than or equal to 1"),
        ({"vary": {"query": [5, 30]}, "candidates": 20}, "30 objects cannot be chosen among 20"),
        (
            {"vary": {"initial": [24]}},
            "initial = 24 and query = 4 leave no round.*study's 24 labels",
        ),
        ({"vary": {"training.batch_norm": ["warm"]}}, "vary: training: batch_norm"),
        ({"vary": {"model.width": [0]}}, "vary: model: width"),
        (
            {"vary": {"training.mode": ["scratch"], "training.batch_norm": ["frozen"]}},
            "finetune",
        ),
    ],
    ids=str,
)
def test_arms_that_cannot_be_are_named(changes, message):
    with pytest.raises(SpecError, match=message):
        plan_of(POOL, **changes)


def test_oracles_are_marked():
    runs = plan_of(POOL, strategies=["margin", "ideal_loss"]).runs
    assert [run.oracle for run in runs] == [False, True]


def test_a_plan_counts_forward_passes_and_takes_its_pools_name():
    plan = plan_of(
        POOL,
        strategies=["random", "margin", "bald:members=3", "bald:committee=heads"],
        initial=12,
        query=4,
        rounds=3,
    )
    candidates = 60 + 56 + 52
    expected = [0, candidates, 3 * candidates, candidates]
    assert [plan.forward_passes(arm) for arm in plan.arms] == expected
    assert plan.study.name == "pool", "a study without a name is called after its pool"
    assert plan_of(POOL, name="mine").study.name == "mine"
    cnn = plan_of(image_pool(), model={"name": "cnn", "width": 8}, strategies=["bald"])
    assert cnn.arms[0].model.name == "cnn"
