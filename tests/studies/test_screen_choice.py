"""What a screen computes in: the settings, the record, or what was measured once on this machine."""

import json
import logging

import numpy as np
import pytest

from alray import api
from alray.errors import SpecError, StoreError
from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.networks.kernels import has_int8
from alray.networks.tensors import PoolTensors
from alray.reporting import facts
from alray.scoring import engine
from alray.settings.base import validate
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.strategies.committee import Bald
from alray.strategies.uncertainty import Margin
from alray.studies.recorded_choices import choice_changes
from alray.studies.sweep import screen_timing
from alray.studies.sweep.screen_choice import choose_precision, faster
from alray.studies.sweep.screening import recall, shortlist
from tests.helpers.builders import make_pool, one_run, plan_of
from tests.helpers.experiments import after_passive
from tests.helpers.paths import local
from tests.helpers.studies import assert_same_records, settings

pytestmark = pytest.mark.usefixtures("cache")

POOL = make_pool(400)
INT8 = pytest.param(
    "int8", marks=pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
)
BOTH = pytest.mark.parametrize("precision", [INT8, "bf16"])
FAST = {"exact": 1.0, "int8": 0.5, "bf16": 0.5}


@pytest.fixture
def measure(monkeypatch):
    """Plant what measuring finds of any number of objects."""

    def plant(**seconds):
        found = {way: [each, each] for way, each in {**FAST, **seconds}.items()}
        monkeypatch.setattr(screen_timing, "_measured", lambda *_: found)

    return plant


def screened(pool, **changes):
    screen = {"share": 0.3, "every": 3, **changes.pop("screen", {})}
    return settings(pool, **{"rounds": 1, "screen": screen, **changes})


def manifest_of(study):
    return json.loads((local(study.path) / "manifest.json").read_text())


def without_entry(study):
    """Make a study one from before there was a choice."""
    manifest = manifest_of(study)
    del manifest["products"]["screening"]
    (local(study.path) / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def asked(monkeypatch):
    """The precisions that scores were computed in."""
    found, real = [], engine.rounded_scores_of

    def spy(strategy, network, pool, indices, precision, *more):
        found.append(precision)
        return real(strategy, network, pool, indices, precision, *more)

    monkeypatch.setattr(engine, "rounded_scores_of", spy)
    return found


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"int8": 1.0, "bf16": 0.9}, "bf16"),
        ({"int8": 1.0, "bf16": 0.98}, "int8"),
        ({"int8": 1.0, "bf16": 2.0}, "int8"),
        ({"bf16": 2.0}, "bf16"),
        ({"int8": 2.0}, "int8"),
    ],
)
def test_int8_is_left_where_bf16_is_clearly_faster_and_where_there_is_no_int8(seconds, expected):
    assert faster({"exact": 1.0, **seconds}) == expected


def test_each_way_is_measured_and_kept_for_equal_networks_and_signals(cache):
    plan = plan_of(POOL, screen=True, strategies=("margin", "entropy", "bald:committee=heads"))

    def seconds(plan):
        return screen_timing.seconds_here(plan.arms, [plan.seen_by(arm) for arm in plan.arms])

    found = seconds(plan)
    (file,) = (cache / "alray" / "screens").iterdir()
    content = json.loads(file.read_text())
    assert list(found) == screen_timing.ways_here()
    assert all(each > 0 for each in found.values())
    assert len(content["scored"]) == 2
    assert seconds(plan) == found
    assert len(list(file.parent.iterdir())) == 1
    seconds(plan_of(POOL, screen=True, model={"width": 16}))
    assert len(list(file.parent.iterdir())) == 2


def test_what_is_measured_of_few_objects_is_continued_to_all(monkeypatch, measure):
    """int8 takes longer to begin with: here it is faster from 1,000 objects on."""
    monkeypatch.setattr(screen_timing, "MANY", 100)
    found = {"exact": [9.0, 9.0], "int8": [6.0, 6.0], "bf16": [0.15, 0.6]}
    monkeypatch.setattr(screen_timing, "_measured", lambda *_: found)
    chosen = [
        choose_precision(plan_of(make_pool(objects), screen=True)).runs[0].precision
        for objects in (700, 2000)
    ]
    assert chosen == ["bf16", "int8"]


@BOTH
def test_a_setting_decides_and_is_on_record(pool, tmp_path, monkeypatch, asked, precision):
    monkeypatch.setattr(screen_timing, "measured_once", None)
    study = api.sweep(screened(pool, screen={"precision": precision}), results=tmp_path)
    assert set(asked) == {precision}
    assert manifest_of(study)["products"]["screening"] == precision


@pytest.mark.parametrize(
    ("given", "manifest", "words"),
    [
        (None, {"products": {"screening": "bf16"}}, "bfloat16 scores"),
        ("bf16", {}, "bfloat16 scores"),
        (None, {"products": {}}, "8-bit scores"),
        (None, {}, "8-bit scores"),
    ],
)
def test_a_page_says_in_what_a_screen_was_scored(given, manifest, words):
    assert facts._ranked_by({"precision": given}, manifest) == words


@pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
def test_a_study_goes_on_with_its_choice(pool, tmp_path, measure, asked):
    measure(bf16=0.2)
    study = api.sweep(screened(pool), results=tmp_path)
    for file in (tmp_path / "cache" / "alray" / "screens").iterdir():
        file.unlink()
    measure(int8=0.2)
    longer = api.sweep(screened(pool, seeds=[0, 1]), results=tmp_path)
    assert set(asked) == {"bf16"}
    assert manifest_of(longer)["products"]["screening"] == "bf16"
    assert set(study.runs["run_id"]) < set(longer.runs["run_id"])


@pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
def test_a_study_from_before_there_was_a_choice_goes_on_with_int8(pool, tmp_path, measure, asked):
    measure(int8=0.2)
    whole = api.sweep(screened(pool, rounds=2, seeds=[0, 1]), results=tmp_path / "whole")
    without_entry(api.sweep(screened(pool, rounds=2), results=tmp_path))
    for file in (tmp_path / "cache" / "alray" / "screens").iterdir():
        file.unlink()
    measure(bf16=0.2)
    assert_same_records(whole, api.sweep(screened(pool, rounds=2, seeds=[0, 1]), results=tmp_path))
    assert set(asked) == {"int8"}


@pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
def test_only_bf16_that_is_given_is_in_a_runs_name():
    run = one_run(POOL, screen=True)
    assert "precision" not in run.identity()["screen"]
    names = {
        precision: one_run(POOL, screen={"precision": precision}).run_id
        for precision in ("int8", "bf16")
    }
    assert names["int8"] == run.run_id != names["bf16"]
    assert RunSpec(**{**dict(run), "screen_precision": "bf16"}).run_id == run.run_id


@pytest.mark.parametrize(
    ("begun", "recorded", "now", "message"),
    [
        (None, "int8", "bf16", "'int8' there, 'bf16' now"),
        ("int8", "int8", "bf16", "'int8' there, 'bf16' now"),
        ("bf16", "bf16", "int8", "'bf16' there, 'int8' now"),
        (None, "bf16", "int8", "'bf16' there, 'int8' now"),
        # The runs' names differ.
        ("bf16", "bf16", None, "'bf16' there, None now"),
        (None, "bf16", "bf16", "None there, 'bf16' now"),
        (None, "int8", "int8", None),
        ("int8", "int8", None, None),
        (None, "bf16", None, None),
        ("bf16", "bf16", "bf16", None),
    ],
)
def test_another_precision_than_on_record_is_found(begun, recorded, now, message):
    manifest = {"products": {"screening": recorded}}
    there, here = ({"screen.precision": precision} for precision in (begun, now))
    expected = [f"  screen.precision: {message}"] if message else []
    assert choice_changes(manifest, there, here) == expected


@pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
def test_another_precision_than_on_record_is_refused(pool, tmp_path, measure):
    measure(int8=0.2)
    study = api.sweep(screened(pool), results=tmp_path)
    with pytest.raises(
        StoreError, match=r"settings:\n  screen.precision: 'int8' there, 'bf16' now"
    ):
        api.sweep(screened(pool, screen={"precision": "bf16"}), results=tmp_path)
    again = api.sweep(screened(pool, screen={"precision": "int8"}), results=tmp_path)
    assert_same_records(study, again)


def test_an_unknown_precision_is_refused():
    with pytest.raises(SpecError, match=r"screen.precision: .* 'int8' or 'bf16' \(got 'fp8'\)"):
        validate(SweepSpec, {"screen": {"precision": "fp8"}}, "study.yaml")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ({"int8": 0.95, "bf16": 1.3}, "to rank in int8 and score 10% exactly takes 1.05 times"),
        ({"int8": 2.0, "bf16": 1.0}, "to rank in bf16 and score 10% exactly takes 1.10 times"),
        ({"int8": 0.5, "bf16": 1.3}, None),
    ],
)
@pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
def test_a_plan_says_where_a_screen_saves_no_time(measure, caplog, seconds, words):
    measure(**seconds)
    with caplog.at_level(logging.WARNING, "alray"):
        choose_precision(plan_of(POOL, screen=True))
    assert (words in caplog.text) if words else caplog.text == ""


@pytest.mark.parametrize("missing", sorted(kernels.INT8))
def test_a_build_without_8_bit_products_ranks_in_bf16(monkeypatch, missing):
    monkeypatch.setitem(kernels.FOUND, missing, None)
    assert choose_precision(plan_of(POOL, screen=True)).runs[0].precision == "bf16"
    with pytest.raises(SpecError, match=r"screen.precision: .* no 8-bit products; .* use bf16"):
        plan_of(POOL, screen={"precision": "int8"})


@pytest.mark.parametrize(
    ("int8", "bf16", "ways"),
    [
        (True, True, ["exact", "int8", "bf16"]),
        (True, False, ["exact", "int8"]),
        (False, False, ["exact", "bf16"]),
    ],
)
def test_bf16_without_instructions_for_it_is_the_last_resort(monkeypatch, int8, bf16, ways):
    """It takes many times as long then: not even to measure it is worth it."""
    monkeypatch.setattr(screen_timing, "has_int8", lambda: int8)
    monkeypatch.setattr(screen_timing, "has_bf16", lambda: bf16)
    assert screen_timing.ways_here() == ways


@pytest.mark.skipif(not has_int8(), reason="no 8-bit products in this build")
def test_a_study_in_int8_does_not_go_on_where_there_is_none(pool, tmp_path, monkeypatch, measure):
    measure(int8=0.2)
    without_entry(api.sweep(screened(pool), results=tmp_path))
    monkeypatch.setitem(kernels.FOUND, "int8_linear", None)
    with pytest.raises(SpecError, match=r"study was begun with a screen in int8, and .* --name"):
        api.sweep(screened(pool, seeds=[0, 1]), results=tmp_path)


def test_of_a_real_pool_nearly_all_of_the_exact_choice_is_on_the_shortlist():
    """Openclipart: nearly half of its objects lack text."""
    plan = api.plan_sweep(
        pool="openclipart", strategies=["margin"], seeds=1, training={"passive_epochs": 4}
    )
    running = after_passive(plan.runs[0], plan.prepared)
    network, pool = running.learner.network, PoolTensors(plan.prepared)
    objects = np.sort(np.setdiff1d(plan.prepared.train, running.labelled))
    for strategy in (Margin(), Bald(members=3)):
        exact = engine.scores_of(strategy, network, pool, objects, torch_generator(0))
        chosen = shortlist(objects, exact, 20, largest=strategy.largest)
        for precision in ("int8", "bf16") if has_int8() else ("bf16",):
            near = engine.rounded_scores_of(
                strategy, network, pool, objects, precision, torch_generator(0)
            )
            best = shortlist(objects, near, len(objects) // 10, largest=strategy.largest)
            assert recall(chosen, best) >= 0.95
