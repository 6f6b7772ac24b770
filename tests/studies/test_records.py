import numpy as np
import pyarrow as pa
import pytest

from alray import api
from alray.analysis.sweep import summary
from alray.studies import tables
from alray.studies.sweep import records
from alray.studies.sweep.records import RUN_COLUMNS
from alray.studies.sweep.results import load
from tests.helpers.records import README, documented, schema
from tests.helpers.studies import ROUNDS, settings


@pytest.fixture(scope="module")
def folder(pool, tmp_path_factory):
    """Return the folder of a finished study with everything in it."""
    spec = settings(pool, strategies=["random", "margin"], seeds=2)
    return api.sweep(spec, results=tmp_path_factory.mktemp("records")).path


def own(columns: dict[str, tuple[pa.DataType, str]]) -> list[tuple[str, str, str]]:
    """Return the columns that a table has beyond those of every table."""
    return [
        (name, str(kind), meaning)
        for name, (kind, meaning) in columns.items()
        if name not in RUN_COLUMNS
    ]


def test_the_readme_documents_every_column():
    shared = [(name, str(kind), meaning) for name, (kind, meaning) in RUN_COLUMNS.items()]
    heads = [(name, "double", meaning) for name, meaning in records.HEAD_COLUMNS.items()]
    tables = documented()
    correlation = {"bases", "groups", "outcomes", "failures", "correlation summary", "quantiles"}
    assert (
        tables.keys()
        == {"Columns", "rounds", "queries", "runs", "summary", "checks"} | correlation
    )
    assert tables["Columns"] == shared
    assert tables["rounds"] == own(dict(records.ROUND_COLUMNS)) + heads
    assert tables["queries"] == own(dict(records.QUERY_COLUMNS))
    assert tables["runs"] == own(dict(records.STATUS_COLUMNS))
    meanings = {name: meaning for name, _, meaning in tables["summary"]}
    assert meanings == dict(summary.SUMMARY_COLUMNS)


def test_rounds_have_the_documented_columns(folder):
    for path in (folder / "rounds").iterdir():
        found = schema(path)
        kinds = {name: str(kind) for name, (kind, _) in records.ROUND_COLUMNS.items()}
        heads = ["accuracy_image", "accuracy_text", "sigma_fused", "sigma_image", "sigma_text"]
        assert found == {**kinds, **dict.fromkeys(heads, "double")}
        assert list(found)[: len(kinds)] == list(kinds)


def test_queries_and_runs_have_the_documented_columns(folder):
    for path in (folder / "queries").iterdir():
        assert list(schema(path).items()) == [
            (name, str(kind)) for name, (kind, _) in records.QUERY_COLUMNS.items()
        ]
    assert list(schema(folder / "runs.parquet").items()) == [
        (name, str(kind)) for name, (kind, _) in records.STATUS_COLUMNS.items()
    ]


def test_the_summary_has_the_documented_columns(folder):
    rows = [(name, kind) for name, kind, _ in documented()["summary"]]
    assert list(schema(folder / "summary.parquet").items()) == rows


def test_a_study_has_a_row_per_round_and_per_queried_object(folder):
    study = load(folder)
    assert len(study.rounds) == 4 * (ROUNDS + 1)
    per_run = study.queries.groupby("run_id").size()
    assert set(per_run) == set(study.rounds.groupby("run_id")["labels"].max())
    assert study.queries.groupby("run_id")["id"].nunique().equals(per_run)
    merged = study.queries[study.queries["arm"] == "random"]
    assert merged["score"].isna().all()
    chosen = study.queries[(study.queries["arm"] == "margin") & (study.queries["round"] > 0)]
    assert chosen["score"].notna().all()
    labels = {f"object-{number}": f"class-{number % 3}" for number in range(200)}
    assert (study.queries["label"] == study.queries["id"].map(labels)).all()


def test_a_table_keeps_the_types_where_a_column_is_null_throughout():
    columns = {"round": (pa.int64(), ""), "score": (pa.float64(), ""), "id": (pa.string(), "")}
    made = tables.table([{"round": 1, "score": None, "id": None, "extra": 2}], columns)
    assert [str(kind) for kind in made.schema.types] == ["int64", "double", "string", "double"]
    assert tables.table([], columns).num_rows == 0


def test_an_undefined_metric_is_null_and_not_a_number():
    assert records._without_nan({"nll": np.nan, "round": 0, "name": "x"}) == {
        "nll": None,
        "round": 0,
        "name": "x",
    }


def test_the_readme_names_the_timing_columns():
    text = README.read_text()
    assert all(f"`{name}`" in text.partition("## Columns")[0] for name in records.TIMING_COLUMNS)
    assert set(records.TIMING_COLUMNS) < set(records.ROUND_COLUMNS)


def test_ranks_count_from_zero_in_every_round(folder):
    queries = load(folder).queries
    for (_, _), group in queries.groupby(["run_id", "round"]):
        assert group["rank"].tolist() == list(range(len(group)))
