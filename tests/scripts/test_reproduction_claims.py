"""The study run again: verdicts follow from intervals, and intervals from what is planted in records."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.summary import summarise
from alray.seeding import generator
from studies.reproduction import windows
from studies.reproduction.claims import CLAIMS
from studies.reproduction.collecting import CORRELATIONS
from studies.reproduction.evidence import Evidence
from studies.reproduction.rules import Effect, above_zero, alike, below_zero, of_size
from studies.reproduction.special_claims import (
    correlates,
    last_batch,
    last_batches_harm,
    same_ranking,
)
from tests.helpers.reproduction_frames import frames

# Rules


@pytest.mark.parametrize(
    ("judge", "ends", "verdict"),
    [
        (above_zero, (0.001, 0.01), "agrees"),
        (above_zero, (-0.01, -0.001), "disagrees"),
        (above_zero, (-0.001, 0.01), "cannot tell"),
        (above_zero, (0.0, 0.01), "cannot tell"),
        (above_zero, (math.nan, math.nan), "cannot tell"),
        (below_zero, (-0.01, -0.001), "agrees"),
        (below_zero, (0.001, 0.01), "disagrees"),
        (below_zero, (-0.001, 0.01), "cannot tell"),
        (alike, (-0.004, 0.005), "agrees"),
        (alike, (0.0051, 0.01), "disagrees"),
        (alike, (-0.02, -0.006), "disagrees"),
        (alike, (-0.004, 0.006), "cannot tell"),
        (alike, (-math.inf, 0.001), "cannot tell"),
        (lambda effect: of_size(effect, 0.26), (0.2, 0.3), "agrees"),
        (lambda effect: of_size(effect, 0.26), (0.05, 0.2), "disagrees"),
        (lambda effect: of_size(effect, 0.26), (-0.1, 0.3), "cannot tell"),
        (lambda effect: of_size(effect, 0.26), (-math.inf, 0.1), "disagrees"),
    ],
)
def test_a_verdict_follows_from_the_interval(judge, ends, verdict):
    low, high = ends
    effect = Effect((low + high) / 2, low, high, seeds=8)
    assert judge(effect).kind == verdict
    assert judge(None).kind == "not run"


@pytest.mark.parametrize("judge", [above_zero, below_zero, lambda effect: of_size(effect, 0.2)])
def test_five_seeds_decide_nothing(judge):
    found = judge(Effect(0.2, 0.1, 0.3, seeds=5))
    assert (found.kind, found.reason[:14]) == ("cannot tell", "5 paired seeds")


def test_numbers_are_written_with_their_intervals():
    assert Effect(0.0071, 0.0011, 0.0124, 8).text == "+.007 (+.001 to +.012)"
    assert Effect(0.12, -math.inf, 0.2, 8, share=True).text == "12 % (below 20 %)"
    assert Effect(0.1, math.nan, math.nan, 1).text == "+.100"


# From records to verdicts


def verdicts(evidence, part, data="icons"):
    return {claim.text: claim.rule(evidence, data).kind for claim in CLAIMS if claim.part == part}


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ({"margin": 0.01, "entropy": -0.01}, ["agrees", "agrees", "agrees"]),
        ({"margin": -0.01, "entropy": 0.01}, ["disagrees", "agrees", "disagrees"]),
        ({"least confidence": 0.02}, ["cannot tell", "disagrees", "cannot tell"]),
    ],
)
def test_planted_gains_are_found(gains, expected):
    evidence = Evidence(frames("uncertainty", gains))
    assert list(verdicts(evidence, "uncertainty").values()) == expected
    assert set(verdicts(evidence, "uncertainty", "twin").values()) == {"not run"}


def ahead_at_the_end(name, labels):
    """Curves that rise; margin is ahead near the end alone, so that a saving is shown there and no area."""
    ahead = 0.03 if labels > 3_000 else -0.006
    return 1e-4 * (labels - 2_000) + (ahead if name == "margin" else 0.0)


@pytest.mark.parametrize("gains", [{"margin": 0.01}, ahead_at_the_end])
def test_numbers_are_those_of_a_sweeps_summary(gains):
    evidence = Evidence(frames("uncertainty", gains, noise=0.005))
    rounds, runs = evidence.records("uncertainty", "icons")
    timed = rounds.assign(query_s=0.0, fit_s=0.0, eval_s=0.0, round=1, variant="")
    runs = runs.assign(full_data=False)
    summary = summarise(timed, runs, np.random.default_rng(0)).set_index("arm")
    area = evidence.area("uncertainty", "icons", "margin", "random")
    saved = evidence.saved("uncertainty", "icons", "margin", "random")
    for effect, name in ((area, "alc_difference"), (saved, "labels_saved")):
        assert effect is not None
        columns = [name, f"{name}_low", f"{name}_high"]
        expected = [float(summary[column]["margin"]) for column in columns]
        assert [effect.estimate, effect.low, effect.high] == pytest.approx(expected)


def test_the_last_batch_is_what_the_labels_leave():
    labels = pd.Series([2_048, 2_060, 2_560, 2_559])
    assert last_batch(labels, 512).tolist() == [512, 12, 512, 511]


@pytest.mark.parametrize(
    ("harm", "kind"), [(-0.02, "agrees"), (0.02, "disagrees"), (0, "cannot tell")]
)
def test_harm_in_the_rounds_with_a_tiny_last_batch_is_found(harm, kind):
    def gains(name, labels):
        return harm if name.endswith("fixed") and 0 < labels % 512 < 64 else 0.0

    assert last_batches_harm(Evidence(frames("batches", gains)), "icons").kind == kind


@pytest.mark.parametrize(
    ("fresh", "kind"), [(0.01, "agrees"), (-0.01, "disagrees"), (0.0, "cannot tell")]
)
def test_rankings_are_alike_where_the_same_is_shown(fresh, kind):
    def gains(name, _):
        if name.startswith("random"):
            return 0.0
        return fresh if name.endswith("scratch") else 0.01

    assert same_ranking(Evidence(frames("modes", gains)), "icons").kind == kind


@pytest.mark.parametrize(
    ("rhos", "kind"),
    [
        ([(-0.3, -0.4, -0.2), (-0.1, -0.3, 0.1)], "agrees"),
        ([(0.3, 0.2, 0.4), (-0.1, -0.3, 0.1)], "disagrees"),
        ([(0.3, 0.2, 0.4), (-0.3, -0.4, -0.2)], "cannot tell"),
        ([(-0.1, -0.3, 0.1)], "cannot tell"),
        ([], "not run"),
    ],
)
def test_a_correlation_is_judged_at_all_doses(rhos, kind):
    rows = pd.DataFrame(
        [
            {"data": "icons", "study": "sound", "score": "loss", "grouping": "score"}
            | {"epochs": dose, "rho": rho, "rho_low": low, "rho_high": high, "bases": 4}
            for dose, (rho, low, high) in enumerate(rhos, start=1)
        ],
        columns=list(CORRELATIONS),
    )
    evidence = Evidence(replace(frames("uncertainty", {}), correlations=rows))
    assert correlates("loss", -1)(evidence, "icons").kind == kind


def test_overlapping_windows_find_what_is_not_there_and_disjoint_groups_do_not():
    rho = {
        overlapping: windows.null_correlations(
            0.0, 1_000, generator(0, 0, "overlapping_windows"), overlapping=overlapping
        )
        for overlapping in (True, False)
    }
    significant = {name: (windows._p(values) < 0.05).mean() for name, values in rho.items()}
    # 86 % of 2,000 studies; a nominal test within four standard errors of 5 %.
    assert significant[True] > 0.8
    assert abs(significant[False] - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 1_000)
