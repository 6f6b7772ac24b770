"""What is written about a correlation study: never more than its intervals carry."""

import math

import pandas as pd
import pytest

from alray.analysis.correlation.findings import Prediction, details, sentence
from alray.analysis.correlation.summary import summarise
from alray.analysis.correlation.verdict import verdict_of
from tests.helpers.correlation_worlds import World, study
from tests.helpers.intervals import generator

PREDICTION = Prediction(
    "score", "accuracy", 10, 7, 35, 0.539, 0.308, 0.758, 66, 2, 0.3, -0.5, 1.0, "none"
)


NUMBERS = ("rho", "rho_low", "rho_high", "uplift", "uplift_low", "uplift_high", "p_max", "bound")


def row_of(*numbers, **changes):
    """Return a row of the summary with the columns that findings look at: a loss that hurts."""
    hurts = (-0.64, -0.8, -0.4, -0.012, -0.02, -0.004, 0.001, math.nan)
    return {
        "score": "loss",
        "queried": "large",
        "grouping": "score",
        "outcome": "accuracy",
        "epochs": 5,
        "bases": 3,
        "seeds": 5,
        "scores": 5,
        "icc": 0.85,
        "seeds_needed": 4,
        **dict(zip(NUMBERS, numbers or hurts, strict=True)),
        "rho_bootstrap_low": -0.7,
        "rho_bootstrap_high": -0.5,
        "against": "random",
        "typical_change": 0.05,
        "matters": 0.005,
        "uplift_p": 0.001,
        "changed": True,
        "groups_p": 1e-6,
        "verdict": "hurts",
    } | changes


def nothing(**changes):
    numbers = (0.05, -0.2, 0.3, 0.001, -0.003, 0.005, 0.9, 0.005)
    return row_of(*numbers, **{"verdict": "no effect", "uplift_p": 0.9, **changes})


def unclear(**changes):
    return row_of(**{"verdict": "inconclusive", **changes})


def check_of(**changes):
    shuffled = {"shuffled": -0.1, "shuffled_low": -0.12, "shuffled_high": -0.08}
    return {"outcome": "accuracy", "epochs": 5, "split_half": 0.82, **shuffled, **changes}


def read(*rows, checks=None, main=("accuracy", "score")):
    return details(pd.DataFrame(rows), pd.DataFrame(checks or [check_of()]), PREDICTION, main)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            row_of(),
            "loss (large is queried), groups by score, 5 epochs, accuracy: hurts: the tenth with the largest loss "
            "changes accuracy by -0.012 (-0.020 to -0.004) against random groups; "
            "rho -0.64 (-0.80 to -0.40), p 0.001 corrected for 5 scores, ICC 0.85.",
        ),
        (
            nothing(score="margin", queried="small", grouping="within_class", epochs=1),
            "margin (small is queried), groups by score within class, 1 epoch, accuracy: "
            "no effect larger than 10 % of what a group changes: the tenth with the smallest margin "
            "changes accuracy by 0.0010 (-0.0030 to 0.0050) against random groups; "
            "rho 0.05 (-0.20 to 0.30), p 0.9 corrected for 5 scores, ICC 0.85.",
        ),
        (
            unclear(grouping="random", uplift=math.nan, against=None),
            "loss (large is queried), groups at random, 5 epochs, accuracy: the null, no group is queried; "
            "rho -0.64 (-0.80 to -0.40), p 0.001 corrected for 5 scores, ICC 0.85.",
        ),
    ],
    ids=["an effect", "none larger than the farther end", "random groups"],
)
def test_a_sentence_has_the_verdict_and_every_number(row, text):
    assert sentence(row) == text


SMALL = {"uplift": 0.00012, "uplift_low": -0.00031, "uplift_high": 0.00055, "bound": 0.000551}
UNKNOWN = {"verdict": "inconclusive", "against": "all", "rho_bootstrap_low": math.nan}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            row_of(outcome="nll"),
            "hurts: the tenth with the largest loss changes nll by 0.012 (0.004 to 0.020)",
        ),
        (
            nothing(**SMALL),
            "no effect larger than 2 % of what a group changes: the tenth with the largest loss "
            "changes accuracy by 0.00012 (-0.00031 to 0.00055)",
        ),
        (
            row_of(*[math.nan] * 8, **UNKNOWN),
            "changes accuracy by an unknown amount against all groups; no rho, p unknown",
        ),
    ],
    ids=["nll rises where usefulness falls", "small effects keep their digits", "unknown"],
)
def test_numbers_are_written_as_they_are_meant(row, text):
    assert text in sentence(row)


@pytest.mark.parametrize("bound", [0.00123, 0.00042, 0.000551, 0.02, 0.005])
def test_tables_and_sentences_give_one_bound(bound):
    """And neither gives a smaller one than was found, as a share of what a group changes."""
    row = nothing(bound=bound)
    cell = verdict_of(row).cell
    assert f": {cell} of what a group changes: " in sentence(row)
    percent = float(cell.removesuffix(" %").rpartition(" ")[2])
    assert bound / 0.05 <= percent / 100 < bound / 0.05 + 0.01


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"icc": 0.12, "seeds_needed": 40}, "the outcome is too noisy (40 seeds needed)"),
        (
            {"icc": -0.1, "seeds_needed": pd.NA},
            "the outcome is too noisy (no number of seeds can be named)",
        ),
        ({"icc": math.nan}, "the reliability of the outcome is not known"),
        ({"uplift_low": math.nan, "uplift_high": math.nan}, "there is no interval"),
        ({"p_max": math.nan}, "there is no rank correlation"),
        ({"uplift_p": 0.05}, "an effect of up to 40 % of what a group changes is not excluded"),
        (
            {"uplift_high": 0.004},
            "an effect of up to 40 % of what a group changes is not excluded",
        ),
        ({"matters": 0.02}, "an effect is shown, but it may be too small to matter"),
        (
            {"uplift_high": 0.004, "typical_change": 0.0},
            "an effect of up to any size is not excluded",
        ),
    ],
)
def test_inconclusive_says_why(changes, why):
    assert f": inconclusive, {why}: the tenth" in sentence(unclear(**changes))


def test_one_base_is_written_to_be_one():
    """The bootstrap interval stands in, with what it is over."""
    text = sentence(row_of(bases=1, rho_low=math.nan, rho_high=math.nan))
    assert "rho -0.64 (-0.70 to -0.50 over its groups)" in text
    assert text.endswith("; one base, so this is known of that base only.")


def test_reading_gathers_doses_by_verdict():
    rows = [row_of(epochs=1), row_of(epochs=5), unclear(epochs=10, icc=0.1, seeds_needed=60)]
    text = read(*rows, nothing(score="bald"))
    assert text[0] == (
        "loss (large is queried): hurts at 1 and 5 epochs; "
        "inconclusive, the outcome is too noisy (60 seeds needed) at 10 epochs."
    )
    assert (
        text[1]
        == "bald (large is queried): no effect larger than 10 % of what a group changes at 5 epochs."
    )
    assert text[-2] == "This holds for accuracy, groups by score, and these doses only."
    assert text[-1].startswith(
        "What this is worth: on 7 pools, uplift over random groups (groups by score, accuracy, 10 epochs, replay none) "
        "ranked 35 pairs of pool and score as sweeps then did with a rank correlation of 0.54 (0.31 to 0.76), number 2 "
        "of 66 protocols in hindsight. Chosen on all pools but one, a protocol agreed with that one by 0.30 "
        "on average, from -0.50 to 1.00."
    )


def test_reading_says_when_the_sign_depends_on_the_dose():
    """Shown ones only: a rho that may be zero has no sign."""
    rows = [row_of(epochs=1), row_of(epochs=20, rho=0.5, verdict="helps")]
    text = (
        "loss: the sign depends on the dose: rho is negative at 1 epoch and positive at 20 epochs."
    )
    assert text in read(*rows)
    doubtful = [row_of(epochs=1), row_of(epochs=20, rho=0.5, p_max=0.3, verdict="inconclusive")]
    assert not any("sign" in sentence for sentence in read(*doubtful))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ({}, "Check with shuffled labels passed: they do harm at every dose."),
        (
            {"shuffled_high": 0.01},
            "Check with shuffled labels failed at 5 epochs: they are not shown to do harm, "
            "so a harmful group may go unseen.",
        ),
        ({"shuffled_low": math.nan}, "Check with shuffled labels: not made."),
        ({}, "Agreement of two halves of the seeds, as reliability: 0.82, passed."),
        (
            {"split_half": 0.1},
            "Agreement of two halves of the seeds, as reliability: 0.10, failed (below 0.3).",
        ),
    ],
    ids=["harm", "no harm", "no check", "agree", "disagree"],
)
def test_reading_says_how_the_checks_came_out(check, text):
    assert text in read(
        row_of(), checks=[check_of(**check), check_of(outcome="nll", shuffled_high=1.0)]
    )


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            unclear(icc=0.1, seeds_needed=60),
            "Where the outcome is too noisy: up to 60 seeds instead of 5 would give a reliability of 0.8.",
        ),
        (unclear(icc=-0.1, seeds_needed=pd.NA), "no number can be named"),
        (
            unclear(uplift_p=0.3),
            "Where effects are not excluded: more than 3 bases would narrow the intervals.",
        ),
        (
            row_of(bases=1),
            "With 1 base the findings are known of this base only: train at least 3.",
        ),
    ],
    ids=["noisy", "too noisy", "wide", "one base"],
)
def test_reading_says_what_is_needed(row, text):
    assert any(text in each for each in read(row))
    assert not any(text in each for each in read(row_of()))


def test_reading_of_what_is_not_there():
    text = read(row_of(), main=("nll", "score"))
    assert text == ["There are no groups by score measured by nll: nothing can be read."]


def test_a_real_summary_can_be_read():
    """Every row of it has its sentence."""
    groups, outcomes, bases = study(World(slope=0.03), generator(1))
    found = summarise(groups, outcomes, bases, generator(2), 199, 99)
    for _, row in found.summary.iterrows():
        assert "nan" not in sentence({str(name): value for name, value in row.items()})
    text = details(found.summary, found.checks, PREDICTION)
    assert text[:2] == [
        "loss (large is queried): helps at 5 epochs.",
        "margin (small is queried): hurts at 5 epochs.",
    ]
    assert not any("nan" in sentence for sentence in text)
