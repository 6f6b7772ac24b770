"""Studies from Python: a pool's path, objects and keywords in place of text."""

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import yaml
from torch import nn

import alray
from alray.custom.loading import load
from alray.errors import PoolError, SpecError
from alray.settings.common import TrainingSpec
from alray.settings.correlation import CorrelationSpec
from alray.settings.sweep import SweepSpec
from alray.strategies.committee import Bald
from alray.strategies.random import Random
from alray.studies.arguments import study_settings
from tests.helpers import own_modules
from tests.helpers.own_modules import OwnNetwork, Plain, PowerMargin
from tests.helpers.paths import local
from tests.helpers.studies import assert_same_records, settings
from tests.helpers.user_modules import MINE

OWN = "tests.helpers.own_modules"


def given(study: Any = None, **keywords: Any) -> SweepSpec:
    return study_settings(SweepSpec, study, keywords)


def test_a_pool_is_a_path_and_settings_are_keywords(tmp_path):
    path = tmp_path / "posts.parquet"
    expected = SweepSpec.model_validate({"pool": {"source": str(path)}, "seeds": 8})
    assert given(path, seeds=8) == given(str(path), seeds=8) == expected
    assert given(pool=path, seeds=8) == given(pool={"source": path}, seeds=8) == expected
    assert given(expected) is expected
    assert given(expected, seeds=3).seeds == (0, 1, 2)
    assert given({"pool": path}, seeds=[4]).pool == expected.pool
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({"training": {"lr": 0.5, "patience": 3}, "rounds": 4}))
    merged = given(study, training={"lr": 0.25}, rounds=2)
    assert (merged.training.lr, merged.training.patience, merged.rounds) == (0.25, 3, 2)
    assert given(training=TrainingSpec(lr=0.5)).training.lr == 0.5
    found = study_settings(CorrelationSpec, None, {"pool": path, "scores": ["margin"]})
    assert (found.pool, found.scores) == (expected.pool, ("margin",))


def test_a_folder_or_a_file_of_data_in_the_place_of_settings_is_the_pool(tmp_path):
    """A file by its ending, in any case; whether it can be a pool is decided when it is opened."""
    folder, arrays = tmp_path / "posts.yaml", tmp_path / "data.npz"
    folder.mkdir()
    np.savez(arrays, embeddings=np.zeros((4, 3)), labels=list("abab"))
    for path in (folder, arrays, tmp_path / "posts.JSONL"):
        assert given(str(path), seeds=2) == given(path, seeds=2) == given(pool=path, seeds=2)
    with pytest.raises(PoolError, match=r"posts\.yaml: the folder is empty; name a Parquet file"):
        alray.sweep(str(folder), results=tmp_path)
    with pytest.raises(PoolError, match=r"data\.npz: not Parquet.*alray pool import .*npz"):
        alray.sweep(arrays, results=tmp_path)


@pytest.mark.parametrize(
    ("strategy", "text"),
    [
        ("bald:members=3", "bald:members=3"),
        (Bald(members=3), "bald:members=3"),
        (Bald(committee="heads"), "bald:committee=heads"),
        (Bald, "bald"),
        (Random(), "random"),
        (PowerMargin(2.5, "x"), f"{OWN}:PowerMargin:beta=2.5:note=x"),
        (Plain(), f"{OWN}:Plain"),
        (Plain, f"{OWN}:Plain"),
    ],
)
def test_a_strategy_is_its_text(strategy, text):
    assert given(strategies=[strategy]).strategies == (text,)
    assert given(strategies=strategy).strategies == (text,)


def test_a_network_is_its_name():
    assert given(model=OwnNetwork).model.name == f"{OWN}:OwnNetwork"
    factory = {"name": own_modules.linear_network, "options": {}}
    assert given({"model": factory}).model.name == f"{OWN}:linear_network"
    assert given(vary={"model.name": [OwnNetwork, "cnn"]}).vary["model.name"] == (
        f"{OWN}:OwnNetwork",
        "cnn",
    )


@dataclass(frozen=True)
class Listing(PowerMargin):
    names: list[str] = field(default_factory=list)


class Stateful(Plain):
    def __init__(self) -> None:
        self.table = 3


def local_class():
    class Inner(Plain):
        pass

    return Inner


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"strategies": [Listing(1.0, names=["a"])]}, "Listing.* has no text form"),
        ({"strategies": [PowerMargin(1.0, "a:b")]}, "has no text form"),
        ({"strategies": [PowerMargin(1.0, "a ")]}, "stands for PowerMargin.* without colons"),
        ({"strategies": [Stateful()]}, r"Stateful holds table.* put @dataclass\(frozen=True\)"),
        ({"strategies": [local_class()()]}, "has no name by which it can be found again"),
        ({"strategies": [3]}, "strategy 'builtins:int' is not a strategy class"),
        ({"model": nn.Linear(2, 2)}, "model: Linear is an object.* give the class"),
        ({"model": lambda shapes, classes: None}, "has no name by which"),
        ({"sedes": 3}, "the study and the arguments: .*did you mean 'seeds'"),
        ({"study": 3}, "not int; name settings by keyword"),
    ],
)
def test_what_has_no_text_is_refused_with_the_reason(keywords, message):
    with pytest.raises(SpecError, match=message):
        given(**keywords)


def test_an_object_of_a_class_that_was_imported_again_is_refused(folder):
    (folder / "again.py").write_text(MINE)
    old = load("again:Mine", "strategy")(k=4)
    assert given(strategies=[old]).strategies == ("again:Mine:k=4",)
    del sys.modules["again"]
    with pytest.raises(SpecError, match=r"another class now .* make the object anew"):
        given(strategies=[old])


def test_a_sweep_of_objects_is_that_of_their_texts(pool, tmp_path):
    study = settings(pool, rounds=1, strategies=[f"{OWN}:PowerMargin:beta=2.0"])
    expected = alray.sweep(study, results=tmp_path / "text")
    keywords = {**study, "pool": pool, "strategies": [PowerMargin(2)]}
    found = alray.sweep(results=tmp_path / "objects", **keywords)
    assert_same_records(expected, found)
    written = yaml.safe_load((local(found.path) / "study.yaml").read_text())
    assert written["strategies"] == [f"{OWN}:PowerMargin:beta=2.0"]
    with pytest.raises(SpecError, match="did you mean 'bases'"):
        alray.correlate(pool, base=3)
