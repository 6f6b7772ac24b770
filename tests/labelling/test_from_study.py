"""What a campaign takes from a sweep: the arm that the verdict favours, and nothing that the sweep does not show."""

import dataclasses

import pandas as pd
import pytest

from alray.errors import SpecError, StoreError
from alray.labelling import from_study
from alray.labelling.campaign import Campaign
from alray.labelling.from_study import take_from
from alray.settings.base import with_values
from tests.helpers.campaigns import hidden_pool
from tests.helpers.summary_rows import above, below, random_row, row_of

MORE = {"variant": "", "full_data": False}


@pytest.fixture
def judged(undisturbed, monkeypatch):
    """Return a function that gives a sweep these rows of a summary, and its settings these values."""

    def given(*rows, **values):
        settings = with_values(undisturbed.settings, values, "the test")
        summary = pd.DataFrame([{**MORE, **row} for row in rows])
        study = dataclasses.replace(undisturbed, summary=summary, settings=settings)
        monkeypatch.setattr(from_study, "load", lambda _: study)

    return given


def test_the_best_arm_is_followed_where_it_is_shown_to_be_better(judged):
    judged(random_row(), row_of("entropy", difference=(0.03, -0.01, 0.06)), above("margin"))
    # entropy looks best, but is not shown to be better: margin is
    taken = take_from("results/study")
    assert (taken.arm, taken.values["strategy"]) == ("margin", "margin")
    assert "margin is shown to be better than random choice" in taken.said[0]
    assert taken.found.startswith("Let margin choose what to label")


def test_the_status_repeats_what_the_study_found(judged, tmp_path):
    judged(random_row(), above("margin"))
    pool = hidden_pool(tmp_path / "posts.parquet")
    said = Campaign.start(pool, study="results/study", results=tmp_path).status().sentences[-1]
    assert said.startswith("The study that the settings are from found: Let margin choose")


def test_chance_is_followed_where_nothing_is_shown(judged):
    judged(random_row(), row_of("margin"), below("bald"))
    taken = take_from("results/study")
    assert taken.arm == "random"
    assert "--arm NAME takes another arm of random, margin, bald" in taken.said[0]
    assert take_from("results/study", "margin").arm == "margin"
    with pytest.raises(SpecError, match="did you mean 'margin'"):
        take_from("results/study", "margni")


def test_chance_is_followed_where_that_of_other_settings_has_the_larger_area(judged):
    best = random_row(alc=0.7) | {"arm": "random [width=16]"}
    judged(random_row(alc=0.6), above("margin", alc=0.65), best)
    taken = take_from("results/study")
    assert (taken.arm, taken.values["strategy"]) == ("random [width=16]", "random")
    assert "random [width=16] has a larger area" in taken.said[0]


def test_arms_that_a_campaign_cannot_follow_are_refused(judged):
    judged(random_row(), row_of("ideal_loss", oracle=True), row_of("questions:al"))
    for arm, reason in (("ideal_loss", "needs labels"), ("questions:al", "yes/no questions")):
        with pytest.raises(SpecError, match=reason):
            take_from("results/study", arm)


def test_a_variants_settings_are_taken_and_what_differs_is_said(judged):
    arm = above("margin [width=16]", strategy="margin", variant="width=16")
    judged(
        random_row(),
        arm,
        **{
            "vary": {"model.width": [8, 16]},
            "training.stopping": "held_out",
            "training.batch_norm": "frozen",
            "pool.min_class_size": 2,
            "crowd": {"answers": 3, "aggregate": "joint"},
        },
    )
    taken = take_from("results/study")
    assert taken.values["model"]["width"] == 16
    assert taken.values["training"]["stopping"] == "from_labels"
    assert (taken.values["answers"], taken.values["initial"]) == (3, 20)
    said = "\n".join(taken.said)
    for part in ("small classes", "fits it from fresh weights", "validation part", "by joint"):
        assert part in said


def test_a_campaign_begins_with_them(undisturbed, tmp_path):
    pool = hidden_pool(tmp_path / "posts.parquet")
    with pytest.raises(SpecError, match="no random arm"):
        Campaign.start(pool, study=undisturbed.path, results=tmp_path)
    campaign = Campaign.start(
        pool, study=undisturbed.path, arm="margin", results=tmp_path, strategy="entropy", seed=3
    )
    settings = campaign.settings
    assert (settings.strategy, settings.seed, settings.initial) == ("entropy", 3, 20)
    assert (settings.model.width, settings.training.passive_epochs) == (8, 2)
    assert settings.pool.source == str(pool)
    assert campaign.path.name == "posts-labels"
    with pytest.raises(
        StoreError, match=r"holds a campaign of labelling: read it with alray.Campaign"
    ):
        take_from(campaign.path)
    with pytest.raises(StoreError, match=r"holds a sweep study: read it with alray.load"):
        Campaign(undisturbed.path)
