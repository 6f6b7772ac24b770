"""A sweep whose seeds have splits of their own."""

import numpy as np
import pandas as pd
import pytest

from alray import api
from alray.cli.display.sweep_progress import sweep_headline
from alray.errors import AlrayError, SpecError
from alray.pools.pool import TRAIN
from alray.reporting.facts import facts_of
from alray.reporting.sources import find_results, read_sweep
from alray.settings.base import validate
from alray.settings.correlation import CorrelationSpec
from tests.helpers.studies import comparable, settings, write_pool

QUICK = {"rounds": 1, "model": {"width": 4}, "training": {"passive_epochs": 1}}


@pytest.fixture
def grouped(tmp_path):
    """Return settings on a pool of groups of different sizes, so that train parts differ in size too."""
    groups = np.sort(np.random.default_rng(0).integers(0, 15, 200)).astype(str)
    pool = write_pool(tmp_path / "pool.parquet", author=groups)
    return settings(pool, seeds=5, **QUICK) | {"pool": {"source": str(pool), "group_by": "author"}}


def test_each_seed_learns_from_its_own_train_part_and_the_smallest_limits_the_labels(grouped):
    plan = api.plan_sweep({**grouped, "full_data": True})
    sizes = {key.seed: view.sizes()[TRAIN] for key, view in plan.shared.views.items()}
    smallest, largest = min(sizes.values()), max(sizes.values())
    assert smallest < largest
    assert {run.seed: run.initial for run in plan.runs if run.full_data} == sizes
    assert f"train {smallest:,} to {largest:,}, " in sweep_headline(plan)[1]
    assert sweep_headline(plan)[1].endswith(", drawn for each seed")
    seed = min(sizes, key=lambda each: sizes[each])
    with pytest.raises(
        SpecError, match=rf"has {smallest} objects with seed {seed}: lower --rounds"
    ):
        api.plan_sweep({**grouped, "initial": smallest - 4, "query": 1, "rounds": 5})


def test_a_seeds_records_are_the_same_to_the_bit_whatever_the_other_seeds_are(tmp_path):
    given = settings(write_pool(tmp_path / "pool.parquet"), **QUICK)
    alone = api.sweep({**given, "seeds": [3]}, results=tmp_path / "alone")
    beside = api.sweep({**given, "seeds": [0, 3, 1]}, results=tmp_path / "beside")
    added = api.sweep({**given, "seeds": [3, 8]}, results=tmp_path / "alone")
    for others in (beside, added):
        for name in ("rounds", "queries"):
            frame = getattr(others, name)
            of_seed = frame[frame["run_id"].isin(alone.runs["run_id"])]
            pd.testing.assert_frame_equal(
                comparable(getattr(alone, name)), comparable(of_seed), check_exact=True
            )
    assert beside.rounds.groupby("seed")["nll"].first().nunique() == 3


def test_a_report_says_which_splits_there_are_and_what_there_is_to_learn_from(grouped, tmp_path):
    facts, classes = {}, {}
    for per in ("seed", "study"):
        study = {**grouped, "seeds": 2, "split": {"per": per}}
        path = api.sweep(study, results=tmp_path / per).path
        source = read_sweep(find_results(path), None)
        facts[per] = facts_of(source, pd.DataFrame())["split"]
        plan = api.plan_sweep(study)
        classes[per] = [
            np.bincount(plan.pool.labels[view.parts == TRAIN])
            for view in plan.shared.views.values()
        ]
        assert source.train_classes is not None
        assert (
            list(source.train_classes.values()) == np.rint(np.mean(classes[per], axis=0)).tolist()
        )
    assert [len(each) for each in classes.values()] == [2, 1]
    assert facts["seed"].startswith("validation 0.1, test 0.2")
    assert "; drawn anew for each seed;" in facts["seed"]
    assert "the same for all seeds: intervals hold for this split alone" in facts["study"]


def test_a_correlation_study_has_one_split():
    with pytest.raises(SpecError, match=r"there is no setting 'split.per'"):
        validate(CorrelationSpec, {"split": {"per": "seed"}}, "the command line")


@pytest.fixture
def complete(tmp_path):
    """Return settings on a pool of three modalities, of which every object has the one called audio."""
    audio = np.random.default_rng(3).normal(size=(200, 4)).astype(np.float32).tolist()
    return settings(write_pool(tmp_path / "pool.parquet", audio=audio), **QUICK)


def test_a_variant_of_the_pool_and_its_split_is_the_run_of_a_study_of_its_own(complete, tmp_path):
    vary = {"pool.modalities": ["audio"], "pool.dtype": ["float16"], "split.test": [0.3]}
    varied = api.sweep({**complete, "vary": vary}, results=tmp_path / "varied")
    pool = {**complete["pool"], "modalities": {"audio": "audio"}, "dtype": "float16"}
    own = {**complete, "pool": pool, "split": {"test": 0.3}}
    alone = api.sweep(own, results=tmp_path / "alone")
    assert varied.runs["arm"].to_list() == ["margin [modalities=audio, dtype=float16, test=0.3]"]
    assert varied.runs["run_id"].to_list() == alone.runs["run_id"].to_list()
    first, second = (
        comparable(frame.drop(columns=["arm", "variant", "against"], errors="ignore"))
        for frame in (varied.rounds, alone.rounds)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_each_variant_is_seen_by_its_arm(complete):
    plan = api.plan_sweep(
        {
            **complete,
            "seeds": 2,
            "vary": {"pool.modalities": ["audio", "audio+text"], "split.per": ["seed", "study"]},
        }
    )
    seen = {arm.label: plan.seen_by(arm) for arm in plan.arms}
    names = {label: [each.name for each in pool.modalities] for label, pool in seen.items()}
    both = ["text", "audio"]
    assert names == {
        "margin [modalities=audio]": ["audio"],
        "margin [modalities=audio, per=study]": ["audio"],
        "margin [modalities=audio+text]": both,
        "margin [modalities=audio+text, per=study]": both,
    }
    by_seed = [pool for label, pool in seen.items() if "study" not in label]
    assert by_seed[0].modalities[0].features is by_seed[1].modalities[1].features


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pool.label", "topic", "pool.label is the same for all arms .* cannot be compared"),
        ("pool.min_class_size", 3, "is the same for all arms .* other objects or classes"),
        ("split.column", "fold", "split.column is the same for all arms .* read with the pool"),
        ("pool.modalities", ["audio"], r"write names of modalities, joined by \+"),
        ("pool.modalities", "text", "40 objects have nothing in text: object-1, .*leave text out"),
        ("pool.modalities", "audi", "there is no modality 'audi'; did you mean 'audio'"),
        ("pool.group_by", "autor", "vary: pool.group_by: .*no column 'autor'"),
        ("split.test", 0.95, "split: validation . test must leave a train part"),
    ],
)
def test_what_cannot_vary_is_refused_with_the_reason(complete, name, value, message):
    with pytest.raises(AlrayError, match=message):
        api.plan_sweep({**complete, "vary": {name: [value]}})
