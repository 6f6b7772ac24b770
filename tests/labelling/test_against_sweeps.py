"""A campaign whose labels are hidden, answered by a script, learns as the sweep's arm of the same settings does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alray import api
from alray.labelling.campaign import Campaign
from alray.pools.builtin import BUILTIN_POOLS
from tests.helpers.campaigns import answers, truth_of
from tests.helpers.studies import write_pool


@dataclass(frozen=True)
class Case:
    """A protocol that a sweep and campaigns follow: labels, seeds, and the share of wrong answers."""

    initial: int
    query: int
    rounds: int
    seeds: int
    strategy: str = "margin"
    rate: float = 0.0
    settings: Any = None

    @property
    def common(self) -> dict[str, Any]:
        """Settings of both."""
        return {"model": {}, "training": {"mode": "scratch"}, **(self.settings or {})}


def swept(case: Case, pool: Path, results: Path) -> pd.DataFrame:
    """Return (seed, round) accuracies of a sweep on its test part."""
    crowd = {"rate": case.rate, "errors": "uniform", "skill_spread": 0, "answers": 1}
    more: dict[str, Any] = {"crowd": {**crowd, "aggregate": "majority"}} if case.rate else {}
    study = api.sweep(
        pool={"source": str(pool), "copies": "apart"},
        name="swept",
        strategies=[case.strategy],
        seeds=case.seeds,
        initial=case.initial,
        query=case.query,
        rounds=case.rounds,
        execution={"executor": "inline"},
        results=results,
        **more,
        **case.common,
    )
    return study.rounds.pivot_table(index="seed", columns="round", values="accuracy")


def campaigned(case: Case, pool: Path, results: Path) -> pd.DataFrame:
    """Return (seed, round) accuracies of campaigns on all objects of their audit part, by labels that are hidden."""
    table = pd.read_parquet(pool)
    pool = results / "hidden.parquet"
    table.assign(label=None).astype({"label": "object"}).to_parquet(pool)
    table[["id", "label"]].to_parquet(results / "truth.parquet")
    truth, rows = truth_of(pool), {}
    for seed in range(case.seeds):
        campaign = Campaign.start(
            pool,
            results=results,
            name=f"campaign-{seed}",
            seed=seed,
            classes=sorted(set(table["label"])),
            strategy=case.strategy,
            initial=case.initial,
            audit=0.1,
            **case.common,
        )
        for number in range(case.rounds + 2):
            # So many that the strategy's part is as large as the sweep's query.
            batch = campaign.next(round((case.query if number else case.initial) / 0.9))
            campaign.add(
                answers(pool, batch.tasks["id"], rate=case.rate, seed=100 * seed + number)
            )
        store = campaign._store
        rows[seed] = [
            _right(store.predictions(number), truth) for number in range(2, case.rounds + 3)
        ]
        labels = store.rounds()["labels"].iloc[1:] - case.initial
        assert (abs(labels.to_numpy() - case.query * np.arange(case.rounds + 1)) <= 2).all()
    return pd.DataFrame(rows).T


def _right(predictions: pd.DataFrame, truth: dict[str, str]) -> float:
    return float((predictions["predicted"] == predictions["id"].map(truth)).mean())


def assert_alike(case: Case, pool: Path, results: Path) -> None:
    """Compare the means of whole curves, and each round's, by their own spread over seeds."""
    one, other = swept(case, pool, results), campaigned(case, pool, results)
    print(pd.DataFrame({"sweep": one.mean(), "campaign": other.mean()}).round(3).T)  # noqa: T201 -- of a slow test
    for here, there, errors in (
        (one.mean(axis=1), other.mean(axis=1), 3.5),
        *((one[number], other[number], 4.5) for number in one),
    ):
        error = np.sqrt((here.var(ddof=1) + there.var(ddof=1)) / case.seeds)
        assert abs(here.mean() - there.mean()) < errors * error


def test_a_quick_one(tmp_path):
    training = {"mode": "scratch", "stopping": "fixed_epochs", "passive_epochs": 12, "lr": 0.03}
    quick = {"model": {"width": 8, "dropout": 0.1}, "training": training}
    case = Case(initial=18, query=27, rounds=1, seeds=4, settings=quick)
    pool = write_pool(tmp_path / "pool.parquet", objects=300)
    assert_alike(case, pool, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "rate"), [("margin", 0.0), ("random", 0.0), ("margin", 0.2)])
def test_on_openclipart(tmp_path, strategy, rate):
    case = Case(initial=300, query=90, rounds=4, seeds=6, strategy=strategy, rate=rate)
    assert_alike(case, BUILTIN_POOLS["openclipart"].path, tmp_path)
