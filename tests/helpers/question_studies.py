"""Small sweeps of arms that ask yes/no questions, driven without the comparison of their arms."""

import pandas as pd

from alray import api
from alray.settings.location import location_of
from alray.studies import manifest
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.results import Sweep
from alray.studies.sweep.store import SweepStore
from tests.helpers.studies import inline, settings

ALL = [
    "questions:passive",
    "questions:aq",
    "questions:al",
    "questions:alpf",
    "questions:alpf:score=edc",
]


def drive(pool, results, observer=None, **changes) -> Sweep:
    wanted = {"strategies": ["random", *ALL], "questions": {"cost": 0.25}, **changes}
    plan = api.plan_sweep(settings(pool, **wanted), results=results)
    with SweepStore(location_of(results) / str(plan.study.name)) as store:
        manifest.claim(store, api._sweep_claim(plan, store), fresh=False)
        store.write_study(plan.study.model_dump(mode="json"))
        driver = SweepDriver(plan, store, [] if observer is None else [observer])
        driver.drive(lambda: inline(plan))
        runs = store.read_runs()
        ids = runs["run_id"]
        tables = store.read_rounds(ids), store.read_queries(ids), store.read_answers(ids)
        rounds, queries, answers = tables
        return Sweep(store.root, plan.study, rounds, queries, runs, pd.DataFrame(), answers)
