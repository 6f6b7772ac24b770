"""`compat: original`: the published settings, in one place, where others are not given."""

import pytest

from alray.errors import SpecError
from alray.settings.base import look_up, validate, with_values
from alray.settings.common import TrainingSpec
from alray.settings.compat import ORIGINAL_CORRELATION, ORIGINAL_SWEEP
from alray.settings.correlation import CorrelationSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.variation import choices, varied_study


def spec(**values):
    return validate(SweepSpec, values, "here")


def test_it_fills_in_what_is_not_given():
    study = spec(compat="original")
    assert {name: look_up(study, name) for name in ORIGINAL_SWEEP} == dict(ORIGINAL_SWEEP)
    usual = spec()
    assert all(look_up(usual, name) != value for name, value in ORIGINAL_SWEEP.items())
    assert study.training.lr == usual.training.lr
    correlation = validate(CorrelationSpec, {"compat": "original"}, "here")
    assert {name: getattr(correlation, name) for name in ORIGINAL_CORRELATION} == dict(
        ORIGINAL_CORRELATION
    )


def test_what_is_given_takes_precedence():
    given = {"training": {"stopping": "fixed_epochs", "lr": 0.5}, "metric_split": "test"}
    study = spec(compat="original", **given)
    assert (study.training.stopping, study.training.lr) == ("fixed_epochs", 0.5)
    assert study.training.batch_rule == "published"
    assert study.metric_split == "test"
    assert given["training"] == {"stopping": "fixed_epochs", "lr": 0.5}, "it is left as it was"
    of_settings = spec(compat="original", training=TrainingSpec(batch_rule="fixed"))
    assert of_settings.training.batch_rule == "fixed"
    assert of_settings.training.stopping == "held_out"


def test_a_study_on_record_and_its_variants_stay_as_they_are():
    """The record has every setting, so nothing is filled in a second time."""
    study = spec(
        compat="original",
        initial_draw="distinct",
        vary={"training.stopping": ["held_out", "from_labels"]},
    )
    assert spec(**study.model_dump(mode="json")) == study
    varied = [varied_study(study, choice) for choice in choices(study.vary)]
    assert [each.training.stopping for each in varied] == ["held_out", "from_labels"]
    assert {each.initial_draw for each in varied} == {"distinct"}
    assert with_values(study, {"metric_split": "test"}, "here").metric_split == "test"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"compat": "orignal"}, "compat: Input should be 'original' .got 'orignal'"),
        (
            {"compat": "original", "training": {"stopping": "from_labels"}},
            "use training.stopping=held_out or fixed_epochs, or initial_draw=distinct",
        ),
        ({"compat": "original", "training": 3}, "training: Input should be a valid"),
        ({"initial_draw": "with_replacement"}, "could then stop by an object that it learns from"),
    ],
)
def test_what_cannot_work_is_refused(values, message):
    with pytest.raises(SpecError, match=message):
        spec(**values)


def test_a_variant_that_would_stop_by_what_it_learns_is_refused():
    study = spec(compat="original", vary={"training.stopping": ["held_out", "from_labels"]})
    with pytest.raises(SpecError, match="vary: initial_draw: with_replacement draws some objects"):
        [varied_study(study, choice) for choice in choices(study.vary)]
