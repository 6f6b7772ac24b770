"""Who computes a study's matrix products: the settings, the record, or what was measured once on this machine."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from torch import nn

from alray import api
from alray.errors import StoreError
from alray.networks.products import SCORING, TRAINING
from alray.settings.common import ProductsSpec
from alray.studies import measured, product_choice, product_timing
from alray.studies.product_choice import faster, faster_here
from alray.studies.sweep.records import TIMING_COLUMNS
from tests.helpers import studies
from tests.helpers.correlation_studies import correlation_settings
from tests.helpers.paths import local

pytestmark = pytest.mark.usefixtures("cache")

BLAS = ProductsSpec(scoring="blas", training="blas")
ONEDNN = ProductsSpec(scoring="onednn", training="onednn")

OPEN: dict[str, Any] = {"products": {}}
"""Execution that leaves both open."""


@pytest.fixture
def measure(monkeypatch):
    """Plant what measuring finds."""

    def plant(*, scoring, training):
        for name, blas in {"scoring_seconds": scoring, "training_seconds": training}.items():
            monkeypatch.setattr(
                product_choice, name, lambda *_, blas=blas: {"onednn": 1.0, "blas": blas}
            )

    return plant


def study_of(pool, **changes):
    return studies.settings(pool, execution=OPEN, **changes)


def layers(*shapes):
    return [nn.Linear(*shape) for shape in shapes]


def manifest_of(study):
    return json.loads((study.path / "manifest.json").read_text())


@pytest.mark.parametrize(("blas", "library"), [(0.5, "blas"), (0.98, "onednn"), (2.0, "onednn")])
def test_onednn_is_left_only_where_the_other_is_clearly_faster(blas, library):
    assert faster({"onednn": 1.0, "blas": blas}) == library


def test_both_are_measured_on_the_products_of_a_network():
    few, many = layers((8, 8)), layers((512, 512), (512, 512))
    for seconds in (product_timing.scoring_seconds, product_timing.training_seconds):
        short, long = seconds(few, 64), seconds(many, 64)
        assert all(0 < short[library] < long[library] for library in product_timing.LIBRARIES)


def test_what_was_measured_is_kept_for_equal_layers_batches_and_threads(cache, measure):
    measure(scoring=0.5, training=2.0)
    first = faster_here(layers((3, 4), (4, 2)), 64, 1)
    assert first == ProductsSpec(scoring="blas", training="onednn")
    (file,) = (cache / "alray" / "products").iterdir()
    content = json.loads(file.read_text())
    assert content["layers"] == [[3, 4], [4, 2]]
    assert content["seconds"]["scoring"] == {"onednn": 1.0, "blas": 0.5}
    measure(scoring=2.0, training=2.0)
    assert faster_here(layers((4, 2), (3, 4)), 64, 1) == first
    for other in [
        (layers((3, 4)), 64, 1),
        (layers((3, 4), (4, 2)), 32, 1),
        (layers((3, 4), (4, 2)), 64, 2),
    ]:
        assert faster_here(*other) == ONEDNN


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"scoring": "mkl", "training": "blas"}'])
def test_a_damaged_file_is_measured_again(cache, measure, content):
    measure(scoring=2.0, training=2.0)
    faster_here(layers((3, 4)), 64, 1)
    (file,) = (cache / "alray" / "products").iterdir()
    file.write_text(content)
    measure(scoring=0.5, training=0.5)
    assert faster_here(layers((3, 4)), 64, 1) == BLAS
    measure(scoring=2.0, training=2.0)
    assert faster_here(layers((3, 4)), 64, 1) == BLAS


def test_of_two_programs_at_a_time_the_first_one_decides(measure, monkeypatch):
    """The other one has measured something else, and writes later."""
    measure(scoring=0.5, training=0.5)
    faster_here(layers((3, 4)), 64, 1)
    kept, calls = measured._kept, []

    def kept_later(path, read):
        calls.append(path)
        return kept(path, read) if len(calls) > 1 else None

    monkeypatch.setattr(measured, "_kept", kept_later)
    measure(scoring=2.0, training=2.0)
    assert faster_here(layers((3, 4)), 64, 1) == BLAS


def test_a_folder_that_cannot_be_written_does_no_harm(cache, measure):
    cache.write_text("a file")
    measure(scoring=0.5, training=2.0)
    found = ProductsSpec(scoring="blas", training="onednn")
    assert faster_here(layers((3, 4)), 64, 1) == found


def test_a_user_without_a_home_measures_each_time(measure, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    measure(scoring=0.5, training=0.5)
    assert faster_here(layers((3, 4)), 64, 1) == BLAS
    measure(scoring=2.0, training=2.0)
    assert faster_here(layers((3, 4)), 64, 1) == ONEDNN


def test_a_network_that_is_called_as_a_module_is_not_measured(cache, measure):
    measure(scoring=0.5, training=0.5)
    assert faster_here([], 64, 1) == ONEDNN
    assert not cache.exists()


def test_a_study_goes_on_with_its_choice(pool, tmp_path, measure):
    measure(scoring=0.5, training=0.5)
    study = api.sweep(study_of(pool), results=tmp_path)
    assert manifest_of(study)["products"] == BLAS.model_dump()
    assert (SCORING.library, TRAINING.library) == ("blas", "blas")
    for file in (tmp_path / "cache" / "alray" / "products").iterdir():
        file.unlink()
    measure(scoring=2.0, training=2.0)
    longer = api.sweep(study_of(pool, seeds=[0, 1]), results=tmp_path)
    assert manifest_of(longer)["products"] == BLAS.model_dump()
    assert (SCORING.library, TRAINING.library) == ("blas", "blas")


def test_a_study_from_before_there_was_a_choice_goes_on_with_onednn(pool, tmp_path, measure):
    measure(scoring=0.5, training=0.5)
    study = api.sweep(study_of(pool), results=tmp_path)
    manifest = manifest_of(study)
    del manifest["products"]
    (local(study.path) / "manifest.json").write_text(json.dumps(manifest))
    api.sweep(study_of(pool, seeds=[0, 1]), results=tmp_path)
    assert (SCORING.library, TRAINING.library) == ("onednn", "onednn")


def test_another_library_than_on_record_is_refused(pool, tmp_path):
    wanted = {"products": {"scoring": "onednn"}}
    api.sweep(studies.settings(pool, execution=wanted), results=tmp_path)
    with pytest.raises(StoreError, match=r"products.scoring: 'onednn' there, 'blas' now"):
        api.sweep(
            studies.settings(pool, execution={"products": {"scoring": "blas"}}), results=tmp_path
        )


def test_settings_decide_what_they_name(pool, tmp_path, measure):
    measure(scoring=2.0, training=2.0)
    wanted = {"products": {"training": "blas"}}
    study = api.sweep(studies.settings(pool, execution=wanted), results=tmp_path)
    assert manifest_of(study)["products"] == {"scoring": "onednn", "training": "blas"}


def test_both_libraries_give_one_study_to_rounding(pool, tmp_path):
    """Of its passive phase, whose labels do not depend on scores."""
    found = []
    for library in product_timing.LIBRARIES:
        both = {"products": {"scoring": library, "training": library}}
        settings = studies.settings(pool, execution=both, name=library)
        rounds = api.sweep(settings, results=tmp_path).rounds
        found.append(rounds[rounds["round"] == 0].drop(columns=["study", *TIMING_COLUMNS]))
    first, second = found
    pd.testing.assert_frame_equal(first, second, rtol=1e-3, atol=1e-4)


def test_a_correlation_study_keeps_its_choice_too(pool, tmp_path, measure):
    measure(scoring=0.5, training=2.0)
    study = api.correlate(correlation_settings(pool, execution=OPEN), results=tmp_path)
    assert manifest_of(study)["products"] == {"scoring": "blas", "training": "onednn"}
    assert (SCORING.library, TRAINING.library) == ("blas", "onednn")
