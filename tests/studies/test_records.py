import numpy as np
import pyarrow as pa
import pytest

from alray import api
from alray.analysis.campaign.tables import TABLES
from alray.analysis.sweep import summary
from alray.analysis.sweep.across import (
    AREAS_COLUMNS,
    LOSSES_COLUMNS,
    PAIRS_COLUMNS,
    RANKS_COLUMNS,
)
from alray.analysis.sweep.choosing import CHOICE_COLUMNS
from alray.analysis.sweep.crowd_answers import ANSWERED_COLUMNS, CROWD_COLUMNS
from alray.analysis.sweep.crowd_choices import CROWD_CHOICE_COLUMNS
from alray.analysis.sweep.forecast import FORECAST_COLUMNS, NEEDED_COLUMNS
from alray.analysis.sweep.initial_selections import INITIAL_SELECTION_COLUMNS
from alray.analysis.sweep.next_steps.steps import NEXT_COLUMNS
from alray.analysis.sweep.original import ORIGINAL_COLUMNS
from alray.analysis.sweep.stopping_rules.replay import STOPPING_COLUMNS
from alray.studies.campaign import store
from alray.studies.folder import table
from alray.studies.suspects.finding import SUSPECT_COLUMNS
from alray.studies.suspects.truth import TRUTH_COLUMNS
from alray.studies.sweep import records
from alray.studies.sweep.results import load
from tests.helpers.records import README, documented, schema, typed
from tests.helpers.studies import ROUNDS, settings

REPORTED = {
    "forecast": FORECAST_COLUMNS,
    "labels needed": NEEDED_COLUMNS,
    "next steps": NEXT_COLUMNS,
    "initial selections": INITIAL_SELECTION_COLUMNS,
    "ranks": RANKS_COLUMNS,
    "pairs": PAIRS_COLUMNS,
    "losses": LOSSES_COLUMNS,
    "areas": AREAS_COLUMNS,
    "suspects": SUSPECT_COLUMNS,
    "suspects with a truth": TRUTH_COLUMNS,
}
"""Heading of what `alray report` and `alray pool suspects` compute besides: its columns."""


@pytest.fixture(scope="module")
def folder(pool, tmp_path_factory):
    """Return the folder of a finished study with everything in it."""
    spec = settings(pool, strategies=["random", "margin"], seeds=2)
    return api.sweep(spec, results=tmp_path_factory.mktemp("records")).path


def test_the_readme_documents_every_column():
    heads = [(name, "double", meaning) for name, meaning in records.HEAD_COLUMNS.items()]
    tables = documented()
    correlation = {"bases", "groups", "outcomes", "failures", "correlation summary", "quantiles"}
    sweep = {
        "Columns",
        "rounds",
        "crowd",
        "questions",
        "answers",
        "queries",
        "runs",
        "summary",
        "choice",
        "crowd.csv",
        "crowd choices",
        "original",
        "stopping",
        *REPORTED,
    }
    campaign = {f"{name} of a campaign" for name in store.COLUMNS}
    campaign |= {f"{name}.csv of a campaign" for name in TABLES}
    assert tables.keys() == sweep | correlation | campaign | {"checks"}
    shared = tables["Columns"]
    assert shared == typed(records.RUN_COLUMNS)
    assert shared + tables["rounds"] == typed(records.ROUND_COLUMNS) + heads
    assert shared + tables["queries"] == typed(records.QUERY_COLUMNS)
    assert tables["questions"] == typed(records.QUESTION_COLUMNS)
    assert shared + tables["answers"] == typed(records.ANSWER_COLUMNS)
    of_crowd = {name: meaning for name, _, meaning in tables["crowd"]}
    assert of_crowd == dict(CROWD_COLUMNS)
    of_answered = {name: meaning for name, _, meaning in tables["crowd.csv"]}
    assert of_answered == dict(ANSWERED_COLUMNS)
    assert shared + tables["runs"] == typed(records.STATUS_COLUMNS)
    meanings = {name: meaning for name, _, meaning in tables["summary"]}
    assert meanings == dict(summary.SUMMARY_COLUMNS)
    of_choice = {name: meaning for name, _, meaning in tables["choice"]}
    assert of_choice == dict(CHOICE_COLUMNS)
    of_crowds = {name: meaning for name, _, meaning in tables["crowd choices"]}
    assert of_crowds == dict(CROWD_CHOICE_COLUMNS)
    of_original = {name: meaning for name, _, meaning in tables["original"]}
    assert of_original == dict(ORIGINAL_COLUMNS)
    of_stopping = {name: meaning for name, _, meaning in tables["stopping"]}
    assert of_stopping == dict(STOPPING_COLUMNS)
    of_status = {f"{name}.csv of a campaign": columns for name, columns in TABLES.items()}
    for heading, columns in {**REPORTED, **of_status}.items():
        assert {name: meaning for name, _, meaning in tables[heading]} == dict(columns)


def test_rounds_have_the_documented_columns(folder):
    for path in (folder / "rounds").iterdir():
        found = schema(path)
        kinds = {name: kind for name, kind, _ in typed(records.ROUND_COLUMNS)}
        heads = ["accuracy_image", "accuracy_text", "sigma_fused", "sigma_image", "sigma_text"]
        assert found == {**kinds, **dict.fromkeys(heads, "double")}
        assert list(found)[: len(kinds)] == list(kinds)


def test_queries_runs_and_summary_have_the_documented_columns(folder):
    def columns(path):
        return list(schema(path).items())

    for path in (folder / "queries").iterdir():
        assert columns(path) == [row[:2] for row in typed(records.QUERY_COLUMNS)]
    assert columns(folder / "runs.parquet") == [row[:2] for row in typed(records.STATUS_COLUMNS)]
    assert columns(folder / "summary.parquet") == [row[:2] for row in documented()["summary"]]


def test_a_study_has_a_row_per_round_and_per_queried_object(folder):
    study = load(folder)
    assert len(study.rounds) == 4 * (ROUNDS + 1)
    per_run = study.queries.groupby("run_id").size()
    assert set(per_run) == set(study.rounds.groupby("run_id")["labels"].max())
    assert study.queries.groupby("run_id")["id"].nunique().equals(per_run)
    for _, queried in study.queries.groupby(["run_id", "round"]):
        assert queried["rank"].tolist() == list(range(len(queried)))
    by_chance = study.queries[study.queries["arm"] == "random"]
    assert by_chance["score"].isna().all()
    chosen = study.queries[(study.queries["arm"] == "margin") & (study.queries["round"] > 0)]
    assert chosen["score"].notna().all()
    zero = study.rounds[study.rounds["round"] == 0].drop(columns=["run_id", "arm", "strategy"])
    assert len(zero.drop_duplicates()) == 2, "arms of a seed share the passive phase"
    kept = {path.stem for path in (folder / "checkpoints").iterdir()}
    assert kept == set(study.runs["run_id"]), "a finished run's last, and no passive phase's"
    labels = {f"object-{number}": f"class-{number % 3}" for number in range(200)}
    assert (study.queries["label"] == study.queries["id"].map(labels)).all()


def test_a_table_keeps_the_types_where_a_column_is_null_throughout():
    columns = {"round": (pa.int64(), ""), "score": (pa.float64(), ""), "id": (pa.string(), "")}
    made = table([{"round": 1, "score": None, "id": None, "extra": 2}], columns)
    assert [str(kind) for kind in made.schema.types] == ["int64", "double", "string", "double"]
    assert table([], columns).num_rows == 0


def test_an_undefined_metric_is_null_and_not_a_number():
    result = records.RoundResult({"nll": np.nan, "round": 0}, np.arange(0), np.empty(0))
    assert records.round_rows({"arm": "x"}, [result]) == [{"arm": "x", "nll": None, "round": 0}]


def test_the_readme_names_the_timing_columns():
    text = README.read_text()
    assert all(f"`{name}`" in text.partition("## Columns")[0] for name in records.TIMING_COLUMNS)
    assert set(records.TIMING_COLUMNS) < set(records.ROUND_COLUMNS)
