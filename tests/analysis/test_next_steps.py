"""What to do next: no step contradicts another or the table, and planted truths lead where they should."""

import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.next_steps.advising import MOST, next_steps
from alray.analysis.sweep.next_steps.decision import decide, gain_of_fewer_labels
from alray.analysis.sweep.next_steps.pace import Pace
from alray.analysis.sweep.next_steps.steps import NEXT_COLUMNS, GoingOn, steps_frame
from alray.analysis.sweep.next_steps.words import choice_said, seeds_said
from alray.analysis.sweep.summary import summarise
from alray.analysis.wording import about_time
from tests.helpers.intervals import generator
from tests.helpers.summary_rows import above, below, random_row, row_of
from tests.helpers.sweep_frames import study

LABELS = 300.0 + 60 * np.arange(21)
CURVE = 0.8 - 3 * LABELS**-0.4
CURVES = {
    "random": ArmCurves("random", "", (0, 1), LABELS, {"accuracy": np.stack([CURVE, CURVE])})
}
RANDOM = random_row(alc=0.5, variant="")


def outcome(*rows, curves=None):
    known = [{"variant": "", "against": "random", "alc": 0.52, **row} for row in rows]
    found = decide([RANDOM, *known], CURVES if curves is None else curves)
    said = choice_said(found, [RANDOM, *known]), seeds_said(found)
    assert sum(map(bool, said)) == (found.outcome != "none")
    return found, " ".join(said).strip()


@pytest.mark.parametrize(
    ("rows", "expected", "words"),
    [
        (
            [above(regret=0.0004), row_of("bald")],
            "better",
            "Let margin choose what to label, and compare no further: it is shown to be better than random (area +.020 "
            "(+.010 to +.030)), and picking it as the best of 3 arms loses less than .001 on average.",
        ),
        (
            [above(), row_of("bald", difference=(0.03, -0.01, 0.07), seeds_needed=9.0)],
            "better",
            "Let margin choose what to label, and compare no further: it is shown to be better than random (area +.020 "
            "(+.010 to +.030)); bald looked better still, which is not shown.",
        ),
        (
            [above(alc=0.45)],
            "elsewhere",
            "Choose between settings first: margin is shown to be better than random, but random has the better area "
            "(.500 against .450), and these two are not compared with each other.",
        ),
        (
            [below(), below("margin")],
            "worse",
            "Label at random, and compare no further: bald and margin are shown to be worse.",
        ),
        (
            [row_of(difference=(0.0005, -0.001, 0.002), seeds_needed=12.0), below()],
            "little",
            "Label at random, and compare no further: no strategy is shown to be better than random, and a gain of "
            "more than .002 in area is ruled out (95 % intervals), where 5 % fewer labels would be worth .004; random "
            "is as good as any, and costs nothing.",
        ),
        (
            [row_of(seeds_needed=20.0), row_of("bald", seeds_needed=11.0), below()],
            "open",
            "Run more seeds to decide about bald against random: if the difference is as large as it looks (area "
            "+.010), about 11 seeds instead of 8 show it in four studies of five.",
        ),
        (
            [row_of(seeds_needed=8.0)],
            "open",
            "Run more seeds to decide about margin against random: if the difference is as large as it looks (area "
            "+.010), about 10 seeds instead of 8 show it in four studies of five.",
        ),
        (
            [row_of(seeds_needed=math.inf)],
            "unpromising",
            "Label at random for now: margin is not shown to be better than random, and to show a difference as small "
            "as that of margin (area +.010) would take more than 100 seeds instead of 8; gains of up to .030 in area "
            "are not ruled out.",
        ),
        (
            [row_of(difference=(-0.001, -0.02, 0.02)), below()],
            "unpromising",
            "Label at random for now: no strategy is shown to be better than random, and margin came nearest, without "
            "being ahead; gains of up to .020 in area are not ruled out.",
        ),
        (
            [row_of(paired_seeds=1, difference=(0.01, math.nan, math.nan), p=math.nan)],
            "too few",
            "Run more seeds to decide about margin against random: 1 seed cannot show any difference, 6 can.",
        ),
        (
            [row_of(paired_seeds=5, seeds_needed=7.0)],
            "too few",
            "Run more seeds to decide about margin against random: 5 seeds cannot show any difference, about 7 may "
            "show one as large as seen so far.",
        ),
        ([row_of("ideal_loss", oracle=True)], "none", ""),
    ],
)  # fmt: skip
def test_there_is_one_decision_and_it_says_why(rows, expected, words):
    found, said = outcome(*rows)
    assert (found.outcome, said) == (expected, words)


def test_questions_are_compared_with_questions():
    """The words name what the arm is compared with, and so does the choice of what is not better."""
    asked = row_of("questions:alpf", against="questions:passive", seeds_needed=12.0)
    assert "questions:alpf against questions:passive:" in outcome(asked)[1]
    worse = below("questions:alpf", against="questions:passive")
    assert outcome(worse)[1].startswith("Label by questions:passive, and compare no further")


def test_a_metric_of_which_less_is_better():
    found, said = outcome(
        row_of(difference=(-0.02, -0.03, -0.01), p=0.03, metric="nll", alc=0.4), curves={}
    )
    assert found.outcome == "better"
    assert "area -.020 (-.030 to -.010)" in said


def test_what_fewer_labels_are_worth():
    """The same curve 5 % earlier gains that area; a flat curve gains nothing, one of a single point is not known."""
    earlier = 0.8 - 3 * (LABELS / 0.95) ** -0.4
    assert gain_of_fewer_labels(LABELS, CURVE) == pytest.approx(
        (earlier - CURVE)[:-1].mean(), rel=0.03
    )
    assert gain_of_fewer_labels(LABELS, np.full(21, 0.5)) == 0
    assert math.isnan(gain_of_fewer_labels(LABELS[:1], CURVE[:1]))


def going_on(**changes):
    """Return how a study goes on; its commands are the changes."""
    usual = GoingOn(
        again=lambda changes: f"again {dict(changes)}",
        strategies=("random", "margin"),
        seeds=tuple(range(8)),
        initial=300,
        query=60,
        rounds=20,
        train=5000,
        workers=2,
    )
    return GoingOn(**{**vars(usual), **changes})


def frames(gain=0.02, curve=CURVE, seeds=8, noise=0.002, **columns):
    """Return rounds and runs of a study of random and margin along a curve, each round of which takes two seconds."""
    rounds, runs = study(seeds=seeds, strategies=("random", "margin"))
    grid = pd.DataFrame({"round": range(21), "labels": LABELS.astype(int), "height": curve})
    rounds = (
        rounds.drop(columns=["round", "labels"]).drop_duplicates("run_id").merge(grid, how="cross")
    )
    noises = generator(4).normal(0, noise, len(rounds))
    accuracy = rounds["height"] + noises + gain * (rounds["arm"] == "margin")
    times = {"query_s": 0.5, "fit_s": 1.0, "eval_s": 0.5}
    return rounds.assign(accuracy=accuracy, **times, **columns), runs.assign(rounds_done=20)


def steps_of(made, **changes):
    rounds, runs = made
    summary = summarise(rounds, runs, generator())
    return next_steps(summary, rounds, runs, going_on=going_on(**changes))


def test_a_planted_gain_is_chosen_and_a_rising_curve_goes_on():
    choose, labels = steps_of(frames())
    assert choose.kind == "choose"
    assert choose.sentence.startswith("Let margin choose")
    assert choose.command == ""
    assert labels.kind == "more labels"
    assert labels.sentence.startswith(
        "More labels still pay: with 3,000 labels instead of 1,500, margin is forecast"
    )
    assert labels.command == "again {'rounds': '45'}"
    # 25 more rounds of 16 runs, two seconds each, two at a time.
    assert labels.seconds == pytest.approx(25 * 16 * 2 / 2)


def test_more_labels_end_where_the_pool_does():
    """Up to the train part, a whole number of evaluations; a pool that is used up has no more."""
    commands = [step.command for step in steps_of(frames(), train=2200, evaluate_every=5)]
    assert "again {'rounds': '30'}" in commands
    assert [step.kind for step in steps_of(frames(), train=1600)] == ["choose"]


def test_an_open_verdict_asks_for_seeds_and_names_their_time():
    """41 rounds and passive phases of two arms take two seconds each."""
    seeds, *_ = steps_of(frames(gain=0.0005, noise=0.004, seeds=3), seeds=(0, 3, 7))
    assert seeds.kind == "more seeds"
    assert seeds.command.startswith("again {'seeds': '0,3,7,1,2,4")
    number = len(seeds.command.split(":")[1].split(",")) - 3
    assert seeds.seconds == pytest.approx(number * 41 * 2 / 2)


def test_nothing_is_chosen_while_runs_are_missing():
    rounds, runs = frames()
    late = runs["run_id"] == "margin__seed-7"
    runs.loc[late, ["status", "rounds_done"]] = "unfinished", 10
    finish, *others = steps_of((rounds, runs))
    assert others == []
    assert finish.sentence == (
        "Finish the study: 1 run is not finished, and what to choose is for a finished one; unless it is still "
        "running, the same command goes on."
    )
    assert finish.command == "again {}"
    assert finish.seconds == pytest.approx(10 * 2)
    assert [step.kind for step in steps_of(frames(), ended=False)] == ["finish"]


def test_failed_runs_are_tried_again_and_the_others_decide():
    rounds, runs = frames()
    runs.loc[runs["run_id"] == "margin__seed-7", "status"] = "failed"
    finish, choose, *_ = steps_of((rounds, runs))
    assert (
        "1 run failed, and once the cause is mended the same command tries it again"
        in finish.sentence
    )
    assert choose.sentence.startswith("Let margin choose")


@pytest.mark.parametrize(
    ("kept", "strategies", "added"),
    [("margin", ("margin",), "random,margin"), ("random", ("random",), "random,margin")],
)
def test_an_arm_alone_is_given_another(kept, strategies, added):
    rounds, runs = (frame[frame["arm"] == kept] for frame in frames())
    compare, labels = steps_of((rounds, runs), strategies=strategies)
    assert (compare.kind, compare.command) == ("compare", f"again {{'strategies': '{added}'}}")
    assert labels.kind == "more labels"


FLAT = np.where(LABELS < 900, CURVE, 0.6) - 1e-5 * (LABELS >= 900) * (LABELS - 900)


def test_a_campaign_may_stop_by_a_rule_that_lost_nothing_where_more_labels_bring_nothing():
    """The network is settled from 900 labels on, which its predictions show; a rule without records is not named."""
    settled = pd.Series(np.tile(np.where(LABELS < 900, 0.8, 1.0), 16))
    followed = ("stop_kappa", "stop_agreement", "stop_confidence")
    others = ("stop_entropy", "stop_max_entropy", "stop_median_confidence", "stop_max_confidence")
    measures = {
        "stop_objects": 2000,
        **dict.fromkeys(followed, settled),
        **dict.fromkeys(others, 0.5),
    }
    made = frames(curve=FLAT, noise=0.0005, **measures)
    choose, stop = steps_of(made)
    assert (choose.kind, stop.kind) == ("choose", "stop")
    assert stop.sentence == (
        "Stop a campaign where classification_change says so: it stopped all 8 runs of margin, at 900 of 1,500 labels "
        "on average, which lost nothing of accuracy on average."
    )
    without = frames(curve=FLAT, noise=0.0005)
    assert [step.kind for step in steps_of(without)] == ["choose"]
    # The same rule where the curve rises on: it would lose what more labels bring.
    assert [step.kind for step in steps_of(frames(**measures))] == ["choose", "more labels"]


def test_curves_made_elsewhere_have_no_commands():
    rounds, runs = frames()
    times = ["query_s", "fit_s", "eval_s"]
    rounds = rounds.assign(**dict.fromkeys(times, math.nan))
    steps = next_steps(summarise(rounds, runs, generator()), rounds, runs)
    assert [step.kind for step in steps] == ["choose", "more labels"]
    frame = steps_frame(steps)
    assert list(frame) == list(NEXT_COLUMNS)
    assert frame[["command", "seconds"]].isna().all(axis=None)


def test_there_are_at_most_four_steps_and_none_without_a_finished_run():
    assert MOST == 4
    rounds, runs = frames()
    runs = runs.assign(status="failed")
    summary = summarise(rounds[:0], runs, generator())
    assert next_steps(summary, rounds[:0], runs, going_on=going_on()) == []


def test_rounds_that_take_longer_and_longer_go_on_so():
    """Round r takes r seconds: rounds 5 and 6 take 11 for each of two runs, one after the other."""
    rounds = pd.DataFrame(
        {"arm": "a", "variant": "", "round": range(5), "query_s": np.arange(5.0), "fit_s": 0.0, "eval_s": 0.0}
    )  # fmt: skip
    assert Pace(rounds, 1).of_rounds(6, {"a": 2}) == pytest.approx(22)
    assert Pace(rounds, 4).of_rounds(6, {"a": 2}) == pytest.approx(11)
    assert math.isnan(Pace(rounds, None).of_rounds(6, {"a": 2}))
    assert math.isnan(Pace(rounds[["arm"]], 1).of_seeds(3))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3.0, "a few seconds"), (34.0, "about 30 seconds"), (100.0, "about 2 minutes"), (3600 * 2.4, "about 2 hours"),
        (86400 * 3.1, "about 3 days"),
    ],
)  # fmt: skip
def test_times_are_rough(seconds, words):
    assert about_time(seconds) == words
