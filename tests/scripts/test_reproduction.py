"""The study run again: rules, claims and parts that fit together, the tables stored, and the page that they make."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from alray.analysis.sweep.summary import summarise
from alray.cli.correlate import correlate
from alray.cli.sweep import sweep
from alray.seeding import generator
from studies.reproduction import networks, windows
from studies.reproduction.__main__ import main
from studies.reproduction.claims import CLAIMS
from studies.reproduction.collecting import CORRELATIONS, ROUNDS, RUNS, Frames, _store
from studies.reproduction.datasets import data_sets
from studies.reproduction.evidence import Evidence
from studies.reproduction.page import write_page
from studies.reproduction.parts import Correlation, Sweep
from studies.reproduction.plan import plan_lines, rounds_of, steps_of
from studies.reproduction.registry import PARTS
from studies.reproduction.rules import Effect, above_zero, alike, below_zero, of_size
from studies.reproduction.running import command_of
from studies.reproduction.special_claims import (
    correlates,
    last_batch,
    last_batches_harm,
    same_ranking,
)

DATA = data_sets(Path("work"), Path("mnist.npz"), "icons", small=False)

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


# Parts and claims


def test_pairs_and_arms_are_those_of_the_sweeps():
    for part in PARTS.values():
        sweeps = {each.name: each for each in part.sweeps}
        for name, arm in part.arms.items():
            strategies = (*sweeps[arm.sweep].strategies, "random + loss predictor")
            assert arm.strategy in strategies, name
            values = [
                f"{key.partition('.')[2]}={value}"
                for key, varied in sweeps[arm.sweep].vary.items()
                for value in varied
            ]
            assert set(filter(None, arm.variant.split(", "))) <= set(values), name
        assert {name for pair in part.pairs for name in pair} <= set(part.arms), part.name


def test_each_study_runs_once_though_several_parts_read_it():
    once = steps_of([PARTS["heads"], PARTS["heads"], PARTS["uncertainty"]], DATA)
    names = [step.name for step in once]
    assert names == sorted(set(names), key=names.index)
    assert names[:4] == ["icons-heads", "icons-losses", "icons-fixed-weights", "icons-uncertainty"]


@pytest.mark.parametrize("small", [False, True])
def test_every_command_is_one_that_alray_takes(small):
    data = data_sets(Path("work"), Path("mnist.npz"), "icons", small=small)
    steps = steps_of(PARTS.values(), data, small=small)
    assert {type(step.study) for step in steps} == {Sweep, Correlation}
    for step in steps:
        program, *words = command_of(step, Path("work"), small=small)
        command = {"sweep": sweep, "correlate": correlate}[program]
        command.make_context(program, words)


def test_the_long_run_ends_just_before_the_train_part_does():
    (step,) = steps_of([PARTS["long"]], {"icons": DATA["icons"]})
    assert isinstance(step.study, Sweep)
    last = step.data.initial + rounds_of(step) * step.study.query
    assert 34_842 - 1_000 - 200 < last <= 34_842


def test_the_plan_names_all_studies_and_their_time():
    steps = steps_of(PARTS.values(), DATA)
    *lines, total = plan_lines(steps)
    assert len(lines) == len(steps) + 3
    minutes = sum(step.minutes for step in steps)
    assert total.split(" min")[0].split() == ["everything", f"{minutes:.0f}"]


def test_networks_that_do_not_exist_yet_are_left_out(monkeypatch, capsys):
    both = [PARTS["networks"], PARTS["heads"]]
    monkeypatch.setattr(networks, "builds_them", lambda: False)
    assert [part.name for part in networks.with_their_networks(both)] == ["heads"]
    assert "networks is left out" in capsys.readouterr().err
    monkeypatch.setattr(networks, "builds_them", lambda: True)
    assert networks.with_their_networks(both) == both


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["headz"], "'headz' is not one of 'heads'"),
        (["--data", "icon"], "'icon' is none of icons, twin, mnist"),
        (["--data", ","], "name at least one of icons, twin, mnist"),
        (["--mnist", "nowhere.npz"], "nowhere.npz' does not exist"),
    ],
)
def test_what_is_unknown_is_refused(words, message):
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert message in done.output


# From records to verdicts


def frames(part, gains, data="icons", seeds=8, noise=0.002):
    """Rounds and runs of a part whose arms reach .5 plus their gains, with seeds' own noise; else empty tables."""
    rng = np.random.default_rng(0)
    common = rng.normal(0, 0.01, seeds)
    rounds, runs = [], []
    for name, arm in PARTS[part].arms.items():
        for seed in range(seeds):
            of_run = {"data": data, "sweep": arm.sweep, "arm": arm.recorded, "seed": seed}
            facts = {"strategy": arm.strategy, "oracle": False, "status": "finished"}
            seconds = {"batch_size": 512, "seconds_per_round": 0.1, "passive_seconds": 1.0}
            runs.append({**of_run, **facts, **seconds})
            for step, labels in enumerate(range(2_000, 3_220, 20)):
                gain = gains(name, labels) if callable(gains) else gains.get(name, 0.0)
                value = 0.5 + common[seed] + gain * (step > 0) + rng.normal(0, noise)
                metrics = dict.fromkeys(("macro_f1", "nll", "train_loss"), 1.0)
                rounds.append(
                    {**of_run, "labels": labels, **metrics, "accuracy": value}
                    | {"validation_accuracy": value}
                )
    return Frames(
        pd.DataFrame(rounds)[list(ROUNDS)],
        pd.DataFrame(runs)[list(RUNS)],
        pd.DataFrame(columns=list(CORRELATIONS)),
        pd.DataFrame(),
    )


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


def test_areas_are_those_of_a_sweeps_summary():
    evidence = Evidence(frames("uncertainty", {"margin": 0.01}, noise=0.01))
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


# Stored tables and the page


def test_new_rows_replace_those_of_their_sweep_alone(tmp_path):
    path = tmp_path / "runs.parquet"
    old = pd.DataFrame(
        {"data": ["icons", "icons", "twin"], "sweep": ["a", "b", "a"], "value": [1, 2, 3]}
    )
    _store(path, [old], ["data", "sweep"])
    _store(
        path, [pd.DataFrame({"data": ["icons"], "sweep": ["a"], "value": [9]})], ["data", "sweep"]
    )
    assert sorted(pd.read_parquet(path)["value"]) == [2, 3, 9]


def test_the_page_of_nothing_says_that_nothing_has_run(tmp_path):
    empty = frames("uncertainty", {})
    empty = replace(empty, rounds=empty.rounds.head(0), runs=empty.runs.head(0))
    write_page(Evidence(empty), tmp_path)
    claims = pd.read_csv(tmp_path / "claims.csv")
    assert set(claims.loc[claims["part"] != "costs", "verdict"]) == {"not run"}
    assert "### On" not in (tmp_path / "README.md").read_text()


def test_the_page_shows_verdicts_pictures_and_where_data_sets_differ(tmp_path):
    (tmp_path / "old.svg").touch()
    here, there = (
        frames("uncertainty", {"margin": gain}, data=data)
        for data, gain in (("icons", 0.01), ("twin", -0.01))
    )
    both = {
        name: pd.concat([getattr(here, name), getattr(there, name)]) for name in ("rounds", "runs")
    }
    write_page(Evidence(replace(here, windows=windows.window_table(50), **both)), tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert (
        "| Fig. 7 | [Margin learns faster than random](#uncertainty) | agrees | **disagrees** |"
        in page
    )
    assert "judged on both icons and the twin, 1 have different verdicts" in page
    linked = set(re.findall(r"\]\(([^)]+\.svg)\)", page))
    assert linked == {path.name for path in tmp_path.glob("*.svg")}
    assert {"uncertainty-icons-curves.svg", "windows.svg", "growth-pool.svg"} <= linked


@pytest.mark.slow
def test_all_parts_run_small_and_the_same_command_goes_on(tmp_path):
    command = ["--small", "--inline", "--data", "icons", "--work", str(tmp_path / "work")]
    command += ["--out", str(tmp_path / "page")]
    for _ in range(2):
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    claims = pd.read_csv(tmp_path / "page" / "claims.csv")
    ran = claims[(claims["data"] == "icons") & (claims["part"] != "networks")]
    assert "not run" not in set(ran["verdict"])
